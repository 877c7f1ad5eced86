"""What Temporal starts by the clock, once for the whole deployment (decision 014)."""

from __future__ import annotations

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
)

from infra.settings import Settings
from workflows.self_audit import SelfAudit

SELF_AUDIT = "self-audit"


async def ensure_self_audit(client: Client, settings: Settings) -> None:
    """Make the schedule, or bring the one that there is up to our settings."""
    wanted = Schedule(
        action=ScheduleActionStartWorkflow(
            SelfAudit.run, id=SELF_AUDIT, task_queue=settings.temporal.task_queue
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=settings.watch.every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
    )
    try:
        await client.create_schedule(SELF_AUDIT, wanted)
    except ScheduleAlreadyRunningError:
        handle = client.get_schedule_handle(SELF_AUDIT)
        await handle.update(lambda _: ScheduleUpdate(schedule=wanted))
