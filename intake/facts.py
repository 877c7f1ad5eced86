"""Facts about a report that its repetitions, versions and neighbours tell: seen, told by, in force.

They follow from what is stored, whatever the order in which it came. Rows are plain JSON-able dicts,
the same for table and ``--json``. Source: domain 2.1 (E7), 6.2; issue 5, item 4.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, distinct, func, select

from activities.standing import TakenBack, taken_back
from infra.originals import ORIGINALS, stored_at
from infra.tables import evaluation, report
from infra.tables_corroboration import witness
from intake.witnesses import among
from protocol.errors import NotFound
from protocol.parties import ANONYMOUS

IN_FORCE = "in force"
ORIGIN = case(
    (report.c.principal == ANONYMOUS, report.c.evidence["origin"].as_string()),
    else_=report.c.principal,
)
"""Whom a report comes from: the authenticated principal, or else the reporter's name."""


def report_facts(connection: Connection, report_id: str) -> dict[str, Any]:
    """How often and when it was delivered, by how many it was told, what became of it, its grades.

    Raises:
        NotFound: no such report.
    """
    row = connection.execute(
        select(
            report.c.seq, report.c.received_at, report.c.duplicates, report.c.last_seen_at
        ).where(report.c.id == report_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"no report {report_id}: see 'leerp reports list'")
    return {
        **_seen(row.duplicates, row.received_at, row.last_seen_at),
        **_standing(taken_back(connection, report.c.id == report_id).get(report_id, ())),
        **_told_by(connection, _same_content(connection, row.seq)),
        "evaluations": grade_history(connection, report_id),
    }


def listed_facts(connection: Connection, report_ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """For each of some reports, how often it was delivered and whether it is in force."""
    found: dict[str, dict[str, Any]] = {}
    for which in among(report.c.id, report_ids):
        gone = taken_back(connection, which)
        rows = connection.execute(
            select(
                report.c.id, report.c.received_at, report.c.duplicates, report.c.last_seen_at
            ).where(which)
        )
        for row in rows:
            found[row.id] = {
                **_seen(row.duplicates, row.received_at, row.last_seen_at),
                **_standing(gone.get(row.id, ())),
            }
    return found


def incident_facts(connection: Connection, incident_id: str) -> dict[str, Any]:
    """Of how many sources and source groups the reports of an incident are, and how many count."""
    which = report.c.incident_id == incident_id
    gone = taken_back(connection, which)
    kinds = [_standing(each)["standing"] for each in gone.values()]
    deliveries, first, last, newest = connection.execute(
        select(
            func.sum(report.c.duplicates + 1),
            func.min(report.c.received_at),
            func.max(report.c.received_at),
            func.max(report.c.last_seen_at),
        ).where(which)
    ).one()
    return {
        **_told_by(connection, which),
        "superseded": kinds.count("superseded"),
        "withdrawn": kinds.count("withdrawn"),
        "deliveries": deliveries or 0,
        "first_seen_at": first.isoformat() if first else None,
        "last_seen_at": max(filter(None, (last, newest))).isoformat() if last else None,
    }


def grade_history(connection: Connection, report_id: str) -> list[dict[str, Any]]:
    """Every evaluation of a report, the oldest first; ``in_force`` marks the one that holds.

    A proposal to a provider holds only with the provider's agreement (E3).
    """
    later = connection.execute(
        select(evaluation).where(evaluation.c.report_id == report_id).order_by(evaluation.c.id)
    ).all()
    grades = _first_grade(connection, report_id)
    grades += [
        {
            "kind": row.kind,
            "grade": f"{row.source_grade}{row.information_grade}",
            "scheme": row.scheme,
            "original": row.original,
            "by": row.by,
            "at": row.at.isoformat(),
            "reason": row.reason,
            "corroborated_by": row.corroborated_by or [],
        }
        for row in later
    ]
    holding = [n for n, grade in enumerate(grades) if grade["kind"] != "proposal"][-1:]
    return [{**grade, "in_force": n in holding} for n, grade in enumerate(grades)]


def _first_grade(connection: Connection, report_id: str) -> list[dict[str, Any]]:
    """The grade that a report came in with; none where there is no such report."""
    stored = connection.execute(
        select(report.c.seq, stored_at.label("at")).where(report.c.id == report_id)
    ).all()
    at = {row.seq: row.at for row in stored}
    return [
        {
            "kind": first.kind,
            "grade": f"{first.source_grade}{first.information_grade}",
            "scheme": first.scheme,
            "original": first.original,
            "by": first.by,
            "at": at[seq].isoformat(),
            "reason": first.grounds,
            "corroborated_by": [],
        }
        for seq, first in ORIGINALS.read(connection, at)
    ]


def _seen(duplicates: int, first: datetime, last: datetime | None) -> dict[str, Any]:
    return {
        "seen": duplicates + 1,
        "first_seen_at": first.isoformat(),
        "last_seen_at": max(first, last or first).isoformat(),
    }


def _standing(by: tuple[TakenBack, ...]) -> dict[str, Any]:
    """A withdrawal weighs more than a newer version."""
    withdrawn = [each.by for each in by if each.kind == "withdraws"]
    superseded = [each.by for each in by if each.kind == "replaces"]
    standing = "withdrawn" if withdrawn else "superseded" if superseded else IN_FORCE
    return {"standing": standing, "superseded_by": superseded, "withdrawn_by": withdrawn}


def _same_content(connection: Connection, seq: int) -> ColumnElement[bool]:
    """Reports with the same words, indicators and victims; itself alone until it was looked at."""
    own = connection.execute(
        select(witness.c.text, witness.c.about).where(witness.c.report_seq == seq)
    ).one_or_none()
    if own is None:
        return report.c.seq == seq
    return report.c.seq.in_(
        select(witness.c.report_seq).where(
            and_(witness.c.text == own.text, witness.c.about == own.about)
        )
    )


def _told_by(connection: Connection, which: ColumnElement[bool]) -> dict[str, int]:
    sources, groups = connection.execute(
        select(func.count(distinct(ORIGIN)), func.count(distinct(report.c.group))).where(which)
    ).one()
    return {"sources": sources, "groups": groups}
