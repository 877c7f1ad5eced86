"""What follows an assessment reaches people: changes told once, tasks on a timer, the outlook window."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from infra import taskbook
from infra.tables import campaign
from infra.taskbook import Task, TaskKind, TaskOutcome
from protocol.grades import Grade
from protocol.stages import Recommendation, Stage
from tests.workflows.cast import CSIRT, DUTY, MANAGER_DESK, address, report
from tests.workflows.house import CHANNEL, House
from tests.workflows.people import People
from workflows.taskwork import Taskwork

pytestmark = [pytest.mark.asyncio, pytest.mark.temporal]

LAUNCH, HOLD = Recommendation.LAUNCH, Recommendation.HOLD_CORROBORATE
A_BIT = timedelta(minutes=2)


def told(home: House, incident_id: str) -> list[dict[str, Any]]:
    """The notices of reassessment, oldest first."""
    query = select(campaign.c.content).where(
        campaign.c.incident_id == incident_id, campaign.c.kind == "reassessment"
    )
    return [row.content for row in home.rows(query.order_by(campaign.c.revision))]


def alarms(home: House, incident_id: str) -> list[str]:
    """What the duty manager was told of tasks."""
    query = select(campaign.c.content).where(
        campaign.c.incident_id == incident_id, campaign.c.id.contains(".overdue.10000")
    )
    return [row.content["matter"] for row in home.rows(query.order_by(campaign.c.revision))]


def tasks(home: House, incident_id: str) -> list[Task]:
    with home.database.read() as connection:
        return taskbook.tasks_of(connection, incident_id)


async def graded(home: House, people: People, report_id: str, grade: str, to: Any) -> None:
    """The officer grades the report, and the assessment follows."""
    people.casework.grade(people.incident, report_id, Grade.parse(grade), reason="called them")
    await home.pass_word()
    await people.when(lambda status: status.recommendation is to)


async def ungraded(home: House) -> tuple[People, str]:
    """An incident held for want of a grade, and its one report."""
    people = await People.called(home, grade="")
    with home.database.read() as connection:
        found = taskbook.tasks_of(connection, people.incident)
    return people, str(found[0].matter["reports"]["ids"][0])


@pytest.mark.requirement("R16")
async def test_another_recommendation_is_told_to_the_duty_desk_at_once_and_without_report_text(
    home: House,
) -> None:
    people = await People.called(home, grade="X4")
    assert told(home, people.incident) == []
    await home.receive(report(reporter=CSIRT))
    await people.when(lambda status: status.recommendation is LAUNCH)
    notice = f"{people.incident}.reassessment.1"
    await home.until_sent(notice)
    (said,) = told(home, people.incident)
    assert said["recommendation"] == LAUNCH
    assert said["assessment"] == 2
    assert "Recommendation hold-corroborate -> launch." in said["changes"]
    assert "Hospital" not in str(said)
    assert home.recipients(notice) == {MANAGER_DESK}
    assert address(MANAGER_DESK) in [to for to, _, _ in home.sink.taken]
    (event,) = home.audited("recommendation_changed")
    assert event["subject"] == people.incident


async def test_what_turns_back_and_forth_is_told_once_with_where_it_ended(home: House) -> None:
    people, item = await ungraded(home)
    await graded(home, people, item, "B2", LAUNCH)
    await home.until_sent(f"{people.incident}.reassessment.1")
    for _ in range(3):
        await graded(home, people, item, "X4", HOLD)
        await graded(home, people, item, "B2", LAUNCH)
    await graded(home, people, item, "X4", HOLD)
    assert len(told(home, people.incident)) == 1

    await home.pass_time(timedelta(minutes=8))
    assert len(told(home, people.incident)) == 1
    await home.pass_time(timedelta(minutes=4))
    await home.until_sent(f"{people.incident}.reassessment.2")
    assert [said["recommendation"] for said in told(home, people.incident)] == [LAUNCH, HOLD]
    assert len(home.audited("recommendation_changed")) == 8


async def test_what_has_turned_back_by_then_is_not_told(home: House) -> None:
    people, item = await ungraded(home)
    await graded(home, people, item, "B2", LAUNCH)
    await home.until_sent(f"{people.incident}.reassessment.1")
    await graded(home, people, item, "X4", HOLD)
    await graded(home, people, item, "B2", LAUNCH)
    await home.pass_time(timedelta(minutes=25))
    assert len(told(home, people.incident)) == 1


@pytest.mark.requirement("R11", "R16")
async def test_verification_that_nobody_reports_in_time_is_told_to_the_duty_manager_once(
    home: House,
) -> None:
    people = await People.called(home, grade="X4")
    numbers = [each.number for each in tasks(home, people.incident)]
    assert len(numbers) > 1
    work = Taskwork(home.database, officer=DUTY, channel=CHANNEL)
    work.take(people.incident, numbers[0])
    work.report(people.incident, numbers[0], TaskOutcome.UNCLEAR, reason="no answer")
    await home.pass_time(timedelta(minutes=60) - A_BIT)
    assert alarms(home, people.incident) == []

    await home.pass_time(2 * A_BIT)
    await home.until_sent(f"{people.incident}.overdue.100001")
    rest = ", ".join(str(number) for number in numbers[1:])
    assert alarms(home, people.incident) == [f"task {rest} of {people.incident}"]
    await home.pass_time(timedelta(hours=5))
    assert len(alarms(home, people.incident)) == 1


async def test_tasks_that_are_done_in_time_alarm_nobody(home: House) -> None:
    people = await People.called(home, grade="X4")
    work = Taskwork(home.database, officer=DUTY, channel=CHANNEL)
    for each in tasks(home, people.incident):
        work.take(people.incident, each.number)
        work.report(people.incident, each.number, TaskOutcome.UNCLEAR, reason="no answer")
    await home.pass_time(timedelta(hours=3))
    assert alarms(home, people.incident) == []


async def test_a_launch_that_is_confirmed_closes_its_tasks_and_says_why(home: House) -> None:
    people = await People.called(home, grade="X4")
    await home.receive(report(reporter=CSIRT))
    await people.when(lambda status: status.recommendation is LAUNCH)
    assert {each.outcome for each in tasks(home, people.incident)} == {TaskOutcome.OVERTAKEN}
    assert all("launch now" in (each.reason or "") for each in tasks(home, people.incident))
    await home.pass_time(timedelta(hours=2))
    assert alarms(home, people.incident) == []


@pytest.mark.requirement("R16", "R18")
@pytest.mark.parametrize(
    ("outcome", "stays_open"), [(Recommendation.NORMAL_PROCEDURE, False), (HOLD, True)]
)
async def test_deciding_against_a_launch_ends_the_verification_unless_it_is_to_go_on(
    home: House, outcome: Recommendation, *, stays_open: bool
) -> None:
    people = await People.called(home, grade="X4")
    await people.stand_down(outcome)
    found = tasks(home, people.incident)
    assert any(each.closed_at is None for each in found) is stays_open
    if not stays_open:
        assert all("no-launch, normal-procedure" in (each.reason or "") for each in found)


@pytest.mark.requirement("R18")
async def test_after_monitor_the_outlook_window_ends_in_an_event_a_task_and_word_to_the_desk(
    home: House,
) -> None:
    people = await People.called(home)
    await people.stand_down(Recommendation.MONITOR)
    await home.pass_time(timedelta(hours=5, minutes=50))
    assert tasks(home, people.incident) == []
    assert home.audited("outlook_window_passed") == []

    await home.pass_time(timedelta(minutes=12))
    await people.when(lambda status: status.decision == "")
    await home.until_sent(f"{people.incident}.reassessment.1")
    (look,) = tasks(home, people.incident)
    assert look.kind is TaskKind.OUTLOOK
    assert look.due_at - look.opened_at == timedelta(minutes=30)
    assert "outlook window has passed" in told(home, people.incident)[0]["matter"]
    assert len(home.audited("outlook_window_passed")) == 1

    await home.pass_time(timedelta(minutes=35))
    await home.until_sent(f"{people.incident}.overdue.100001")
    assert alarms(home, people.incident) == [f"task 1 of {people.incident}"]
    await people.launch()
    (look,) = tasks(home, people.incident)
    assert (look.outcome, look.reason) == (
        TaskOutcome.OVERTAKEN,
        "two people have decided: launch",
    )


async def test_a_case_that_is_reopened_asks_again_what_it_had_set_aside(home: House) -> None:
    people = await People.called(home, grade="X4")
    before = {each.subject for each in tasks(home, people.incident)}
    await people.stand_down(Recommendation.NORMAL_PROCEDURE)
    await home.officer(DUTY).reopen(people.incident, reason="there is more to it")
    await people.when(lambda status: status.decision == "")
    await home.until(lambda: any(t.closed_at is None for t in tasks(home, people.incident)))
    again = {each.subject for each in tasks(home, people.incident) if each.closed_at is None}
    assert again == before
    assert told(home, people.incident) == []


async def test_the_assessment_goes_on_after_the_launch_and_its_changes_are_told(
    home: House,
) -> None:
    people, item = await ungraded(home)
    await graded(home, people, item, "B2", LAUNCH)
    await people.launch()
    await people.set_up_centre()
    await home.pass_time(timedelta(minutes=11))
    await graded(home, people, item, "X4", HOLD)
    await home.until_sent(f"{people.incident}.reassessment.2")
    assert (await home.status(people.incident)).stage is Stage.WARNING
    assert not any(each.closed_at is None for each in tasks(home, people.incident))
