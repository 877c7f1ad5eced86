"""Decisions not to launch: what follows, who is told, and how a case is taken up again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from infra.tables import campaign, incident
from protocol.errors import NotFound, Refused
from protocol.report import Cause, CauseClaim
from protocol.stages import Gate, Recommendation, Stage
from tests.workflows.cast import CSIRT, DUTY, POLICE, SECOND, report
from tests.workflows.house import House
from tests.workflows.people import People
from workflows import overview
from workflows.messages import IncidentOutcome

pytestmark = [pytest.mark.asyncio, pytest.mark.temporal]

ENDS = (
    Recommendation.NORMAL_PROCEDURE,
    Recommendation.NO_EU_NEXUS,
    Recommendation.OUT_OF_SCOPE,
)
COMES_BACK = (Recommendation.MONITOR, Recommendation.HOLD_CORROBORATE)


def stages(home: House, incident_id: str) -> list[str]:
    with home.database.read() as connection:
        return [row["stage"] for row in overview.stages(connection, incident_id)]


@pytest.mark.requirement("R18")
@pytest.mark.parametrize("outcome", ENDS)
async def test_no_ends_the_process_when_the_watch_is_over(
    home: House, outcome: Recommendation
) -> None:
    people = await People.called(home)
    await people.stand_down(outcome)
    await home.pass_time(timedelta(days=29))
    assert (await home.status(people.incident)).decision == Gate.NO_LAUNCH

    handle = home.env.client.get_workflow_handle(
        f"incident-{people.incident}", result_type=IncidentOutcome
    )
    await home.pass_time(timedelta(days=2))
    result = await handle.result()
    assert (result.launched, result.decision) == (False, Gate.NO_LAUNCH)
    (row,) = home.rows(select(incident.c.status).where(incident.c.id == people.incident))
    assert row.status == "ended"
    assert stages(home, people.incident) == [Stage.DETECTION, Stage.CLASSIFICATION]


@pytest.mark.requirement("R18")
@pytest.mark.parametrize("outcome", [*ENDS, *COMES_BACK])
async def test_the_notifiers_are_told_the_outcome_and_nobody_else(
    home: House, outcome: Recommendation
) -> None:
    people = await People.called(home)
    await home.receive(report(reporter=CSIRT))
    await people.when(lambda status: status.assessment_version == 2)
    await people.stand_down(outcome)
    await home.until_sent(f"{people.incident}.outcome.1")

    assert home.campaigns(people.incident) == ["outcome.1"]
    assert home.recipients(f"{people.incident}.outcome.1") == {"le-poc-de", "csirt-network"}
    (told,) = home.rows(
        select(campaign.c.content).where(campaign.c.id == f"{people.incident}.outcome.1")
    )
    assert told.content["decision"] == outcome


async def test_notifiers_that_nobody_knows_are_not_told_and_that_is_on_record(home: House) -> None:
    people = await People.called(home, reporter="Somebody unknown")
    await people.stand_down(Recommendation.NORMAL_PROCEDURE)
    assert await home.ended(f"campaign-{people.incident}.outcome.1")
    assert home.campaigns(people.incident) == []
    (row,) = home.audited("notifiers_unknown")
    assert row["subject"] == f"{people.incident}.outcome.1"


async def test_a_case_that_is_under_watch_is_not_overdue(home: House) -> None:
    people = await People.called(home)
    await people.stand_down(Recommendation.NORMAL_PROCEDURE)
    await home.pass_time(timedelta(days=2))
    assert home.campaigns(people.incident) == ["outcome.1"]
    assert home.audited("stage_overdue") == []


@pytest.mark.requirement("R10")
@pytest.mark.parametrize("outcome", [Recommendation.OUT_OF_SCOPE, Recommendation.MONITOR])
async def test_a_case_is_reopened_by_an_officer_with_a_reason_and_can_then_be_launched(
    home: House, outcome: Recommendation
) -> None:
    people = await People.called(home)
    await people.stand_down(outcome)
    answer = await home.officer(DUTY).reopen(people.incident, reason="it was an attack after all")
    assert answer.state == "reopened"
    await people.when(lambda status: status.decision == "")
    assert stages(home, people.incident)[1:] == [Stage.CLASSIFICATION] * 2

    await people.launch()
    assert (await home.status(people.incident)).decision == Gate.LAUNCH


@pytest.mark.requirement("R10")
async def test_a_case_that_is_not_stood_down_or_has_ended_is_not_reopened(home: House) -> None:
    people = await People.called(home)
    with pytest.raises(Refused) as refused:
        await home.officer(DUTY).reopen(people.incident, reason="why not")
    assert refused.value.reason == "not-stood-down"

    await people.stand_down(Recommendation.NO_EU_NEXUS)
    await home.pass_time(timedelta(days=31))
    await home.until_ended(people.incident)
    assert await home.ended(f"incident-{people.incident}")
    with pytest.raises(NotFound):
        await home.officer(DUTY).reopen(people.incident, reason="too late")


async def test_a_proposal_from_before_the_decision_is_off_the_table_after_it(home: House) -> None:
    people = await People.called(home)
    draft = people.threat_assessment()
    await home.officer(DUTY).propose(people.incident, Gate.LAUNCH, draft)
    await people.stand_down(Recommendation.MONITOR)
    assert (await home.status(people.incident)).pending == ()
    await home.officer(DUTY).reopen(people.incident, reason="new victims")
    await people.when(lambda status: status.decision == "")
    with pytest.raises(Refused) as refused:
        await home.officer(SECOND).approve(people.incident, Gate.LAUNCH, digest=draft.digest)
    assert refused.value.reason == "nothing-proposed"


@pytest.mark.parametrize("outcome", COMES_BACK)
async def test_monitor_and_hold_come_back_to_stage_ii_after_the_outlook_window(
    home: House, outcome: Recommendation
) -> None:
    people = await People.called(home)
    await people.stand_down(outcome)
    await home.pass_time(timedelta(hours=5, minutes=50))
    assert stages(home, people.incident) == [Stage.DETECTION, Stage.CLASSIFICATION]

    await home.pass_time(timedelta(minutes=20))
    status = await people.when(lambda status: status.decision == "")
    assert status.stage is Stage.CLASSIFICATION
    # Decided once more, the notifiers hear the new outcome too.
    await people.stand_down(Recommendation.NORMAL_PROCEDURE)
    await home.until_sent(f"{people.incident}.outcome.2")
    assert stages(home, people.incident)[1:] == [Stage.CLASSIFICATION] * 2


@pytest.mark.requirement("R10", "R15")
async def test_new_reports_that_turn_the_recommendation_to_launch_take_the_case_up_again(
    home: House,
) -> None:
    people = await People.called(home, grade="X4")
    status = await home.status(people.incident)
    assert status.recommendation is Recommendation.HOLD_CORROBORATE
    await people.stand_down(Recommendation.NORMAL_PROCEDURE)

    await home.receive(report(reporter=CSIRT))
    status = await people.when(lambda status: status.decision == "")
    assert status.recommendation is Recommendation.LAUNCH
    assert stages(home, people.incident)[1:] == [Stage.CLASSIFICATION] * 2


async def test_a_case_that_was_decided_against_the_recommendation_is_not_taken_up_by_it(
    home: House,
) -> None:
    people = await People.called(home)
    assert (await home.status(people.incident)).recommendation is Recommendation.LAUNCH
    await people.stand_down(Recommendation.NORMAL_PROCEDURE)
    await home.receive(report(reporter=CSIRT))
    status = await people.when(lambda status: status.assessment_version == 2)
    assert status.decision == Gate.NO_LAUNCH


@pytest.mark.requirement("R8", "R10")
async def test_a_clear_technical_failure_is_out_of_scope_once_an_officer_confirms_it(
    home: House,
) -> None:
    failure = CauseClaim(value=Cause.TECHNICAL_FAILURE, clear=True, by_authority_in_charge=True)
    people = await People.called(home, reporter=POLICE, grade="A1", cause=failure)
    presumed = (await home.status(people.incident)).recommendation
    assert presumed is Recommendation.LAUNCH

    people.casework.state(
        people.incident, {"cause": {"cause": "technical-failure", "text": "called the operator"}}
    )
    await home.pass_word()
    await people.when(lambda status: status.recommendation is Recommendation.OUT_OF_SCOPE)
    await people.stand_down(Recommendation.OUT_OF_SCOPE)
    await home.until_sent(f"{people.incident}.outcome.1")
