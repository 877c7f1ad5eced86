"""Campaign: one notice to many recipients, until each is settled or somebody was told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from activities.campaigns import (
    CampaignActivities,
    CampaignOrder,
    FrozenCampaign,
    NextStep,
    SendOrder,
    SendResult,
)
from activities.following import (
    ConcludeOrder,
    Conclusion,
    FollowUpActivities,
    StepOrder,
    StepTaken,
)
from protocol.ladder import FollowUp, Rung
from workflows.messages import Acknowledged, CampaignInput, CampaignOutcome, CampaignSent

FREEZE_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)
)
SEND_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)
)
DATABASE_CALL = timedelta(minutes=5)
SEND_CALL = timedelta(minutes=30)
STEP_CALL = timedelta(minutes=30)
STEP_HEARTBEAT = timedelta(minutes=2)
PARALLEL_RANGES = 4

STEPS: dict[FollowUp, Callable[..., Any]] = {
    FollowUp.REMIND: FollowUpActivities.remind,
    FollowUp.NUDGE: FollowUpActivities.nudge,
    FollowUp.NEXT_CONTACT: FollowUpActivities.turn_to_next_contact,
    FollowUp.OTHER_CHANNEL: FollowUpActivities.turn_to_other_channel,
    FollowUp.ASK_LIAISON_OFFICER: FollowUpActivities.ask_liaison_officers,
    FollowUp.CALL_LIST: FollowUpActivities.list_calls,
    FollowUp.ESCALATE: FollowUpActivities.escalate,
}
"""What each step of the ladder is done by."""


class Waiting(NamedTuple):
    """A batch with mails that must wait, and how long until the first of them is due."""

    batch: SendOrder
    seconds: float


@workflow.defn(name="Campaign")
class Campaign:
    """Send, climb the ladder of the profile, conclude; when all are settled it is over at once."""

    @workflow.init
    def __init__(self, order: CampaignInput) -> None:
        self._order = order
        self._frozen: FrozenCampaign | None = None
        self._settled_count = 0
        self._recipients = 0
        self._heard = 0
        """Number of the newest word from the relay."""
        self._escalated = False
        self._unsettled = 0
        self._ended = False
        self._later: list[asyncio.Task[None]] = []
        """What comes back for mails that the relay put off, beside the ladder."""
        self._rounds: dict[str, int] = {}

    @workflow.run
    async def run(self, order: CampaignInput) -> CampaignOutcome:
        self._frozen = await self._freeze(order)
        self._recipients = max(self._recipients, self._frozen.recipients)
        waiting = await self._send_once(self._batches(order.campaign_id, self._frozen.end))
        await self._tell_incident()
        self._send_later(order.campaign_id, waiting)
        if order.rules.acknowledge:
            await self._climb_the_ladder(workflow.now())
            await self._conclude()
        await asyncio.gather(*self._later)
        return CampaignOutcome(
            campaign_id=order.campaign_id,
            recipients=self._recipients,
            acknowledged=self._settled_count,
            escalated=self._escalated,
            unsettled=self._unsettled,
        )

    async def _freeze(self, order: CampaignInput) -> FrozenCampaign:
        frozen: FrozenCampaign = await self._call(
            CampaignActivities.freeze,
            CampaignOrder(
                campaign_id=order.campaign_id,
                incident_id=order.incident_id,
                kind=order.kind,
                revision=order.revision,
                classes=order.rules.classes,
                content=order.content,
                recipients_of=order.recipients_of,
                exercise=order.exercise,
                detail=order.detail,
            ),
        )
        return frozen

    async def _climb_the_ladder(self, sent_at: datetime) -> None:
        for rung in self._order.rules.rungs():
            if not await self._quiet_until(sent_at + rung.after):
                return
            await self._take(rung, sent_at + rung.after)
        await self._quiet_until(sent_at + self._order.rules.give_up_after)

    async def _take(self, rung: Rung, due_at: datetime) -> None:
        """One step, about those of its classes that are silent."""
        self._escalated |= rung.do is FollowUp.ESCALATE
        taken: StepTaken = await workflow.execute_activity_method(
            STEPS[rung.do],
            StepOrder(
                campaign_id=self._order.campaign_id,
                number=rung.number,
                nth=rung.nth,
                time=rung.time,
                classes=rung.classes,
                due_at=due_at,
            ),
            start_to_close_timeout=STEP_CALL,
            heartbeat_timeout=STEP_HEARTBEAT if rung.do is FollowUp.NUDGE else None,
            retry_policy=FREEZE_RETRY,
        )
        await self._send_steps(taken.ranges)

    async def _conclude(self) -> None:
        """Who is left is written down; and told to the duty manager, unless the incident is over."""
        ended: Conclusion = await self._call(
            FollowUpActivities.conclude,
            ConcludeOrder(campaign_id=self._order.campaign_id, tell=not self._settled),
        )
        self._unsettled = ended.unsettled
        await self._send_steps(ended.ranges)

    async def _quiet_until(self, deadline: datetime) -> bool:
        """Wait for the deadline; False as soon as all have acknowledged or the incident ended."""
        try:
            await workflow.wait_condition(
                lambda: self._settled, timeout=max(deadline - workflow.now(), timedelta())
            )
        except TimeoutError:
            return True
        return False

    @property
    def _settled(self) -> bool:
        everybody = self._frozen is not None and self._settled_count >= self._recipients
        return everybody or self._ended

    async def _send_steps(self, ranges: tuple[NextStep, ...]) -> None:
        for each in ranges:
            waiting = await self._send_once(self._batches(each.campaign_id, each.end))
            self._send_later(each.campaign_id, waiting)

    def _batches(self, campaign_id: str, end: int) -> list[SendOrder]:
        return [
            SendOrder(
                campaign_id=campaign_id,
                start=first,
                end=min(first + self._order.batch, end),
            )
            for first in range(0, end, self._order.batch)
        ]

    async def _send_once(self, batches: list[SendOrder]) -> list[Waiting]:
        """Send each batch, a few at a time, and return those with mails that must wait."""
        waiting: list[Waiting] = []
        for i in range(0, len(batches), PARALLEL_RANGES):
            group = batches[i : i + PARALLEL_RANGES]
            handles = [self._start_sending(batch) for batch in group]
            for batch, handle in zip(group, handles, strict=True):
                result = await handle
                if result.next_due_seconds is not None:
                    waiting.append(Waiting(batch, result.next_due_seconds))
        return waiting

    def _send_later(self, campaign_id: str, waiting: list[Waiting]) -> None:
        """Each step sends from the first mail on, so what it leaves replaces what waited before."""
        self._rounds[campaign_id] = number = self._rounds.get(campaign_id, 0) + 1
        if waiting:
            rest = self._send_rest(campaign_id, number, waiting)
            self._later.append(asyncio.create_task(rest))

    async def _send_rest(self, campaign_id: str, number: int, waiting: list[Waiting]) -> None:
        """Come back for what the relay put off, until nothing is left or the campaign gives up.

        Also when the incident has ended: whoever is owed the closure gets it, if an hour later.
        """
        give_up = workflow.now() + self._order.rules.give_up_after
        while waiting and workflow.now() < give_up:
            await workflow.sleep(max(1.0, min(w.seconds for w in waiting)))
            if self._rounds[campaign_id] != number:
                return
            waiting = await self._send_once([w.batch for w in waiting])

    def _start_sending(self, batch: SendOrder) -> workflow.ActivityHandle[SendResult]:
        return workflow.start_activity_method(
            CampaignActivities.send_range,
            batch,
            start_to_close_timeout=SEND_CALL,
            heartbeat_timeout=self._order.heartbeat,
            retry_policy=SEND_RETRY,
        )

    async def _tell_incident(self) -> None:
        incident = workflow.info().parent
        if incident is None:
            return
        handle: workflow.ExternalWorkflowHandle[Any] = workflow.get_external_workflow_handle(
            incident.workflow_id
        )
        with suppress(ApplicationError):  # it has ended meanwhile, which is no reason not to go on
            await handle.signal(
                "campaign_sent",
                CampaignSent(campaign_id=self._order.campaign_id, kind=self._order.kind),
            )

    async def _call(self, activity: Callable[..., Any], order: Any) -> Any:
        return await workflow.execute_activity_method(
            activity, order, start_to_close_timeout=DATABASE_CALL, retry_policy=FREEZE_RETRY
        )

    # Messages

    @workflow.signal
    def acknowledged(self, word: Acknowledged) -> None:
        """So many are settled, of so many; an older word changes nothing."""
        if word.number < self._heard:
            return
        self._heard = word.number
        self._settled_count = word.count
        self._recipients = max(self._recipients, word.recipients)

    @workflow.signal
    def end(self) -> None:
        """The incident is over: stop reminding."""
        self._ended = True

    @workflow.query
    def order(self) -> CampaignInput:
        """What this campaign was asked to do."""
        return self._order
