"""SelfAudit: one round over all open campaigns; a schedule of Temporal starts it (decision 014)."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.workflow import ParentClosePolicy

from activities.self_audit import AuditOutcome, SelfAuditActivities
from workflows.messages import SendingInput
from workflows.sending import Sending

ROUND_CALL = timedelta(minutes=5)
ROUND_RETRY = RetryPolicy(maximum_attempts=3)
ONCE = RetryPolicy(maximum_attempts=1)
SIGNAL_CALL = timedelta(minutes=1)


@workflow.defn(name="SelfAudit")
class SelfAudit:
    """Check, send the notices of what is new, and only when all is well give the sign of life."""

    @workflow.run
    async def run(self) -> AuditOutcome:
        done: AuditOutcome = await workflow.execute_activity_method(
            SelfAuditActivities.audit_campaigns,
            start_to_close_timeout=ROUND_CALL,
            retry_policy=ROUND_RETRY,
        )
        for notice in done.notices:
            await workflow.start_child_workflow(
                Sending.run,
                SendingInput(campaign_id=notice.campaign_id, end=notice.end),
                id=f"sending-{notice.campaign_id}",
                parent_close_policy=ParentClosePolicy.ABANDON,
            )
        if not done.findings:
            await workflow.execute_activity_method(
                SelfAuditActivities.give_sign_of_life,
                start_to_close_timeout=SIGNAL_CALL,
                retry_policy=ONCE,
            )
        return done
