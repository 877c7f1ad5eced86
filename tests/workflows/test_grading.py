"""Officers' grades: digit 3 by named independent reports, and the provider's last word on its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from infra import audit
from infra.database import Database
from infra.tables import evaluation, relay
from intake.facts import grade_history
from notifications.directory_import import import_directory
from protocol.errors import NotFound, Refused
from protocol.grades import Grade
from protocol.parties import DetectedBy, SourceGroup
from protocol.report import Evaluation, Relation
from tests.intake.corroborating import digits, finish, said, settle, withdrawal
from tests.intake.officers import report_ids
from tests.intake.samples import major, profile
from tests.workflows import cast
from workflows.grading import Grading
from workflows.proposals import Answer, State, Way, proposals_of, waiting_proposals

pytestmark = pytest.mark.requirement("R11", "R12")

B2 = Evaluation(scheme="admiralty", original="b2", grade=Grade.parse("B4"))
AGREEMENT: dict[str, Any] = {"person": "Head of desk", "way": Way.PHONE, "reason": "called back"}


@pytest.fixture
def staffed(database: Database) -> Database:
    import_directory(database, cast.directory(), by="test")
    return database


def desk(database: Database, officer: str = cast.DUTY) -> Grading:
    return Grading(database, profile().correlation, officer=officer, channel="test")


def grade(database: Database, name: str, text: str, *by: str, officer: str = cast.DUTY) -> bool:
    """Whether the grade is in force; reports by their sender's id."""
    ids = report_ids(database)
    named = [ids.get(each, each) for each in by]
    found = desk(database, officer).grade(ids[name], Grade.parse(text), reason="seen", by=named)
    return found.in_force


def refusal(database: Database, name: str, text: str, *by: str) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        grade(database, name, text, *by)
    return caught.value.reason, str(caught.value)


def history(database: Database, name: str) -> list[dict[str, Any]]:
    with database.read() as connection:
        return grade_history(connection, report_ids(database)[name])


def state_of(database: Database, name: str) -> list[State]:
    with database.read() as connection:
        return [each["state"] for each in proposals_of(connection, report_ids(database)[name])]


def words(database: Database) -> int:
    """Rows that wait for the relay."""
    with database.read() as connection:
        return len(connection.execute(select(relay)).all())


def events(database: Database) -> list[dict[str, Any]]:
    with database.read() as connection:
        assert audit.verify(connection).verified
        return list(audit.export(connection))


# Digit 3


def test_digit_3_names_the_independent_reports_that_it_rests_on(staffed: Database) -> None:
    settle(staffed, said("a", "hash-1"), said("b", "ip-2"), said("c", "ip-3"))
    assert grade(staffed, "a", "B3", "b", "c", "b")
    ids = report_ids(staffed)

    assert digits(staffed)["a"] == "B3"
    assert history(staffed, "a")[-1]["corroborated_by"] == sorted((ids["b"], ids["c"]))
    assert events(staffed)[-1]["detail"]["corroborated_by"] == sorted((ids["b"], ids["c"]))


def test_digit_3_without_ids_and_ids_without_digit_3_are_refused(staffed: Database) -> None:
    settle(staffed, said("a", "hash-1"), said("b", "ip-2"))
    assert refusal(staffed, "a", "B3")[0] == "needs-corroboration"
    assert refusal(staffed, "a", "B2", "b")[0] == "no-digit-3"
    assert digits(staffed)["a"] == "X4"
    assert [each["kind"] for each in history(staffed, "a")] == ["intake"]


