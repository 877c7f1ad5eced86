"""Four eyes: who may open a gate, and that nobody ever opens one alone."""

from __future__ import annotations

from importlib import resources

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from protocol.errors import Refused
from protocol.four_eyes import Actor, FourEyes
from protocol.parties import Role
from protocol.profile import Profile
from protocol.stages import Gate

ROLES = Profile.from_toml(
    (resources.files("protocol") / "profiles/leerp-2017-draft.toml").read_text()
).roles
READ = "a" * 64
CHANGED = "b" * 64


def actor(officer: str, *roles: Role) -> Actor:
    return Actor(officer=officer, organisation="EC3", roles=frozenset(roles))


DUTY = actor("duty", Role.DUTY_OFFICER)
LEAD = actor("lead", Role.LAUNCH, Role.RELEASE)
OTHER_LEAD = actor("other-lead", Role.LAUNCH, Role.RELEASE)
ANALYST = actor("analyst", Role.ANALYST)


def reason(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.reason


@pytest.mark.requirement("R16", "R32", "R37", "R48")
@pytest.mark.parametrize("gate", Gate)
def test_two_different_people_with_the_right_roles_open_a_gate(gate: Gate) -> None:
    gates = FourEyes(ROLES)
    gates.propose(gate, READ, DUTY)
    opened = gates.approve(gate, READ, LEAD)
    assert (opened.gate, opened.digest, opened.proposer) == (gate, READ, "duty")
    assert gates.pending(gate) is None


@pytest.mark.parametrize("gate", Gate)
def test_nobody_approves_what_they_proposed_themselves(gate: Gate) -> None:
    gates = FourEyes(ROLES)
    gates.propose(gate, READ, LEAD)
    with pytest.raises(Refused) as refused:
        gates.approve(gate, READ, LEAD)
    assert reason(refused) == "same-person"
    assert gates.pending(gate) is not None


def test_more_roles_do_not_make_one_person_two() -> None:
    gates = FourEyes(ROLES)
    gates.propose(Gate.LAUNCH, READ, actor("one", Role.DUTY_OFFICER))
    with pytest.raises(Refused) as refused:
        gates.approve(Gate.LAUNCH, READ, actor("one", Role.LAUNCH))
    assert reason(refused) == "same-person"


@pytest.mark.parametrize("gate", Gate)
def test_a_wrong_role_can_neither_propose_nor_approve_nor_decline(gate: Gate) -> None:
    gates = FourEyes(ROLES)
    with pytest.raises(Refused) as refused:
        gates.propose(gate, READ, ANALYST)
    assert reason(refused) == "wrong-role"
    gates.propose(gate, READ, DUTY)
    with pytest.raises(Refused) as refused:
        gates.approve(gate, READ, ANALYST)
    assert reason(refused) == "wrong-role"
    with pytest.raises(Refused) as refused:
        gates.decline(gate, ANALYST)
    assert reason(refused) == "wrong-role"
    assert gates.pending(gate) is not None


@pytest.mark.parametrize("gate", Gate)
def test_a_duty_officer_does_not_approve_for_another_duty_officer(gate: Gate) -> None:
    gates = FourEyes(ROLES)
    gates.propose(gate, READ, DUTY)
    with pytest.raises(Refused) as refused:
        gates.approve(gate, READ, actor("other-duty", Role.DUTY_OFFICER))
    assert reason(refused) == "wrong-role"


def test_somebody_without_any_role_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        FourEyes(ROLES).propose(Gate.LAUNCH, READ, actor("nobody"))
    assert reason(refused) == "wrong-role"
    assert "none" in str(refused.value)


def test_nothing_can_be_approved_or_declined_before_it_is_proposed() -> None:
    gates = FourEyes(ROLES)
    with pytest.raises(Refused) as refused:
        gates.approve(Gate.LAUNCH, READ, LEAD)
    assert reason(refused) == "nothing-proposed"
    with pytest.raises(Refused) as refused:
        gates.decline(Gate.LAUNCH, LEAD)
    assert reason(refused) == "nothing-proposed"


def test_the_second_person_approves_the_text_they_read_and_no_other() -> None:
    gates = FourEyes(ROLES)
    gates.propose(Gate.EWN_RELEASE, READ, DUTY)
    gates.propose(Gate.EWN_RELEASE, CHANGED, DUTY)
    with pytest.raises(Refused) as refused:
        gates.approve(Gate.EWN_RELEASE, READ, LEAD)
    assert reason(refused) == "changed-draft"
    assert gates.approve(Gate.EWN_RELEASE, CHANGED, LEAD).digest == CHANGED


def test_who_changes_the_draft_becomes_its_proposer() -> None:
    gates = FourEyes(ROLES)
    gates.propose(Gate.EWN_RELEASE, READ, DUTY)
    gates.propose(Gate.EWN_RELEASE, CHANGED, LEAD)
    with pytest.raises(Refused) as refused:
        gates.approve(Gate.EWN_RELEASE, CHANGED, LEAD)
    assert reason(refused) == "same-person"
    assert gates.approve(Gate.EWN_RELEASE, CHANGED, OTHER_LEAD).proposer == "lead"


def test_a_proposal_is_used_up_by_its_approval() -> None:
    gates = FourEyes(ROLES)
    gates.propose(Gate.CLOSURE, READ, DUTY)
    gates.approve(Gate.CLOSURE, READ, LEAD)
    with pytest.raises(Refused) as refused:
        gates.approve(Gate.CLOSURE, READ, OTHER_LEAD)
    assert reason(refused) == "nothing-proposed"


def test_what_was_declined_or_withdrawn_can_be_proposed_again() -> None:
    gates = FourEyes(ROLES)
    gates.propose(Gate.LAUNCH, READ, DUTY)
    assert gates.decline(Gate.LAUNCH, LEAD).digest == READ
    gates.propose(Gate.LAUNCH, CHANGED, DUTY)
    gates.withdraw(Gate.LAUNCH)
    gates.withdraw(Gate.LAUNCH)  # nothing waits: nothing happens
    assert gates.all_pending() == ()
    gates.propose(Gate.LAUNCH, READ, DUTY)
    assert gates.approve(Gate.LAUNCH, READ, LEAD).digest == READ


def test_gates_do_not_open_each_other() -> None:
    gates = FourEyes(ROLES)
    gates.propose(Gate.LAUNCH, READ, DUTY)
    with pytest.raises(Refused) as refused:
        gates.approve(Gate.NO_LAUNCH, READ, LEAD)
    assert reason(refused) == "nothing-proposed"


def test_what_waits_is_listed_in_the_order_of_the_gates() -> None:
    gates = FourEyes(ROLES)
    gates.propose(Gate.CLOSURE, READ, DUTY)
    gates.propose(Gate.LAUNCH, READ, DUTY)
    assert [waiting.gate for waiting in gates.all_pending()] == [Gate.LAUNCH, Gate.CLOSURE]


actors = st.builds(
    Actor,
    officer=st.sampled_from(("a", "b", "c")),
    organisation=st.just("EC3"),
    roles=st.frozensets(st.sampled_from(Role), max_size=3),
)
gates_of_protocol = st.sampled_from(Gate)
digests = st.sampled_from((READ, CHANGED, "c" * 64))


class AnyOrderOfCommands(RuleBasedStateMachine):
    """Random people try everything. The test keeps its own simple book of what was proposed."""

    def __init__(self) -> None:
        super().__init__()
        self.gates = FourEyes(ROLES)
        self.book: dict[Gate, tuple[str, str]] = {}

    @rule(gate=gates_of_protocol, digest=digests, who=actors)
    def propose(self, gate: Gate, digest: str, who: Actor) -> None:
        may = bool(who.roles & ROLES[gate].propose)
        try:
            self.gates.propose(gate, digest, who)
        except Refused:
            assert not may
        else:
            assert may
            self.book[gate] = (digest, who.officer)

    @rule(gate=gates_of_protocol, digest=digests, who=actors)
    def approve(self, gate: Gate, digest: str, who: Actor) -> None:
        digest_in_book, proposer = self.book.get(gate, ("", ""))
        may = (
            gate in self.book
            and digest == digest_in_book
            and who.officer != proposer
            and bool(who.roles & ROLES[gate].approve)
        )
        try:
            opened = self.gates.approve(gate, digest, who)
        except Refused:
            assert not may
        else:
            assert may
            assert (opened.digest, opened.proposer) == self.book.pop(gate)

    @rule(gate=gates_of_protocol, who=actors)
    def decline(self, gate: Gate, who: Actor) -> None:
        may = gate in self.book and bool(who.roles & (ROLES[gate].propose | ROLES[gate].approve))
        try:
            self.gates.decline(gate, who)
        except Refused:
            assert not may
        else:
            assert may
            del self.book[gate]

    @invariant()
    def what_waits_is_what_was_proposed(self) -> None:
        waiting = {p.gate: (p.digest, p.proposer) for p in self.gates.all_pending()}
        assert waiting == self.book


AnyOrderOfCommands.TestCase.settings = settings(max_examples=150, derandomize=True)
test_a_gate_opens_only_after_two_different_people_agreed_on_one_text = AnyOrderOfCommands.TestCase
