"""The sentences that lead from reports to criteria, to the cell, to the rule.

Source: domain 3.3, 3.4; R13 ("explained"), R17.
"""

from __future__ import annotations

from collections.abc import Iterable

from classification.claims import Claims
from classification.gates import GateResult
from classification.matrix import Placement, ReachLevel
from classification.support import LISTED
from classification.triggers import FiredTrigger
from protocol.profile import Profile
from protocol.report import ImpactLevel
from protocol.stages import Recommendation

_NO_EFFECT = "no effect, or a single device; log it, national handling"
_SEEN_WIDELY = "attempts seen widely, no effect yet; watch, candidate for T1"
_SMALL = "small effect inside one member state; national procedure"
_SMALL_WIDE = "small effect, but across borders; share with J-CAT, watch the outlook"
_ONE_VICTIM = "one victim with a reportable incident; NIS2 or DORA channels, national police"
_SEVERAL_VICTIMS = "several reportable victims in one member state; possible campaign, correlate"
_WIDE_VICTIMS = (
    "reportable victims in several member states, no essential service lost; "
    "an emergency only with a trigger"
)
_ESSENTIAL_WIDE = "essential services hit in several member states; an emergency"
_LOST_WIDE = "essential services lost in several member states; an emergency"

CELL_MEANINGS: dict[ImpactLevel, tuple[str, str, str, str, str]] = {
    ImpactLevel.I0: (_NO_EFFECT, _NO_EFFECT, _NO_EFFECT, _SEEN_WIDELY, _SEEN_WIDELY),
    ImpactLevel.I1: (_NO_EFFECT, _SMALL, _SMALL, _SMALL_WIDE, _SMALL_WIDE),
    ImpactLevel.I2: (_ONE_VICTIM, _ONE_VICTIM, _SEVERAL_VICTIMS, _WIDE_VICTIMS, _WIDE_VICTIMS),
    ImpactLevel.I3: (
        "an essential person or device, such as a key account; national procedure",
        "one essential operator hit; share and watch",
        "several essential operators hit in one member state; an emergency only with a trigger",
        _ESSENTIAL_WIDE,
        _ESSENTIAL_WIDE,
    ),
    ImpactLevel.I4: (
        "a single critical asset; share and watch",
        "one essential operator lost; an emergency only with a trigger",
        "essential operators lost in one member state; an emergency",
        _LOST_WIDE,
        _LOST_WIDE,
    ),
}
"""What a cell is and what follows, columns P0 to P4 (domain 3.3)."""
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
    column = list(ReachLevel).index(placement.reach)
    meaning = CELL_MEANINGS[placement.impact][column]
    return (
        f"Cell {placement.impact}/{placement.reach} of matrix {profile.matrix} is "
        f"{placement.before_cap}: {meaning}."
    )


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
