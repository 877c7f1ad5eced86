"""The major-attack test of stage I: may a cluster of reports be a major cyber-attack?

Source: Council 15738/17, II.I; domain 1.2; R7.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from classification.claimed import Claimed
from classification.claims import Picture
from classification.collecting import collect
from classification.evidence import Evidence
from classification.matrix import impact_level
from protocol.profile import Profile
from protocol.report import Disruption


class Limb(BaseModel):
    """One limb of the definition: may it be met, and why or why not."""

    model_config = ConfigDict(frozen=True)

    met: bool
    reason: str


class MajorAttackTest(BaseModel):
    """Both limbs; the definition joins them by and/or, so one is enough."""

    model_config = ConfigDict(frozen=True)

    multiple_victims: Limb
    critical_infrastructure: Limb

    @property
    def may_be_major(self) -> bool:
        """Whether the cluster becomes a detection."""
        return self.multiple_victims.met or self.critical_infrastructure.met


def major_attack_test(evidence: Iterable[Evidence], profile: Profile) -> MajorAttackTest:
    """Test the reports in force, graded or not, against both limbs of the definition.

    It asks what may be: every claim counts as true, states outside the EU count too, and a
    disruption counts unless every report says that there is none. More evidence never turns the
    answer to no.

    Raises:
        Refused: ``conflicting-evidence``, see ``collect``.
    """
    claims = collect(evidence, profile.classification)
    return _tested(
        claims.claimed(profile.classification), frozenset(map(str, claims.disruption)), profile
    )


def major_attack_test_of(claimed: Claimed, profile: Profile) -> MajorAttackTest:
    """The same test of claims that were joined before."""
    return _tested(claimed.picture(profile.classification), claimed.disruption, profile)


def _tested(picture: Picture, disruption: frozenset[str], profile: Profile) -> MajorAttackTest:
    return MajorAttackTest(
        multiple_victims=_multiple_victims(picture, profile),
        critical_infrastructure=_critical_infrastructure(picture, disruption, profile),
    )


def _multiple_victims(picture: Picture, profile: Profile) -> Limb:
    """Limb 1: an imminent and high-impact threat to multiple victims."""
    rules = profile.detection
    impact = impact_level(picture.criteria, profile.classification)
    states, victims = len(picture.countries), max(picture.organisations, picture.victims)
    many = states >= rules.victim_states or victims >= rules.victim_organisations
    return Limb(
        met=impact >= rules.impact and many,
        reason=f"impact {impact} ({rules.impact} needed), {states} state(s) "
        f"({rules.victim_states} needed) or at least {victims} victim(s) "
        f"({rules.victim_organisations} needed)",
    )


def _critical_infrastructure(
    picture: Picture, disruption: frozenset[str], profile: Profile
) -> Limb:
    """Limb 2: severe compromise of critical infrastructure that disrupts key services."""
    needed = profile.detection.critical_impact
    impact = impact_level(picture.criteria, profile.classification)
    sectors = sorted(picture.sectors & profile.classification.essential_sectors)
    ruled_out = not disruption - {Disruption.NONE}
    return Limb(
        met=impact >= needed and bool(sectors) and not ruled_out,
        reason=f"impact {impact} ({needed} needed), essential sectors: "
        f"{', '.join(sectors) or 'none'}, disruption "
        f"{'ruled out' if ruled_out else 'observed, imminent or possible'}",
    )