def test_each_report_that_is_not_independent_is_named_with_why(staffed: Database) -> None:
    long = "the same words that somebody else has written about it before all of us did so " * 3
    settle(
        staffed,
        said("a", "hash-1", description=long, title="One"),
        said("b", "hash-1", by="Reporter a"),
        said("c", "hash-1", description=long, title="One"),
        said("d", "hash-1", relations=(Relation(kind="related", id="a"),)),
        said("e", "hash-1"),
        withdrawal("e", by="Reporter e"),
    )
    reason, message = refusal(staffed, "a", "B3", "a", "b", "c", "d", "e")
    ids = report_ids(staffed)

    assert reason == "not-independent"
    for name, why in (
        ("a", "is the report itself"),
        ("b", "is of the same source"),
        ("c", "is a re-publication"),
        ("d", "is a re-publication, or one names the other"),
        ("e", "was taken back"),
    ):
        assert f"{ids[name]} {why}" in message
    assert digits(staffed)["a"] == "X4"


def test_a_relay_that_passes_on_the_same_organisations_word_is_not_independent(
    staffed: Database,
) -> None:
    one, other = said("a", "hash-1", by="CERT"), said("b", "ip-2", by="CERT")
    settle(staffed, one, other, principals=("feed-1", "feed-2"))
    assert "same organisation's word" in refusal(staffed, "a", "B3", "b")[1]


def test_reports_that_are_not_there_bear_nothing_out(staffed: Database) -> None:
    settle(staffed, said("a", "hash-1"))
    with pytest.raises(NotFound, match="3-none"):
        grade(staffed, "a", "B3", "3-none")
    with pytest.raises(NotFound, match="no report 3-none"):
        desk(staffed).grade("3-none", Grade.parse("B2"), reason="seen")


def test_an_officers_grade_is_not_corroborated_away(staffed: Database) -> None:
    settle(staffed, said("a", "hash-1"), said("b", "hash-1"))
    grade(staffed, "a", "C4")
    finish(staffed)
    assert digits(staffed) == {"a": "C4", "b": "X3"}


# The provider's grade


def provided(name: str, *shorts: str) -> Any:
    return said(name, *shorts, evaluation=B2)


def test_a_differing_view_is_a_proposal_until_the_provider_agrees(staffed: Database) -> None:
    settle(staffed, major("a", evaluation=B2))
    told = words(staffed)
    assert not grade(staffed, "a", "C4")
    assert digits(staffed)["a"] == "B4"
    assert state_of(staffed, "a") == [State.WAITING]
    assert words(staffed) == told

    done = desk(staffed, cast.ANALYST).answer(report_ids(staffed)["a"], Answer.AGREED, **AGREEMENT)
    assert done.in_force
    assert digits(staffed)["a"] == "C4"
    assert state_of(staffed, "a") == [State.AGREED]
    assert words(staffed) == told + 1
    kept = history(staffed, "a")
    assert [(e["kind"], e["grade"], e["in_force"]) for e in kept] == [
        ("provider", "B4", False),
        ("proposal", "C4", False),
        ("agreed", "C4", True),
    ]
    assert (kept[0]["scheme"], kept[0]["original"]) == ("admiralty", "b2")


def test_who_agreed_when_and_over_which_channel_is_on_record(staffed: Database) -> None:
    settle(staffed, provided("a"))
    grade(staffed, "a", "C4")
    before = datetime.now(UTC)
    desk(staffed, cast.ANALYST).answer(report_ids(staffed)["a"], Answer.AGREED, **AGREEMENT)
    with staffed.read() as connection:
        (found,) = proposals_of(connection, report_ids(staffed)["a"])
    answer = found["answer"]

    assert (found["by"], answer["noted_by"]) == (cast.DUTY, cast.ANALYST)
    assert (answer["person"], answer["way"], answer["reason"]) == (
        "Head of desk",
        "phone",
        "called back",
    )
    assert datetime.fromisoformat(answer["answered_at"]) >= before
    trail = [(e["event"], e["actor"]) for e in events(staffed)][-2:]
    assert trail == [("grade_proposed", cast.DUTY), ("proposal_agreed", cast.ANALYST)]
    assert "Head of desk" not in str(events(staffed))


