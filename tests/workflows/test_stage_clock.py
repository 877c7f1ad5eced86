"""Target times of stages and the review timer: silence is an alarm, on virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from infra.tables import campaign, stage_log
from protocol.stages import Gate, Stage
from tests.workflows.cast import CSIRT, MANAGER_DESK, address, report
from tests.workflows.house import House
from tests.workflows.people import People
from workflows.desk import STAGE_ATTRIBUTE
from workflows.ewn_update import REVISIONS_FROM
from workflows.reassessment import CLASS_ATTRIBUTE

pytestmark = [pytest.mark.asyncio, pytest.mark.temporal]

TARGETS = [
    (Stage.CLASSIFICATION, timedelta(minutes=30)),
    (Stage.COORDINATION, timedelta(minutes=30)),
    (Stage.WARNING, timedelta(hours=1)),
    (Stage.PLANNING, timedelta(hours=4)),
]
A_BIT = timedelta(minutes=2)


def overdue(home: House, incident_id: str) -> list[str]:
    query = select(stage_log.c.stage).where(
        stage_log.c.incident_id == incident_id, stage_log.c.overdue_at.is_not(None)
    )
    return [row.stage for row in home.rows(query.order_by(stage_log.c.number))]


def matters(home: House, incident_id: str) -> list[str]:
    """What the duty manager was told of, silent recipients and old warnings apart."""
    query = select(campaign.c.content).where(
        campaign.c.incident_id == incident_id,
        campaign.c.id.contains(".overdue."),
        campaign.c.id.not_like("%.overdue.2___"),
    )
    return [row.content["matter"] for row in home.rows(query.order_by(campaign.c.at))]


@pytest.mark.requirement("R33")
@pytest.mark.parametrize(("stage", "target"), TARGETS)
async def test_a_stage_that_passes_its_target_time_is_marked_and_the_duty_manager_told_once(
    home: House, stage: Stage, target: timedelta
) -> None:
    people = await People.called(home)
    if stage is not Stage.CLASSIFICATION:
        await people.lead_to(stage)
    await home.pass_time(target - A_BIT)
    assert overdue(home, people.incident) == []

    await home.pass_time(2 * A_BIT)
    number = list(Stage).index(stage) + 1
    notice = f"{people.incident}.overdue.{number}"
    await home.until_sent(notice)
    assert overdue(home, people.incident) == [stage]
    assert matters(home, people.incident) == [f"stage {stage} of {people.incident}"]
    assert home.recipients(notice) == {MANAGER_DESK}
    assert address(MANAGER_DESK) in [to for to, _, _ in home.sink.taken]

    await home.pass_time(timedelta(days=1))
    assert len(matters(home, people.incident)) == 1
    (row,) = home.audited("stage_overdue")
    assert row["subject"] == people.incident


async def test_a_stage_that_is_overdue_still_goes_on_when_people_act(home: House) -> None:
    people = await People.called(home)
    await home.pass_time(timedelta(hours=1))
    await home.until_sent(f"{people.incident}.overdue.2")
    await people.launch()
    await home.pass_time(timedelta(hours=1))
    await home.until_sent(f"{people.incident}.overdue.3")
    await people.set_up_centre()
    assert overdue(home, people.incident) == [Stage.CLASSIFICATION, Stage.COORDINATION]


async def test_a_stage_done_in_time_alarms_nobody(home: House) -> None:
    people = await People.called(home)
    await people.lead_to(Stage.INVESTIGATION)
    assert overdue(home, people.incident) == []
    assert matters(home, people.incident) == []


@pytest.mark.requirement("R45")
async def test_a_missed_review_of_open_sources_is_told_to_the_duty_manager(home: House) -> None:
    people = await People.called(home)
    await people.lead_to(Stage.INVESTIGATION)
    await home.pass_time(timedelta(hours=5, minutes=50))
    assert matters(home, people.incident) == []

    review = people.drafting.note(people.incident, "osint-review", "nothing new")
    await people.record(review)
    await home.pass_time(timedelta(hours=5, minutes=50))
    assert matters(home, people.incident) == []

    await home.pass_time(timedelta(hours=6, minutes=20))
    await home.until_sent(f"{people.incident}.overdue.1002")
    what = f"review of open sources of {people.incident}"
    assert matters(home, people.incident) == [what, what]


@pytest.mark.requirement("R45")
async def test_news_of_another_kind_is_no_review_of_open_sources(home: House) -> None:
    people = await People.called(home)
    await people.lead_to(Stage.INVESTIGATION)
    await home.pass_time(timedelta(hours=5))
    await people.two(Gate.EWN_RELEASE, people.ewn(change="ports added"))
    await home.until_sent(f"{people.incident}.ewn.2")
    noted = people.drafting.note(people.incident, "contribution", "an image of the server")
    await people.record(noted)
    await home.pass_time(timedelta(hours=1, minutes=5))
    await home.until_sent(f"{people.incident}.overdue.1001")
    assert matters(home, people.incident) == [f"review of open sources of {people.incident}"]


@pytest.mark.requirement("R45")
async def test_the_investigation_itself_has_a_target_time(home: House) -> None:
    people = await People.called(home)
    await people.lead_to(Stage.INVESTIGATION)
    for _ in range(30):  # reviewed every six hours, for seven and a half days
        await people.record(people.drafting.note(people.incident, "osint-review", "nothing new"))
        await home.pass_time(timedelta(hours=6) - A_BIT)
    await home.until_sent(f"{people.incident}.overdue.6")
    assert matters(home, people.incident) == [f"stage investigation of {people.incident}"]


async def test_reports_are_assessed_in_every_stage_and_the_class_can_be_searched_for(
    home: House,
) -> None:
    people = await People.called(home)
    handle = home.env.client.get_workflow_handle(f"incident-{people.incident}")
    steps: list[tuple[Callable[[], Awaitable[None]], Stage]] = [
        (people.launch, Stage.COORDINATION),
        (people.set_up_centre, Stage.WARNING),
    ]
    version = 1
    for step, stage in steps:
        await step()
        version += 1
        await home.receive(report(reporter=f"{CSIRT} {version}"))
        await people.when(lambda status, v=version: status.assessment_version == v)
        found = (await handle.describe()).typed_search_attributes
        assert found[STAGE_ATTRIBUTE] == stage
        assert found[CLASS_ATTRIBUTE] == "C4"


@pytest.mark.requirement("R33", "R47")
async def test_a_warning_that_is_not_updated_while_it_is_valid_is_an_alarm_once(
    home: House,
) -> None:
    people = await People.called(home)
    await people.lead_to(Stage.PLANNING)
    await home.pass_time(timedelta(hours=6) - 2 * A_BIT)
    await people.two(Gate.EWN_RELEASE, people.ewn(change="still valid"))
    await home.until_sent(f"{people.incident}.ewn.2")
    await home.pass_time(timedelta(hours=6) - A_BIT)
    assert f"overdue.{REVISIONS_FROM + 1}" not in home.campaigns(people.incident)

    alarm = f"overdue.{REVISIONS_FROM + 2}"
    await home.pass_time(2 * A_BIT)
    await home.until_sent(f"{people.incident}.{alarm}")
    (told,) = home.rows(
        select(campaign.c.content).where(campaign.c.id == f"{people.incident}.{alarm}")
    )
    assert told.content["matter"].startswith("next version of early warning 2")
    await home.pass_time(timedelta(hours=12))
    assert [c for c in home.campaigns(people.incident) if c.startswith("overdue.2")] == [alarm]
