"""What an assessment leads to beyond itself: the event of another recommendation, and tasks for people.

Works in the transaction that stores the assessment, so that none is without the other.
Source: issue 6, item 8; domain 3.4; R11, R16, R18.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from classification.assessment import Assessment
from classification.comparison import compare
from classification.verification import Verification
from infra import audit, casefile, taskbook
from infra.casefile import Artefact
from infra.taskbook import Task, TaskKind, TaskOutcome
from notifications.notices import ReassessmentNotice
from protocol.stages import Recommendation

HELD = Recommendation.HOLD_CORROBORATE
LOOK = "look at the incident again and decide anew: launch, or what follows instead"
ADVICE = "compare the two with 'leerp assessment compare {incident} {before} {after}'; open tasks: "
ADVICE += "'leerp tasks list --incident {incident}'"


def note_change(
    connection: Connection, incident_id: str, before: Artefact | None, now: Artefact
) -> None:
    """Record that the recommendation is another than that of the version before."""
    if before is None or _recommended(before) == _recommended(now):
        return
    audit.append(
        connection,
        "recommendation_changed",
        actor="classification",
        subject=incident_id,
        channel="workflow",
        before=_recommended(before),
        after=_recommended(now),
        threat_class=now.document["threat_class"],
        version=now.version,
    )


def settle_verifications(
    connection: Connection,
    incident_id: str,
    result: Assessment,
    wanted: Iterable[Verification],
    *,
    asked: bool,
    anew: bool,
    at: datetime,
    within: timedelta,
) -> None:
    """Bring the verification tasks in line with what is wanted.

    A task for each claim that is wanted and has none; what is wanted no longer is closed, saying why.
    What a person has reported is not asked again unless more stands on it now, or the launch is held
    ``anew``. Once people have decided for good, nothing is ``asked`` any more.
    """
    mine = [
        each
        for each in taskbook.tasks_of(connection, incident_id)
        if each.kind is TaskKind.VERIFICATION
    ]
    waiting = {each.subject: each for each in mine if each.closed_at is None}
    newest = {each.subject: each for each in mine}
    needed = {each.subject: each for each in wanted}
    for subject, task in waiting.items():
        if subject not in needed:
            why = _why_gone(subject, result, asked=asked)
            taskbook.close_task(
                connection, incident_id, task.number, TaskOutcome.OVERTAKEN, at=at, reason=why
            )
    for subject, each in needed.items():
        matter = each.model_dump(mode="json", exclude={"subject"})
        if subject not in waiting and (anew or not _answered(newest.get(subject), each)):
            taskbook.open_task(
                connection,
                incident_id,
                TaskKind.VERIFICATION,
                subject,
                matter,
                at=at,
                due_at=at + within,
            )
        elif subject in waiting and waiting[subject].matter != matter:
            taskbook.change_matter(connection, incident_id, waiting[subject].number, matter)


def reassessment_notice(
    connection: Connection,
    incident_id: str,
    *,
    exercise: bool,
    issued_at: datetime,
    before: int,
    after: int,
    outlook: bool,
) -> ReassessmentNotice:
    """The notice on assessment ``after`` to people who last heard of ``before``; codes and numbers only.

    Raises:
        NotFound: the incident has no such assessment.
    """
    old, new = (
        Assessment.model_validate(
            casefile.get_artefact(connection, incident_id, "assessment", version).document
        )
        for version in (before, after)
    )
    occasion = (
        f"the outlook window has passed, the recommendation is {new.recommendation}: look again"
        if outlook
        else f"the recommendation is {new.recommendation} now and was {old.recommendation}"
    )
    return ReassessmentNotice(
        incident_id=incident_id,
        exercise=exercise,
        issued_at=issued_at,
        matter=f"{incident_id}: {occasion}",
        recommendation=new.recommendation,
        threat_class=new.threat_class,
        assessment=after,
        changes=compare(old, new).why,
        advice=ADVICE.format(incident=incident_id, before=before, after=after),
    )


def _recommended(artefact: Artefact) -> str:
    return str(artefact.document["recommendation"])


def _answered(task: Task | None, wanted: Verification) -> bool:
    """Whether a person has reported on this claim while the same level stood on it."""
    if task is None or task.outcome in (None, TaskOutcome.OVERTAKEN):
        return False
    return bool(task.matter["level"] == wanted.level)


def _why_gone(subject: str, result: Assessment, *, asked: bool) -> str:
    if result.recommendation is not HELD:
        return f"the recommendation is {result.recommendation} now, no longer {HELD}"
    if not asked:
        return "two people have decided about the launch"
    return f"{subject} is confirmed, or nobody claims it any more"
