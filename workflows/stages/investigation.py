"""Stage VI: investigation and multi-layered analysis."""

from __future__ import annotations

from collections.abc import Callable

from temporalio import workflow

from activities.campaigns import DraftRef
from protocol.stages import Gate, NoticeKind, Stage
from workflows.desk import Desk
from workflows.stages.planning import adopted_unsent, send_adopted
from workflows.stages.warning import released_unsent, send_released

REVIEW = "osint-review"
REVISIONS_FROM = 1_000
"""Notices of missed reviews are numbered apart from those of overdue stages."""


async def investigate(desk: Desk) -> None:
    """Pool contributions, follow the threat and update plan and warning until closure is approved.

    When no officer has recorded a review of open sources for a whole review window, the duty manager
    is told (R45). New versions of plan and warning go out as soon as two people agreed (R47).
    """
    await desk.enter(Stage.INVESTIGATION)
    window = desk.profile.watch.osint_review_every
    reviewed, due, missed = desk.records.get(REVIEW), workflow.now() + window, 0
    while Gate.CLOSURE not in desk.approved or _unsent(desk):
        await desk.within(_news(desk, reviewed), due - workflow.now())
        await send_adopted(desk)
        await send_released(desk)
        if desk.records.get(REVIEW) != reviewed:
            reviewed, due = desk.records.get(REVIEW), workflow.now() + window
        elif workflow.now() >= due:
            missed += 1
            await desk.send(
                NoticeKind.OVERDUE,
                revision=REVISIONS_FROM + missed,
                detail={"matter": "review of open sources", "due_at": due.isoformat()},
            )
            due += window


def _news(desk: Desk, reviewed: DraftRef | None) -> Callable[[], bool]:
    return lambda: (
        Gate.CLOSURE in desk.approved or _unsent(desk) or desk.records.get(REVIEW) != reviewed
    )


def _unsent(desk: Desk) -> bool:
    return adopted_unsent(desk) or released_unsent(desk)
