"""Runs whose histories are kept: what they did when they were recorded, today's code must do too."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from protocol.stages import Gate, Recommendation, Stage
from tests.workflows.cast import CSIRT, DUTY, report
from tests.workflows.house import House
from tests.workflows.people import People


async def launched_and_closed(home: House) -> str:
    """All seven stages, with an update of warning and plan, a missed review and an acknowledgement."""
    people = await People.called(home)
    await people.lead_to(Stage.INVESTIGATION)
    await home.acknowledge(f"{people.incident}.ewn.1")
    await people.two(Gate.EWN_RELEASE, people.ewn(change="kill switch found"))
    await home.until_sent(f"{people.incident}.ewn.2")
    await people.two(Gate.PLAN_ADOPTION, people.plan(outcome="NL leads alone."))
    await home.until_sent(f"{people.incident}.plan.2")
    await home.acknowledge(f"{people.incident}.ewn.2")
    await home.pass_time(timedelta(hours=6, minutes=5))
    await people.record(people.drafting.note(people.incident, "osint-review", "nothing new"))
    await people.close()
    return await _result(home, f"incident-{people.incident}")


async def ruled_out_and_reopened(home: House) -> str:
    """Decided against, reopened by an officer, overdue, and decided against for good."""
    people = await People.called(home)
    await people.stand_down(Recommendation.OUT_OF_SCOPE)
    await home.officer(DUTY).reopen(people.incident, reason="it was an attack after all")
    await people.when(lambda status: status.decision == "")
    await home.pass_time(timedelta(minutes=31))
    await home.until_sent(f"{people.incident}.overdue.3")
    await people.stand_down(Recommendation.NORMAL_PROCEDURE)
    await home.pass_time(timedelta(days=31))
    return await _result(home, f"incident-{people.incident}")


async def held_and_looked_at_again(home: House) -> str:
    """Held, with nobody verifying in time; set aside, looked at again, confirmed, and decided against."""
    people = await People.called(home, grade="X4")
    await home.pass_time(timedelta(minutes=61))
    await home.until_sent(f"{people.incident}.overdue.100001")
    await people.stand_down(Recommendation.MONITOR)
    await home.pass_time(timedelta(hours=6, minutes=1))
    await people.when(lambda status: status.decision == "")
    await home.until_sent(f"{people.incident}.reassessment.1")
    await home.receive(report(reporter=CSIRT))
    await people.when(lambda status: status.recommendation is Recommendation.LAUNCH)
    await home.pass_time(timedelta(minutes=11))
    await home.until_sent(f"{people.incident}.reassessment.2")
    await people.stand_down(Recommendation.NORMAL_PROCEDURE)
    await home.pass_time(timedelta(days=31))
    return await _result(home, f"incident-{people.incident}")


async def reminded_until_the_second_contact(home: House) -> str:
    """A warning that two organisations acknowledge only when their second contact is reached."""
    people = await People.called(home)
    await people.lead_to(Stage.PLANNING)
    notice = f"{people.incident}.ewn.1"
    await home.acknowledge(notice, *(home.recipients(notice) - {"le-poc-de", "interpol"}))
    await home.pass_time(timedelta(minutes=31))
    await home.until(lambda: ("interpol", 1, 0) in home.mails(notice))
    await home.acknowledge(notice)
    return await _result(home, f"campaign-{notice}")


SCENARIOS: dict[str, Callable[[House], Awaitable[str]]] = {
    "incident-launched-and-closed": launched_and_closed,
    "incident-ruled-out-and-reopened": ruled_out_and_reopened,
    "incident-held-and-looked-at-again": held_and_looked_at_again,
    "campaign-reminder-and-second-contact": reminded_until_the_second_contact,
}
"""Name of the recorded history to what was done."""


def fingerprint(history: WorkflowHistory) -> list[str]:
    """The commands of a run in their order, a line each.

    Timers are left to the replay: how often a wait is begun anew depends on what wakes it. Lines that
    repeat stand once: a campaign that has just ended by itself is not signalled.
    """
    lines: list[str] = []
    for event in history.events:
        line = _line(event)
        if line and line not in lines[-1:]:
            lines.append(line)
    return lines


def _line(event: HistoryEvent) -> str:
    """What the workflow did by this event; empty where it is not the workflow's doing."""
    name = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
    attributes: Any = getattr(event, f"{name.lower()}_event_attributes")
    match name:
        case "ACTIVITY_TASK_SCHEDULED":
            line = f"activity {attributes.activity_type.name}"
        case "MARKER_RECORDED":
            (data,) = attributes.details["data"].payloads
            line = f"local activity {json.loads(data.data)['activity_type']}"
        case "START_CHILD_WORKFLOW_EXECUTION_INITIATED":
            notice = attributes.workflow_id.partition(".")[2]
            line = f"child {attributes.workflow_type.name} {notice}"
        case "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES":
            line = f"upsert {', '.join(sorted(attributes.search_attributes.indexed_fields))}"
        case "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED":
            line = f"signal {attributes.signal_name}"
        case "WORKFLOW_EXECUTION_UPDATE_ACCEPTED":
            line = f"accepted {attributes.accepted_request.input.name}"
        case "WORKFLOW_EXECUTION_COMPLETED":
            line = "completed"
        case _:
            line = ""
    return line


async def _result(home: House, workflow_id: str) -> str:
    await home.ended(workflow_id)
    return workflow_id
