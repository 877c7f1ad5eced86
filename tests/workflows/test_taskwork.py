"""Tasks of a held launch: opened, owned, reported, overdue, and closed by themselves with a reason."""

from __future__ import annotations

from datetime import timedelta

import pytest

from infra import taskbook
from infra.database import Database
from infra.taskbook import TaskOutcome
from protocol.errors import NotFound, Refused
from protocol.grades import Grade
from protocol.stages import Recommendation
from tests.workflows import cast
from tests.workflows.case import PROFILE
from tests.workflows.reassessing import NOON, Case
from workflows import overview


@pytest.fixture
def case(database: Database) -> Case:
    return Case(database)


@pytest.mark.requirement("R11", "R16")
def test_a_held_launch_gives_tasks_with_a_deadline_that_close_by_themselves_and_say_why(
    case: Case,
) -> None:
    first = case.receive(1)
    due = case.assess().tasks_due
    assert due == NOON + PROFILE.reassessment.verify_within
    assert "impact/essential-service-sustained-denial" in case.open_subjects()
    assert all(each.matter["reports"]["ids"] == [first] for each in case.tasks())
    with case.database.read() as connection:
        (listed,) = overview.incidents(connection)
    assert listed["tasks"] == len(case.open_subjects())

    case.grade(first)
    assert case.assess().tasks_due is None
    assert case.open_subjects() == []
    assert {each.outcome for each in case.tasks()} == {TaskOutcome.OVERTAKEN}
    assert all("the recommendation is launch now" in (t.reason or "") for t in case.tasks())


def test_assessed_again_the_same_claim_has_one_task_that_names_the_newest_reports(
    case: Case,
) -> None:
    case.receive(1)
    case.assess()
    before = case.tasks()
    second = case.receive(2)
    case.assess(minutes=30)
    after = case.tasks()
    assert [each.number for each in after] == [each.number for each in before]
    assert [each.due_at for each in after] == [each.due_at for each in before]
    assert second in after[0].matter["reports"]["ids"]
    case.assess(minutes=31)
    assert len(case.audited("task_changed")) == len(after)


@pytest.mark.requirement("R1", "R11")
def test_a_task_is_taken_given_on_and_reported_by_its_owner_with_a_reason(case: Case) -> None:
    case.receive(1)
    case.assess()
    with pytest.raises(Refused) as nobody:
        case.hands().report(case.incident, 1, TaskOutcome.CONFIRMED, reason="seen")
    assert nobody.value.reason == "not-yours"
    assert case.hands().take(case.incident, 1).owner == cast.DUTY
    assert case.hands().assign(case.incident, 1, to=cast.ANALYST).owner == cast.ANALYST
    with pytest.raises(Refused, match="roles"):
        case.hands().assign(case.incident, 1, to=cast.JUDGE)
    for reason, result, refusal in (
        (" ", TaskOutcome.REFUTED, "no-reason"),
        ("seen", TaskOutcome.DONE, "wrong-result"),
    ):
        with pytest.raises(Refused) as refused:
            case.hands(cast.ANALYST).report(case.incident, 1, result, reason=reason)
        assert refused.value.reason == refusal
    done = case.hands(cast.ANALYST).report(
        case.incident, 1, TaskOutcome.REFUTED, reason="the hospital denies it"
    )
    assert (done.outcome, done.closed_by) == (TaskOutcome.REFUTED, cast.ANALYST)
    with pytest.raises(Refused) as closed:
        case.hands().take(case.incident, 1)
    assert closed.value.reason == "task-closed"
    with pytest.raises(NotFound):
        case.hands().take(case.incident, 99)
    assert len(case.audited("task_assigned")) == 2


def test_what_a_person_reported_is_not_asked_again_until_the_launch_is_held_anew(
    case: Case,
) -> None:
    first = case.receive(1)
    case.assess()
    subject = case.tasks()[0].subject
    case.hands().take(case.incident, 1)
    case.hands().report(case.incident, 1, TaskOutcome.UNCLEAR, reason="nobody answers")
    case.receive(2)
    case.assess(minutes=5)
    assert subject not in case.open_subjects()

    case.grade(first)
    case.assess(minutes=6)
    case.grade(first, Grade.parse("X4"))
    case.assess(minutes=7)
    assert subject in case.open_subjects()


@pytest.mark.requirement("R16")
def test_once_people_have_decided_for_good_nothing_is_asked_and_open_tasks_say_so(
    case: Case,
) -> None:
    case.receive(1)
    case.assess()
    summary = case.assess(verify=False)
    assert summary.recommendation is Recommendation.HOLD_CORROBORATE
    assert case.open_subjects() == []
    assert {each.reason for each in case.tasks()} == {"two people have decided about the launch"}


def test_an_assessment_repeated_after_a_crash_adds_nothing(case: Case) -> None:
    case.receive(1)
    first = case.assess()
    tasks = case.tasks()
    assert case.assess() == first
    assert case.tasks() == tasks
    assert len(case.audited("task_opened")) == len(tasks)


def test_late_tasks_are_marked_once_and_named_again_when_the_call_is_repeated(case: Case) -> None:
    case.receive(1)
    case.assess()
    case.hands().take(case.incident, 1)
    case.hands().report(case.incident, 1, TaskOutcome.CONFIRMED, reason="called")
    late_at = NOON + timedelta(hours=1)
    for _ in range(2):
        with case.database.write() as connection:
            late = taskbook.mark_overdue(connection, case.incident, at=late_at)
            assert taskbook.next_due(connection, case.incident) is None
        assert [each.number for each in late] == [t.number for t in case.tasks()][1:]
    with case.database.write() as connection:
        assert taskbook.mark_overdue(connection, case.incident, at=late_at + NOON.resolution) == ()
    assert len(case.audited("task_overdue")) == len(case.tasks()) - 1
