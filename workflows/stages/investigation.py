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
    reviewed = desk.records.get(REVIEW)
    while Gate.CLOSURE not in desk.approved or _unsent(desk):
        due = desk.deadline(REVIEW, window)
        await desk.before(due, _news(desk, reviewed))
        await send_adopted(desk)
        await send_released(desk)
        if desk.records.get(REVIEW) != reviewed:
            reviewed = desk.records.get(REVIEW)
            desk.forget_deadline(REVIEW)
        elif workflow.now() >= due:
            desk.forget_deadline(REVIEW)
            desk.missed_reviews += 1
            await desk.send(
                NoticeKind.OVERDUE,
                revision=REVISIONS_FROM + desk.missed_reviews,
                detail={"matter": "review of open sources", "due_at": due.isoformat()},
            )
        # An approval that came before that of the closure may still be on its way into the record.
        await workflow.wait_condition(workflow.all_handlers_finished)


def _news(desk: Desk, reviewed: DraftRef | None) -> Callable[[], bool]:
    return lambda: (
        Gate.CLOSURE in desk.approved or _unsent(desk) or desk.records.get(REVIEW) != reviewed
    )


def _unsent(desk: Desk) -> bool:
    return adopted_unsent(desk) or released_unsent(desk)
