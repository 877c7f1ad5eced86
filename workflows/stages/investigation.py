"""Stage VI: investigation and multi-layered analysis."""

from __future__ import annotations

from collections.abc import Callable

from temporalio import workflow

from protocol.stages import Gate, NoticeKind, Stage
from workflows.desk import Desk
from workflows.stages.planning import send_adopted
from workflows.stages.warning import send_released


async def investigate(desk: Desk) -> None:
    """Pool contributions, follow the threat and update plan and warning until closure is approved.

    When no officer has recorded a review of open sources for a whole review window, the duty manager
    is told (R45). New versions of plan and warning go out as soon as two people agreed (R47).
    """
    await desk.enter(Stage.INVESTIGATION)
    missed_reviews = 0
    while Gate.CLOSURE not in desk.approved:
        news = await desk.within(
            _something_new(desk), desk.profile.watch.osint_review_every
        )
        if not news:
            missed_reviews += 1
            await desk.send(
                NoticeKind.OVERDUE,
                revision=1_000 + missed_reviews,  # apart from the numbers of overdue stages
                detail={
                    "missing": "review of open sources",
                    "due_at": workflow.now().isoformat(),
                },
            )
            continue
        await send_adopted(desk)
        await send_released(desk)


def _something_new(desk: Desk) -> Callable[[], bool]:
    seen = _versions(desk)
    return lambda: Gate.CLOSURE in desk.approved or _versions(desk) != seen


def _versions(desk: Desk) -> tuple[int, int, int]:
    """What has been adopted, released and reviewed so far."""
    review = desk.records.get("osint-review")
    return (
        desk.approved[Gate.PLAN_ADOPTION].draft.version,
        desk.approved[Gate.EWN_RELEASE].draft.version,
        review.version if review else 0,
    )
