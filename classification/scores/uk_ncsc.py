"""The incident categories 1 to 6 of the UK's NCSC and National Crime Agency (2018).

An impact on one size of organisation weighs as much as a considerable risk to the next larger one.
Source: domain 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field

from classification.scores.basis import Basis
from classification.scores.ladder import Rung, climb
from classification.scores.result import (
    Known,
    Origin,
    ScoreFacts,
    ScoreId,
    SideScore,
    together,
    whenever,
)
from protocol.report import Disruption


class Target(StrEnum):
    """Whom it hits, by what the categories tell apart."""

    CENTRAL_GOVERNMENT = "central-government"
    ESSENTIAL_SERVICES = "essential-services"
    POPULATION = "population"
    ECONOMY = "economy"
    LARGE_ORGANISATION = "large-organisation"
    LOCAL_GOVERNMENT = "local-government"
    MEDIUM_ORGANISATION = "medium-organisation"
    SMALL_ORGANISATION = "small-organisation"
    INDIVIDUAL = "individual"


class UkFacts(ScoreFacts):
    """What the categories ask. A set that an officer gives is whole: what is not in it is not so."""

    sustained_disruption: bool | None = Field(
        default=None, description="essential services or national security are disrupted for long"
    )
    severe_consequences: bool | None = Field(
        default=None, description="severe economic or social consequences, or loss of life"
    )
    serious_impact_on: frozenset[Target] | None = Field(
        default=None, description="on whom the impact is serious"
    )
    considerable_risk_to: frozenset[Target] | None = Field(
        default=None, description="to whom there is a considerable risk"
    )
    preliminary_signs_against: frozenset[Target] | None = Field(
        default=None, description="against whom there are preliminary signs of activity"
    )


_IMPACT, _RISK, _SIGNS = "serious_impact_on", "considerable_risk_to", "preliminary_signs_against"
_RUNGS: tuple[tuple[str, str, tuple[tuple[str, tuple[Target, ...]], ...]], ...] = (
    ("2", "2 highly significant", (
        (_IMPACT, (Target.CENTRAL_GOVERNMENT, Target.ESSENTIAL_SERVICES, Target.POPULATION,
                   Target.ECONOMY)),
    )),
    ("3", "3 significant", (
        (_IMPACT, (Target.LARGE_ORGANISATION, Target.LOCAL_GOVERNMENT)),
        (_RISK, (Target.CENTRAL_GOVERNMENT, Target.ESSENTIAL_SERVICES)),
    )),
    ("4", "4 substantial", (
        (_IMPACT, (Target.MEDIUM_ORGANISATION,)),
        (_RISK, (Target.LARGE_ORGANISATION, Target.LOCAL_GOVERNMENT)),
    )),
    ("5", "5 moderate", (
        (_IMPACT, (Target.SMALL_ORGANISATION,)),
        (_RISK, (Target.MEDIUM_ORGANISATION,)),
        (_SIGNS, (Target.LARGE_ORGANISATION, Target.CENTRAL_GOVERNMENT,
                  Target.LOCAL_GOVERNMENT)),
    )),
    ("6", "6 localised", (
        (_IMPACT, (Target.INDIVIDUAL,)),
        (_SIGNS, (Target.MEDIUM_ORGANISATION, Target.SMALL_ORGANISATION)),
    )),
)  # fmt: skip


def uk_ncsc(facts: UkFacts, basis: Basis) -> SideScore:
    """The category, 1 the gravest; ``none`` where all is known and none holds."""
    known, inputs = together(facts, _derived(basis))
    whole = {each.name for each in inputs if each.origin is Origin.OFFICER}

    def hit(field: str, target: Target) -> Known:
        named: frozenset[Target] = getattr(known, field) or frozenset()
        return True if target in named else (False if field in whole else None)

    first = Rung(
        value="1",
        words="1 national emergency",
        statements=(
            ("sustained_disruption", known.sustained_disruption),
            ("severe_consequences", known.severe_consequences),
        ),
    )
    others = [
        Rung(
            value=value,
            words=words,
            statements=tuple((f, hit(f, target)) for f, targets in asked for target in targets),
        )
        for value, words, asked in _RUNGS
    ]
    climbed = climb([first, *others])
    settled = climbed.rung.words if climbed.rung else "none of the categories"
    lower = f"{climbed.rung.words} or graver" if climbed.rung else "nothing speaks for a category"
    value = climbed.rung.value if climbed.rung else "none"
    return SideScore(
        id=ScoreId.UK_NCSC,
        title="UK NCSC incident category, 1 (gravest) to 6",
        source="domain 3.2; NCSC/NCA 2018",
        value=None if climbed.missing else value,
        meaning=lower if climbed.missing else settled,
        missing=climbed.missing,
        inputs=inputs,
    )


def _derived(basis: Basis) -> Mapping[str, object]:
    sustained = (
        basis.states("essential-service-sustained-denial")
        and basis.disruption is Disruption.OBSERVED
    )
    essential = basis.states("essential-service-disrupted", "essential-service-sustained-denial")
    return {
        **whenever(sustained, sustained_disruption=True),
        **whenever(essential, serious_impact_on=frozenset({Target.ESSENTIAL_SERVICES})),
    }
