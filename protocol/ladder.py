"""The ladder: what is done, and when, about recipients of a notice who are silent.

A ladder is data of the profile; the campaign's workflow climbs it. Each class of recipients may have one
of its own. Source: R33, R72; domain 5.3; issue 7, item 7.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, field_validator

from protocol.parties import RecipientClass


class FollowUp(StrEnum):
    """What a step does for those who are silent by then, from the mildest on."""

    REMIND = "remind"
    """The notice again, to the contact reached last."""
    NUDGE = "nudge"
    """A word without content over Signal, SMS and the like: a notice waits in the mailbox."""
    NEXT_CONTACT = "next-contact"
    """The notice to the next contact of the organisation (R72)."""
    OTHER_CHANNEL = "other-channel"
    """The duty manager is told whom no mail has reached, to bring it over another channel."""
    ASK_LIAISON_OFFICER = "ask-liaison-officer"
    """The liaison bureau of their country is asked to wake them."""
    CALL_LIST = "call-list"
    """A person phones them and records what came of it."""
    ESCALATE = "escalate"
    """The duty manager is told who is silent."""


class LadderStep(BaseModel):
    """One step, so long after the last mail had its first try."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: timedelta
    do: FollowUp

    @field_validator("after")
    @classmethod
    def _later(cls, after: timedelta) -> timedelta:
        if after <= timedelta():
            raise ValueError("a step comes some time after the notice: write it as PT15M")
        return after


Ladder = tuple[LadderStep, ...]

USUAL: Ladder = (
    LadderStep(after=timedelta(minutes=15), do=FollowUp.REMIND),
    LadderStep(after=timedelta(minutes=30), do=FollowUp.NEXT_CONTACT),
    LadderStep(after=timedelta(minutes=60), do=FollowUp.ESCALATE),
)
"""Where a profile says nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A step as the campaign takes it: for all classes at once that have it in their ladder."""

    number: int
    """From 0, in the order in which they are taken."""
    after: timedelta
    do: FollowUp
    nth: int
    """Which of its kind this is in the ladders of these classes, from 1."""
    time: int
    """Which of its kind this is in the campaign, from 1."""
    classes: tuple[RecipientClass, ...]


def check_ladder(ladder: Ladder, give_up_after: timedelta) -> None:
    """Pass only a ladder that climbs, and at whose end a person is told.

    Raises:
        ValueError: its steps are out of order, twice there, too late, or end in silence.
    """
    times = [step.after for step in ladder]
    if times != sorted(times):
        raise ValueError("the steps of a ladder stand in the order of their times")
    if len(set(ladder)) < len(ladder):
        raise ValueError("a step stands twice in a ladder: give the second another time")
    if not ladder or ladder[-1].do is not FollowUp.ESCALATE:
        raise ValueError("a ladder ends with 'escalate': nothing may end in silence")
    if times[-1] > give_up_after:
        raise ValueError("a step comes after give_up_after: nobody would take it")


def rungs(usual: Ladder, of_class: Mapping[RecipientClass, Ladder]) -> tuple[Rung, ...]:
    """The steps of all classes as one ladder, in the order of time; at one time, the mildest first."""
    found: dict[tuple[timedelta, int, int], list[RecipientClass]] = {}
    order = list(FollowUp)
    for name in RecipientClass:
        times: Counter[FollowUp] = Counter()
        for step in of_class.get(name, usual):
            times[step.do] += 1
            found.setdefault((step.after, order.index(step.do), times[step.do]), []).append(name)
    kinds: Counter[int] = Counter()
    made = []
    for number, (after, do, nth) in enumerate(sorted(found)):
        kinds[do] += 1
        classes = tuple(found[after, do, nth])
        made.append(
            Rung(number=number, after=after, do=order[do], nth=nth, time=kinds[do], classes=classes)
        )
    return tuple(made)


def scaled(ladder: Iterable[LadderStep], factor: float) -> Ladder:
    """The same steps with their times divided by ``factor``."""
    return tuple(LadderStep(after=step.after / factor, do=step.do) for step in ladder)
