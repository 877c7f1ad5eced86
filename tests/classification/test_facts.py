"""Facts: support and contradiction with grades, intervals, and conflicts that are shown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification.assessment import assess
from classification.evidence import Evidence
from classification.fact_numbers import Quantity
from classification.facts import Fact, Facts, facts
from classification.findings import (
    CauseConfirmation,
    ExpectedPropagation,
    Findings,
    ProbableCountry,
    StatedFact,
    Subject,
)
from protocol.report import Cause, Disruption
from tests.classification.builders import PROFILE, RULES, bodies, make_evidence

pytestmark = pytest.mark.requirement("R7", "R13")

NOTHING = Findings()


def known(*items: Evidence, findings: Findings = NOTHING) -> Facts:
    return facts(items, findings, RULES)


def item(number: int, grade: str | None = "B2", **said: Any) -> Evidence:
    return make_evidence(f"2-{number}", grade, **said)


def one(found: Facts, subject: Subject, value: str) -> Fact:
    (fact,) = [each for each in found.of(subject) if each.value == value]
    return fact


def number(found: Facts, subject: Subject = Subject.VICTIMS, scope: str = "") -> Quantity:
    (each,) = [n for n in found.numbers if (n.subject, n.scope) == (subject, scope)]
    return each


def stated(subject: Subject, value: str = "", **said: Any) -> StatedFact:
    return StatedFact(
        officer="a.virtanen", text="by telephone", subject=subject, value=value, **said
    )


# Numbers


def test_victims_are_an_interval_between_what_nobody_contradicts() -> None:
    found = number(
        known(
            item(1, victims_min=120),
            item(2, "X4", victims_min=40, victims_max=5_000),
            item(3, "B3", victims_min=10, victims_max=9_000),
        )
    )

    assert (found.low, found.high, found.in_conflict) == (120, 5_000, False)
    low, high = found.words
    assert [str(v) for v in low.support.best] == ["2-1 (B2)"]
    assert [str(v) for v in high.support.best] == ["2-2 (X4)"]
    assert (low.contradiction.total, high.contradiction.total) == (0, 0)
    assert found.confirmed_low == 120


def test_numbers_that_contradict_each_other_are_shown_and_not_averaged() -> None:
    found = number(
        known(
            item(1, victims_min=120),
            item(2, "A1", victims_min=10, victims_max=150),
            item(3, "X4", victims_min=200, victims_max=5_000),
        )
    )

    assert (found.low, found.high, found.in_conflict) == (120, 5_000, True)
    assert [(w.side, w.value, str(w.support), str(w.contradiction)) for w in found.contested] == [
        ("at least", 200, "2-3 (X4)", "2-2 (A1)"),
        ("at most", 150, "2-2 (A1)", "2-3 (X4)"),
    ]


def test_a_number_is_confirmed_by_one_good_report_or_by_two_independent_ones() -> None:
    two = known(
        item(1, "B3", victims_min=500),
        item(2, "B3", victims_min=300),
        item(3, "X4", victims_min=900),
    )
    assert (number(two).low, number(two).confirmed_low) == (900, 300)
    same = known(
        item(1, "B3", victims_min=500, origin="cert"), item(2, "B3", victims_min=300, origin="cert")
    )
    assert number(same).confirmed_low == 0


def test_a_state_bounds_itself_only_and_states_add_up() -> None:
    found = known(
        item(1, countries={"DE"}, victims_min=100, victims_max=150),
        item(2, countries={"FR"}, victims_min=70),
        item(3, countries={"DE", "FR"}, victims_min=50, victims_max=1_000),
    )

    assert (number(found, scope="DE").low, number(found, scope="DE").high) == (100, 150)
    assert number(found, scope="FR").high is None
    whole = number(found)
    assert (whole.added_up, whole.low, whole.high, whole.in_conflict) == (170, 170, 1_000, False)


def test_what_is_contested_of_a_part_is_not_certain_of_the_whole() -> None:
    found = known(
        item(1, countries={"EE"}, victims_min=120),
        item(2, countries={"EE"}, victims_min=10, victims_max=5_000),
        item(3, countries={"EE"}, organisations={"bank"}, victims_min=5_001),
        item(4, countries={"EE"}, organisations={"clinic"}, victims_min=7, victims_max=9),
        item(5, organisations={"clinic"}, victims_min=8_000),
    )
    assert (number(found, scope="EE").low, number(found, scope="EE").in_conflict) == (120, True)
    assert number(found, scope="organisation clinic").in_conflict
    assert (number(found).low, number(found).high, number(found).in_conflict) == (120, None, True)


def test_parts_that_are_more_than_the_whole_are_a_conflict() -> None:
    found = number(
        known(
            item(1, countries={"DE"}, victims_min=100),
            item(2, countries={"FR"}, victims_min=70),
            item(3, victims_min=90, victims_max=120),
        )
    )
    assert (found.low, found.high, found.added_up, found.in_conflict) == (100, 120, 170, True)


def test_one_organisations_upper_end_bounds_nothing_but_itself() -> None:
    found = known(
        item(1, organisations={"clinic"}, organisations_min=1, victims_min=20, victims_max=30),
        item(2, victims_min=400),
    )
    own = number(found, scope="organisation clinic")

    assert (own.low, own.high) == (20, 30)
    assert (number(found).low, number(found).high, number(found).in_conflict) == (400, None, False)


def test_organisations_count_by_number_and_by_name_and_losses_by_the_largest() -> None:
    found = known(
        item(1, organisations={"one", "two"}, organisations_min=2, loss_eur_min=1_000.0),
        item(2, organisations={"two", "three"}, organisations_min=2, loss_eur_min=9_000.5),
    )
    assert number(found, Subject.ORGANISATIONS).low == 3
    assert number(found, Subject.LOSS_EUR).low == 9_000.5


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50) | st.none()), max_size=8))
def test_an_interval_is_never_empty_and_every_word_is_in_it_or_contested(
    said: list[tuple[int, int | None]],
) -> None:
    items = [
        item(n, victims_min=low, victims_max=None if high is None else max(low, high))
        for n, (low, high) in enumerate(said)
    ]
    for found in known(*items).numbers:
        assert found.high is None or found.low <= found.high
        contested = {(w.side, w.value) for w in found.contested}
        for each in items:
            assert each.victims_min <= found.low or ("at least", each.victims_min) in contested
            if each.victims_max is not None and found.high is not None:
                assert each.victims_max >= found.high or ("at most", each.victims_max) in contested
        assert found.in_conflict is bool(contested)
        assert all(w.support.total and w.contradiction.total for w in found.contested)


@given(bodies())
def test_what_is_known_is_at_least_what_the_class_is_made_of(body: list[Evidence]) -> None:
    found, assessment = known(*body), assess(body, NOTHING, PROFILE)
    assert {f.value for f in found.of(Subject.COUNTRY)} == set(assessment.countries)
    assert {f.value for f in found.of(Subject.SECTOR)} == set(assessment.sectors)
    assert {c.id for c in assessment.criteria} <= {f.value for f in found.of(Subject.IMPACT)} | {
        "several-essential-sectors"
    }
    assert (found.reports, found.withdrawn) == (assessment.evaluated + assessment.ungraded,
                                                assessment.withdrawn)  # fmt: skip
    confirmed = {c.id for c in assessment.criteria if c.confirmed}
    for fact in found.of(Subject.IMPACT):
        if fact.level and fact.value != "several-essential-sectors":
            assert fact.support.confirmed is (fact.value in confirmed)


# Facts


def test_a_fact_names_its_reports_with_their_grades_the_best_first() -> None:
    found = one(
        known(
            item(1, "X4", countries={"DE"}),
            item(2, "A1", countries={"DE"}),
            item(3, None, countries={"DE"}),
            item(4, "B3", countries={"DE", "FR"}),
        ),
        Subject.COUNTRY,
        "DE",
    )

    assert [str(v) for v in found.support.best] == [
        "2-2 (A1)",
        "2-4 (B3)",
        "2-1 (X4)",
        "2-3 (ungraded)",
    ]
    assert found.support.by_grade == {"A1": 1, "B3": 1, "X4": 1, "ungraded": 1}
    assert (found.support.confirmed, found.in_conflict) == (True, False)


def test_every_kind_of_statement_is_a_fact() -> None:
    found = known(
        item(
            1,
            criteria={"essential-service-disrupted", "unheard-of"},
            sectors={"health", "food"},
            services={"emergency calls"},
            organisations={"clinic"},
            self_propagating=True,
            risk_to_life=True,
            disruption=Disruption.OBSERVED,
            cause=Cause.MALICIOUS,
        )
    )
    assert {(f.subject.value, f.value) for f in found.facts} == {
        ("impact", "essential-service-disrupted"),
        ("impact", "unheard-of"),
        ("impact", "risk-to-life"),
        ("disruption", "observed"),
        ("service", "emergency calls"),
        ("organisation", "clinic"),
        ("sector", "health"),
        ("sector", "food"),
        ("cause", "malicious"),
        ("propagation", "self-propagating"),
    }
    assert one(found, Subject.IMPACT, "risk-to-life").level == "I4"
    assert one(found, Subject.IMPACT, "unheard-of").level is None
    assert one(found, Subject.SECTOR, "health").essential
    assert not one(found, Subject.SECTOR, "food").essential
    assert not found.presumed


def test_causes_contradict_each_other_and_a_third_party_none() -> None:
    found = known(
        item(1, "A1", cause=Cause.TECHNICAL_FAILURE, cause_clear=True, cause_by_authority=True),
        item(2, "B3", cause=Cause.MALICIOUS),
        item(3, cause=Cause.THIRD_PARTY),
        item(4),
    )
    failure = one(found, Subject.CAUSE, "technical-failure")

    assert (str(failure.support), str(failure.contradiction)) == ("2-1 (A1)", "2-2 (B3)")
    assert (failure.clear, failure.in_charge, failure.in_conflict) == (1, 1, True)
    assert str(one(found, Subject.CAUSE, "malicious").contradiction) == "2-1 (A1)"
    assert not one(found, Subject.CAUSE, "third-party").in_conflict


@pytest.mark.requirement("R8")
def test_without_any_stated_cause_a_crime_is_presumed() -> None:
    assert known(item(1)).presumed
    confirmed = CauseConfirmation(officer="a.virtanen", text="called", cause=Cause.NATURAL)
    assert not known(item(1), findings=Findings(cause=confirmed)).presumed


def test_who_says_that_nothing_is_disrupted_contradicts_that_a_service_is_lost() -> None:
    lost = item(
        1,
        criteria={"essential-service-disrupted", "risk-to-life"},
        disruption=Disruption.OBSERVED,
        countries={"DE"},
    )
    denied = item(2, "A2", disruption=Disruption.NONE)
    elsewhere = item(3, "A2", disruption=Disruption.NONE, countries={"FR"})
    found = known(lost, denied, elsewhere)

    for subject, value in (
        (Subject.IMPACT, "essential-service-disrupted"),
        (Subject.DISRUPTION, "observed"),
    ):
        fact = one(found, subject, value)
        assert (str(fact.contradiction), fact.in_conflict) == ("2-2 (A2)", True)
    assert not one(found, Subject.IMPACT, "risk-to-life").in_conflict
    assert str(one(found, Subject.DISRUPTION, "none").contradiction) == "2-1 (B2)"
    imminent = known(lost, item(4, disruption=Disruption.IMMINENT))
    assert not one(imminent, Subject.DISRUPTION, "imminent").in_conflict


def test_what_was_taken_back_is_no_fact() -> None:
    found = known(item(1, countries={"DE"}, victims_min=9, retracted=True), item(2))
    assert (found.facts, found.numbers, found.reports, found.withdrawn) == ((), (), 1, 1)


def test_of_many_names_those_with_the_most_reports_are_shown() -> None:
    names = [f"clinic {n:03}" for n in range(150)]
    items = [item(n, organisations={name}) for n, name in enumerate(names)]
    found = known(*items, item(999, organisations={"clinic 149"}))

    assert len(found.of(Subject.ORGANISATION)) == 100
    assert found.of(Subject.ORGANISATION)[0].value == "clinic 149"
    assert found.left_off == {Subject.ORGANISATION: 50}


@given(bodies(), st.randoms(use_true_random=False))
def test_facts_are_a_function_of_the_set_of_reports(body: list[Evidence], chance: Any) -> None:
    other = body * 2
    chance.shuffle(other)
    assert known(*other) == known(*body)


# Officers


def test_officers_facts_stand_beside_the_reports_with_their_reason() -> None:
    findings = Findings(
        facts=(stated(Subject.COUNTRY, "es"), stated(Subject.SERVICE, " Blood  Bank ")),
        probable_countries=(
            ProbableCountry(officer="m.rossi", text="same software", country="FR", probability=0.6),
        ),
        propagation=ExpectedPropagation(officer="m.rossi", text="worm", probability=0.97),
    )
    found = known(item(1, countries={"ES"}), findings=findings)
    (word,) = one(found, Subject.COUNTRY, "ES").officers

    assert (word.officer, word.text, word.holds) == ("a.virtanen", "by telephone", True)
    assert one(found, Subject.SERVICE, "blood bank").support.total == 0
    (likely,) = one(found, Subject.COUNTRY, "FR").officers
    assert (likely.probability, likely.likelihood) == (0.6, "likely")
    (spread,) = one(found, Subject.PROPAGATION, "further-propagation").officers
    assert spread.likelihood == "almost-certain"
    assert not any(fact.in_conflict for fact in found.facts)


def test_an_officer_who_denies_what_reports_say_is_a_conflict() -> None:
    denial = stated(Subject.COUNTRY, "DE", holds=False)
    found = known(item(1, countries={"DE"}), findings=Findings(facts=(denial,)))
    assert one(found, Subject.COUNTRY, "DE").in_conflict
    confirmed = CauseConfirmation(officer="a.virtanen", text="called", cause=Cause.NATURAL)
    against = known(item(1, cause=Cause.MALICIOUS), findings=Findings(cause=confirmed))
    assert one(against, Subject.CAUSE, "natural").in_conflict


def test_an_officers_number_is_shown_beside_the_interval_and_checked_against_it() -> None:
    said = (
        stated(Subject.VICTIMS, at_least=10, at_most=50),
        stated(Subject.VICTIMS, "de", at_least=5),
    )
    found = known(item(1, victims_min=100), findings=Findings(facts=said))

    assert (number(found).low, number(found).in_conflict) == (100, True)
    assert number(found, scope="DE").officers == (said[1],)
    alone = known(findings=Findings(facts=said[:1]))
    assert (number(alone).low, number(alone).in_conflict) == (0, False)


@pytest.mark.parametrize(
    ("said", "conflict"),
    [
        ({"at_most": 99}, True),
        ({"at_most": 100}, False),
        ({"at_least": 200}, False),
        ({"at_least": 201}, True),
        ({"at_least": 150, "at_most": 150}, False),
        ({"at_least": 1}, False),
    ],
)
def test_an_officers_number_conflicts_only_where_it_leaves_the_interval(
    said: dict[str, Any], conflict: bool
) -> None:
    findings = Findings(facts=(stated(Subject.VICTIMS, **said),))
    found = known(item(1, victims_min=100, victims_max=200), findings=findings)

    assert number(found).in_conflict is conflict


def test_an_officers_number_conflicts_with_no_end_that_nobody_gives() -> None:
    said = Findings(facts=(stated(Subject.VICTIMS, at_least=1_000),))
    assert not number(known(item(1, victims_min=100), findings=said)).in_conflict


def test_officers_facts_never_change_the_class() -> None:
    said = tuple(stated(Subject.COUNTRY, code) for code in ("DE", "FR", "ES", "IT"))
    body = [item(1, criteria={"risk-to-life"})]
    assert assess(body, Findings(facts=said), PROFILE) == assess(body, NOTHING, PROFILE)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"subject": "country"}, "needs a value"),
        ({"subject": "country", "value": "DE", "at_least": 3}, "no number"),
        ({"subject": "victims"}, "needs at_least"),
        ({"subject": "victims", "at_least": 3, "holds": False}, "the one that holds"),
        ({"subject": "victims", "at_least": 3, "at_most": 2}, "more than at_most"),
        ({"subject": "victims", "value": "Germany", "at_least": 3}, "code of a state"),
        ({"subject": "loss-eur", "value": "DE", "at_least": 3}, "code of a state"),
        ({"subject": "victims", "at_least": -1}, "greater than or equal"),
    ],
)
def test_an_officers_fact_says_something_that_can_be(said: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        StatedFact.model_validate({"officer": "a.virtanen", "text": "seen", **said})
