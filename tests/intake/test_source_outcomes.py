"""Letters that outcomes suggest: small numbers say nothing, and nothing sets itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from infra.database import Database
from intake.source_outcomes import (
    Outcome,
    Outcomes,
    outcome_log,
    outcomes,
    record_outcome,
    suggest,
    wilson,
)
from intake.sources import get_source
from protocol.errors import NotFound, Refused
from protocol.grades import SourceReliability
from protocol.profile import SourceRules
from tests.intake.registry import (
    ANALYST,
    DUTY_OFFICER,
    PROSECUTOR,
    events,
    refusal,
    registered,
    sent,
    settle,
    source,
    staff,
)
from tests.intake.samples import content, record, store_of

A, B, C, X = SourceReliability
RULES = SourceRules()
WORST_FIRST = [C, X, B, A]
NUMBERS = st.integers(0, 500)


def letter(confirmed: int, refuted: int) -> SourceReliability:
    return suggest(Outcomes(confirmed=confirmed, refuted=refuted), RULES).letter


@given(NUMBERS, NUMBERS, st.integers(0, 50))
def test_a_further_confirmation_never_suggests_worse_nor_a_refutation_better(
    confirmed: int, refuted: int, more: int
) -> None:
    now = WORST_FIRST.index(letter(confirmed, refuted))

    assert WORST_FIRST.index(letter(confirmed + more, refuted)) >= now
    assert WORST_FIRST.index(letter(confirmed, refuted + more)) <= now


@given(NUMBERS, NUMBERS)
def test_the_interval_holds_the_share_and_narrows_with_numbers(
    confirmed: int, refuted: int
) -> None:
    low, high = wilson(confirmed, refuted, 1.96)
    assert 0 <= low <= high <= 1
    if confirmed + refuted:
        assert low - 1e-9 <= confirmed / (confirmed + refuted) <= high + 1e-9
        lower, higher = wilson(confirmed * 4, refuted * 4, 1.96)
        assert higher - lower < high - low


@pytest.mark.parametrize(
    ("confirmed", "refuted", "expected"),
    [
        (0, 0, X), (1, 0, X), (3, 0, X), (0, 1, X), (0, 3, X), (5, 5, X), (6, 4, X),
        (4, 0, B), (34, 0, B), (35, 0, A), (500, 1, B), (80, 20, B),
        (0, 4, C), (20, 80, C), (0, 500, C),
    ],
)  # fmt: skip
def test_few_outcomes_suggest_nothing_and_one_refutation_rules_out_an_a(
    confirmed: int, refuted: int, expected: SourceReliability
) -> None:
    assert letter(confirmed, refuted) is expected


def test_a_published_example_of_the_interval_is_met() -> None:
    """Newcombe 1998, table I, method 3: 81 of 263 and 0 of 20 at 95 %."""
    assert wilson(81, 263 - 81, 1.959964) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20, 1.959964) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_a_profile_in_which_all_is_less_than_most_is_refused() -> None:
    with pytest.raises(ValidationError, match="reliable_in_all"):
        SourceRules(reliable_in_most=0.8, reliable_in_all=0.7)


# Outcomes of reports


def ids(database: Database, *names: str, by: str = "cert-ee") -> list[str]:
    """Ids of reports that are stored, from their sender; on the topic that all share without one."""
    records = [
        sent(content(name), by, offset=n) if by else record(content(name), offset=n)
        for n, name in enumerate(names)
    ]
    return settle(store_of(database), *records).stored


def test_outcomes_are_counted_by_source_and_the_newest_word_on_a_report_counts(
    database: Database,
) -> None:
    staff(database)
    first, second, third = ids(database, "a", "b", "c")
    (others,) = ids(database, "a", by="cert-fi")
    (nobodys,) = ids(database, "z", by="")
    for report_id in (first, second, third, others, nobodys):
        record_outcome(database, report_id, Outcome.CONFIRMED, reason="seen", by=ANALYST)
    sender = record_outcome(database, third, Outcome.REFUTED, reason="a test system", by=ANALYST)

    assert sender == "cert-ee"
    with database.read() as connection:
        assert outcomes(connection) == {
            "cert-ee": Outcomes(confirmed=2, refuted=1, reports=3),
            "cert-fi": Outcomes(confirmed=1, reports=1),
        }


def test_reports_of_one_incident_count_once_however_many_there_are(database: Database) -> None:
    """Forty reports of one attack that are all right say no more of a source than one."""
    staff(database)
    store = store_of(database)
    of_one = [sent(content(f"n{n}", "hash-1"), "cert-ee", offset=n) for n in range(40)]
    alone = sent(content("alone", "hash-2"), "cert-ee", offset=40)
    *many, other = settle(store, *of_one, alone).stored
    for report_id in (*many, other):
        record_outcome(database, report_id, Outcome.CONFIRMED, reason="seen", by=ANALYST)
    ((_, found),) = list_of(database)
    assert found == Outcomes(confirmed=2, refuted=0, reports=41)
    assert suggest(found, RULES).letter is X

    for report_id in many[:10]:
        record_outcome(database, report_id, Outcome.REFUTED, reason="a sinkhole", by=ANALYST)
    ((_, found),) = list_of(database)
    assert (found.confirmed, found.refuted) == (1.75, 0.25)
    assert suggest(found, RULES).letter is X


def test_the_judged_reports_of_a_source_are_listed_with_the_newest_word(
    database: Database,
) -> None:
    staff(database)
    first, second = ids(database, "a", "b")
    ids(database, "a", by="cert-fi")
    for report_id in (first, second):
        record_outcome(database, report_id, Outcome.CONFIRMED, reason="seen", by=ANALYST)
    record_outcome(database, first, Outcome.REFUTED, reason="a test system", by=DUTY_OFFICER)
    with database.read() as connection:
        rows = outcome_log(connection, "cert-ee")
        assert outcome_log(connection, "cert-fi") == []

    assert [(r["report"], r["outcome"], r["by"], r["reason"]) for r in rows] == [
        (first, "refuted", DUTY_OFFICER, "a test system"),
        (second, "confirmed", ANALYST, "seen"),
    ]


@pytest.mark.requirement("R11")
def test_however_many_outcomes_there_are_the_letter_stays_a_persons(database: Database) -> None:
    staff(database)
    registered(database, source(), letter=C)
    for report_id in ids(database, *"abcdef"):
        record_outcome(database, report_id, Outcome.CONFIRMED, reason="seen", by=ANALYST)
    ((principal, found),) = list_of(database)

    assert (principal, suggest(found, RULES).letter) == ("cert-ee", B)
    with database.read() as connection:
        assert get_source(connection, "cert-ee").letter is C
    assert len(events(database, "report_outcome_recorded")) == 6


def list_of(database: Database) -> list[tuple[str, Outcomes]]:
    with database.read() as connection:
        return list(outcomes(connection).items())


def test_an_outcome_is_an_officers_word_on_a_stored_report_with_its_reason(
    database: Database,
) -> None:
    staff(database)
    (report_id,) = ids(database, "a")
    with pytest.raises(Refused) as caught:
        record_outcome(database, report_id, Outcome.CONFIRMED, reason="seen", by=PROSECUTOR)
    assert refusal(caught) == "wrong-role"
    with pytest.raises(Refused) as caught:
        record_outcome(database, report_id, Outcome.CONFIRMED, reason=" ", by=ANALYST)
    assert refusal(caught) == "no-reason"
    with pytest.raises(NotFound, match="reports list"):
        record_outcome(database, "3-none", Outcome.CONFIRMED, reason="seen", by=ANALYST)
    assert list_of(database) == []
