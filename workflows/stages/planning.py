"""Stage V: the operational action plan."""

from __future__ import annotations

from protocol.stages import Gate, NoticeKind, Stage
from workflows.desk import Desk
from workflows.stages.warning import until_warning_all


async def plan(desk: Desk) -> None:
    """Invite to the emergency meeting (R36), then wait for the plan to be adopted and send it (R41)."""
    await desk.enter(Stage.PLANNING)
    await until_warning_all(desk, lambda: "invitation" in desk.records)
    await desk.send(NoticeKind.INVITATION, content=desk.records["invitation"])
    await until_warning_all(desk, lambda: Gate.PLAN_ADOPTION in desk.approved)
    await desk.sent_to_all(await send_adopted(desk))


def adopted_unsent(desk: Desk) -> bool:
    """Whether two people adopted a version of the plan that has not gone out."""
    adopted = desk.approved[Gate.PLAN_ADOPTION].draft
    return not desk.started(NoticeKind.PLAN, adopted.version)


async def send_adopted(desk: Desk) -> str:
    """Send the newest adopted version of the plan; a version is never sent twice (R47)."""
    adopted = desk.approved[Gate.PLAN_ADOPTION].draft
    return await desk.send(NoticeKind.PLAN, content=adopted, revision=adopted.version)
