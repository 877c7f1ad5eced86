"""Stage V: the operational action plan."""

from __future__ import annotations

from protocol.stages import Gate, NoticeKind, Stage
from workflows.desk import Desk


async def plan(desk: Desk) -> None:
    """Invite to the emergency meeting (R36), then wait for the plan to be adopted and send it (R41)."""
    await desk.enter(Stage.PLANNING)
    await desk.until(lambda: "invitation" in desk.records)
    await desk.send(NoticeKind.INVITATION, content=desk.records["invitation"])
    await desk.until(lambda: Gate.PLAN_ADOPTION in desk.approved)
    await desk.sent_to_all(await send_adopted(desk))


async def send_adopted(desk: Desk) -> str:
    """Send the newest adopted version of the plan; a version is never sent twice (R47)."""
    adopted = desk.approved[Gate.PLAN_ADOPTION].draft
    return await desk.send(NoticeKind.PLAN, content=adopted, revision=adopted.version)
