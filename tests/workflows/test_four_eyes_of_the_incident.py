"""Four eyes on the running incident: each refusal has its reason and its row in the audit trail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest
from sqlalchemy import select

from infra.tables_decisions import decision
from leerp.demo.officers import given
from protocol.errors import NotFound, Refused
from protocol.stages import Containment, Gate, Recommendation, Stage
from tests.workflows.cast import ANALYST, CSIRT, DUTY, MANAGER, SECOND, STRANGER, THIRD, report
from tests.workflows.house import CHANNEL, House
from tests.workflows.people import People, agree
from workflows.messages import Answer

pytestmark = [pytest.mark.asyncio, pytest.mark.temporal]


async def refused(command: Awaitable[Answer]) -> str:
    with pytest.raises(Refused) as found:
        await command
    return found.value.reason


def refusals(home: House) -> list[tuple[str, str, str]]:
    """Officer, command and reason of each refusal on record."""
    return [
        (row["actor"], row["detail"]["command"], row["detail"]["reason"])
        for row in home.audited("command_refused")
    ]


def decisions(home: House, incident_id: str) -> list[tuple[str, str]]:
    rows = home.rows(
        select(decision.c.command, decision.c.officer)
        .where(decision.c.incident_id == incident_id)
        .order_by(decision.c.at)
    )
    return [(row.command, row.officer) for row in rows]


@pytest.mark.requirement("R1", "R16")
async def test_one_person_does_not_open_a_gate_alone(home: House) -> None:
    people = await People.called(home)
    alone = home.officer(SECOND)
    await alone.propose(people.incident, Gate.LAUNCH, people.threat_assessment())
    assert await refused(agree(alone, people.incident, Gate.LAUNCH)) == "same-person"

    assert refusals(home) == [(SECOND, "approve launch", "same-person")]
    assert (await home.status(people.incident)).stage is Stage.CLASSIFICATION
    await agree(home.officer(THIRD), people.incident, Gate.LAUNCH)
    await people.reached(Stage.COORDINATION)


async def test_nobody_approves_what_they_have_not_read(home: House) -> None:
    people = await People.called(home)
    await home.officer(DUTY).propose(people.incident, Gate.LAUNCH, people.threat_assessment())
    unread = home.officer(SECOND).approve(people.incident, Gate.LAUNCH)
    assert await refused(unread) == "not-read"
    assert refusals(home) == [(SECOND, "approve launch", "not-read")]

    draft = await home.officer(SECOND).read(people.incident, Gate.LAUNCH)
    answer = await home.officer(SECOND).approve(people.incident, Gate.LAUNCH)
    assert (answer.state, answer.digest) == ("approved", draft.digest)


@pytest.mark.requirement("R1")
async def test_a_wrong_role_is_refused_at_each_step(home: House) -> None:
    people = await People.called(home)
    draft = people.threat_assessment()
    for officer in (ANALYST, MANAGER):
        proposing = home.officer(officer).propose(people.incident, Gate.LAUNCH, draft)
        assert await refused(proposing) == "wrong-role"
    await home.officer(DUTY).propose(people.incident, Gate.LAUNCH, draft)
    assert await refused(agree(home.officer(ANALYST), people.incident, Gate.LAUNCH)) == "wrong-role"
    declining = home.officer(ANALYST).decline(people.incident, Gate.LAUNCH, reason="no")
    assert await refused(declining) == "wrong-role"

    assert refusals(home) == [
        (ANALYST, "propose launch", "wrong-role"),
        (MANAGER, "propose launch", "wrong-role"),
        (ANALYST, "approve launch", "wrong-role"),
        (ANALYST, "decline launch", "wrong-role"),
    ]


async def test_the_second_person_does_not_approve_a_draft_that_changed_meanwhile(
    home: House,
) -> None:
    people = await People.called(home)
    await people.lead_to(Stage.WARNING)
    read = people.ewn()
    changed = people.ewn(meaning="It also takes backups.")
    for draft in (read, changed):
        await home.officer(DUTY).propose(people.incident, Gate.EWN_RELEASE, draft)
    second = home.officer(SECOND)
    approving = second.approve(people.incident, Gate.EWN_RELEASE, digest=read.digest)
    assert await refused(approving) == "changed-draft"
    assert refusals(home) == [(SECOND, "approve ewn-release", "changed-draft")]
    assert home.campaigns(people.incident) == ["initial.1"]

    await second.approve(people.incident, Gate.EWN_RELEASE, digest=changed.digest)
    await people.reached(Stage.PLANNING)
    sent = home.campaigns(people.incident)
    assert [name for name in sent if "blueprint" not in name] == ["initial.1", "ewn.2"]


@pytest.mark.requirement("R32")
async def test_who_wrote_a_warning_does_not_release_it_but_in_an_emergency_with_a_reason(
    home: House,
) -> None:
    people = await People.called(home)
    await people.lead_to(Stage.WARNING)
    own = home.drafting(SECOND).ewn(people.incident, given("ewn"))
    await home.officer(DUTY).propose(people.incident, Gate.EWN_RELEASE, own)
    author = home.officer(SECOND)
    assert await refused(agree(author, people.incident, Gate.EWN_RELEASE)) == "own-draft"

    reason = "alone on shift, hospitals are failing"
    await author.approve(people.incident, Gate.EWN_RELEASE, digest=own.digest, override=reason)
    await people.reached(Stage.PLANNING)
    (noted,) = home.rows(select(decision).where(decision.c.command == "ewn-release-approved"))
    assert noted.detail["override"] == reason
    assert noted.officer == SECOND


async def test_a_launch_is_not_approved_on_an_assessment_that_changed_meanwhile(
    home: House,
) -> None:
    people = await People.called(home, grade="X4")
    await home.officer(SECOND).propose(
        people.incident, Gate.LAUNCH, people.threat_assessment(), reason="three hospitals"
    )
    await home.receive(report(reporter=CSIRT))
    await people.when(lambda status: status.recommendation is Recommendation.LAUNCH)
    approving = agree(home.officer(THIRD), people.incident, Gate.LAUNCH)
    assert await refused(approving) == "changed-draft"
    assert decisions(home, people.incident) == [("launch-proposed", SECOND)]


async def test_a_launch_against_the_recommendation_takes_a_reason(home: House) -> None:
    people = await People.called(home, grade="X4")
    draft = people.threat_assessment()
    second = home.officer(SECOND)
    unfounded = second.propose(people.incident, Gate.LAUNCH, draft)
    assert await refused(unfounded) == "override-needs-reason"
    await second.propose(people.incident, Gate.LAUNCH, draft, reason="three hospitals at once")
    await agree(home.officer(THIRD), people.incident, Gate.LAUNCH)
    await people.reached(Stage.COORDINATION)
    (row,) = home.rows(select(decision.c.detail).where(decision.c.command == "launch-proposed"))
    assert row.detail["reason"] == "three hospitals at once"
    assert row.detail["basis"] == "C4/hold-corroborate"


async def test_a_repeated_command_is_answered_alike_and_carried_out_once(home: House) -> None:
    people = await People.called(home)
    draft = people.threat_assessment()
    first, again = [
        await home.officer(DUTY).propose(people.incident, Gate.LAUNCH, draft, command_id="once")
        for _ in range(2)
    ]
    assert first == again
    await agree(home.officer(SECOND), people.incident, Gate.LAUNCH, command_id="twice")
    await people.reached(Stage.COORDINATION)
    answer = await home.officer(SECOND).approve(
        people.incident, Gate.LAUNCH, digest=draft.digest, command_id="twice"
    )
    assert (answer.state, answer.stage) == ("approved", Stage.CLASSIFICATION)
    assert decisions(home, people.incident) == [
        ("launch-proposed", DUTY),
        ("launch-approved", SECOND),
    ]
    assert refusals(home) == []


async def test_the_id_of_a_proposal_does_not_serve_as_an_approval(home: House) -> None:
    people = await People.called(home)
    await home.officer(DUTY).propose(
        people.incident, Gate.LAUNCH, people.threat_assessment(), command_id="same"
    )
    answer = await agree(home.officer(SECOND), people.incident, Gate.LAUNCH, command_id="same")
    assert answer.state == "proposed"
    assert len((await home.status(people.incident)).pending) == 1
    assert decisions(home, people.incident) == [("launch-proposed", DUTY)]


@pytest.mark.requirement("R1")
async def test_an_unknown_officer_is_refused_whatever_the_command(home: House) -> None:
    people = await People.called(home)
    draft = people.threat_assessment()
    stranger = home.officer(STRANGER)
    for command in (
        stranger.propose(people.incident, Gate.LAUNCH, draft),
        stranger.approve(people.incident, Gate.LAUNCH, digest=draft.digest),
        stranger.decline(people.incident, Gate.LAUNCH, reason="no"),
        stranger.record(people.incident, draft),
        stranger.reopen(people.incident, reason="yes"),
    ):
        assert await refused(command) == "unknown-officer"
    assert {(who, why) for who, _, why in refusals(home)} == {(STRANGER, "unknown-officer")}
    assert len(refusals(home)) == 5


async def test_a_declined_proposal_is_off_the_table_and_can_be_made_again(home: House) -> None:
    people = await People.called(home)
    draft = people.threat_assessment()
    await home.officer(DUTY).propose(people.incident, Gate.LAUNCH, draft)
    declined = await home.officer(SECOND).decline(
        people.incident, Gate.LAUNCH, reason="say more on the cause"
    )
    assert declined.state == "declined"
    approving = home.officer(SECOND).approve(people.incident, Gate.LAUNCH, digest=draft.digest)
    assert await refused(approving) == "nothing-proposed"
    await people.launch()
    assert [command for command, _ in decisions(home, people.incident)] == [
        "launch-proposed", "launch-declined", "launch-proposed", "launch-approved",
    ]  # fmt: skip


async def test_two_launch_decisions_at_once_leave_one(home: House) -> None:
    people = await People.called(home)
    yes = people.threat_assessment()
    no = people.outcome(Recommendation.MONITOR)
    await home.officer(DUTY).propose(people.incident, Gate.LAUNCH, yes)
    await home.officer(DUTY).propose(
        people.incident, Gate.NO_LAUNCH, no, outcome=Recommendation.MONITOR
    )
    answers = await asyncio.gather(
        home.officer(SECOND).approve(people.incident, Gate.LAUNCH, digest=yes.digest),
        home.officer(THIRD).approve(people.incident, Gate.NO_LAUNCH, digest=no.digest),
        return_exceptions=True,
    )
    (lost,) = [answer for answer in answers if isinstance(answer, Refused)]
    (won,) = [answer for answer in answers if isinstance(answer, Answer)]
    assert lost.reason in {"nothing-proposed", "wrong-stage"}
    assert (await home.status(people.incident)).decision == won.gate
    approved = [c for c, _ in decisions(home, people.incident) if c.endswith("approved")]
    assert approved == [f"{won.gate}-approved"]


async def test_a_draft_of_another_kind_does_not_pass_a_gate(home: House) -> None:
    people = await People.called(home)
    await people.lead_to(Stage.INVESTIGATION)
    note = people.drafting.note(people.incident, "contribution", "an image of the server")
    for gate in (Gate.EWN_RELEASE, Gate.PLAN_ADOPTION, Gate.CLOSURE):
        proposing = home.officer(DUTY).propose(
            people.incident, gate, note, containment=Containment.NORMAL_PROCEDURE
        )
        assert await refused(proposing) == "wrong-draft"


async def test_commands_for_an_incident_that_is_not_there_say_so(home: House) -> None:
    with pytest.raises(NotFound, match="no running incident"):
        await home.officer(DUTY).decline("inc-none", Gate.LAUNCH, reason="no")


async def test_a_decision_is_on_record_with_person_organisation_and_text(home: House) -> None:
    people = await People.called(home)
    draft = people.threat_assessment()
    await people.two(Gate.LAUNCH, draft)
    await people.reached(Stage.COORDINATION)
    rows = home.rows(select(decision).where(decision.c.incident_id == people.incident))
    assert {(row.officer, row.organisation, row.detail["digest"]) for row in rows} == {
        (DUTY, "EC3", draft.digest),
        (SECOND, "EC3", draft.digest),
    }
    recorded = home.audited("decision_recorded")
    assert [row["actor"] for row in recorded] == [DUTY, SECOND]
    (drafted,) = home.audited("threat_assessment_recorded")
    assert (drafted["actor"], drafted["channel"]) == (DUTY, CHANNEL)
