"""Which command is allowed when: pure checks over the desk, used by the validators of updates.

Each raises ``Refused`` with a stable reason and a sentence for the officer.
"""

from __future__ import annotations

from typing import Any, Protocol

from activities.campaigns import DraftRef
from protocol.errors import Refused
from protocol.four_eyes import FourEyes
from protocol.parties import Role
from protocol.stages import Gate, NoticeKind, Recommendation, Stage
from workflows.messages import Approval, Command, Proposal, Record, Refusal, Reopening

LAUNCH_GATES = frozenset({Gate.LAUNCH, Gate.NO_LAUNCH})

VERSIONED = frozenset({Gate.EWN_RELEASE, Gate.PLAN_ADOPTION})
"""What goes out again in new versions; an older one after a newer would mislead."""

AFTER_LAUNCH = frozenset({Stage.COORDINATION, Stage.WARNING, Stage.PLANNING, Stage.INVESTIGATION})

GATE_STAGES: dict[Gate, frozenset[Stage]] = {
    Gate.LAUNCH: frozenset({Stage.CLASSIFICATION}),
    Gate.NO_LAUNCH: frozenset({Stage.CLASSIFICATION}),
    Gate.EWN_RELEASE: AFTER_LAUNCH - {Stage.COORDINATION},
    Gate.PLAN_ADOPTION: frozenset({Stage.PLANNING, Stage.INVESTIGATION}),
    Gate.DOWNGRADE: AFTER_LAUNCH,
    Gate.CLOSURE: frozenset({Stage.INVESTIGATION}),
}

GATE_DRAFTS: dict[Gate, str] = {
    Gate.LAUNCH: "threat-assessment",
    Gate.NO_LAUNCH: "outcome",
    Gate.EWN_RELEASE: "ewn",
    Gate.PLAN_ADOPTION: "plan",
    Gate.DOWNGRADE: "downgrade",
    Gate.CLOSURE: "closure",
}
"""The kind of draft that two people agree on at each gate; no other passes there."""

RECORD_STAGES: dict[str, frozenset[Stage]] = {
    "centre": frozenset({Stage.COORDINATION}),
    "internal-meeting": AFTER_LAUNCH,
    "invitation": frozenset({Stage.PLANNING}),
    "agreement": frozenset({Stage.PLANNING, Stage.INVESTIGATION}),
    "contribution": AFTER_LAUNCH,
    "osint-review": AFTER_LAUNCH,
}


class Summary(Protocol):
    """What the checks read of an assessment."""

    @property
    def threat_class(self) -> str: ...
    @property
    def recommendation(self) -> Recommendation: ...


class DeskView(Protocol):
    """What the checks read of the desk."""

    gates: FourEyes
    proposals: dict[Gate, Proposal]
    approved: dict[Gate, Proposal]
    decision: str
    ending: bool

    @property
    def stage(self) -> Stage: ...
    @property
    def assessment(self) -> Summary | None: ...


def check_proposal(desk: DeskView, proposal: Proposal) -> None:
    """Stage, role, and what the gate itself asks for."""
    _check_stage(desk, GATE_STAGES[proposal.gate], proposal.gate)
    if proposal.draft.kind != GATE_DRAFTS[proposal.gate]:
        raise Refused(
            "wrong-draft",
            f"at {proposal.gate} people agree on a draft of kind {GATE_DRAFTS[proposal.gate]}, "
            f"not {proposal.draft.kind}",
        )
    before = desk.approved.get(proposal.gate)
    if before and proposal.gate in VERSIONED and proposal.draft.version < before.draft.version:
        raise Refused(
            "superseded",
            f"version {before.draft.version} went out after version {proposal.draft.version} was "
            "drafted: draft a new version",
        )
    if desk.decision and proposal.gate in LAUNCH_GATES:
        raise Refused("already-decided", "this incident was decided: reopen it first")
    desk.gates.check_proposal(proposal.gate, proposal.actor)
    if proposal.gate in LAUNCH_GATES:
        _check_basis(desk, proposal)
    if proposal.gate is Gate.LAUNCH:
        _check_override(desk, proposal)
    if proposal.gate is Gate.NO_LAUNCH and proposal.outcome in {None, Recommendation.LAUNCH}:
        raise Refused("no-outcome", "a decision not to launch says what follows instead")
    if proposal.gate is Gate.CLOSURE and proposal.containment is None:
        raise Refused("no-containment", "closure says in which sense the threat is contained (R48)")


