from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from infra.settings import Settings
from protocol.ladder import USUAL, FollowUp, Ladder, LadderStep, Rung, rungs
from protocol.parties import RecipientClass
from protocol.profile import NoticeRules
from protocol.stages import NoticeKind

DAY = timedelta(hours=24)


def step(minutes: float, do: FollowUp) -> LadderStep:
    return LadderStep(after=timedelta(minutes=minutes), do=do)


def rules(*steps: LadderStep, **changes: object) -> NoticeRules:
    return NoticeRules.model_validate(
        {"template": "ewn", "classes": (), "acknowledge": True, "ladder": steps, **changes}
    )


ladders = st.lists(
    st.builds(step, st.integers(1, 600), st.sampled_from(FollowUp)), max_size=5, unique=True
).map(
    lambda steps: (*sorted(steps, key=lambda s: s.after), step(601, FollowUp.ESCALATE))
)  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "wrong"),
    [
        ((), "silence"),
        ((step(15, FollowUp.REMIND),), "silence"),
        ((step(30, FollowUp.REMIND), step(15, FollowUp.ESCALATE)), "order"),
        ((step(15, FollowUp.REMIND), step(15, FollowUp.REMIND), *USUAL[2:]), "twice"),
        ((step(60 * 25, FollowUp.ESCALATE),), "give_up_after"),
    ],
)
def test_a_ladder_that_does_not_hold_is_refused(steps: Ladder, wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        rules(*steps)


def test_a_step_comes_some_time_after_the_notice() -> None:
    with pytest.raises(ValidationError, match="PT15M"):
        step(0, FollowUp.ESCALATE)


def test_a_class_may_be_followed_up_in_its_own_way() -> None:
    own = (step(5, FollowUp.CALL_LIST), step(60, FollowUp.ESCALATE))
    climbed = rungs(USUAL, {RecipientClass.JCAT: own})
    first, *_, last = climbed
    assert (first.do, first.classes) == (FollowUp.CALL_LIST, (RecipientClass.JCAT,))
    assert (last.do, set(last.classes)) == (FollowUp.ESCALATE, set(RecipientClass))
    assert all(RecipientClass.JCAT not in rung.classes for rung in climbed[1:-1])


def test_a_step_that_comes_again_counts_for_each_class_and_for_the_campaign() -> None:
    usual = (step(10, FollowUp.NEXT_CONTACT), step(20, FollowUp.NEXT_CONTACT), *USUAL[2:])
    own = (step(20, FollowUp.NEXT_CONTACT), *USUAL[2:])
    climbed = rungs(usual, {RecipientClass.LE_POC: own})
    turns = [rung for rung in climbed if rung.do is FollowUp.NEXT_CONTACT]
    assert [(r.after.seconds // 60, r.nth, r.time) for r in turns] == [
        (10, 1, 1),
        (20, 1, 2),
        (20, 2, 3),
    ]
    assert turns[1].classes == (RecipientClass.LE_POC,)


@given(usual=ladders, own=ladders)
def test_every_class_climbs_exactly_its_own_ladder(usual: Ladder, own: Ladder) -> None:
    climbed = rungs(usual, {RecipientClass.INTERPOL: own})
    assert [rung.number for rung in climbed] == list(range(len(climbed)))
    assert [rung.after for rung in climbed] == sorted(rung.after for rung in climbed)

    def of(name: RecipientClass) -> list[Rung]:
        return [rung for rung in climbed if name in rung.classes]

    for name, ladder in ((RecipientClass.INTERPOL, own), (RecipientClass.LE_POC, usual)):
        assert {(r.after, r.do) for r in of(name)} == {(s.after, s.do) for s in ladder}
        for do in FollowUp:
            nth = [r.nth for r in of(name) if r.do is do]
            assert nth == list(range(1, len(nth) + 1))


@pytest.mark.requirement("R33", "R72")
def test_the_shipped_ladder_keeps_the_times_of_reminder_second_contact_and_escalation() -> None:
    ewn = Settings().profile().notices[NoticeKind.EWN]
    for name in RecipientClass:
        ladder = ewn.ladder_of.get(name, ewn.ladder)
        times = {s.do: s.after for s in ladder}
        assert times[FollowUp.REMIND] == timedelta(minutes=15)
        assert times[FollowUp.NEXT_CONTACT] == timedelta(minutes=30)
        assert times[FollowUp.ESCALATE] == timedelta(minutes=60)
    assert ewn.acknowledge_within == timedelta(minutes=15)
    assert ewn.give_up_after == DAY


def test_a_fast_clock_turns_the_ladder_faster() -> None:
    own = rules(*USUAL, ladder_of={RecipientClass.JCAT: USUAL}).with_clock(60)
    assert [s.after for s in own.ladder] == [timedelta(seconds=m) for m in (15, 30, 60)]
    assert own.ladder_of[RecipientClass.JCAT] == own.ladder
    assert own.give_up_after == DAY / 60