def test_a_refusal_is_on_record_and_changes_nothing(staffed: Database) -> None:
    settle(staffed, provided("a"))
    grade(staffed, "a", "C4")
    own = report_ids(staffed)["a"]
    done = desk(staffed).answer(own, Answer.REFUSED, **AGREEMENT)

    assert not done.in_force
    assert digits(staffed)["a"] == "B4"
    assert state_of(staffed, "a") == [State.REFUSED]
    assert events(staffed)[-1]["event"] == "proposal_refused"
    with pytest.raises(NotFound, match="no proposal"):
        desk(staffed).answer(own, Answer.AGREED, **AGREEMENT)


def test_a_newer_proposal_takes_the_place_of_one_that_waits(staffed: Database) -> None:
    settle(staffed, provided("a"))
    grade(staffed, "a", "C4")
    grade(staffed, "a", "X4")
    with staffed.read() as connection:
        waiting = waiting_proposals(connection)

    assert state_of(staffed, "a") == [State.REPLACED, State.WAITING]
    assert [each["proposed"] for each in waiting] == ["X4"]
    desk(staffed).answer(report_ids(staffed)["a"], Answer.AGREED, **AGREEMENT)
    assert digits(staffed)["a"] == "X4"


def test_the_same_view_as_the_providers_is_no_proposal(staffed: Database) -> None:
    settle(staffed, provided("a"))
    assert refusal(staffed, "a", "B4")[0] == "same-grade"
    assert state_of(staffed, "a") == []


def test_what_a_proposal_of_digit_3_rests_on_must_still_be_in_force(staffed: Database) -> None:
    settle(staffed, provided("a"), said("b", "ip-2"))
    grade(staffed, "a", "B3", "b")
    settle(staffed, withdrawal("b", by="Reporter b"))
    with pytest.raises(Refused, match="taken back"):
        desk(staffed).answer(report_ids(staffed)["a"], Answer.AGREED, **AGREEMENT)
    assert digits(staffed)["a"] == "B4"
    assert state_of(staffed, "a") == [State.WAITING]


@pytest.mark.parametrize("off", [timedelta(days=-1), timedelta(days=1)])
def test_an_answer_lies_between_the_proposal_and_now(staffed: Database, off: timedelta) -> None:
    settle(staffed, provided("a"))
    grade(staffed, "a", "C4")
    with pytest.raises(Refused) as caught:
        desk(staffed).answer(
            report_ids(staffed)["a"],
            Answer.AGREED,
            **AGREEMENT,
            answered_at=datetime.now(UTC) + off,
        )
    assert caught.value.reason == "bad-time"


@pytest.mark.parametrize("person", ["", "  ", "x" * 201, "a\x00b"])
def test_an_answer_has_a_person(staffed: Database, person: str) -> None:
    settle(staffed, provided("a"))
    grade(staffed, "a", "C4")
    with pytest.raises(Refused) as caught:
        desk(staffed).answer(
            report_ids(staffed)["a"], Answer.AGREED, **{**AGREEMENT, "person": person}
        )
    assert caught.value.reason == "no-person"


def test_an_open_source_is_graded_by_the_centre_whatever_it_says_of_itself(
    staffed: Database,
) -> None:
    own = said("a", evaluation=B2, detected_by=DetectedBy.PRIMARY)
    settle(staffed, own, group=SourceGroup.OSINT)
    assert digits(staffed)["a"] == "X4"
    assert grade(staffed, "a", "C4")
    assert digits(staffed)["a"] == "C4"


def test_only_who_works_on_incidents_grades_and_says_why(staffed: Database) -> None:
    settle(staffed, said("a", "hash-1"))
    for officer, reason in ((cast.JUDGE, "wrong-role"), (cast.STRANGER, "unknown-officer")):
        with pytest.raises(Refused) as caught:
            grade(staffed, "a", "B2", officer=officer)
        assert caught.value.reason == reason
    for text, reason in (("", "no-reason"), ("x" * 2_001, "bad-reason"), ("\x00", "bad-reason")):
        with pytest.raises(Refused) as caught:
            desk(staffed).grade(report_ids(staffed)["a"], Grade.parse("B2"), reason=text)
        assert caught.value.reason == reason
    with staffed.read() as connection:
        assert connection.execute(select(evaluation)).all() == []
