"""Answering: who needs help is told to the duty manager at once, a wrong addressee's next contact tried.

Beside the campaign, which may have ended by then.
"""

from __future__ import annotations

from temporalio import workflow

from activities.campaigns import CampaignActivities, CampaignRef, NextStep, SendOrder
from activities.following import FollowUpActivities
from workflows.campaign import DATABASE_CALL, FREEZE_RETRY, SEND_CALL, SEND_RETRY
from workflows.messages import AnsweringInput
from workflows.pauses import until_due_or


@workflow.defn(name="Answering")
class Answering:
    """Acts on the answers, and sends until nothing of it is due any more; again for each word."""

    @workflow.init
    def __init__(self, order: AnsweringInput) -> None:
        self._order = order
        self._asked = False
        self._ranges: dict[str, int] = {}
        """What may still have mails that are due, by campaign."""

    @workflow.run
    async def run(self, order: AnsweringInput) -> None:
        give_up = workflow.now() + order.give_up_after
        await self._act()
        due = await self._send()
        while self._asked or (due is not None and workflow.now() < give_up):
            await until_due_or(lambda: self._asked, due)
            if self._asked:
                await self._act()
            due = await self._send()

    @workflow.signal
    def more(self) -> None:
        """There are answers that nobody has acted upon."""
        self._asked = True

    async def _act(self) -> None:
        self._asked = False
        ref = CampaignRef(campaign_id=self._order.campaign_id)
        for act in (FollowUpActivities.turn_misdirected, FollowUpActivities.tell_answers):
            taken = await workflow.execute_activity_method(
                act, ref, start_to_close_timeout=DATABASE_CALL, retry_policy=FREEZE_RETRY
            )
            self._ranges.update({each.campaign_id: each.end for each in taken.ranges})

    async def _send(self) -> float | None:
        """Send what is due; the seconds until the next one is, None when none is left."""
        left = [NextStep(campaign_id=name, end=end) for name, end in self._ranges.items()]
        dues = []
        for each in left:
            result = await workflow.execute_activity_method(
                CampaignActivities.send_range,
                SendOrder(campaign_id=each.campaign_id, start=0, end=each.end),
                start_to_close_timeout=SEND_CALL,
                heartbeat_timeout=self._order.heartbeat,
                retry_policy=SEND_RETRY,
            )
            if result.next_due_seconds is None:
                del self._ranges[each.campaign_id]
            else:
                dues.append(result.next_due_seconds)
        return min(dues, default=None)
