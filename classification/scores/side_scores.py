"""All side scores of an assessment, for information beside it.

Source: domain 3.2; R13, R14.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from classification.assessment import Assessment
from classification.evidence import Evidence
from classification.scores.basis import basis_of
from classification.scores.dora import DoraFacts, dora_major
from classification.scores.ir_2024_2690 import Ir2690Facts, ir_2024_2690
from classification.scores.nciss import NcissFacts, nciss
from classification.scores.nis2 import Nis2Facts, nis2_significant
from classification.scores.nis_colour import NisFacts, nis_colour
from classification.scores.result import SideScore
from classification.scores.uk_ncsc import UkFacts, uk_ncsc
from classification.scores.us_severity import UsFacts, us_severity


class ExtraFacts(BaseModel):
    """What an officer adds for the scales of others; each scale and each fact may be left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    nciss: NcissFacts = NcissFacts()
    us_severity: UsFacts = UsFacts()
    uk_ncsc: UkFacts = UkFacts()
    nis2: Nis2Facts = Nis2Facts()
    ir_2024_2690: Ir2690Facts = Ir2690Facts()
    dora: DoraFacts = DoraFacts()
    nis: NisFacts = NisFacts()


NO_FACTS = ExtraFacts()


def side_scores(
    assessment: Assessment, evidence: Iterable[Evidence], facts: ExtraFacts = NO_FACTS
) -> tuple[SideScore, ...]:
    """Every scale's answer. ``evidence`` is what the assessment was made from."""
    basis = basis_of(assessment, evidence)
    return (
        nciss(facts.nciss, basis),
        us_severity(facts.us_severity, basis),
        uk_ncsc(facts.uk_ncsc, basis),
        nis2_significant(facts.nis2, basis),
        ir_2024_2690(facts.ir_2024_2690, basis),
        dora_major(facts.dora, basis),
        nis_colour(facts.nis, basis),
    )
