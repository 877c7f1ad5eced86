"""Stage VII: closure."""

from __future__ import annotations

from protocol.stages import Gate, NoticeKind, Stage
from workflows.desk import Desk


async def close(desk: Desk, initial: str) -> None:
    """Tell exactly those who got the initial notice that the protocol is closed (R48, R49)."""
    await desk.enter(Stage.CLOSURE)
    approved = desk.approved[Gate.CLOSURE]
    closing = await desk.send(NoticeKind.CLOSURE, content=approved.draft, recipients_of=initial)
    await desk.sent_to_all(closing)
    await desk.end_campaigns()
