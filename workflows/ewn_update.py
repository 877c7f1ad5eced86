"""The clock of a released warning: its next version is due while it is valid, or somebody is told.

Source: domain 5.3 (an update at least every 6 h while open).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from protocol.stages import Gate, NoticeKind

if TYPE_CHECKING:
    from workflows.desk import Desk

UPDATE = "ewn-update"
REVISIONS_FROM = 2_000
"""Notices of warnings that were not updated in time are numbered apart from other overdue ones."""


def expect_update(desk: Desk) -> None:
    """A warning went out: its next version is due within its validity."""
    desk.forget_deadline(UPDATE)
    desk.deadline(UPDATE, desk.profile.watch.ewn_valid_for)


def update_due(desk: Desk) -> datetime | None:
    """When the next version is due; None while none is, or after the alarm."""
    return desk.deadlines.get(UPDATE)


async def report_no_update(desk: Desk, due: datetime) -> None:
    """The newest warning is no longer valid and nobody has released another: say so, once."""
    desk.forget_deadline(UPDATE)
    version = desk.approved[Gate.EWN_RELEASE].draft.version
    await desk.send(
        NoticeKind.OVERDUE,
        revision=REVISIONS_FROM + version,
        detail={"matter": f"next version of early warning {version}", "due_at": due.isoformat()},
    )
