"""Stage IV: the Early Warning Notification."""

from __future__ import annotations

from collections.abc import Callable

from protocol.stages import Gate, NoticeKind, Stage
from workflows.desk import Desk


async def warn(desk: Desk) -> None:
    """Wait for two people to release the warning, then send it to all at once (R29 to R33)."""
    await desk.enter(Stage.WARNING)
    await desk.until(lambda: Gate.EWN_RELEASE in desk.approved)
    await desk.sent_to_all(await send_released(desk))


async def until_warning_all(desk: Desk, condition: Callable[[], bool]) -> None:
    """Wait for ``condition``; a new version of the warning goes out meanwhile, at once (R33)."""
    while not condition():
        await desk.until(lambda: condition() or released_unsent(desk))
        await send_released(desk)


def released_unsent(desk: Desk) -> bool:
    """Whether two people released a version of the warning that has not gone out."""
    released = desk.approved[Gate.EWN_RELEASE].draft
    return not desk.started(NoticeKind.EWN, released.version)


async def send_released(desk: Desk) -> str:
    """Send the newest released version of the warning; a version is never sent twice."""
    released = desk.approved[Gate.EWN_RELEASE].draft
    return await desk.send(NoticeKind.EWN, content=released, revision=released.version)
