"""Stage II: threat classification, and what follows a decision not to launch."""

from __future__ import annotations

from temporalio import workflow

from protocol.stages import Gate, NoticeKind, Recommendation, Stage
from workflows.desk import Desk
from workflows.reassessment import LOOK_AGAIN, look_again, settle

WATCH = "watch"


async def classify(desk: Desk) -> bool:
    """Wait for two people to decide; True when the protocol is launched (R16, R19)."""
    if not desk.catching_up:  # before the stage opens its gates
        if desk.decision:  # taken up again
            desk.assess_again()
        desk.decision, desk.reopened = "", False
        desk.approved.pop(Gate.NO_LAUNCH, None)  # that was the decision before
    await desk.enter(Stage.CLASSIFICATION)
    await desk.until(lambda: bool({Gate.LAUNCH, Gate.NO_LAUNCH} & desk.approved.keys()))
    if not desk.catching_up:
        await settle(desk)
    return Gate.LAUNCH in desk.approved


async def stand_down(desk: Desk) -> bool:
    """Tell the notifiers the outcome and keep watch; True when the case is taken up again.

    It is when an officer reopens it (R10), when new reports turn the recommendation to launch, or,
    for MONITOR and HOLD, when the outlook window has passed, which gives somebody the task to look
    again. Otherwise the process ends here (R18).
    """
    desk.stop_clock()
    decided = desk.approved[Gate.NO_LAUNCH]
    await desk.send(NoticeKind.OUTCOME, content=decided.draft, revision=decided.draft.version)
    against_advice = decided.basis.endswith(f"/{Recommendation.LAUNCH}")
    looks_again = decided.outcome in LOOK_AGAIN
    limit = (
        desk.profile.classification.reassess_after
        if looks_again
        else desk.profile.watch.reopen_within
    )
    taken_up = await desk.before(
        desk.deadline(WATCH, limit),
        lambda: desk.reopened or (not against_advice and _launch_is_advised(desk)),
    )
    # A reopening that came in time may still be on its way into the record.
    await workflow.wait_condition(workflow.all_handlers_finished)
    desk.forget_deadline(WATCH)
    if looks_again and not (taken_up or desk.reopened):
        await look_again(desk)
    return taken_up or desk.reopened or looks_again


def _launch_is_advised(desk: Desk) -> bool:
    assessed = desk.assessment
    return assessed is not None and assessed.recommendation is Recommendation.LAUNCH
