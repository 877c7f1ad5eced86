"""The operational action plan as data: owners, lawful capture, de-confliction, agreement.

Pure rules over a plan; what is not in order is named, and adoption is refused until it is.
Source: R37 to R39; domain 1.2 V.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from notifications.content import Words
from protocol.errors import Refused
from protocol.report import Country


class Action(BaseModel):
    """One owned action of the plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Words
    owner: Words
    """The authority or unit that does it (R37)."""
    country: Country | None = None
    """Of the owner; none for Europol's own units."""
    due: Words
    kind: Literal["measure", "capture"] = "measure"
    legal_basis: Words = "national law of the owner"
    custody: Words | None = None
    """For a capture: who keeps the evidence and how the chain is recorded (R39)."""
    target: Words | None = None
    """What the action touches: a server, wallet, suspect, victim."""
    deconflicted: Words | None = None
    """How a clash over the same target was settled (R38)."""


class Plan(BaseModel):
    """A draft of the emergency operational action plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: Words
    """Of the coordination meeting."""
    actions: tuple[Action, ...] = Field(min_length=1)


def conflicts(plan: Plan) -> tuple[str, ...]:
    """Targets that several owners touch without a settlement on each of the actions (R38)."""
    by_target: dict[str, list[Action]] = defaultdict(list)
    for action in plan.actions:
        if action.target:
            by_target[action.target.casefold()].append(action)
    return tuple(
        f"{actions[0].target}: {', '.join(sorted({a.owner for a in actions}))}"
        for _, actions in sorted(by_target.items())
        if len({a.owner.casefold() for a in actions}) > 1
        and not all(a.deconflicted for a in actions)
    )


def unlawful_captures(plan: Plan) -> tuple[str, ...]:
    """Captures without custody: what they bring could not be used as evidence (R39)."""
    return tuple(a.action for a in plan.actions if a.kind == "capture" and not a.custody)


def missing_agreements(plan: Plan, agreed: frozenset[str]) -> tuple[str, ...]:
    """Countries that own actions and have not agreed to this draft (R37)."""
    owners = {a.country for a in plan.actions if a.country}
    return tuple(sorted(owners - agreed))


def check_ready(plan: Plan, agreed: frozenset[str]) -> None:
    """Pass only a plan that may be adopted.

    Raises:
        Refused: ``plan-conflict``, ``no-custody`` or ``not-agreed``, naming what is open.
    """
    if clashes := conflicts(plan):
        raise Refused(
            "plan-conflict",
            f"actions clash ({'; '.join(clashes)}): settle it and say how in 'deconflicted' (R38)",
        )
    if captures := unlawful_captures(plan):
        raise Refused("no-custody", f"captures without custody (R39): {'; '.join(captures)}")
    if missing := missing_agreements(plan, agreed):
        raise Refused("not-agreed", f"not yet agreed by {', '.join(missing)} for this draft (R37)")
