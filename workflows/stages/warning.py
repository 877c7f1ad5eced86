"""Stage IV: the Early Warning Notification."""

from __future__ import annotations

from collections.abc import Callable

from protocol.stages import Gate, NoticeKind, Stage
from workflows.desk import Desk
from workflows.ewn_update import expect_update


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
    """Send the newest released version of the warning; a version is never sent twice.

    Its hook goes to the Union's mechanisms as a notice of its own (R34), and the clock for its next
    version starts (domain 5.3).
    """
    released = desk.approved[Gate.EWN_RELEASE].draft
    if desk.started(NoticeKind.EWN, released.version):
        return await desk.send(NoticeKind.EWN, content=released, revision=released.version)
    campaign = await desk.send(NoticeKind.EWN, content=released, revision=released.version)
    if NoticeKind.BLUEPRINT in desk.profile.notices:  # a run of an earlier release knows neither
        await desk.send(NoticeKind.BLUEPRINT, content=released, revision=released.version)
        expect_update(desk)
    return campaign
