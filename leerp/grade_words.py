"""Grades in words: their history, how they read in the other system, and what a bulk act would do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from leerp.report_words import grade_words, minute
from workflows.bulk_grading import Plan


def entry_words(entry: Mapping[str, Any]) -> Iterator[str]:
    """One evaluation in lines: itself, its view, what it rests on, and what its provider said."""
    yield grade_words(entry)
    if view := entry["view"]:
        yield f"  {view_words(entry, view)}"
    if entry["corroborated_by"]:
        yield f"  borne out by {', '.join(entry['corroborated_by'])}"
    if entry["fallen"]:
        yield f"  taken back since: {', '.join(entry['fallen'])}; look at this grade again"
    if "state" in entry:
        yield f"  {answer_words(entry)}"


def view_words(entry: Mapping[str, Any], view: Mapping[str, Any]) -> str:
    """How an evaluation reads in the other system, with what that leaves open."""
    said = [f"{entry['original']} ({entry['scheme']}) reads {view['grade']} ({view['scheme']})"]
    if view["source_candidates"]:
        said.append(f"source also {' or '.join(view['source_candidates'])}")
    if view["information_candidates"]:
        said.append(f"information also {' or '.join(view['information_candidates'])}")
    if view["flags"]:
        said.append(f"flagged {', '.join(view['flags'])}")
    if view["stix_confidence"] is not None:
        said.append(f"STIX confidence {view['stix_confidence']}")
    return "; ".join((*said, "derived and lossy"))


def answer_words(entry: Mapping[str, Any]) -> str:
    """What became of a proposal."""
    found = entry["answer"]
    if found is None:
        return f"{entry['state']}: the provider has not agreed"
    return (
        f"{found['answer']} by {found['person']} over {found['way']} at "
        f"{minute(found['answered_at'])} UTC, noted by {found['noted_by']}: {found['reason']}"
    )


def confidence_words(shown: Mapping[str, Any]) -> str:
    """A machine's own confidence on the scales of display."""
    return (
        f"{shown['stix']} of 100 ({shown['level']}; {shown['dni']}; as credibility "
        f"{shown['credibility']}), the machine's own, not a grade"
    )


def plan_rows(plan: Plan) -> list[dict[str, Any]]:
    """What a bulk act would do, as lines of a table."""
    rows = [
        {"reports": number, "what": f"{grade} -> {plan.change}"}
        for grade, number in sorted(plan.before.items())
    ]
    for number, what in (
        (plan.unchanged, "have that grade already"),
        (plan.provider_graded, "are graded by their provider, and that stands"),
        (plan.closed, "are in closed incidents"),
    ):
        if number:
            rows.append({"reports": number, "what": what})
    return rows
