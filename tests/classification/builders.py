"""Evidence, findings and the profile, made by functions for the tests of this room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from classification.evidence import Evidence
from classification.findings import CauseConfirmation, StatedTrigger, TriggerId
from protocol.grades import Grade, InformationAccuracy, SourceReliability
from protocol.profile import ClassificationRules, Profile
from protocol.report import Cause, Disruption

ROOT = Path(__file__).resolve().parents[2]
PROFILE = Profile.from_toml(
    (ROOT / "protocol" / "profiles" / "leerp-2017-draft.toml").read_text(encoding="utf-8")
)
RULES: ClassificationRules = PROFILE.classification
GRADES = tuple(
    Grade(source=s, information=i) for s in SourceReliability for i in InformationAccuracy
)
STATES = ("AT", "BE", "DE", "ES", "FR", "US")


def make_evidence(report_id: str = "2-a", grade: str | None = "B2", **said: Any) -> Evidence:
    """One item; its origin is its own unless said otherwise."""
    said = {k: frozenset(v) if isinstance(v, set) else v for k, v in said.items()}
    said.setdefault("origin", f"origin of {report_id}")
    parsed = None if grade is None else Grade.parse(grade)
    return Evidence(report_id=report_id, grade=parsed, **said)


def stated(trigger: str, reference: str = "ref 1") -> StatedTrigger:
    return StatedTrigger(
        trigger=TriggerId(trigger), officer="officer-1", text="as agreed", reference=reference
    )


def confirmed_cause(cause: Cause) -> CauseConfirmation:
    return CauseConfirmation(officer="officer-1", text="called the operator", cause=cause)


def subsets(values: tuple[str, ...]) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(values), max_size=4)


def evidence_items(report_id: str) -> st.SearchStrategy[Evidence]:
    """Any item under this id."""
    return st.builds(
        Evidence,
        report_id=st.just(report_id),
        origin=st.sampled_from(("cert-a", "cert-b", "vendor-c")),
        grade=st.none() | st.sampled_from(GRADES),
        criteria=subsets((*RULES.impact_criteria, "unheard-of")),
        countries=subsets(STATES),
        organisations=subsets(("one", "two", "three")),
        organisations_min=st.integers(0, 5),
        sectors=subsets(("health", "energy", "food")),
        victims_min=st.sampled_from((0, 1, 3, 999, 1_000, 10_000)),
        victims_max=st.none() | st.sampled_from((10_000, 20_000)),
        services=subsets(("mail", "emergency calls")),
        self_propagating=st.booleans(),
        disruption=st.sampled_from(Disruption),
        risk_to_life=st.booleans(),
        loss_eur_min=st.none() | st.sampled_from((0.0, 500_000.0, 500_000.5)),
        cause=st.sampled_from(Cause),
        cause_clear=st.booleans(),
        cause_by_authority=st.booleans(),
        retracted=st.booleans(),
    )


def bodies() -> st.SearchStrategy[list[Evidence]]:
    """Some items, each of its own report."""
    anything = st.one_of(*(evidence_items(f"2-{i}") for i in range(5)))
    return st.lists(anything, max_size=5, unique_by=lambda item: item.report_id)
