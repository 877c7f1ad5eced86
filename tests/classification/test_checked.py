"""Whole answers, word for word, against files that a person has read and checked.

Each file of ``checked/`` is one body of evidence: what it is explained as, its facts, what is to be
verified, how robust it is, how it differs from the first and, of two, what would change it. Beside
it stand all single changes that are looked at for it, a paragraph each.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from classification.assessment import assess
from classification.comparison import compare, report_changes, standings_of
from classification.evidence import Evidence
from classification.explained import explain_incident
from classification.facts import facts
from classification.findings import (
    CauseConfirmation,
    ExpectedPropagation,
    Findings,
    ProbableCountry,
    StatedFact,
    Subject,
)
from classification.robustness import robustness
from classification.sensitivity import what_would_change
from classification.verification import verifications
from protocol.report import Cause, Disruption
from tests.classification.brute_force import single_changes
from tests.classification.builders import PROFILE, make_evidence, stated

pytestmark = pytest.mark.requirement("R11", "R13", "R17")

CHECKED = Path(__file__).parent / "checked"
HOSPITALS = (
    make_evidence(
        "5-press", "X4", origin="press",
        criteria={"essential-service-disrupted", "risk-to-life", "unheard-of"},
        countries={"GB", "ES"}, sectors={"health"}, organisations={"trust one"},
        victims_min=16, self_propagating=True, disruption=Disruption.OBSERVED,
    ),
    make_evidence(
        "3-cert", "B3", origin="cert",
        criteria={"essential-service-disrupted"}, countries={"ES"},
        sectors={"digital-infrastructure"}, organisations={"operator"}, organisations_min=3,
        self_propagating=True, disruption=Disruption.OBSERVED, cause=Cause.MALICIOUS,
    ),
    make_evidence("4-vendor", None, origin="vendor", countries={"DE"}, loss_eur_min=750_000.0),
    make_evidence("4-gone", "C3", origin="vendor", countries={"FR"}, retracted=True),
)  # fmt: skip
POLICE = make_evidence(
    "2-police", "A1", origin="police",
    criteria={"essential-service-sustained-denial", "risk-to-life"},
    countries={"ES", "DE", "FR", "NL"}, sectors={"health"}, organisations_min=40,
    victims_min=9_000, victims_max=12_000, services={"emergency calls"}, risk_to_life=True,
    self_propagating=True, disruption=Disruption.OBSERVED,
)  # fmt: skip
FINDINGS = Findings(
    probable_countries=(
        ProbableCountry(officer="ana", text="same software", country="IT", probability=0.9),
    ),
    propagation=ExpectedPropagation(officer="ana", text="a worm", probability=0.97),
    triggers=(stated("T3"),),
    facts=(
        StatedFact(officer="ben", text="rang them", subject=Subject.VICTIMS, at_least=20_000),
        StatedFact(
            officer="ben", text="rang them", subject=Subject.COUNTRY, value="DE", holds=False
        ),
    ),
)
CABLE = make_evidence(
    "2-operator", "A1", origin="operator", criteria={"essential-service-disrupted"},
    countries={"PT"}, sectors={"digital-infrastructure"}, disruption=Disruption.OBSERVED,
    cause=Cause.TECHNICAL_FAILURE, cause_clear=True,
)  # fmt: skip
CASES: dict[str, tuple[tuple[Evidence, ...], Findings]] = {
    "hospitals": (HOSPITALS, Findings()),
    "hospitals-and-police": (
        (*HOSPITALS[:2], make_evidence("4-vendor", "B2", origin="vendor"), POLICE), FINDINGS,
    ),
    "cable": (
        (CABLE,),
        Findings(
            cause=CauseConfirmation(officer="ana", text="seen", cause=Cause.TECHNICAL_FAILURE)
        ),
    ),
    "phishing": ((make_evidence("6-user", "C3", criteria={"attempt-blocked"}),), Findings()),
    "nothing": ((), Findings()),
}  # fmt: skip
SENSITIVE = {"hospitals", "cable"}
VARIED = ("hospitals", "hospitals-and-police", "cable")


def answers(name: str) -> dict[str, Any]:
    """All that is said of one case, as JSON values."""
    evidence, findings = CASES[name]
    assessment = assess(evidence, findings, PROFILE)
    first, first_findings = CASES["hospitals"]
    said: dict[str, BaseModel] = {
        "explanation": explain_incident(evidence, findings, PROFILE),
        "facts": facts(evidence, findings, PROFILE.classification),
        "robustness": robustness(evidence, findings, PROFILE),
        "compared with hospitals": compare(
            assess(first, first_findings, PROFILE),
            assessment,
            report_changes(standings_of(first), standings_of(evidence)),
            findings=(0, 1),
        ),
    }
    if name in SENSITIVE:
        said["what would change it"] = what_would_change(evidence, findings, PROFILE)
    return {part: model.model_dump(mode="json") for part, model in said.items()} | {
        "to be verified": [
            each.model_dump(mode="json") for each in verifications(evidence, findings, PROFILE)
        ],
    }


def changes(name: str) -> str:
    """Every change that is looked at for a case, with all that counts of it."""
    evidence, findings = CASES[name]
    return "\n".join(
        f"{change.kind}: if {change.words}\n"
        f"  {change.slot} | {change.family} {change.rank} of {change.alike} | "
        f"{' '.join(sorted(change.levers))}\n"
        f"  {_becomes(change.report, change.becomes)}\n"
        f"  {change.fact} | {'' if change.findings is None else change.findings.model_dump_json()}\n"
        for change in single_changes(evidence, findings, 2)
    )


def _becomes(before: Evidence | None, after: Evidence | None) -> str:
    """What is different in the report that is changed, or what a further one says."""
    if after is None:
        return "no report"
    old = before or make_evidence("", None, origin="")
    different = (
        (field.name, getattr(after, field.name))
        for field in dataclasses.fields(after)
        if getattr(after, field.name) != getattr(old, field.name)
    )
    return ", ".join(
        f"{name}={sorted(value) if isinstance(value, frozenset) else value}"
        for name, value in different
    )


def written(name: str) -> str:
    """The file of a case, as it is made."""
    return json.dumps(answers(name), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


@pytest.mark.parametrize("name", CASES)
def test_each_case_is_answered_as_it_was_checked(name: str) -> None:
    assert written(name) == (CHECKED / f"{name}.json").read_text("utf-8")


@pytest.mark.parametrize("name", VARIED)
def test_each_change_that_is_looked_at_is_as_it_was_checked(name: str) -> None:
    assert changes(name) == (CHECKED / f"{name}.changes.txt").read_text("utf-8")


def test_no_checked_file_is_left_that_nothing_makes() -> None:
    assert {path.name for path in CHECKED.iterdir()} == {
        *(f"{name}.json" for name in CASES),
        *(f"{name}.changes.txt" for name in VARIED),
    }