def check_approval(desk: DeskView, approval: Approval) -> None:
    """Stage and four eyes; a launch decision also stands on the assessment as it is now."""
    _check_stage(desk, GATE_STAGES[approval.gate], approval.gate)
    if approval.override and approval.gate is not Gate.EWN_RELEASE:
        raise Refused(
            "no-override",
            f"{approval.gate} always takes two people; only a warning may go with one",
        )
    desk.gates.check_approval(
        approval.gate, approval.digest, approval.actor, override=approval.override
    )
    if approval.gate is Gate.EWN_RELEASE:
        _check_author(desk, approval)
    if approval.gate in LAUNCH_GATES:
        _check_basis(desk, desk.proposals[approval.gate])


def check_record(desk: DeskView, record: Record) -> None:
    """A record belongs to its stages."""
    stages = RECORD_STAGES.get(record.draft.kind)
    if stages is None:
        raise Refused("unknown-record", "there is no such kind of record")
    _check_stage(desk, stages, f"recording {record.draft.kind}")
    _check_working_role(record)


def check_reopening(desk: DeskView, reopening: Reopening) -> None:
    """Only what was decided against can be reopened, and it takes a reason (R10)."""
    if desk.ending:
        raise Refused("ended", "the time in which this incident could be reopened has passed")
    if desk.decision != Gate.NO_LAUNCH:
        raise Refused("not-stood-down", "only an incident that was not launched can be reopened")
    if not reopening.reason.strip():
        raise Refused("no-reason", "reopening needs a reason")
    _check_working_role(reopening)


def basis_of(summary: Summary) -> str:
    """What a launch decision stands on, in one word that both people see."""
    return f"{summary.threat_class}/{summary.recommendation}"


def notice_kind(campaign_id: str) -> NoticeKind:
    """The kind inside a campaign id ``<incident>.<kind>.<revision>``."""
    return NoticeKind(campaign_id.split(".")[1])


def detail_of(command: Command) -> dict[str, Any]:
    """What the decision row says of a command beyond who, when and which text."""
    match command:
        case Proposal():
            return {
                "reason": command.reason,
                "draft": _draft_name(command.draft),
                "outcome": command.outcome,
                "containment": command.containment,
                "basis": command.basis,
            }
        case Approval() if command.override:
            return {"override": command.override}
        case Record():
            return {"draft": _draft_name(command.draft)}
        case Refusal() | Reopening():
            return {"reason": command.reason}
        case _:
            return {}


def _draft_name(draft: DraftRef) -> str:
    return f"{draft.kind}/{draft.version}"


def _check_stage(desk: DeskView, stages: frozenset[Stage], what: str) -> None:
    if desk.stage not in stages:
        names = ", ".join(stage for stage in Stage if stage in stages)
        raise Refused("wrong-stage", f"{what} belongs to {names}; this incident is in {desk.stage}")


def _check_working_role(command: Command) -> None:
    if not command.actor.roles & {Role.DUTY_OFFICER, Role.ANALYST, Role.LAUNCH, Role.DUTY_MANAGER}:
        raise Refused("wrong-role", f"{command.actor.officer} has no role in this incident")


def _check_basis(desk: DeskView, proposal: Proposal) -> None:
    if desk.assessment is None:
        raise Refused("not-assessed", "nothing is assessed yet: wait for the first assessment")
    current = basis_of(desk.assessment)
    if proposal.basis != current:
        raise Refused(
            "changed-draft",
            f"the assessment changed from {proposal.basis or 'nothing'} to {current}: "
            "look at it again, then propose",
        )


def _check_author(desk: DeskView, approval: Approval) -> None:
    author = desk.proposals[approval.gate].author
    if author == approval.actor.officer and not approval.override.strip():
        raise Refused(
            "own-draft",
            f"{author} wrote this warning: another officer releases it, or, in an emergency, the same "
            "one with --override REASON",
        )


def _check_override(desk: DeskView, proposal: Proposal) -> None:
    """Launching against the recommendation takes the launch role and a reason (domain 3.4, G4)."""
    if desk.assessment is None or desk.assessment.recommendation is Recommendation.LAUNCH:
        return
    if Role.LAUNCH not in proposal.actor.roles or not proposal.reason.strip():
        raise Refused(
            "override-needs-reason",
            f"the recommendation is {desk.assessment.recommendation}: launching all the same needs "
            "the launch role and a reason",
        )
