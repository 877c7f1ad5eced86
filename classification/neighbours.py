"""Why a class is not the next one: which levels would give it, and what K1 asks for.

Source: domain 3.3; R13, R14.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from classification.matrix import Placement, ReachLevel, ThreatClass, cell
from protocol.profile import ClassificationRules
from protocol.report import ImpactLevel


class Neighbour(BaseModel):
    """The next class, and the nearest levels that give it while the other axis stays."""

    model_config = ConfigDict(frozen=True)

    threat_class: ThreatClass
    """At least this one upwards, at most this one downwards."""
    impact: ImpactLevel | None
    """None where no impact level gives it at this reach."""
    reach: ReachLevel | None
    disruption: bool
    """Upwards, whether it takes a disruption as well (K1); downwards, whether its end is enough."""

    def rise(self, placed: str) -> str:
        """What it takes to come up to the class, from today's levels as they stand in ``placed``."""
        words = " or ".join(self._ways())
        k1 = "a disruption of services, observed or within 72 hours (K1)"
        if self.disruption:
            return f"{words}, and {k1}" if words else k1
        return words or f"both more impact and more reach than {placed}"

    def fall(self) -> str:
        """What is enough to fall to the class or below."""
        end = ["no services disrupted nor about to be (K1)"] if self.disruption else []
        return " or ".join([*self._ways(), *end]) or "nothing on one axis alone"

    def _ways(self) -> list[str]:
        impact = [] if self.impact is None else [f"impact {self.impact}"]
        return impact + ([] if self.reach is None else [f"reach {self.reach}"])


def higher(
    placement: Placement, rules: ClassificationRules, *, disrupted: bool
) -> Neighbour | None:
    """What the next class up would take; ``disrupted`` where K1 is met."""
    now = placement.threat_class
    if now is ThreatClass.C4:
        return None
    wanted = list(ThreatClass)[list(ThreatClass).index(now) + 1]
    capped = placement.before_cap is not now
    impacts = [level for level in ImpactLevel if level > placement.impact]
    reaches = [level for level in ReachLevel if level > placement.reach]
    return Neighbour(
        threat_class=wanted,
        impact=None
        if capped
        else next((i for i in impacts if cell(i, placement.reach, rules) >= wanted), None),
        reach=None
        if capped
        else next((p for p in reaches if cell(placement.impact, p, rules) >= wanted), None),
        disruption=wanted is ThreatClass.C4 and not disrupted,
    )


def lower(placement: Placement, rules: ClassificationRules) -> Neighbour | None:
    """The highest lower levels at which the class would fall; without a disruption C4 falls, too."""
    now = placement.threat_class
    if now is ThreatClass.C0:
        return None
    impacts = [level for level in reversed(ImpactLevel) if level < placement.impact]
    reaches = [level for level in reversed(ReachLevel) if level < placement.reach]
    return Neighbour(
        threat_class=list(ThreatClass)[list(ThreatClass).index(now) - 1],
        impact=next((i for i in impacts if cell(i, placement.reach, rules) < now), None),
        reach=next((p for p in reaches if cell(placement.impact, p, rules) < now), None),
        disruption=now is ThreatClass.C4,
    )
