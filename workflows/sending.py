"""Sending: what an officer put back into the outbox of a campaign goes out, beside the campaign itself."""

from __future__ import annotations

from temporalio import workflow

from activities.campaigns import CampaignActivities, SendOrder
from workflows.campaign import SEND_CALL, SEND_RETRY
from workflows.messages import SendingInput
from workflows.pauses import until_due_or


@workflow.defn(name="Sending")
class Sending:
    """Goes over the campaign until nothing of it is due any more, and again for each word."""

    @workflow.init
    def __init__(self, order: SendingInput) -> None:
        self._order = order
        self._end = order.end
        self._asked = False

    @workflow.run
    async def run(self, order: SendingInput) -> None:
        give_up = workflow.now() + order.give_up_after
        due = await self._send()
        while self._asked or (due is not None and workflow.now() < give_up):
            await until_due_or(lambda: self._asked, due)
            due = await self._send()

    @workflow.signal
    def more(self, end: int) -> None:
        """An officer has put mails back; the campaign's cursor range goes to ``end`` by now."""
        self._end = max(self._end, end)
        self._asked = True

    async def _send(self) -> float | None:
        """Send what is due; the seconds until the next one is, None when none is left."""
        self._asked = False
        result = await workflow.execute_activity_method(
            CampaignActivities.send_range,
            SendOrder(campaign_id=self._order.campaign_id, start=0, end=self._end),
            start_to_close_timeout=SEND_CALL,
            heartbeat_timeout=self._order.heartbeat,
            retry_policy=SEND_RETRY,
        )
        return result.next_due_seconds
