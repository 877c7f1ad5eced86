"""Four eyes: a gate opens only when two different people with the right roles agree on one text.

Pure state, kept by the incident's workflow. It fails closed: whatever is not expressly allowed is
refused with a reason. Source: design section 4; R16, R32, R37, R48.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from protocol.errors import Refused
from protocol.parties import Role
from protocol.profile import GateRoles
from protocol.stages import Gate


class Actor(BaseModel):
    """The officer who acts, as the login (or ``--as`` on the embedded default) says."""

    model_config = ConfigDict(frozen=True)

    officer: str
    organisation: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A proposal that waits for its second person."""

    gate: Gate
    digest: str
    """Of the draft as the proposer saw it; the second person approves this text and no other."""
    proposer: str


class FourEyes:
    """The gates of one incident: what is proposed and what was approved."""

    def __init__(self, roles: Mapping[Gate, GateRoles]) -> None:
        self._roles = roles
        self._pending: dict[Gate, Pending] = {}

    def pending(self, gate: Gate) -> Pending | None:
        """The proposal that waits at ``gate``, if any."""
        return self._pending.get(gate)

    def all_pending(self) -> tuple[Pending, ...]:
        return tuple(self._pending[gate] for gate in Gate if gate in self._pending)

    def check_proposal(self, gate: Gate, actor: Actor) -> None:
        """Raise ``Refused`` (``wrong-role``) when the actor may not propose at ``gate``."""
        if not actor.roles & self._roles[gate].propose:
            raise Refused(
                "wrong-role",
                f"proposing {gate} needs one of the roles {_words(self._roles[gate].propose)}; "
                f"{actor.officer} has {_words(actor.roles)}",
            )

    def propose(self, gate: Gate, digest: str, actor: Actor) -> Pending:
        """Put a draft before the second person; it replaces any draft that waited there."""
        self.check_proposal(gate, actor)
        self._pending[gate] = Pending(gate=gate, digest=digest, proposer=actor.officer)
        return self._pending[gate]

    def check_approval(
        self, gate: Gate, digest: str, actor: Actor, *, override: str = ""
    ) -> Pending:
        """The pending proposal if ``actor`` may approve ``digest`` now.

        ``override`` is the reason for which one person alone opens the gate in an emergency.

        Raises:
            Refused: ``nothing-proposed``, ``wrong-role``, ``same-person`` or ``changed-draft``.
        """
        waiting = self._pending.get(gate)
        if waiting is None:
            raise Refused("nothing-proposed", f"nothing waits for approval at {gate}")
        if not actor.roles & self._roles[gate].approve:
            raise Refused(
                "wrong-role",
                f"approving {gate} needs one of the roles {_words(self._roles[gate].approve)}; "
                f"{actor.officer} has {_words(actor.roles)}",
            )
        if waiting.proposer == actor.officer and not override.strip():
            raise Refused(
                "same-person",
                f"{actor.officer} proposed this; {gate} needs a second, different person",
            )
        if waiting.digest != digest:
            raise Refused(
                "changed-draft",
                f"the draft at {gate} changed since you read it: look at it again, then approve",
            )
        return waiting

    def approve(self, gate: Gate, digest: str, actor: Actor, *, override: str = "") -> Pending:
        """Open the gate once; the proposal is used up."""
        self.check_approval(gate, digest, actor, override=override)
        return self._pending.pop(gate)

    def check_decline(self, gate: Gate, actor: Actor) -> None:
        """Raise ``Refused`` when nothing waits or the actor has no role at this gate."""
        if gate not in self._pending:
            raise Refused("nothing-proposed", f"nothing waits for approval at {gate}")
        if not actor.roles & (self._roles[gate].approve | self._roles[gate].propose):
            raise Refused("wrong-role", f"{actor.officer} has no role at {gate}")

    def decline(self, gate: Gate, actor: Actor) -> Pending:
        """Take a proposal off the table; it may be proposed again."""
        self.check_decline(gate, actor)
        return self._pending.pop(gate)

    def withdraw(self, gate: Gate) -> None:
        """Forget what waits at ``gate``, if anything: events have overtaken it."""
        self._pending.pop(gate, None)


def _words(roles: frozenset[Role]) -> str:
    return ", ".join(sorted(roles)) or "none"
