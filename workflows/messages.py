"""Inputs, messages and results of the workflows. A class may only ever gain fields with defaults."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import AwareDatetime, Field

from activities.assessments import AssessmentSummary
from activities.campaigns import DraftRef
from infra.payload import Payload
from protocol.four_eyes import Actor
from protocol.profile import NoticeRules, Profile
from protocol.stages import Containment, Gate, NoticeKind, Recommendation, Stage


class IncidentInput(Payload):
    """What an incident starts with; the profile in force is frozen into the run."""

    incident_id: str
    profile: Profile
    exercise: bool

    resumed: Resumed | None = None
    """Where the run before this one left off, when history had grown long."""
    renew_after: int = 4_000
    """Events after which the run goes on as a new one with the same state."""


class Changed(Payload):
    """Word from the relay: the rows of this incident changed, up to relay row ``up_to``."""

    up_to: int


class Command(Payload):
    """Fields of every command of a person."""

    command_id: str
    """Made by the client; the same id is answered alike and never carried out twice."""
    actor: Actor


class Proposal(Command):
    """Put a draft before a second person at a gate."""

    gate: Gate
    draft: DraftRef
    reason: str = ""
    containment: Containment | None = None
    """For the closure: in which of the two senses the threat is contained (R48)."""
    outcome: Recommendation | None = None
    """For the decision not to launch: what follows instead."""
    basis: str = ""
    """For the launch decision: class and recommendation as the proposer saw them."""
    author: str = ""
    """The officer who wrote the draft; whoever releases a warning is another one."""


class Approval(Command):
    """The second person's yes to the draft with this digest."""

    gate: Gate
    digest: str
    override: str = ""
    """Why one person releases a warning alone, in an emergency (domain 5.3)."""


class Refusal(Command):
    """Somebody with a role at the gate takes the proposal off the table."""

    gate: Gate
    reason: str


class Record(Command):
    """Something done or set up by one officer: centre, invitation, agreement, contribution, ..."""

    draft: DraftRef


class Reopening(Command):
    """Take up again an incident that was not launched (R10)."""

    reason: str


class Answer(Payload):
    """What a command led to."""

    stage: Stage
    gate: Gate | None = None
    state: str
    """``proposed``, ``approved``, ``declined``, ``recorded`` or ``reopened``."""
    digest: str = ""


class PendingGate(Payload):
    """A proposal that waits for its second person."""

    gate: Gate
    digest: str
    proposer: str


class CampaignState(Payload):
    """Where a campaign stands, as the incident knows it."""

    campaign_id: str
    kind: NoticeKind
    sent: bool


class IncidentStatus(Payload):
    """Answer to the query ``status``."""

    incident_id: str
    stage: Stage
    profile: str
    exercise: bool
    assessment_version: int = 0
    threat_class: str = ""
    recommendation: Recommendation | None = None
    decision: str = ""
    pending: tuple[PendingGate, ...] = ()
    campaigns: tuple[CampaignState, ...] = ()
    done: tuple[str, ...] = ()
    """Kinds of record that this stage has seen."""


class IncidentOutcome(Payload):
    """Result of the workflow."""

    incident_id: str
    launched: bool
    decision: str
    containment: Containment | None = None
    closed_at: AwareDatetime


class News(Payload):
    """What people were told of assessments and tasks, and what is due next."""

    told: Recommendation | None = None
    """The recommendation that they last heard of."""
    told_version: int = 0
    quiet_until: AwareDatetime | None = None
    """Before that, another recommendation is not told."""
    notices: int = 0
    alarms: int = 0
    """Notices of tasks that were late."""
    tasks_due: AwareDatetime | None = None
    """When the first open task falls due."""


class Resumed(Payload):
    """The desk of an incident between two runs: references and decisions, no texts."""

    stage: Stage
    stage_number: int
    stage_due: AwareDatetime
    clock_stopped: bool
    assessment: AssessmentSummary | None
    proposals: dict[Gate, Proposal]
    approved: dict[Gate, Proposal]
    records: dict[str, DraftRef]
    sent: tuple[str, ...]
    campaigns: tuple[str, ...]
    decision: str
    reopened: bool
    changed_up_to: int
    assessed_up_to: int
    deadlines: dict[str, AwareDatetime]
    missed_reviews: int
    answers: dict[str, Answer]
    news: News = News()


class CampaignInput(Payload):
    """One notice to many: who, what, and how to climb the ladder of reminders."""

    campaign_id: str
    incident_id: str
    kind: NoticeKind
    revision: int
    rules: NoticeRules
    content: DraftRef | None
    """The approved draft; its digest is checked again before a recipient is frozen."""
    recipients_of: str = ""
    """For the closure: the campaign whose frozen list is used again (R49)."""
    exercise: bool
    detail: dict[str, Any] = Field(default_factory=dict)
    """Short facts for notices that have no draft, such as which stage is overdue."""
    batch: int = 250
    """Recipients in one sending activity."""
    heartbeat: timedelta = timedelta(seconds=20)
    """A sender that is silent for so long is taken for dead and its range is sent by another."""


class SendingInput(Payload):
    """What officers put back into the outbox of a campaign is to go out."""

    campaign_id: str
    end: int
    """Of the campaign's cursor range."""
    heartbeat: timedelta = timedelta(seconds=20)
    give_up_after: timedelta = timedelta(days=1)


class CampaignSent(Payload):
    """Word from a campaign to its incident: every mail had its first try."""

    campaign_id: str
    kind: NoticeKind


class CampaignOutcome(Payload):
    """Result of a campaign."""

    campaign_id: str
    recipients: int
    acknowledged: int
    """With those of whom a person said what became of them."""
    escalated: bool
    unsettled: int = 0
    """Of whom nobody knows at the end; the database has their names."""


class Acknowledged(Payload):
    """Word from the relay: so many recipients of the campaign are settled.

    The number can fall, when the wrong addressee had acknowledged.
    """

    count: int
    recipients: int = 0
    """How many there are by now: some may have been added late."""
    number: int = 0
    """Of the relay's row: a word with a smaller one is older."""


class AnsweringInput(Payload):
    """Answers of a campaign that cannot wait."""

    campaign_id: str
    heartbeat: timedelta = timedelta(seconds=20)
    give_up_after: timedelta = timedelta(days=1)
