"""How the registry changes what intake stores: letter, digit and marking of each report."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from infra.database import Database
from infra.originals import documents_of
from infra.tables import report
from intake.formats.own import NAME
from intake.source_registry import hold, put, register, retire, set_letter
from intake.sources import Letter, Registered
from intake.standing import UNRECOGNISED, FirstHandRule, Standing, marked
from intake.standings import SourceBook, standings_of
from protocol.grades import Grade, SourceReliability
from protocol.markings import HandlingCode, Marking, Tlp
from protocol.parties import DetectedBy, SourceGroup
from protocol.report import Evaluation, ReportContent, Reporter
from tests.intake.registry import (
    ANALYST,
    MANAGER,
    grades,
    registered,
    sent,
    settle,
    source,
    staff,
)
from tests.intake.samples import content, record, store_of

A, B, C, X = SourceReliability
TLPS = list(Tlp)
NAMES = st.sampled_from(["cert-ee", "CERT-EE", "Feed of cert-ee", "CERT of nowhere", "duty"])


@pytest.fixture(autouse=True)
def staffed(database: Database) -> None:
    staff(database)


# The letter


@pytest.mark.requirement("R11", "R12")
def test_a_report_on_a_sources_own_topic_has_its_letter_and_says_who_set_it(
    database: Database,
) -> None:
    begun = datetime.now(UTC)
    registered(database, source(), letter=B)
    settle(store_of(database), sent(content("a", first_hand=True), "cert-ee"))

    grade, kind, reason = grades(database)["a"]
    assert (grade, kind) == ("B2", "intake")
    days = {moment.date() for moment in (begun, datetime.now(UTC))}  # midnight may come between
    assert any(f"source cert-ee judged B by {ANALYST} on {day}" in reason for day in days)


def test_a_letter_holds_from_the_next_batch_on_without_a_restart(database: Database) -> None:
    store = store_of(database)
    settle(store, sent(content("before"), "cert-ee", offset=0))
    registered(database, source())
    settle(store, sent(content("registered"), "cert-ee", offset=1))
    for number, letter in enumerate((B, C, X, A), start=2):
        set_letter(database, "cert-ee", letter, reason="seen", by=ANALYST)
        settle(store, sent(content(f"as {letter}"), "cert-ee", offset=number))
    retire(database, "cert-ee", reason="gone", by=MANAGER)
    settle(store, sent(content("retired"), "cert-ee", offset=9))

    assert {name: grade for name, (grade, _, _) in grades(database).items()} == {
        "before": "X4",
        "registered": "X4",
        "as B": "B4",
        "as C": "C4",
        "as X": "X4",
        "as A": "A4",
        "retired": "X4",
    }


def test_a_source_is_recognised_in_its_own_groups_only(database: Database) -> None:
    registered(database, source(also_groups=(SourceGroup.LAW_ENFORCEMENT,)), letter=A)
    groups = (SourceGroup.CSIRT, SourceGroup.LAW_ENFORCEMENT, SourceGroup.PRIVATE_SECTOR)
    for group in groups:
        settle(store_of(database), sent(content(str(group)), "cert-ee", group=group))

    found = {name: grade for name, (grade, _, _) in grades(database).items()}
    assert found == {"csirt": "A4", "law-enforcement": "A4", "private-sector": "X4"}


@given(NAMES, NAMES, st.sampled_from(SourceReliability), st.none() | st.booleans())
def test_a_claimed_name_never_changes_the_letter(
    name: str, source_id: str, letter: SourceReliability, first_hand: bool | None
) -> None:
    """Whatever a report says of its feed, reporter and source on a topic that all share."""
    judged = Letter(before=X, letter=letter, by="k.novak", at=datetime.now(UTC), reason="known")
    book = standings_of(
        [
            Registered(
                source=source(name="Feed of cert-ee", first_hand=FirstHandRule.ALWAYS),
                registered_at=datetime.now(UTC),
                retired_at=None,
                letters=(judged,),
            )
        ]
    )
    claim = content(
        source_id, reporter=Reporter(name=name, contact=source_id), first_hand=first_hand
    )
    claimed, own = record(claim), sent(claim, "cert-ee")

    assert book.of(claimed.principal, claimed.group) is UNRECOGNISED
    assert book.of(own.principal, own.group).letter is letter


@pytest.mark.requirement("R11")
def test_the_providers_own_grade_stands_whatever_the_registry_says(database: Database) -> None:
    registered(database, source(first_hand=FirstHandRule.ALWAYS), letter=C)
    given_grade = Evaluation(scheme="europol4x4", original="A1", grade=Grade.parse("A1"))
    settle(store_of(database), sent(content("a", evaluation=given_grade), "cert-ee"))

    assert grades(database)["a"][:2] == ("A1", "provider")


def test_open_sources_are_graded_by_the_centre_with_the_letter_of_the_feed(
    database: Database,
) -> None:
    registered(database, source("paste-watch", group=SourceGroup.OSINT), letter=C)
    own_view = Evaluation(scheme="europol4x4", original="A1", grade=Grade.parse("A1"))
    what = content("a", evaluation=own_view, detected_by=DetectedBy.PRIMARY)
    settle(store_of(database), sent(what, "paste-watch", group=SourceGroup.OSINT))

    assert grades(database)["a"][:2] == ("C4", "intake")


@pytest.mark.parametrize(
    ("rule", "stated", "digit"),
    [
        (FirstHandRule.ALWAYS, None, "2"),
        (FirstHandRule.ALWAYS, False, "2"),
        (FirstHandRule.ALWAYS, True, "2"),
        (FirstHandRule.NEVER, None, "4"),
        (FirstHandRule.NEVER, False, "4"),
        (FirstHandRule.NEVER, True, "4"),
        (FirstHandRule.AS_STATED, None, "4"),
        (FirstHandRule.AS_STATED, False, "4"),
        (FirstHandRule.AS_STATED, True, "2"),
    ],
)
@pytest.mark.requirement("R11")
def test_the_rule_of_the_registry_beats_what_the_report_states(
    database: Database, rule: FirstHandRule, stated: bool | None, digit: str
) -> None:
    registered(database, source(first_hand=rule), letter=B)
    settle(store_of(database), sent(content("a", first_hand=stated), "cert-ee"))

    grade, _, reason = grades(database)["a"]
    assert grade == f"B{digit}"
    assert (f"of this source {rule}" in reason) == (rule is not FirstHandRule.AS_STATED)


# The snapshot


def test_the_registry_is_read_only_when_it_has_changed(database: Database) -> None:
    registered(database, source(), letter=B)
    book, asked = SourceBook(), []
    event.listen(database.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))

    def ask() -> int:
        asked.clear()
        with database.read() as connection:
            book.standings(connection)
        return len([statement for statement in asked if "SELECT" in statement])

    assert ask() > 1
    assert [ask(), ask()] == [1, 1]
    register(database, source("cert-fi"), by=MANAGER)
    assert ask() > 1
    assert ask() == 1


# The marking


def with_marking(marking: Marking) -> ReportContent:
    return content("a").model_copy(update={"marking": marking})


@given(
    stated=st.sampled_from(TLPS),
    codes=st.sets(st.sampled_from([HandlingCode.H0, HandlingCode.H1, HandlingCode.H2])),
    default=st.none() | st.sampled_from(TLPS),
)
@pytest.mark.requirement("R31", "R32")
def test_a_label_that_a_report_brings_is_never_changed(
    stated: Tlp, codes: set[HandlingCode], default: Tlp | None
) -> None:
    brought = Marking(tlp=stated, handling_codes=frozenset(codes))
    assert marked(with_marking(brought), Standing(source_id="x", tlp=default)).marking == brought


@given(st.sampled_from(TLPS))
def test_where_nothing_is_said_the_sources_label_holds(default: Tlp) -> None:
    assert marked(with_marking(Marking()), Standing(tlp=default)).marking == Marking(tlp=default)


@given(st.sampled_from(TLPS))
@pytest.mark.requirement("R32")
def test_beside_a_handling_code_the_default_never_widens(default: Tlp) -> None:
    brought = Marking(handling_codes=frozenset({HandlingCode.H2}))
    result = marked(with_marking(brought), Standing(tlp=default)).marking

    assert TLPS.index(result.tlp) >= TLPS.index(brought.tlp)
    assert result.handling_codes == brought.handling_codes


def test_the_default_is_stored_and_the_report_keeps_its_id(database: Database) -> None:
    """So that a report that is sent again is a duplicate, also after the default has changed."""
    fields = content("a").model_dump(mode="json", exclude={"marking"})
    body = json.dumps({"format": NAME, **fields}).encode()
    store = store_of(database)
    registered(database, source(tlp=Tlp.RED))
    settle(store, sent(body, "cert-ee"))
    with database.write() as connection:
        hold(database, connection)
        put(connection, [(source(), source())], by=MANAGER, channel="test")
    again = settle(store, sent(body, "cert-ee", offset=1))

    assert again.duplicates == 1
    with database.read() as connection:
        (document,) = documents_of(connection, report.c.seq > 0)
    assert document["marking"]["tlp"] == "RED"


@pytest.mark.parametrize("brought", [Marking(), Marking(tlp=Tlp.AMBER)])
def test_whether_a_label_was_stated_survives_the_way_to_another_process(brought: Marking) -> None:
    carried = pickle.loads(pickle.dumps(with_marking(brought)))  # noqa: S301  our own

    assert carried.marking.states_tlp is brought.states_tlp
