"""Claims: who supports them, what confirms them, and that only the set counts."""

from __future__ import annotations

import dataclasses
import random

import pytest
from hypothesis import given

from classification.collecting import collect
from classification.evidence import Evidence
from protocol.errors import Refused
from protocol.report import Disruption
from tests.classification.builders import PROFILE, RULES, bodies, make_evidence

pytestmark = pytest.mark.requirement("R11", "R13")


def confirmed_countries(*items: Evidence) -> set[str]:
    return set(collect(items, RULES).confirmed(RULES).countries)


@pytest.mark.parametrize("grade", ["A1", "A2", "B1", "B2"])
def test_one_good_item_confirms_a_claim(grade: str) -> None:
    assert confirmed_countries(make_evidence(grade=grade, countries={"DE"})) == {"DE"}


@pytest.mark.parametrize("grade", ["A3", "B3", "A4", "B4", "C1", "C2", "X1", "X4", None])
def test_one_weaker_item_confirms_nothing(grade: str | None) -> None:
    assert confirmed_countries(make_evidence(grade=grade, countries={"DE"})) == set()


def test_two_items_of_grade_b3_confirm_only_when_their_origins_differ() -> None:
    first = make_evidence("2-a", "B3", countries={"DE"}, origin="cert")
    again = make_evidence("2-b", "A3", countries={"DE", "FR"}, origin="cert")
    other = make_evidence("2-c", "A3", countries={"DE", "FR"}, origin="vendor")
    weak = make_evidence("2-d", "C3", countries={"FR"}, origin="police")
    assert confirmed_countries(first, again) == set()
    assert confirmed_countries(first, other) == {"DE"}
    assert confirmed_countries(first, again, other) == {"DE", "FR"}
    assert confirmed_countries(again, weak) == set()


def test_a_number_is_confirmed_as_far_as_two_independent_items_reach() -> None:
    items = [
        make_evidence("2-a", "B3", victims_min=900, origin="a"),
        make_evidence("2-b", "B3", victims_min=800, origin="a"),
        make_evidence("2-c", "B3", victims_min=300, origin="b"),
        make_evidence("2-d", "B2", victims_min=200, origin="c"),
        make_evidence("2-e", "X4", victims_min=70_000, origin="d"),
    ]
    claims = collect(items, RULES)
    assert claims.confirmed(RULES).victims == 300
    assert claims.claimed(RULES).victims == 70_000
    assert collect(items[3:], RULES).confirmed(RULES).victims == 200


def test_victims_of_different_states_add_up_but_not_those_of_one() -> None:
    items = [
        make_evidence("2-a", victims_min=600, countries={"DE"}),
        make_evidence("2-b", victims_min=500, countries={"DE"}),
        make_evidence("2-c", victims_min=300, countries={"FR"}),
        make_evidence("2-d", victims_min=700, countries={"FR", "DE"}),
    ]
    assert collect(items, RULES).claimed(RULES).victims == 900


def test_named_organisations_are_counted_once_over_all_reports() -> None:
    items = [
        make_evidence("2-a", organisations={"one", "two"}, organisations_min=2),
        make_evidence("2-b", organisations={"two", "three"}, organisations_min=2),
    ]
    assert collect(items, RULES).claimed(RULES).organisations == 3


def test_unnamed_organisations_count_as_far_as_a_report_says() -> None:
    item = make_evidence(organisations={"hospitals"}, organisations_min=40)
    assert collect([item], RULES).claimed(RULES).organisations == 40


def test_withdrawn_reports_say_nothing() -> None:
    claims = collect([make_evidence(countries={"DE"}, retracted=True)], RULES)
    assert (claims.items, claims.withdrawn) == (0, 1)
    assert claims.claimed(RULES).countries == frozenset()


def test_the_best_graded_reports_are_listed_and_all_are_counted() -> None:
    items = [make_evidence(f"2-{n:02}", "X4", countries={"DE"}) for n in range(30)]
    items += [make_evidence("9-good", "A1", countries={"DE"})]
    items += [make_evidence("8-none", None, countries={"DE"})]
    reports = collect(items, RULES).countries["DE"].reports()
    assert reports.ids[0] == "9-good"
    assert "8-none" not in reports.ids
    assert (len(reports.ids), reports.total) == (10, 32)


def test_a_loss_above_the_threshold_is_a_significant_incident() -> None:
    at, above = make_evidence(loss_eur_min=500_000.0), make_evidence(loss_eur_min=500_000.01)
    assert collect([at], RULES).claimed(RULES).criteria == frozenset()
    assert collect([above], RULES).claimed(RULES).criteria == {"significant-incident"}


