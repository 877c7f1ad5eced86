"""From one run of an incident to the next: what goes along, and how the next one takes it up.

A run takes 10,000 signals and 51,200 events, and an incident may last for weeks (reliability 0.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflows.messages import Resumed

if TYPE_CHECKING:
    from workflows.desk import Desk


def state_of(desk: Desk) -> Resumed:
    """Everything that the next run needs: references and decisions, no texts."""
    return Resumed(
        stage=desk.stage,
        stage_number=desk.stage_number,
        stage_due=desk.stage_due,
        clock_stopped=desk.clock_stopped,
        assessment=desk.assessment,
        proposals=desk.proposals,
        approved=desk.approved,
        records=desk.records,
        sent=tuple(sorted(desk.sent)),
        campaigns=tuple(desk.campaigns),
        decision=desk.decision,
        reopened=desk.reopened,
        changed_up_to=desk.changed_up_to,
        assessed_up_to=desk.assessed_up_to,
        deadlines=desk.deadlines,
        missed_reviews=desk.missed_reviews,
        answers=desk.answers,
        news=desk.news,
    )


def resume(desk: Desk, state: Resumed) -> None:
    """Take up what the run before left; its stages are passed over until the one in hand."""
    desk.catching_up_to = desk.stage = state.stage
    desk.stage_number = state.stage_number
    desk.stage_due = state.stage_due
    desk.clock_stopped = state.clock_stopped
    desk.assessment = state.assessment
    desk.proposals = dict(state.proposals)
    for waiting in state.proposals.values():
        desk.gates.propose(waiting.gate, waiting.draft.digest, waiting.actor)
    desk.approved = dict(state.approved)
    desk.records = dict(state.records)
    desk.sent = set(state.sent)
    desk.campaigns = dict.fromkeys(state.campaigns)
    desk.decision = state.decision
    desk.reopened = state.reopened
    desk.changed_up_to = state.changed_up_to
    desk.assessed_up_to = state.assessed_up_to
    desk.deadlines = dict(state.deadlines)
    desk.missed_reviews = state.missed_reviews
    desk.answers = dict(state.answers)
    desk.news = state.news
