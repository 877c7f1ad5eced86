"""Reassessment: each change is evaluated again, and what follows from that reaches people.

Another recommendation is told to the duty desk, never more often than the profile says and always with
where things stand then; tasks that nobody has done in time are told to the duty manager.
Source: domain 3.4; R11, R16, R18.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from activities.assessments import AssessmentActivities, AssessmentOrder, AssessmentSummary
from activities.tasks import OutlookOrder, Settlement, TaskActivities, TasksDue, TasksOrder
from protocol.stages import Gate, NoticeKind, Recommendation

if TYPE_CHECKING:
    from workflows.desk import Desk

LOOK_AGAIN = frozenset({Recommendation.MONITOR, Recommendation.HOLD_CORROBORATE})
"""Outcomes that come back to stage II when the outlook window has passed (domain 3.4)."""
ALARMS_FROM = 100_000
"""Notices of overdue tasks are numbered apart from those of overdue stages and missed reviews."""
CLASS_ATTRIBUTE = SearchAttributeKey.for_keyword("LeerpClass")


async def assess(desk: Desk) -> None:
    """Read the reports again. A launch decision on another assessment is refused from then on."""
    up_to = desk.changed_up_to
    before = desk.assessment
    found: AssessmentSummary = await desk.write(
        AssessmentActivities.assess_incident,
        AssessmentOrder(
            incident_id=desk.case.incident_id,
            profile=desk.profile,
            at=workflow.now(),
            verify=not _decided_for_good(desk),
        ),
    )
    desk.assessment, desk.assessed_up_to = found, up_to
    if before is None or before.threat_class != found.threat_class:
        workflow.upsert_search_attributes([CLASS_ATTRIBUTE.value_set(found.threat_class)])
    desk.news = desk.news.model_copy(update={"tasks_due": found.tasks_due})
    if before is None:  # the first one is no change
        _note_told(desk, found)


def next_due(desk: Desk) -> datetime | None:
    """When people have to be told of something next, as far as it is known now."""
    ends = [end for end in (desk.news.tasks_due, _telling_due(desk)) if end is not None]
    return min(ends, default=None)


async def follow_up(desk: Desk) -> None:
    """Tell what is due: tasks that are late, or another recommendation."""
    due = desk.news.tasks_due
    if due is not None and workflow.now() >= due:
        await _alarm(desk)
    else:
        await _tell(desk, outlook=False)


async def look_again(desk: Desk) -> None:
    """The outlook window has passed: an event, a task for a person, and word to the duty desk."""
    now = workflow.now()
    await _tasks(
        desk,
        TaskActivities.open_outlook_task,
        OutlookOrder(
            incident_id=desk.case.incident_id,
            at=now,
            due_at=now + desk.profile.reassessment.look_again_within,
            version=desk.assessment.version if desk.assessment else 0,
        ),
    )
    await _tell(desk, outlook=True)


async def settle(desk: Desk) -> None:
    """People have decided about the launch: close the tasks that this overtakes."""
    against = desk.approved.get(Gate.NO_LAUNCH)
    await _tasks(
        desk,
        TaskActivities.settle_tasks,
        Settlement(
            incident_id=desk.case.incident_id,
            at=workflow.now(),
            decision=Gate.LAUNCH if against is None else f"{Gate.NO_LAUNCH}, {against.outcome}",
            verify=not _decided_for_good(desk),
        ),
    )


def _decided_for_good(desk: Desk) -> bool:
    against = desk.approved.get(Gate.NO_LAUNCH)
    return Gate.LAUNCH in desk.approved or (
        against is not None and against.outcome not in LOOK_AGAIN
    )


def _telling_due(desk: Desk) -> datetime | None:
    """When another recommendation may be told; None while people know where things stand."""
    found, news = desk.assessment, desk.news
    if found is None or found.recommendation == news.told:
        return None
    return news.quiet_until or workflow.now()


async def _tell(desk: Desk, *, outlook: bool) -> None:
    found, news = desk.assessment, desk.news
    if found is None:
        return
    desk.news = news.model_copy(
        update={
            "notices": news.notices + 1,
            "quiet_until": workflow.now() + desk.profile.reassessment.tell_at_most_every,
        }
    )
    _note_told(desk, found)
    await desk.send(
        NoticeKind.REASSESSMENT,
        revision=news.notices + 1,
        detail={"before": news.told_version, "after": found.version, "outlook": outlook},
    )


async def _alarm(desk: Desk) -> None:
    """Tell the duty manager what nobody has done in time; what was done meanwhile is not late."""
    order = TasksOrder(incident_id=desk.case.incident_id, at=workflow.now())
    found = await _tasks(desk, TaskActivities.mark_overdue_tasks, order)
    if not found.late or found.late_since is None:
        return
    number = desk.news.alarms + 1
    desk.news = desk.news.model_copy(update={"alarms": number})
    numbers = ", ".join(str(each) for each in found.late)
    await desk.send(
        NoticeKind.OVERDUE,
        revision=ALARMS_FROM + number,
        detail={"matter": f"task {numbers}", "due_at": found.late_since.isoformat()},
    )


async def _tasks(desk: Desk, activity: Callable[..., Any], order: TasksOrder) -> TasksDue:
    found: TasksDue = await desk.write(activity, order)
    desk.news = desk.news.model_copy(update={"tasks_due": found.next_due})
    return found


def _note_told(desk: Desk, found: AssessmentSummary) -> None:
    desk.news = desk.news.model_copy(
        update={"told": found.recommendation, "told_version": found.version}
    )
