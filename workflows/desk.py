"""The desk of an incident: what its stages share. State lives here, stages act on it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import (
    RetryPolicy,
    SearchAttributeKey,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError
from temporalio.workflow import ChildWorkflowHandle, ParentClosePolicy

from activities.assessments import AssessmentSummary
from activities.campaigns import DraftRef
from activities.case_file import (
    CaseFileActivities,
    Decision,
    StageEntry,
    StageOverdue,
)
from protocol.four_eyes import FourEyes
from protocol.stages import Gate, NoticeKind, Stage
from workflows.campaign import Campaign
from workflows.ewn_update import report_no_update, update_due
from workflows.messages import (
    Answer,
    CampaignInput,
    CampaignOutcome,
    Command,
    IncidentInput,
    News,
    Proposal,
)
from workflows.reassessment import assess, follow_up, next_due
from workflows.renewal import resume, state_of

DATABASE_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=30)
)
"""A database that is locked or away comes back; a decision is never dropped because of it."""
DATABASE_CALL = timedelta(minutes=2)

STAGE_ATTRIBUTE = SearchAttributeKey.for_keyword("LeerpStage")


class Desk:
    """What is known and decided of one incident, and the few verbs that its stages use."""

    def __init__(self, case: IncidentInput) -> None:
        self.case = case
        self.profile = case.profile
        self.stage = Stage.DETECTION
        self.gates = FourEyes(case.profile.roles)
        self.assessment: AssessmentSummary | None = None
        self.proposals: dict[Gate, Proposal] = {}
        """What waits at each gate, with its draft."""
        self.approved: dict[Gate, Proposal] = {}
        """The newest approved proposal of each gate."""
        self.records: dict[str, DraftRef] = {}
        """The newest record of each kind."""
        self.sent: set[str] = set()
        """Campaigns whose mails all had their first try."""
        self.campaigns: dict[str, ChildWorkflowHandle[Any, CampaignOutcome] | None] = {}
        """By id; None for one that an earlier run started."""
        self.news = News()
        self.decision = ""
        """The launch gate that two people opened; their record of it may still be on its way."""
        self.reopened = False
        self.ending = False
        self.missed_reviews = 0
        self.answers: dict[str, Answer] = {}
        """By command id: a repeated command is answered alike."""
        self.deadlines: dict[str, datetime] = {}
        self.changed_up_to = 0
        self.assessed_up_to = -1
        self.stage_number = -1
        self.stage_due = workflow.now()
        self.clock_stopped = False
        """Whether the stage is no longer timed: it is overdue already, or its work is done."""
        self.catching_up_to: Stage | None = None
        """While stages that an earlier run went through are passed over."""
        if case.resumed is not None:
            resume(self, case.resumed)

    # What the stages say

    @property
    def catching_up(self) -> bool:
        """Whether stages are passed over that an earlier run went through."""
        return self.catching_up_to is not None

    async def enter(self, stage: Stage) -> None:
        """Begin a stage: in the case file, in the search attribute, and on the clock.

        After a renewal the stages up to the one in hand are passed over, since all they wait for
        has happened.
        """
        if self.catching_up_to is not None:
            if stage is self.catching_up_to:
                self.catching_up_to = None
            return
        self.stage = stage
        self.stage_number += 1
        self.clock_stopped = False
        self.stage_due = workflow.now() + self.profile.stage_targets[stage]
        await self.write(
            CaseFileActivities.enter_stage,
            StageEntry(
                incident_id=self.case.incident_id,
                number=self.stage_number,
                stage=stage,
                at=workflow.now(),
                profile=self.profile if self.stage_number == 0 else None,
            ),
        )
        workflow.upsert_search_attributes([STAGE_ATTRIBUTE.value_set(stage.value)])

    def stop_clock(self) -> None:
        """The stage has done its work; what it waits for now has no target time."""
        self.clock_stopped = True

    def deadline(self, name: str, limit: timedelta) -> datetime:
        """The end of a wait that began when it was first asked for; renewals do not move it."""
        return self.deadlines.setdefault(name, workflow.now() + limit)

    def forget_deadline(self, name: str) -> None:
        """The wait is over; the next one of that name begins anew."""
        self.deadlines.pop(name, None)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for ``condition``; meanwhile assess what comes in, and say so when time is up."""
        await self._wait(condition, None)

    async def before(self, deadline: datetime, condition: Callable[[], bool]) -> bool:
        """As ``until``, but at most to ``deadline``; say whether the condition came true."""
        return await self._wait(condition, deadline)

    async def send(
        self,
        kind: NoticeKind,
        *,
        content: DraftRef | None = None,
        revision: int = 1,
        recipients_of: str = "",
        detail: dict[str, Any] | None = None,
    ) -> str:
        """Start the campaign of a notice and return its id; the same notice is never started twice."""
        campaign_id = self._campaign_id(kind, revision)
        if campaign_id not in self.campaigns:
            self.campaigns[campaign_id] = await workflow.start_child_workflow(
                Campaign.run,
                CampaignInput(
                    campaign_id=campaign_id,
                    incident_id=self.case.incident_id,
                    kind=kind,
                    revision=revision,
                    rules=self.profile.notices[kind],
                    content=content,
                    recipients_of=recipients_of,
                    exercise=self.case.exercise,
                    detail=detail or {},
                ),
                id=f"campaign-{campaign_id}",
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                parent_close_policy=ParentClosePolicy.ABANDON,
            )
        return campaign_id

    def started(self, kind: NoticeKind, revision: int) -> bool:
        """Whether the campaign of this notice was started."""
        return self._campaign_id(kind, revision) in self.campaigns

    def _campaign_id(self, kind: NoticeKind, revision: int) -> str:
        return f"{self.case.incident_id}.{kind}.{revision}"

    async def sent_to_all(self, campaign_id: str) -> None:
        """Wait until every mail of the campaign had its first try."""
        await self.until(lambda: campaign_id in self.sent)

    async def end_campaigns(self) -> None:
        """Nobody needs reminding of an incident that is over."""
        for campaign_id, handle in self.campaigns.items():
            if handle is None or not handle.done():
                campaign: workflow.ExternalWorkflowHandle[Any] = (
                    workflow.get_external_workflow_handle(f"campaign-{campaign_id}")
                )
                with suppress(ApplicationError):  # it has ended by itself
                    await campaign.signal(Campaign.end)

    # What the handlers record

    def decide(self, gate: Gate) -> None:
        """Two people have decided about the launch: whatever else was proposed is overtaken."""
        self.decision = gate
        for overtaken in (Gate.LAUNCH, Gate.NO_LAUNCH):
            self.gates.withdraw(overtaken)
            self.proposals.pop(overtaken, None)

    def changed(self, up_to: int) -> None:
        """Rows of this incident changed; duplicates, loss and reordering are all harmless."""
        self.changed_up_to = max(self.changed_up_to, up_to)

    def assess_again(self) -> None:
        """Whether or not rows changed, evaluate once more."""
        self.assessed_up_to = -1

    async def record(self, command: Command, name: str, **detail: Any) -> None:
        """Write a person's decision to the case file, once for its command id."""
        await self.write(
            CaseFileActivities.record_decision,
            Decision(
                command_id=command.command_id,
                incident_id=self.case.incident_id,
                command=name,
                officer=command.actor.officer,
                organisation=command.actor.organisation,
                detail={**detail, "stage": self.stage.value},
            ),
        )

    async def write(self, activity: Callable[..., Any], order: Any) -> Any:
        """Run a short database activity inside the worker, until it is done."""
        return await workflow.execute_local_activity_method(
            activity,
            order,
            start_to_close_timeout=DATABASE_CALL,
            retry_policy=DATABASE_RETRY,
        )

    @property
    def _stale(self) -> bool:
        return self.changed_up_to > self.assessed_up_to

    async def _wait(self, condition: Callable[[], bool], deadline: datetime | None) -> bool:
        while not condition():
            if self._stale:
                await assess(self)
            elif deadline is not None and workflow.now() >= deadline:
                return False
            elif self._news_due and workflow.now() >= self._news_due:
                await follow_up(self)
            elif not self.clock_stopped and workflow.now() >= self.stage_due:
                await self._report_overdue()
            elif (update := update_due(self)) and workflow.now() >= update:
                await report_no_update(self, update)
            elif self._history_is_long:
                await self._renew()
            else:
                await self._sleep_until_news(condition, deadline)
        return True

    @property
    def _news_due(self) -> datetime | None:
        return next_due(self)

    @property
    def _history_is_long(self) -> bool:
        info = workflow.info()
        return (
            info.is_continue_as_new_suggested()
            or info.get_current_history_length() >= self.case.renew_after
        )

    async def _sleep_until_news(
        self, condition: Callable[[], bool], deadline: datetime | None
    ) -> None:
        ends = [] if self.clock_stopped else [self.stage_due]
        ends += [end for end in (deadline, self._news_due, update_due(self)) if end]
        timeout = max(min(ends) - workflow.now(), timedelta()) if ends else None
        with suppress(TimeoutError):  # the caller's loop sees what time it is
            await workflow.wait_condition(lambda: condition() or self._stale, timeout=timeout)

    async def _report_overdue(self) -> None:
        """The stage's target time passed: mark it and tell the duty manager."""
        self.clock_stopped = True
        number = self.stage_number
        await self.write(
            CaseFileActivities.mark_overdue,
            StageOverdue(incident_id=self.case.incident_id, number=number, at=workflow.now()),
        )
        await self.send(
            NoticeKind.OVERDUE,
            revision=number + 1,
            detail={"matter": f"stage {self.stage}", "due_at": self.stage_due.isoformat()},
        )

    async def _renew(self) -> None:
        """Go on as a new run with the same state: a run takes 10,000 signals and 51,200 events."""
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self.case.model_copy(update={"resumed": state_of(self)}))
