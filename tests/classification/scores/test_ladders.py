"""The US levels and the UK categories: the highest rung counts, and silence settles nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification.scores.ladder import Rung, climb
from classification.scores.result import Known
from classification.scores.uk_ncsc import Target, UkFacts, uk_ncsc
from classification.scores.us_severity import UsFacts, us_severity
from protocol.report import Disruption, ImpactLevel
from tests.classification.scores.bases import NOTHING, make_basis

LEVELS = (
    "imminent_wide_scale_threat",
    "likely_significant_impact",
    "likely_demonstrable_impact",
    "may_have_impact",
    "unlikely_impact",
)
NO_UK: dict[str, Any] = {
    "sustained_disruption": False,
    "severe_consequences": False,
    "serious_impact_on": frozenset(),
    "considerable_risk_to": frozenset(),
    "preliminary_signs_against": frozenset(),
}
CATEGORIES_OF = [
    ("serious_impact_on", "central-government", "2"),
    ("serious_impact_on", "essential-services", "2"),
    ("serious_impact_on", "population", "2"),
    ("serious_impact_on", "economy", "2"),
    ("serious_impact_on", "large-organisation", "3"),
    ("serious_impact_on", "local-government", "3"),
    ("considerable_risk_to", "central-government", "3"),
    ("considerable_risk_to", "essential-services", "3"),
    ("serious_impact_on", "medium-organisation", "4"),
    ("considerable_risk_to", "large-organisation", "4"),
    ("considerable_risk_to", "local-government", "4"),
    ("serious_impact_on", "small-organisation", "5"),
    ("considerable_risk_to", "medium-organisation", "5"),
    ("preliminary_signs_against", "large-organisation", "5"),
    ("preliminary_signs_against", "central-government", "5"),
    ("preliminary_signs_against", "local-government", "5"),
    ("serious_impact_on", "individual", "6"),
    ("preliminary_signs_against", "medium-organisation", "6"),
    ("preliminary_signs_against", "small-organisation", "6"),
    ("considerable_risk_to", "individual", "none"),
]
KNOWN = st.sampled_from([True, False, None])


def us(**said: Known) -> UsFacts:
    return UsFacts(**said)


@given(st.lists(KNOWN, min_size=1, max_size=6))
def test_a_scale_is_settled_exactly_when_nothing_unknown_can_change_it(said: list[Known]) -> None:
    def reached(facts: list[Known]) -> str | None:
        rungs = [
            Rung(value=str(n), words="", statements=((f"f{n}", fact),))
            for n, fact in enumerate(facts)
        ]
        rung = climb(rungs).rung
        return rung.value if rung else None

    rungs = [
        Rung(value=str(n), words="", statements=((f"f{n}", fact),)) for n, fact in enumerate(said)
    ]
    outcomes = {
        reached([other if fact is None else fact for fact in said]) for other in (False, True)
    }
    assert (climb(rungs).missing == ()) is (len(outcomes) == 1)
    assert reached(said) == reached([bool(fact) for fact in said])


@pytest.mark.parametrize(("position", "level"), list(enumerate("54321")))
def test_each_us_level_has_its_statement(position: int, level: str) -> None:
    facts: dict[str, Known] = dict.fromkeys(LEVELS, False)
    score = us_severity(us(substantiated=True, **{**facts, LEVELS[position]: True}), NOTHING)
    assert (score.value, score.missing) == (level, ())
    assert score.meaning.startswith(level)


def test_what_is_unsubstantiated_or_inconsequential_is_level_0() -> None:
    assert us_severity(us(substantiated=False), make_basis("risk-to-life")).value == "0"
    none: dict[str, Known] = dict.fromkeys(LEVELS, False)
    assert us_severity(us(substantiated=True, **none), NOTHING).value == "0"


def test_a_us_level_without_what_could_lift_it_is_a_lower_bound() -> None:
    score = us_severity(us(substantiated=True, may_have_impact=True), NOTHING)
    assert score.value is None
    assert score.meaning.startswith("at least 2 medium")
    assert score.missing == LEVELS[:3]


def test_nothing_known_names_the_first_thing_to_find_out() -> None:
    score = us_severity(us(), NOTHING)
    assert score.value is None
    assert score.missing == ("substantiated", *LEVELS)


@pytest.mark.parametrize(
    ("criterion", "impact", "value", "said"),
    [
        ("risk-to-life", "I4", "5", "5 emergency"),
        ("several-essential-sectors", "I4", "5", "5 emergency"),
        ("essential-service-disrupted", "I3", None, "at least 3"),
        ("significant-incident", "I2", None, "at least 2"),
        ("small-loss", "I1", None, "nothing is known"),
    ],
)
def test_confirmed_reports_speak_for_a_us_level(
    criterion: str, impact: str, value: str | None, said: str
) -> None:
    basis = make_basis(criterion, impact=ImpactLevel(impact), confirmed=True)
    score = us_severity(us(), basis)
    assert score.value == value
    assert score.meaning.startswith(said)
    assert us_severity(us(), make_basis(criterion, impact=ImpactLevel(impact))).value is None


@pytest.mark.parametrize(("field", "target", "category"), CATEGORIES_OF)
def test_each_uk_category_follows_from_whom_it_hits_and_how(
    field: str, target: str, category: str
) -> None:
    facts = UkFacts(**{**NO_UK, field: frozenset({Target(target)})})
    assert uk_ncsc(facts, NOTHING).value == category


@pytest.mark.parametrize("field", ["sustained_disruption", "severe_consequences"])
def test_a_uk_national_emergency_needs_nothing_else(field: str) -> None:
    score = uk_ncsc(UkFacts(**{field: True}), NOTHING)
    assert score.value == "1"


def test_the_gravest_uk_category_counts() -> None:
    facts = UkFacts(**{**NO_UK, "serious_impact_on": frozenset(Target)})
    assert uk_ncsc(facts, NOTHING).value == "2"


def test_a_uk_category_by_reports_is_a_lower_bound_until_an_officer_closes_it() -> None:
    basis = make_basis("essential-service-disrupted")
    open_score = uk_ncsc(UkFacts(), basis)
    assert open_score.value is None
    assert open_score.meaning == "2 highly significant or graver"
    assert open_score.missing == ("sustained_disruption", "severe_consequences")
    closed = UkFacts(sustained_disruption=False, severe_consequences=False)
    assert uk_ncsc(closed, basis).value == "2"


def test_sustained_denial_that_is_seen_is_a_uk_national_emergency() -> None:
    criterion = "essential-service-sustained-denial"
    assert uk_ncsc(UkFacts(), make_basis(criterion)).value is None
    seen = make_basis(criterion, disruption=Disruption.OBSERVED)
    assert uk_ncsc(UkFacts(), seen).value == "1"


def test_of_nothing_the_uk_scale_says_nothing() -> None:
    score = uk_ncsc(UkFacts(), NOTHING)
    assert score.value is None
    assert set(score.missing) == set(UkFacts.model_fields)
    assert uk_ncsc(UkFacts(**NO_UK), NOTHING).value == "none"
