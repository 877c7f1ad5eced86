"""The scales as an officer reads them, word for word, against sheets that a person has checked.

``sheets.txt`` holds one sheet for each case and scale, written down from domain 3.2 and the acts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from classification.scores.basis import Basis
from classification.scores.dora import DoraFacts, dora_major
from classification.scores.ir_2024_2690 import EntityKind, Ir2690Facts, ir_2024_2690
from classification.scores.nciss import NcissFacts, nciss
from classification.scores.nis2 import Nis2Facts, nis2_significant
from classification.scores.nis_colour import NisFacts, nis_colour
from classification.scores.result import Origin, SideScore
from classification.scores.uk_ncsc import UkFacts, uk_ncsc
from classification.scores.us_severity import UsFacts, us_severity
from protocol.report import Cause, Disruption, ImpactLevel
from tests.classification.scores.bases import NOTHING, make_basis

pytestmark = pytest.mark.requirement("R13", "R14")

SHEETS = Path(__file__).with_name("sheets.txt")
WORM = make_basis(
    "essential-service-sustained-denial", "risk-to-life", "deep-compromise-several",
    "critical-destruction",
    impact=ImpactLevel.I4,
    confirmed=True,
    sectors=frozenset({"health", "energy"}),
    member_states=frozenset({"ES", "DE"}),
    disruption=Disruption.OBSERVED,
    cause=Cause.MALICIOUS,
    loss_eur_min=700_000.0,
)  # fmt: skip
BANK = make_basis(
    "essential-service-disrupted", "control-plane-taken", "large-personal-data-breach",
    impact=ImpactLevel.I3,
    sectors=frozenset({"banking", "digital-infrastructure"}),
    member_states=frozenset({"NL", "BE"}),
)  # fmt: skip
ONE_STATE = make_basis(
    "several-essential-sectors", "nis-severity-green", "nis-severity-red", "attempt-blocked",
    impact=ImpactLevel.I2,
    sectors=frozenset({"financial"}),
    member_states=frozenset({"FR"}),
    loss_eur_min=0.0,
)  # fmt: skip
BASES = {"nothing": NOTHING, "worm": WORM, "bank": BANK, "one state": ONE_STATE}

Scale = Callable[..., SideScore]
SCALES: Mapping[str, tuple[Scale, type[Any], Mapping[str, Mapping[str, Any]]]] = {
    "nciss": (nciss, NcissFacts, {
        "all known": {
            "functional_impact": "significant-critical", "observed_activity": "engage",
            "location": "business-dmz", "actor": "apt", "information_impact": "privacy",
            "recoverability": "extended", "dependency": "health", "potential_impact": "severe",
        },
    }),
    "us": (us_severity, UsFacts, {
        "unsubstantiated": {"substantiated": False, "may_have_impact": True},
        "severe": {
            "substantiated": True, "imminent_wide_scale_threat": False,
            "likely_significant_impact": True,
        },
        "open": {"substantiated": True, "may_have_impact": True},
        "nothing of it": {
            "substantiated": True, "imminent_wide_scale_threat": False,
            "likely_significant_impact": False, "likely_demonstrable_impact": False,
            "may_have_impact": False, "unlikely_impact": False,
        },
    }),
    "uk": (uk_ncsc, UkFacts, {
        "large organisation": {
            "sustained_disruption": False, "severe_consequences": False,
            "serious_impact_on": {"large-organisation"},
        },
        "open": {"serious_impact_on": {"economy"}},
        "nothing of it": {
            "sustained_disruption": False, "severe_consequences": False,
            "serious_impact_on": set(), "considerable_risk_to": set(),
            "preliminary_signs_against": set(),
        },
    }),
    "nis2": (nis2_significant, Nis2Facts, {
        "no": dict.fromkeys(Nis2Facts.model_fields, False),
        "loss and damage": {"financial_loss": True, "considerable_damage_to_others": True},
    }),
    "ir": (ir_2024_2690, Ir2690Facts, {
        **{str(kind): {"entity": kind} for kind in EntityKind},
        "two tests": {"entity": "dns", "death": True, "unavailable_minutes": 31},
        "limited, users unknown": {"entity": "cloud", "limited_minutes": 61},
        "limited, few users": {
            "entity": "cloud", "limited_minutes": 61, "users_affected": 1,
            "users_affected_share": 0.01,
        },
        "maintenance": {"planned_maintenance": True, "death": True},
    }),
    "dora": (dora_major, DoraFacts, {
        "no financial entity": {"financial_entity": False},
        "by access": {
            "financial_entity": True, "critical_services_affected": True,
            "data_loss_by_access": True, "reputational_impact": True,
        },
        "one threshold": {
            "financial_entity": True, "critical_services_affected": True,
            "data_loss_by_access": False, "duration_hours": 25, "data_losses": False,
        },
        "not critical": {"financial_entity": True, "critical_services_affected": False},
        "every threshold": {
            "clients": 100_001, "reputational_impact": True, "downtime_hours": 3,
            "two_member_states": True, "data_losses": True, "loss_eur": 100_001,
        },
    }),
    "colour": (nis_colour, NisFacts, {
        "officer": {
            "colour": "green", "root_cause": "human-errors", "sectors": {"energy"},
            "outlook": "stable",
        },
    }),
}  # fmt: skip


def sheet(title: str, score: SideScore) -> str:
    """One scale's answer, a line for each thing that it says; what it asks where all is open."""
    asks_all = all(each.origin is Origin.UNKNOWN for each in score.inputs)
    inputs = (
        f"    {each.name}? {each.asks}"
        if asks_all
        else f"    {each.name}: {each.value} [{each.origin}]"
        for each in score.inputs
        if asks_all or each.origin is not Origin.UNKNOWN
    )
    return "\n".join(
        (
            f"== {title}",
            f"{score.id}: {score.title}",
            f"  {score.source}",
            f"  value: {score.value}",
            f"  {score.meaning}",
            f"  missing: {', '.join(score.missing)}",
            *inputs,
        )
    )


def sheets() -> dict[str, str]:
    """Title to sheet, of every case."""
    found = {}
    for name, (scale, facts, cases) in SCALES.items():
        given: list[tuple[str, Any, Basis]] = [
            *((title, facts(), basis) for title, basis in BASES.items()),
            *((f"officer: {title}", facts(**said), NOTHING) for title, said in cases.items()),
        ]
        for title, said, basis in given:
            full = f"{name}, {title}"
            found[full] = sheet(full, scale(said, basis))
    return found


WRITTEN = {
    each.partition("\n")[0]: f"== {each.strip()}"
    for each in SHEETS.read_text("utf-8").split("== ")[1:]
}


@pytest.mark.parametrize("title", sheets())
def test_each_sheet_reads_as_it_was_checked(title: str) -> None:
    assert sheets()[title] == WRITTEN[title]


def test_no_sheet_is_left_that_nothing_makes() -> None:
    assert list(WRITTEN) == list(sheets())
