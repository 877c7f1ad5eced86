"""Whether an incident is significant under the NIS2 Directive, Art. 23(3).

Source: domain 3.2; Directive (EU) 2022/2555 Art. 23(3).
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from classification.scores.basis import Basis
from classification.scores.result import (
    ScoreFacts,
    ScoreId,
    SideScore,
    any_of,
    together,
    unknown,
    whenever,
    yes_or_no,
)


class Nis2Facts(ScoreFacts):
    """The two limbs of Art. 23(3), "caused or capable of causing"."""

    severe_operational_disruption: bool | None = Field(
        default=None, description="severe operational disruption of the entity's services"
    )
    financial_loss: bool | None = Field(default=None, description="financial loss for the entity")
    considerable_damage_to_others: bool | None = Field(
        default=None, description="considerable material or non-material damage to others"
    )


def nis2_significant(facts: Nis2Facts, basis: Basis) -> SideScore:
    """``yes``, ``no``, or not enough known."""
    known, inputs = together(facts, _derived(basis))
    names = tuple(Nis2Facts.model_fields)
    settled = any_of(getattr(known, name) for name in names)
    holding = [name for name in names if getattr(known, name)]
    return SideScore(
        id=ScoreId.NIS2_SIGNIFICANT,
        title="Significant incident, NIS2 Art. 23(3)",
        source="domain 3.2; Directive (EU) 2022/2555",
        value=yes_or_no(settled),
        meaning=f"by {', '.join(holding)}" if holding else "no limb is known to be met",
        missing=unknown(known, names) if settled is None else (),
        inputs=inputs,
    )


def _derived(basis: Basis) -> Mapping[str, object]:
    disrupted = basis.states("essential-service-disrupted", "essential-service-sustained-denial")
    damage = basis.states("risk-to-life", "large-personal-data-breach")
    return {
        **whenever(disrupted, severe_operational_disruption=True),
        **whenever(bool(basis.loss_eur_min), financial_loss=True),
        **whenever(damage, considerable_damage_to_others=True),
    }
