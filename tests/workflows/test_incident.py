"""An incident on its way through the seven stages, on virtual time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from infra import audit
from infra.tables import campaign, incident, stage_log
from protocol.errors import NotFound
from protocol.parties import RecipientClass
from protocol.stages import Containment, Gate, NoticeKind, Stage
from tests.workflows.cast import DUTY, MANAGER_DESK, SECOND, address, report
from tests.workflows.house import House
from tests.workflows.people import People, agree
from workflows.messages import IncidentOutcome

pytestmark = [pytest.mark.asyncio, pytest.mark.temporal]

EVERYBODY = {"le-poc-de", "le-poc-fr"} | {
    str(name)
    for name in RecipientClass
    if name not in {RecipientClass.LE_POC, RecipientClass.DUTY_MANAGER}
}
POLICE_SIDE = {"liaison-bureau", "j-cat", "le-poc-de", "le-poc-fr", "judicial"}


@pytest.mark.requirement("R3", "R16", "R19", "R23", "R24", "R33", "R36", "R41", "R48", "R49")
async def test_an_incident_passes_the_seven_stages_in_order_and_tells_whom_it_must(
    home: House,
) -> None:
    people = await People.called(home)
    await people.lead_to(Stage.INVESTIGATION)
    await people.close()

    entered = home.rows(select(stage_log.c.stage, stage_log.c.left).order_by(stage_log.c.number))
    assert [row.stage for row in entered] == [str(stage) for stage in Stage]
    assert all(row.left for row in entered)
    told = {kind: home.recipients(f"{people.incident}.{kind}.1") for kind in NoticeKind}
    assert told == {
        NoticeKind.INITIAL: EVERYBODY,
        NoticeKind.EWN: EVERYBODY,
        NoticeKind.INVITATION: POLICE_SIDE,
        NoticeKind.PLAN: POLICE_SIDE,
        NoticeKind.CLOSURE: EVERYBODY,
        NoticeKind.OUTCOME: set(),
        NoticeKind.OVERDUE: set(),
        NoticeKind.REASSESSMENT: set(),
        NoticeKind.DRILL: set(),
        NoticeKind.WITHDRAWAL: set(),
        NoticeKind.BLUEPRINT: {"eu-body"},
        NoticeKind.OVERRIDE: set(),
    }
    handle = home.env.client.get_workflow_handle(
        f"incident-{people.incident}", result_type=IncidentOutcome
    )
    outcome = await handle.result()
    assert outcome.launched
    assert outcome.decision == Gate.LAUNCH
    assert outcome.containment is Containment.OPERATIONAL_SUCCESS
    with home.database.read() as connection:
        assert audit.verify(connection).verified


@pytest.mark.requirement("R49")
async def test_the_closure_goes_to_exactly_those_who_got_the_initial_notice(home: House) -> None:
    people = await People.called(home)
    await people.lead_to(Stage.INVESTIGATION)
    # A new desk in the directory is not told of the end of something it never heard of.
    home.import_directory(also=("le-poc-es",))
    await people.close(Containment.NORMAL_PROCEDURE)

    initial = home.recipients(f"{people.incident}.initial.1")
    assert home.recipients(f"{people.incident}.closure.1") == initial
    assert "le-poc-es" not in initial


@pytest.mark.requirement("R7")
async def test_an_officers_word_starts_the_protocol_for_a_cluster_that_no_rule_detects(
    home: House,
) -> None:
    cluster = await home.receive(report(criteria=("small-loss",), countries=("DE",)))
    with pytest.raises(NotFound):
        await home.status(cluster)
    people = People(home, cluster)
    people.casework.detect(cluster, reason="the victim is a hospital")
    await home.pass_word()
    await people.reached(Stage.CLASSIFICATION)


async def test_the_centre_must_stand_before_anybody_is_told(home: House) -> None:
    people = await People.called(home)
    await people.launch()
    assert home.campaigns(people.incident) == []
    await people.set_up_centre()
    assert home.campaigns(people.incident) == ["initial.1"]


async def test_a_launched_incident_ends_its_campaigns_and_answers_no_more(home: House) -> None:
    people = await People.called(home)
    await people.lead_to(Stage.INVESTIGATION)
    await people.close()

    warning = home.env.client.get_workflow_handle(f"campaign-{people.incident}.ewn.1")
    outcome = await warning.result()
    assert outcome["escalated"] is False
    (row,) = home.rows(select(incident.c.status).where(incident.c.id == people.incident))
    assert row.status == "ended"


@pytest.mark.requirement("R47")
async def test_new_versions_of_warning_and_plan_go_out_once_each(home: House) -> None:
    people = await People.called(home)
    await people.lead_to(Stage.INVESTIGATION)
    updated = people.ewn(change="kill switch found")
    await people.two(Gate.EWN_RELEASE, updated)
    await home.until_sent(f"{people.incident}.ewn.2")
    await people.two(Gate.PLAN_ADOPTION, people.plan(outcome="NL leads alone."))
    await home.until_sent(f"{people.incident}.plan.2")
    # The same version, released once more by mistake, is not sent again.
    await people.two(Gate.EWN_RELEASE, updated)
    await people.close()

    assert [name for name in home.campaigns(people.incident) if "blueprint" not in name] == [
        "initial.1", "ewn.1", "invitation.1", "plan.1", "ewn.2", "plan.2", "closure.1",
    ]  # fmt: skip
    assert {"blueprint.1", "blueprint.2"} <= set(home.campaigns(people.incident))
    (second,) = home.rows(
        select(campaign.c.content).where(campaign.c.id == f"{people.incident}.ewn.2")
    )
    assert second.content["header"]["supersedes"].endswith("EWN-1")
    mails = [mail for mail in home.sink.taken if mail[0] == address("le-poc-de")]
    assert len(mails) == len({message_id for _, _, message_id in mails}) == 7


async def test_a_warning_may_be_updated_before_the_plan_stands_and_goes_out_with_it(
    home: House,
) -> None:
    people = await People.called(home)
    await people.lead_to(Stage.PLANNING)
    await people.two(Gate.EWN_RELEASE, people.ewn(change="ports added"))
    await home.until_sent(f"{people.incident}.ewn.2")
    assert home.recipients(f"{people.incident}.ewn.2") == EVERYBODY


@pytest.mark.requirement("R33")
async def test_the_incident_does_not_go_on_before_every_mail_had_its_first_try(
    home: House,
) -> None:
    people = await People.called(home)
    await people.launch()
    home.sink.silent.add(address("interpol"))
    await people.record(people.centre())
    await people.when(lambda status: bool(status.campaigns))
    status = await home.status(people.incident)
    assert status.stage is Stage.COORDINATION
    assert not status.campaigns[0].sent
    home.sink.let_go()
    await people.reached(Stage.WARNING)


async def test_the_status_names_what_waits_and_what_was_sent(home: House) -> None:
    people = await People.called(home)
    draft = people.threat_assessment()
    await home.officer(DUTY).propose(people.incident, Gate.LAUNCH, draft)
    (waiting,) = (await home.status(people.incident)).pending
    assert (waiting.gate, waiting.digest, waiting.proposer) == (Gate.LAUNCH, draft.digest, DUTY)

    await agree(home.officer(SECOND), people.incident, Gate.LAUNCH)
    await people.reached(Stage.COORDINATION)
    await people.set_up_centre()
    status = await home.status(people.incident)
    assert status.pending == ()
    assert [(c.kind, c.sent) for c in status.campaigns] == [(NoticeKind.INITIAL, True)]
    assert MANAGER_DESK not in home.recipients(f"{people.incident}.initial.1")


async def test_a_campaign_whose_incident_has_ended_before_its_first_mail_ends_well(
    home: House,
) -> None:
    people = await People.called(home)
    await people.lead_to(Stage.INVESTIGATION)
    await home.acknowledge(f"{people.incident}.ewn.1")
    # The warning's own clock strikes first; the manager still reads that.
    await home.pass_time(timedelta(hours=5))
    await people.record(people.drafting.note(people.incident, "osint-review", "nothing new"))
    await home.pass_time(timedelta(hours=1, minutes=30))
    await home.until_sent(f"{people.incident}.overdue.2001")
    home.sink.silent.add(address(MANAGER_DESK))
    # The clock stands while a mail is under way, so the end of the window is walked to in steps.
    await home.pass_time(timedelta(hours=4, minutes=30) - timedelta(seconds=40))
    notice = f"{people.incident}.overdue.1001"
    await home.pass_time_until(lambda: "sending" in home.mails(notice).values())
    await people.close()
    assert await home.ended(f"incident-{people.incident}")
    home.sink.let_go()
    assert await home.ended(f"campaign-{notice}")
    assert set(home.mails(notice).values()) == {"accepted"}


async def test_a_campaign_that_outlives_its_incident_goes_on_to_its_end(home: House) -> None:
    people = await People.called(home)
    await people.lead_to(Stage.INVESTIGATION)
    home.sink.put_off.add(address("interpol"))
    await people.close()
    late = f"{people.incident}.closure.1"
    assert home.mails(late)["interpol", 0, 0] == "retry_due"

    home.sink.put_off.clear()
    await home.pass_time_until(lambda: home.mails(late)["interpol", 0, 0] == "accepted")
    assert await home.ended(f"campaign-{late}")
