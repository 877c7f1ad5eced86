"""Incident: one run of the protocol for one suspected major attack.

``run`` reads as the protocol; the stages are in ``workflows.stages``, their shared state is the desk.
Handlers only check and record; stages act.
"""

from __future__ import annotations

from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.case_file import CaseFileActivities, Ending
from protocol.errors import Refused
from protocol.stages import Gate
from workflows import gatekeeping
from workflows.desk import Desk
from workflows.messages import (
    Answer,
    Approval,
    CampaignSent,
    CampaignState,
    Changed,
    Command,
    IncidentInput,
    IncidentOutcome,
    IncidentStatus,
    PendingGate,
    Proposal,
    Record,
    Refusal,
    Reopening,
)
from workflows.stages.classification import classify, stand_down
from workflows.stages.closure import close
from workflows.stages.coordination import coordinate
from workflows.stages.detection import detect
from workflows.stages.investigation import investigate
from workflows.stages.planning import plan
from workflows.stages.warning import warn


@workflow.defn(name="Incident")
class Incident:
    """The seven stages of the protocol (Council 15738/17, II.I to II.VII; R3)."""

    @workflow.init
    def __init__(self, case: IncidentInput) -> None:
        # Here and not in run(): signal-with-start delivers before run() begins.
        self._desk = Desk(case)

    @workflow.run
    async def run(self, case: IncidentInput) -> IncidentOutcome:  # noqa: ARG002 (seen by init)
        await detect(self._desk)
        while not await classify(self._desk):
            if not await stand_down(self._desk):
                return await self._end(launched=False)
        initial = await coordinate(self._desk)
        await warn(self._desk)
        await plan(self._desk)
        await investigate(self._desk)
        await close(self._desk, initial)
        return await self._end(launched=True)

    async def _end(self, *, launched: bool) -> IncidentOutcome:
        desk = self._desk
        desk.ending = True
        await workflow.wait_condition(workflow.all_handlers_finished)
        closure = desk.approved.get(Gate.CLOSURE)
        outcome = IncidentOutcome(
            incident_id=desk.case.incident_id,
            launched=launched,
            decision=desk.decision,
            containment=closure.containment if closure else None,
            closed_at=workflow.now(),
        )
        await desk.write(
            CaseFileActivities.end_incident,
            Ending(
                incident_id=outcome.incident_id,
                at=outcome.closed_at,
                outcome={"launched": launched, "decision": outcome.decision},
            ),
        )
        return outcome

    # Words from the relay and from campaigns

    @workflow.signal
    def changed(self, word: Changed) -> None:
        """Reports, grades or findings of this incident changed."""
        self._desk.changed(word.up_to)

    @workflow.signal
    def campaign_sent(self, word: CampaignSent) -> None:
        """Every mail of a campaign had its first try."""
        self._desk.sent.add(word.campaign_id)

    # Commands of people

    @workflow.update
    async def propose(self, proposal: Proposal) -> Answer:
        """Put a draft before a second person."""
        desk = self._desk
        if known := self._desk.answers.get(proposal.command_id):
            return known
        desk.gates.propose(proposal.gate, proposal.draft.digest, proposal.actor)
        desk.proposals[proposal.gate] = proposal
        return await self._answer(proposal, "proposed", proposal.gate, proposal.draft.digest)

    @propose.validator
    def _check_propose(self, proposal: Proposal) -> None:
        self._check(proposal.command_id, lambda: gatekeeping.check_proposal(self._desk, proposal))

    @workflow.update
    async def approve(self, approval: Approval) -> Answer:
        """The second person agrees: the gate opens."""
        desk = self._desk
        if known := self._desk.answers.get(approval.command_id):
            return known
        desk.gates.approve(
            approval.gate, approval.digest, approval.actor, override=approval.override
        )
        proposal = desk.proposals.pop(approval.gate)
        if approval.gate in gatekeeping.LAUNCH_GATES:
            desk.decide(approval.gate)
        answer = await self._answer(approval, "approved", approval.gate, approval.digest)
        # Last, so that the record precedes the act; and an older one that was slow replaces nothing.
        before = desk.approved.get(approval.gate)
        if before is None or before.draft.version <= proposal.draft.version:
            desk.approved[approval.gate] = proposal
        return answer

    @approve.validator
    def _check_approve(self, approval: Approval) -> None:
        self._check(approval.command_id, lambda: gatekeeping.check_approval(self._desk, approval))

    @workflow.update
    async def decline(self, refusal: Refusal) -> Answer:
        """Take a proposal off the table."""
        if known := self._desk.answers.get(refusal.command_id):
            return known
        gone = self._desk.gates.decline(refusal.gate, refusal.actor)
        self._desk.proposals.pop(refusal.gate)
        return await self._answer(refusal, "declined", refusal.gate, gone.digest)

    @decline.validator
    def _check_decline(self, refusal: Refusal) -> None:
        self._check(
            refusal.command_id,
            lambda: self._desk.gates.check_decline(refusal.gate, refusal.actor),
        )

    @workflow.update
    async def record(self, record: Record) -> Answer:
        """Note what one officer did: centre, invitation, agreement, contribution, review."""
        if known := self._desk.answers.get(record.command_id):
            return known
        answer = await self._answer(
            record, "recorded", None, record.draft.digest, what=record.draft.kind
        )
        self._desk.records[record.draft.kind] = record.draft
        return answer

    @record.validator
    def _check_record(self, record: Record) -> None:
        self._check(record.command_id, lambda: gatekeeping.check_record(self._desk, record))

    @workflow.update
    async def reopen(self, reopening: Reopening) -> Answer:
        """Take up again an incident that was not launched."""
        if known := self._desk.answers.get(reopening.command_id):
            return known
        answer = await self._answer(reopening, "reopened", None, "")
        self._desk.reopened = True
        return answer

    @reopen.validator
    def _check_reopen(self, reopening: Reopening) -> None:
        self._check(
            reopening.command_id, lambda: gatekeeping.check_reopening(self._desk, reopening)
        )

    @workflow.query
    def status(self) -> IncidentStatus:
        """Where the protocol stands."""
        desk = self._desk
        assessed = desk.assessment
        return IncidentStatus(
            incident_id=desk.case.incident_id,
            stage=desk.stage,
            profile=desk.profile.name,
            exercise=desk.case.exercise,
            assessment_version=assessed.version if assessed else 0,
            threat_class=assessed.threat_class if assessed else "",
            recommendation=assessed.recommendation if assessed else None,
            decision=desk.decision,
            pending=tuple(
                PendingGate(gate=p.gate, digest=p.digest, proposer=p.proposer)
                for p in desk.gates.all_pending()
            ),
            campaigns=tuple(
                CampaignState(
                    campaign_id=campaign_id,
                    kind=gatekeeping.notice_kind(campaign_id),
                    sent=campaign_id in desk.sent,
                )
                for campaign_id in desk.campaigns
            ),
            done=tuple(desk.records),
        )

    def _check(self, command_id: str, rule: Callable[[], object]) -> None:
        """Let a repeated command through to its answer; turn a refusal into the update's error."""
        if command_id in self._desk.answers:
            return
        try:
            rule()
        except Refused as refused:
            raise ApplicationError(str(refused), type=refused.reason) from refused

    async def _answer(
        self, command: Command, state: str, gate: Gate | None, digest: str, *, what: str = ""
    ) -> Answer:
        """Fix the answer of this command id, and write the decision to the case file."""
        answer = Answer(stage=self._desk.stage, gate=gate, state=state, digest=digest)
        self._desk.answers[command.command_id] = answer
        await self._desk.record(
            command,
            "-".join(part for part in (gate or what, state) if part),
            digest=digest,
            **gatekeeping.detail_of(command),
        )
        return answer
