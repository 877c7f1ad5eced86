"""The sentences that lead from reports to criteria, to the cell, to the rule.

Source: domain 3.3, 3.4; R13 ("explained"), R17.
"""

from __future__ import annotations

from collections.abc import Iterable

from classification.claims import Claims
from classification.gates import GateResult
from classification.matrix import Placement
from classification.support import LISTED
from classification.triggers import FiredTrigger
from protocol.profile import Profile
from protocol.stages import Recommendation

MAX_NAME = 60
"""Characters of a name that a partner made up and that is quoted."""


def explain(
    *,
    claims: Claims,
    placement: Placement,
    triggers: Iterable[FiredTrigger],
    gates: Iterable[GateResult],
    recommendation: Recommendation,
    rule: str,
    profile: Profile,
) -> tuple[str, ...]:
    """The reasons of an assessment, in the order in which it was made."""
    return (
        _basis(claims),
        *_unknown(claims, profile),
        _impact(claims, placement),
        f"Reach {placement.reach}: {placement.reach_reason}.",
        _cell(placement, profile),
        *_cap(placement),
        *(f"Trigger {t.id}, {t.reason}." for t in triggers),
        *(f"Gate {g.id} {'passed' if g.passed else 'NOT passed'}: {g.reason}." for g in gates),
        f"Recommendation {recommendation}: {rule}.",
    )


def _basis(claims: Claims) -> str:
    return (
        f"{claims.items} report(s) in force: {claims.items - claims.ungraded} graded, "
        f"{claims.unjudged} of them X4; {claims.ungraded} ungraded; "
        f"{claims.withdrawn} withdrawn and left out."
    )


def _impact(claims: Claims, placement: Placement) -> str:
    if not placement.deciding:
        return f"Impact {placement.impact}: no report states an effect."
    stated = "; ".join(f"{c} by {claims.criterion_reports(c)}" for c in placement.deciding)
    return f"Impact {placement.impact}: {stated}."


def _cell(placement: Placement, profile: Profile) -> str:
    cell = f"{placement.impact}/{placement.reach} of matrix {profile.matrix}"
    meaning = profile.classification.cell_text(placement.impact, placement.reach)
    said = f"Cell {cell} is {placement.before_cap}"
    return f"{said}: {meaning}." if meaning else f"{said}."


def _cap(placement: Placement) -> tuple[str, ...]:
    if placement.threat_class is placement.before_cap:
        return ()
    capped = f"K1 caps {placement.before_cap} to {placement.threat_class}"
    return (f"{capped}: no report says that services are disrupted or will be within 72 hours.",)


def _unknown(claims: Claims, profile: Profile) -> tuple[str, ...]:
    if not claims.unknown_criteria:
        return ()
    names = sorted(claims.unknown_criteria)
    quoted = ", ".join(repr(name[:MAX_NAME]) for name in names[:LISTED])
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return (f"Ignored, since profile {profile.name} knows no such criterion: {quoted}{more}.",)
