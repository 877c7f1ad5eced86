"""The explanation as data: in one look why it is this class, and which report carries it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from classification.assessment import assess
from classification.claims import FactKind
from classification.evidence import Evidence
from classification.explained import Explanation, SupportedFact, explain_incident
from classification.findings import Findings
from classification.matrix import ThreatClass, cell
from protocol.report import Disruption, ImpactLevel
from tests.classification.builders import PROFILE, RULES, bodies, make_evidence

pytestmark = pytest.mark.requirement("R13", "R17")


def fact(of: Explanation, kind: FactKind, name: str = "") -> SupportedFact:
    return next(f for f in of.facts if (f.kind, f.name) == (kind, name))


def test_it_names_the_report_that_carries_the_level_and_how_it_confirms() -> None:
    of = explain_incident(
        [
            make_evidence("2-a", "A2", criteria={"control-plane-taken"}, countries={"DE"}),
            make_evidence("2-b", "B3", countries={"DE", "FR"}),
            make_evidence("2-c", "A3", countries={"FR"}),
            make_evidence("2-d", "X4", criteria={"risk-to-life"}),
        ],
        Findings(),
        PROFILE,
    )
    taken = fact(of, FactKind.CRITERION, "control-plane-taken")
    assert (taken.level, taken.alone, taken.confirmed) == ("I3", True, True)
    assert [(r.report, r.grade) for r in taken.reports] == [("2-a", "A2")]
    france = fact(of, FactKind.COUNTRY, "FR")
    assert (france.alone, france.paired, france.origins) == (False, True, 2)
    assert not fact(of, FactKind.CRITERION, "risk-to-life").confirmed
    assert of.deciding == ("risk-to-life",)
    assert (of.assessment.impact, of.confirmed_impact, of.confirmed_reach) == ("I4", "I3", "P3")


def test_it_says_what_the_next_class_up_takes_and_what_is_enough_to_fall() -> None:
    of = explain_incident(
        [make_evidence(criteria={"significant-incident"}, countries={"DE", "FR"})],
        Findings(),
        PROFILE,
    )
    assert of.assessment.threat_class == "C3"
    assert of.higher is not None
    assert of.lower is not None
    assert (of.higher.threat_class, of.higher.impact, of.higher.reach) == ("C4", "I3", None)
    assert of.higher.rise("I2/P3") == (
        "impact I3, and a disruption of services, observed or within 72 hours (K1)"
    )
    assert (of.lower.threat_class, of.lower.impact, of.lower.reach) == ("C2", "I1", "P2")
    assert of.lower.fall() == "impact I1 or reach P2"


def test_under_k1_the_next_class_takes_a_disruption_and_nothing_else() -> None:
    capped = make_evidence(criteria={"critical-destruction"}, countries={"DE", "FR"})
    of = explain_incident([capped], Findings(), PROFILE)
    assert of.capped
    assert of.higher is not None
    assert of.higher.rise("I3/P3").startswith("a disruption of services")
    free = make_evidence(
        criteria={"critical-destruction"}, countries={"DE", "FR"}, disruption=Disruption.IMMINENT
    )
    of = explain_incident([free], Findings(), PROFILE)
    assert (of.capped, of.higher) == (False, None)
    assert of.lower is not None
    assert "no services disrupted" in of.lower.fall()


def test_sectors_that_are_disrupted_together_carry_the_criterion_that_follows() -> None:
    lost: dict[str, Any] = {
        "criteria": {"essential-service-disrupted"},
        "disruption": Disruption.OBSERVED,
    }
    of = explain_incident(
        [
            make_evidence("2-a", sectors={"health"}, **lost),
            make_evidence("2-b", sectors={"energy"}, **lost),
        ],
        Findings(),
        PROFILE,
    )
    several = fact(of, FactKind.CRITERION, "several-essential-sectors")
    assert (several.confirmed, several.total) == (True, 2)
    assert of.deciding == ("several-essential-sectors",)


@given(body=bodies())
def test_it_explains_the_very_assessment_and_survives_json(body: list[Evidence]) -> None:
    of = explain_incident(body, Findings(), PROFILE)
    assert of.assessment == assess(body, Findings(), PROFILE)
    assert Explanation.model_validate_json(of.model_dump_json()) == of
    assert {f.name for f in of.facts if f.kind is FactKind.COUNTRY} == set(of.assessment.countries)


@given(body=bodies())
def test_the_levels_it_names_do_give_the_neighbouring_class(body: list[Evidence]) -> None:
    of = explain_incident(body, Findings(), PROFILE)
    made = of.assessment
    for near, rises in ((of.higher, True), (of.lower, False)):
        if near is None:
            assert made.threat_class is (ThreatClass.C4 if rises else ThreatClass.C0)
            continue
        levels = [(near.impact, made.reach), (made.impact, near.reach)]
        for impact, reach in levels:
            if impact is not None and reach is not None:
                there = cell(ImpactLevel(impact), reach, RULES)
                assert there >= near.threat_class if rises else there <= near.threat_class
