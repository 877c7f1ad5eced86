"""Stage IV: the Early Warning Notification."""

from __future__ import annotations

from protocol.stages import Gate, NoticeKind, Stage
from workflows.desk import Desk


async def warn(desk: Desk) -> None:
    """Wait for two people to release the warning, then send it to all at once (R29 to R33)."""
    await desk.enter(Stage.WARNING)
    await desk.until(lambda: Gate.EWN_RELEASE in desk.approved)
    await desk.sent_to_all(await send_released(desk))


async def send_released(desk: Desk) -> str:
    """Send the newest released version of the warning; a version is never sent twice."""
    released = desk.approved[Gate.EWN_RELEASE].draft
    return await desk.send(NoticeKind.EWN, content=released, revision=released.version)