def test_risk_to_life_is_a_criterion_even_where_it_is_not_listed() -> None:
    assert collect([make_evidence(risk_to_life=True)], RULES).claimed(RULES).criteria == {
        "risk-to-life"
    }


def disrupted(report_id: str, sector: str, grade: str = "B2", **said: object) -> Evidence:
    given = {"disruption": Disruption.OBSERVED, "criteria": {"essential-service-disrupted"}, **said}
    return make_evidence(report_id, grade, sectors={sector}, **given)


def test_two_essential_sectors_disrupted_in_all_are_several() -> None:
    health, energy = disrupted("2-a", "health"), disrupted("2-b", "energy")
    claims = collect([health, energy], RULES)
    assert "several-essential-sectors" in claims.claimed(RULES).criteria
    assert claims.criterion_reports("several-essential-sectors").ids == ("2-a", "2-b")
    assert "several-essential-sectors" not in collect([health], RULES).claimed(RULES).criteria


@pytest.mark.parametrize(
    "second",
    [
        disrupted("2-b", "health"),
        disrupted("2-b", "food"),
        disrupted("2-b", "energy", disruption=Disruption.NONE),
        disrupted("2-b", "energy", disruption=Disruption.UNKNOWN),
        disrupted("2-b", "energy", criteria={"critical-degraded-recoverable"}),
        disrupted("2-b", "energy", criteria={"unheard-of"}),
    ],
)
def test_a_second_sector_counts_only_if_essential_and_gravely_disrupted(second: Evidence) -> None:
    criteria = collect([disrupted("2-a", "health"), second], RULES).claimed(RULES).criteria
    assert "several-essential-sectors" not in criteria


def test_several_sectors_are_confirmed_only_sector_by_sector() -> None:
    sure, unsure = disrupted("2-a", "health"), disrupted("2-b", "energy", "X4")
    claims = collect([sure, unsure], RULES)
    assert "several-essential-sectors" in claims.claimed(RULES).criteria
    assert "several-essential-sectors" not in claims.confirmed(RULES).criteria


@pytest.mark.parametrize("left_out", ["several-essential-sectors", "essential-service-disrupted"])
def test_a_profile_without_these_criteria_infers_nothing_from_sectors(left_out: str) -> None:
    criteria = {k: v for k, v in RULES.impact_criteria.items() if k != left_out}
    rules = RULES.model_copy(update={"impact_criteria": criteria})
    items = [
        disrupted("2-a", "health", criteria={"critical-destruction"}),
        disrupted("2-b", "energy", criteria={"critical-destruction"}),
    ]
    assert collect(items, rules).claimed(rules).criteria == {"critical-destruction"}


@pytest.mark.parametrize(
    ("said", "worst"),
    [
        ((), "unknown"),
        (("unknown", "none"), "none"),
        (("none", "imminent"), "imminent"),
        (("imminent", "observed", "none"), "observed"),
    ],
)
def test_the_worst_disruption_that_is_stated_counts(said: tuple[str, ...], worst: str) -> None:
    items = [make_evidence(f"2-{d}", disruption=Disruption(d)) for d in said]
    assert collect(items, RULES).claimed(RULES).disruption == worst


def test_one_report_with_two_contents_is_refused() -> None:
    item = make_evidence()
    with pytest.raises(Refused, match="2-a is given twice") as refused:
        collect([item, dataclasses.replace(item, victims_min=3)], RULES)
    assert refused.value.reason == "conflicting-evidence"


@given(body=bodies())
def test_order_and_repetition_of_evidence_make_no_difference(body: list[Evidence]) -> None:
    shuffled = [*body, *(dataclasses.replace(item) for item in body)]
    random.Random(len(body)).shuffle(shuffled)
    assert collect(shuffled, RULES) == collect(body, RULES)


@given(body=bodies())
def test_what_is_confirmed_is_part_of_what_is_claimed(body: list[Evidence]) -> None:
    claims = collect(body, PROFILE.classification)
    claimed, confirmed = claims.claimed(RULES), claims.confirmed(RULES)
    assert confirmed.criteria <= claimed.criteria
    assert confirmed.countries <= claimed.countries
    assert confirmed.sectors <= claimed.sectors
    assert confirmed.organisations <= claimed.organisations
    assert confirmed.victims <= claimed.victims
    assert confirmed.self_propagating <= claimed.self_propagating
