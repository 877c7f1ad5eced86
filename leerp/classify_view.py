"""What ``leerp classify`` shows: for people section by section, for programs as one document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from classification.assessment import Assessment
from leerp.classify import Case, Classified, differences
from leerp.explanation_view import Explained, outlook
from protocol.report import Moment

Section = tuple[str, tuple[str, ...]]
"""A heading, and its lines."""


def sections(found: Classified, why: Explained) -> tuple[Section, ...]:
    """In the order in which they are read: the answer, why, what would change it, what others say."""
    result = found.assessment
    headline = (
        f"{result.threat_class} ({result.impact}{result.reach}), "
        f"recommendation {result.recommendation}"
    )
    shown = (
        (headline, result.reasons),
        *((part.title, part.lines) for part in outlook(why)),
        ("By other matrices", _compared(found)),
        ("Scales of others, for information only", tuple(_scores(found))),
        ("Expected", _expected(found)),
    )
    return tuple((heading, lines) for heading, lines in shown if lines)


def document(found: Classified, why: Explained) -> dict[str, Any]:
    """The assessment with what stands beside it."""
    first, last = observed(found)
    expected = found.file.expect
    return {
        "name": found.file.name,
        "observed": {
            "first": first.isoformat() if first else None,
            "last": last.isoformat() if last else None,
        },
        **found.assessment.model_dump(mode="json"),
        **why.model_dump(mode="json", include={"what_would_change", "robustness"}),
        "by_other_matrices": said_rows(found.compared),
        "side_scores": [score.model_dump(mode="json") for score in found.scores],
        "differs": list(differences(expected, found)) if expected else None,
    }


def observed(found: Classified) -> tuple[Moment | None, Moment | None]:
    """The first and the last time that the evidence speaks of."""
    items = [item for item in found.file.evidence if not item.retracted]
    times = [t for item in items for t in (item.observed_first, item.observed_last) if t]
    return min(times, default=None), max(times, default=None)


def said_rows(assessments: Iterable[Assessment]) -> list[dict[str, Any]]:
    """What each matrix says of the same evidence, a row each."""
    return [
        {
            "matrix": each.matrix,
            "class": str(each.threat_class),
            "cell": f"{each.impact}/{each.reach}",
            "before_K1": str(each.class_before_cap),
            "triggers": _triggers(each),
            "recommendation": str(each.recommendation),
        }
        for each in assessments
    ]


def table_rows(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """A folder of cases, a row each."""
    return [_row(case) for case in cases]


def _row(case: Case) -> dict[str, Any]:
    found = case.classified
    result = found.assessment if found else None
    compared = found is None or found.file.expect is not None
    return {
        "case": case.name,
        "class": str(result.threat_class) if result else "",
        "recommendation": str(result.recommendation) if result else "",
        "triggers": _triggers(result) if result else "",
        "not_passed": " ".join(g.id for g in result.gates if not g.passed) if result else "",
        "as_expected": not case.differs if compared else None,
        "differs": list(case.differs),
    }


def _triggers(result: Assessment) -> str:
    return " ".join(t.id for t in result.triggers)


def _compared(found: Classified) -> tuple[str, ...]:
    return tuple(
        f"{row['matrix']}: {row['class']} ({row['cell']}), recommendation {row['recommendation']}"
        for row in said_rows(found.compared)
    )


def _scores(found: Classified) -> Iterable[str]:
    for score in found.scores:
        if score.value is not None:
            yield f"{score.title}: {score.value} ({score.meaning})"
        else:
            yield (
                f"{score.title}: not enough known ({score.meaning}); "
                f"missing: {', '.join(score.missing)}"
            )


def _expected(found: Classified) -> tuple[str, ...]:
    if found.file.expect is None:
        return ()
    return differences(found.file.expect, found) or ("all came out as expected",)
