"""Which command is allowed when: the checks by themselves, over a desk made up for the test."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import resources

import pytest

from activities.assessments import AssessmentSummary
from activities.campaigns import DraftRef
from protocol.errors import Refused
from protocol.four_eyes import Actor, FourEyes
from protocol.parties import Role
from protocol.profile import Profile
from protocol.stages import Containment, Gate, Recommendation, Stage
from workflows import gatekeeping
from workflows.messages import Approval, Proposal, Record, Refusal, Reopening

ROLES = Profile.from_toml(
    (resources.files("protocol") / "profiles/leerp-2017-draft.toml").read_text()
).roles
DUTY = Actor(officer="duty", organisation="EC3", roles=frozenset({Role.DUTY_OFFICER}))
LEAD = Actor(officer="lead", organisation="EC3", roles=frozenset({Role.LAUNCH, Role.RELEASE}))
NOBODY = Actor(officer="nobody", organisation="EC3", roles=frozenset({Role.JUDICIAL}))
LAUNCH, MONITOR = Recommendation.LAUNCH, Recommendation.MONITOR


def assessed(
    recommendation: Recommendation = LAUNCH, threat_class: str = "C4"
) -> AssessmentSummary:
    return AssessmentSummary(
        version=1, digest="d" * 64, threat_class=threat_class, recommendation=recommendation
    )


@dataclass
class Desk:
    """What the checks read of the real one."""

    stage: Stage = Stage.CLASSIFICATION
    assessment: AssessmentSummary | None = field(default_factory=assessed)
    decision: str = ""
    ending: bool = False
    gates: FourEyes = field(default_factory=lambda: FourEyes(ROLES))
    proposals: dict[Gate, Proposal] = field(default_factory=dict)
    approved: dict[Gate, Proposal] = field(default_factory=dict)


def proposal(gate: Gate, actor: Actor = DUTY, **changes: object) -> Proposal:
    """One that passes in the right stage."""
    values: dict[str, object] = {
        "command_id": "c1",
        "actor": actor,
        "gate": gate,
        "draft": DraftRef(kind=gatekeeping.GATE_DRAFTS[gate], version=1, digest="d" * 64),
        "basis": "C4/launch",
        "outcome": MONITOR if gate is Gate.NO_LAUNCH else None,
        "containment": Containment.NORMAL_PROCEDURE if gate is Gate.CLOSURE else None,
    }
    return Proposal.model_validate(values | changes)


def why_refused(desk: Desk, given: Proposal) -> str:
    with pytest.raises(Refused) as refused:
        gatekeeping.check_proposal(desk, given)
    return refused.value.reason


@pytest.mark.requirement("R3", "R18")
@pytest.mark.parametrize("gate", Gate)
@pytest.mark.parametrize("stage", Stage)
def test_a_gate_belongs_to_its_stages(gate: Gate, stage: Stage) -> None:
    allowed = {
        Gate.LAUNCH: {Stage.CLASSIFICATION},
        Gate.NO_LAUNCH: {Stage.CLASSIFICATION},
        Gate.EWN_RELEASE: {Stage.WARNING, Stage.PLANNING, Stage.INVESTIGATION},
        Gate.PLAN_ADOPTION: {Stage.PLANNING, Stage.INVESTIGATION},
        Gate.DOWNGRADE: {
            Stage.COORDINATION, Stage.WARNING, Stage.PLANNING, Stage.INVESTIGATION,
        },
        Gate.CLOSURE: {Stage.INVESTIGATION},
    }  # fmt: skip
    desk = Desk(stage=stage)
    if stage in allowed[gate]:
        gatekeeping.check_proposal(desk, proposal(gate))
    else:
        assert why_refused(desk, proposal(gate)) == "wrong-stage"


@pytest.mark.requirement("R16")
@pytest.mark.parametrize("gate", Gate)
def test_a_gate_takes_only_its_own_kind_of_draft(gate: Gate) -> None:
    desk = Desk(stage=min(gatekeeping.GATE_STAGES[gate]))
    foreign = DraftRef(kind="centre", version=1, digest="d" * 64)
    assert why_refused(desk, proposal(gate, draft=foreign)) == "wrong-draft"


def test_a_proposal_needs_the_role_of_its_gate() -> None:
    assert why_refused(Desk(), proposal(Gate.LAUNCH, NOBODY)) == "wrong-role"


def test_a_launch_stands_on_the_assessment_as_it_is_now() -> None:
    desk = Desk(assessment=assessed(MONITOR, "C3"))
    assert why_refused(desk, proposal(Gate.LAUNCH)) == "changed-draft"
    assert why_refused(desk, proposal(Gate.NO_LAUNCH)) == "changed-draft"
    desk.assessment = None
    assert why_refused(desk, proposal(Gate.LAUNCH)) == "not-assessed"


@pytest.mark.requirement("R47")
@pytest.mark.parametrize("gate", [Gate.EWN_RELEASE, Gate.PLAN_ADOPTION])
def test_an_older_version_does_not_go_out_after_a_newer_one(gate: Gate) -> None:
    kind = gatekeeping.GATE_DRAFTS[gate]
    older, newer = (DraftRef(kind=kind, version=n, digest=f"{n}" * 64) for n in (1, 2))
    desk = Desk(stage=Stage.INVESTIGATION, approved={gate: proposal(gate, draft=newer)})
    assert why_refused(desk, proposal(gate, draft=older)) == "superseded"
    gatekeeping.check_proposal(desk, proposal(gate, draft=newer))


@pytest.mark.requirement("R16")
def test_launching_against_the_recommendation_takes_the_launch_role_and_a_reason() -> None:
    desk = Desk(assessment=assessed(MONITOR, "C3"))
    against = "C3/monitor"
    for actor, reason in ((DUTY, "grave"), (LEAD, ""), (LEAD, "  ")):
        given = proposal(Gate.LAUNCH, actor, basis=against, reason=reason)
        assert why_refused(desk, given) == "override-needs-reason"
    gatekeeping.check_proposal(
        desk, proposal(Gate.LAUNCH, LEAD, basis=against, reason="two more states will be hit")
    )


@pytest.mark.requirement("R18")
@pytest.mark.parametrize("outcome", [None, LAUNCH])
def test_a_decision_not_to_launch_says_what_follows_instead(
    outcome: Recommendation | None,
) -> None:
    assert why_refused(Desk(), proposal(Gate.NO_LAUNCH, outcome=outcome)) == "no-outcome"


@pytest.mark.requirement("R48")
def test_closure_says_in_which_sense_the_threat_is_contained() -> None:
    desk = Desk(stage=Stage.INVESTIGATION)
    assert why_refused(desk, proposal(Gate.CLOSURE, containment=None)) == "no-containment"


def test_what_is_decided_is_not_proposed_again_before_it_is_reopened() -> None:
    desk = Desk(decision=Gate.NO_LAUNCH)
    assert why_refused(desk, proposal(Gate.LAUNCH)) == "already-decided"
    assert why_refused(desk, proposal(Gate.NO_LAUNCH)) == "already-decided"


def test_an_approval_is_refused_when_the_assessment_changed_since_the_proposal() -> None:
    desk = Desk()
    given = proposal(Gate.LAUNCH)
    desk.gates.propose(given.gate, given.draft.digest, given.actor)
    desk.proposals[given.gate] = given
    approval = Approval(command_id="c2", actor=LEAD, gate=Gate.LAUNCH, digest=given.draft.digest)
    gatekeeping.check_approval(desk, approval)

    desk.assessment = assessed(Recommendation.HOLD_CORROBORATE)
    with pytest.raises(Refused) as refused:
        gatekeeping.check_approval(desk, approval)
    assert refused.value.reason == "changed-draft"


def test_an_approval_outside_its_stage_is_refused_even_if_something_waits() -> None:
    desk = Desk(stage=Stage.WARNING)
    given = proposal(Gate.CLOSURE)
    desk.gates.propose(given.gate, given.draft.digest, given.actor)
    with pytest.raises(Refused) as refused:
        gatekeeping.check_approval(
            desk,
            Approval(command_id="c2", actor=LEAD, gate=Gate.CLOSURE, digest=given.draft.digest),
        )
    assert refused.value.reason == "wrong-stage"


@pytest.mark.parametrize(
    ("kind", "stage", "reason"),
    [
        ("centre", Stage.WARNING, "wrong-stage"),
        ("invitation", Stage.COORDINATION, "wrong-stage"),
        ("contribution", Stage.CLASSIFICATION, "wrong-stage"),
        ("osint-review", Stage.CLOSURE, "wrong-stage"),
        ("recipe", Stage.WARNING, "unknown-record"),
    ],
)
def test_a_record_belongs_to_its_stages(kind: str, stage: Stage, reason: str) -> None:
    given = Record(
        command_id="c", actor=DUTY, draft=DraftRef(kind=kind, version=1, digest="d" * 64)
    )
    with pytest.raises(Refused) as refused:
        gatekeeping.check_record(Desk(stage=stage), given)
    assert refused.value.reason == reason


def test_a_record_needs_a_role_in_the_incident() -> None:
    draft = DraftRef(kind="centre", version=1, digest="d" * 64)
    desk = Desk(stage=Stage.COORDINATION)
    gatekeeping.check_record(desk, Record(command_id="c", actor=DUTY, draft=draft))
    with pytest.raises(Refused) as refused:
        gatekeeping.check_record(desk, Record(command_id="c", actor=NOBODY, draft=draft))
    assert refused.value.reason == "wrong-role"


@pytest.mark.requirement("R10")
@pytest.mark.parametrize(
    ("desk", "actor", "reason", "refusal"),
    [
        (Desk(), DUTY, "new victims", "not-stood-down"),
        (Desk(decision=Gate.LAUNCH), DUTY, "new victims", "not-stood-down"),
        (Desk(decision=Gate.NO_LAUNCH), DUTY, " ", "no-reason"),
        (Desk(decision=Gate.NO_LAUNCH), NOBODY, "new victims", "wrong-role"),
        (Desk(decision=Gate.NO_LAUNCH, ending=True), DUTY, "new victims", "ended"),
    ],
)
def test_only_what_was_decided_against_is_reopened_with_a_reason_and_in_time(
    desk: Desk, actor: Actor, reason: str, refusal: str
) -> None:
    gatekeeping.check_reopening(
        Desk(decision=Gate.NO_LAUNCH), Reopening(command_id="c", actor=DUTY, reason="new victims")
    )
    with pytest.raises(Refused) as refused:
        gatekeeping.check_reopening(desk, Reopening(command_id="c", actor=actor, reason=reason))
    assert refused.value.reason == refusal


def test_the_record_of_a_decision_says_what_was_decided_on_which_ground() -> None:
    assert gatekeeping.detail_of(proposal(Gate.CLOSURE)) == {
        "reason": "",
        "draft": "closure/1",
        "outcome": None,
        "containment": Containment.NORMAL_PROCEDURE,
        "basis": "C4/launch",
    }
    gone = Refusal(command_id="c", actor=LEAD, gate=Gate.LAUNCH, reason="not yet")
    assert gatekeeping.detail_of(gone) == {"reason": "not yet"}


def test_only_a_warning_may_be_released_by_one_person_alone() -> None:
    desk = Desk(stage=Stage.WARNING)
    for gate, stage in ((Gate.EWN_RELEASE, Stage.WARNING), (Gate.LAUNCH, Stage.CLASSIFICATION)):
        desk.stage = stage
        desk.proposals[gate] = proposal(gate, LEAD, author=LEAD.officer)
        desk.gates.propose(gate, "d" * 64, LEAD)
    alone = Approval(command_id="c2", actor=LEAD, gate=Gate.EWN_RELEASE, digest="d" * 64)
    desk.stage = Stage.WARNING
    with pytest.raises(Refused, match="second, different person"):
        gatekeeping.check_approval(desk, alone)
    reason = {"override": "alone on shift"}
    gatekeeping.check_approval(desk, alone.model_copy(update=reason))
    assert gatekeeping.detail_of(alone.model_copy(update=reason)) == reason
    desk.stage = Stage.CLASSIFICATION
    launch = alone.model_copy(update={"gate": Gate.LAUNCH, **reason})
    with pytest.raises(Refused, match="always takes two people"):
        gatekeeping.check_approval(desk, launch)


def test_the_author_of_a_warning_is_not_its_second_person() -> None:
    desk = Desk(stage=Stage.WARNING)
    desk.proposals[Gate.EWN_RELEASE] = proposal(Gate.EWN_RELEASE, DUTY, author=LEAD.officer)
    desk.gates.propose(Gate.EWN_RELEASE, "d" * 64, DUTY)
    approval = Approval(command_id="c2", actor=LEAD, gate=Gate.EWN_RELEASE, digest="d" * 64)
    with pytest.raises(Refused, match="wrote this warning") as refused:
        gatekeeping.check_approval(desk, approval)
    assert refused.value.reason == "own-draft"
