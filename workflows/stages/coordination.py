"""Stage III: the emergency response coordination centre and the initial notice."""

from __future__ import annotations

from protocol.stages import NoticeKind, Stage
from workflows.desk import Desk


async def coordinate(desk: Desk) -> str:
    """Set up the centre, then tell everybody of R23 and R24; return the initial notice's campaign.

    The centre comes first because the notice carries its points of contact (R20). The record of the
    centre names team, points of contact and the command post's channels (R21, R28).
    """
    await desk.enter(Stage.COORDINATION)
    await desk.until(lambda: "centre" in desk.records)
    initial = await desk.send(NoticeKind.INITIAL, content=desk.records["centre"])
    await desk.sent_to_all(initial)
    return initial
