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
    CampaignRef,
    EscalationOrder,
    FrozenCampaign,
    NextStep,
    SendOrder,
    SendResult,
)
from workflows.messages import Acknowledged, CampaignInput, CampaignOutcome, CampaignSent

FREEZE_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)
)
SEND_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)
)
DATABASE_CALL = timedelta(minutes=5)
SEND_CALL = timedelta(minutes=30)
PARALLEL_RANGES = 4


class Waiting(NamedTuple):
    """A batch with mails that must wait, and how long until the first of them is due."""

    batch: SendOrder
    seconds: float


@workflow.defn(name="Campaign")
class Campaign:
    """``run`` is the ladder: send, remind, second contact, escalate; acknowledgements end it early."""

    @workflow.init
    def __init__(self, order: CampaignInput) -> None:
        self._order = order
        self._frozen: FrozenCampaign | None = None
        self._acknowledged = 0
        self._escalated = False
        self._ended = False
        self._later: list[asyncio.Task[None]] = []
        """What comes back for mails that the relay put off, beside the ladder."""
        self._rounds: dict[str, int] = {}

    @workflow.run
    async def run(self, order: CampaignInput) -> CampaignOutcome:
        self._frozen = await self._freeze(order)
        waiting = await self._send_once(
            self._batches(order.campaign_id, 0, self._frozen.recipients)
        )
        await self._tell_incident()
        self._send_later(order.campaign_id, waiting)
        if order.rules.acknowledge:
            await self._climb_the_ladder(workflow.now())
        await asyncio.gather(*self._later)
        return CampaignOutcome(
            campaign_id=order.campaign_id,
            recipients=self._frozen.recipients,
            acknowledged=self._acknowledged,
            escalated=self._escalated,
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
        rules, ref = self._order.rules, CampaignRef(campaign_id=self._order.campaign_id)
        if await self._quiet_until(sent_at + rules.remind_after):
            await self._send_step(await self._call(CampaignActivities.remind, ref))
        if await self._quiet_until(sent_at + rules.second_contact_after):
            await self._send_step(await self._call(CampaignActivities.turn_to_second_contact, ref))
        if await self._quiet_until(sent_at + rules.escalate_after):
            self._escalated = True
            await self._send_step(
                await self._call(
                    CampaignActivities.escalate,
                    EscalationOrder(
                        campaign_id=self._order.campaign_id,
                        incident_id=self._order.incident_id,
                        exercise=self._order.exercise,
                        due_at=sent_at + rules.escalate_after,
                    ),
                )
            )
        await self._quiet_until(sent_at + rules.give_up_after)

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
        everybody = self._frozen is not None and self._acknowledged >= self._frozen.recipients
        return everybody or self._ended

    async def _send_step(self, step: NextStep) -> None:
        waiting = await self._send_once(self._batches(step.campaign_id, 0, step.end))
        self._send_later(step.campaign_id, waiting)

    def _batches(self, campaign_id: str, start: int, end: int) -> list[SendOrder]:
        return [
            SendOrder(
                campaign_id=campaign_id,
                start=first,
                end=min(first + self._order.batch, end),
            )
            for first in range(start, end, self._order.batch)
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
        """So many have acknowledged; an older or repeated word changes nothing."""
        self._acknowledged = max(self._acknowledged, word.count)

    @workflow.signal
    def end(self) -> None:
        """The incident is over: stop reminding."""
        self._ended = True

    @workflow.query
    def order(self) -> CampaignInput:
        """What this campaign was asked to do."""
        return self._order
