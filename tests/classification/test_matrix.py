"""All cells of domain 3.3, the two axes, the cap K1, and that more never means less."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification.claims import Picture
from classification.matrix import (
    ReachLevel,
    ThreatClass,
    capped,
    cell,
    impact_level,
    place,
    reach_level,
)
from protocol.report import Disruption, ImpactLevel
from tests.classification.builders import RULES, STATES, subsets

pytestmark = pytest.mark.requirement("R13", "R14")

TABLE = {"I0": "00011", "I1": "01122", "I2": "11233", "I3": "12344", "I4": "23444"}
CELLS = [
    (impact, f"P{column}", f"C{value}")
    for impact, row in TABLE.items()
    for column, value in enumerate(row)
]
NOWHERE = frozenset[str]()

pictures = st.builds(
    Picture,
    criteria=subsets(tuple(RULES.impact_criteria)),
    countries=subsets(STATES),
    organisations=st.integers(0, 3),
    victims=st.sampled_from((0, 1, 2, 999, 1_000, 9_999, 10_000)),
    sectors=st.just(frozenset[str]()),
    self_propagating=st.booleans(),
    disruption=st.sampled_from(Disruption),
)


def make_picture(
    *,
    countries: str = "",
    organisations: int = 0,
    victims: int = 0,
    self_propagating: bool = False,
) -> Picture:
    return Picture(
        criteria=frozenset(),
        countries=frozenset(countries.split()),
        organisations=organisations,
        victims=victims,
        sectors=frozenset(),
        self_propagating=self_propagating,
        disruption=Disruption.UNKNOWN,
    )


@pytest.mark.parametrize(("impact", "reach", "expected"), CELLS)
def test_the_cell_gives_the_class_of_the_table(impact: str, reach: str, expected: str) -> None:
    assert cell(ImpactLevel(impact), ReachLevel(reach), RULES) == expected


@given(
    impacts=st.tuples(st.sampled_from(ImpactLevel), st.sampled_from(ImpactLevel)),
    reaches=st.tuples(st.sampled_from(ReachLevel), st.sampled_from(ReachLevel)),
)
def test_a_graver_cell_never_has_a_lower_class(
    impacts: tuple[ImpactLevel, ImpactLevel], reaches: tuple[ReachLevel, ReachLevel]
) -> None:
    low, high = cell(min(impacts), min(reaches), RULES), cell(max(impacts), max(reaches), RULES)
    assert low <= high


@pytest.mark.parametrize(("criterion", "level"), sorted(RULES.impact_criteria.items()))
def test_each_criterion_alone_gives_its_level(criterion: str, level: ImpactLevel) -> None:
    assert impact_level(frozenset({criterion}), RULES) is level


def test_the_highest_criterion_counts_and_none_is_no_impact() -> None:
    both = frozenset({"attempt-blocked", "critical-destruction"})
    assert impact_level(both, RULES) is ImpactLevel.I3
    assert impact_level(NOWHERE, RULES) is ImpactLevel.I0


@pytest.mark.parametrize(
    ("picture", "reach"),
    [
        (make_picture(), "P0"),
        (make_picture(countries="DE", victims=1), "P0"),
        (make_picture(organisations=1, victims=1), "P1"),
        (make_picture(countries="DE", victims=999), "P1"),
        (make_picture(organisations=1, victims=1, countries="US"), "P1"),
        (make_picture(organisations=2, countries="DE"), "P2"),
        (make_picture(organisations=2, countries="US CA JP CH"), "P2"),
        (make_picture(organisations=1, countries="DE", victims=1_000), "P3"),
        (make_picture(organisations=2, countries="US", victims=20_000), "P2"),
        (make_picture(countries="DE NO"), "P3"),
        (make_picture(countries="DE", self_propagating=True, victims=1_000), "P3"),
        (make_picture(countries="DE FR IT"), "P3"),
        (make_picture(countries="DE FR", victims=9_999), "P3"),
        (make_picture(countries="DE FR", victims=10_000), "P4"),
        (make_picture(countries="DE", victims=10_000), "P3"),
        (make_picture(countries="DE FR", self_propagating=True), "P4"),
        (make_picture(countries="DE FR IT ES"), "P4"),
        (make_picture(countries="DE FR IT GB"), "P3"),
    ],
)
def test_reach_follows_states_victims_and_organisations(picture: Picture, reach: str) -> None:
    assert reach_level(picture, NOWHERE, RULES)[0] == reach


def test_what_spreads_by_itself_reaches_states_that_are_probably_affected() -> None:
    worm = make_picture(countries="DE", organisations=1, self_propagating=True)
    assert reach_level(worm, frozenset({"FR"}), RULES)[0] is ReachLevel.P4
    assert reach_level(worm, frozenset({"US"}), RULES)[0] is ReachLevel.P1


@pytest.mark.parametrize("disruption", Disruption)
@pytest.mark.parametrize("threat_class", ThreatClass)
def test_k1_caps_an_emergency_without_disruption(
    threat_class: ThreatClass, disruption: Disruption
) -> None:
    disrupted = disruption in (Disruption.OBSERVED, Disruption.IMMINENT)
    no_emergency = threat_class is not ThreatClass.C4
    expected = threat_class if disrupted or no_emergency else ThreatClass.C3
    assert capped(threat_class, disruption, RULES) is expected


@given(one=pictures, other=pictures)
def test_more_of_anything_never_lowers_the_class(one: Picture, other: Picture) -> None:
    worst = (
        Disruption.OBSERVED
        if Disruption.OBSERVED in (one.disruption, other.disruption)
        else (
            Disruption.IMMINENT
            if Disruption.IMMINENT in (one.disruption, other.disruption)
            else one.disruption
        )
    )
    both = Picture(
        criteria=one.criteria | other.criteria,
        countries=one.countries | other.countries,
        organisations=max(one.organisations, other.organisations),
        victims=max(one.victims, other.victims),
        sectors=one.sectors | other.sectors,
        self_propagating=one.self_propagating or other.self_propagating,
        disruption=worst,
    )
    whole = place(both, NOWHERE, RULES)
    for part in (place(one, NOWHERE, RULES), place(other, NOWHERE, RULES)):
        assert part.impact <= whole.impact
        assert part.reach <= whole.reach
        assert part.threat_class <= whole.threat_class


def test_the_placement_names_what_decided() -> None:
    picture = make_picture(countries="DE FR")
    placed = place(picture, NOWHERE, RULES)
    assert placed.deciding == ()
    assert "DE, FR" in placed.reach_reason
