"""The whole history of a report's grades: who, when, why, what the provider said, how it reads elsewhere.

Rows are plain JSON-able dicts. Source: domain 2.1 to 2.4; R11, R12.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from activities.standing import taken_back
from classification.grade_views import grade_view, shown_confidence
from classification.scales import stix_of_raw
from infra.originals import documents
from infra.tables import report
from intake.facts import grade_history
from intake.witnesses import among
from protocol.errors import NotFound
from workflows.evaluations import Kind
from workflows.proposals import proposals_of


def grade_log(connection: Connection, report_id: str) -> dict[str, Any]:
    """The grade in force, every evaluation with its view in the other system, and all answers.

    ``fallen`` of an evaluation are the reports that it rests on and that were taken back since: an
    officer should look at it again.

    Raises:
        NotFound: no such report.
    """
    row = connection.execute(
        select(
            report.c.incident_id,
            report.c.seq,
            report.c.source_grade,
            report.c.information_grade,
        ).where(report.c.id == report_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"no report {report_id}: see 'leerp reports list'")
    ((_, document),) = documents(connection, [row.seq])
    history = grade_history(connection, report_id)
    answers = iter(proposals_of(connection, report_id))
    gone = _gone(connection, {each for entry in history for each in entry["corroborated_by"]})
    return {
        "report": report_id,
        "incident": row.incident_id,
        "grade": f"{row.source_grade}{row.information_grade}",
        "history": [
            {
                **entry,
                "view": _view(entry, document["first_hand"]),
                "fallen": [each for each in entry["corroborated_by"] if each in gone],
                **(_said(next(answers)) if entry["kind"] == Kind.PROPOSAL else {}),
            }
            for entry in history
        ],
        "confidence": _confidence(document),
    }


def _said(proposal: Mapping[str, Any]) -> dict[str, Any]:
    return {"state": proposal["state"], "answer": proposal["answer"]}


def _view(entry: Mapping[str, Any], first_hand: bool | None) -> dict[str, Any] | None:
    """None where the provider's words are no grade of the scheme that it names."""
    try:
        view = grade_view(
            entry["scheme"],
            entry["original"],
            first_hand=first_hand,
            corroborated_by=frozenset(entry["corroborated_by"]),
        )
    except ValueError:
        return None
    return view.model_dump(mode="json")


def _gone(connection: Connection, ids: set[str]) -> set[str]:
    found: set[str] = set()
    for which in among(report.c.id, ids):
        found |= taken_back(connection, which).keys()
    return found


def _confidence(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a machine said of its own detections, each figure once, on the scales of display."""
    stated = {
        stix
        for each in document["indicators"]
        if (stix := stix_of_raw(document["format"], each["confidence_raw"])) is not None
    }
    return [shown_confidence(each).model_dump(mode="json") for each in sorted(stated)]
