"""Whether an incident is significant under Implementing Regulation (EU) 2024/2690, Arts 3 to 14.

It holds for certain digital entities. Some of its tests are for every one of them, others go by the kind
of entity. Planned maintenance never counts.
Source: domain 3.2; Implementing Regulation (EU) 2024/2690.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field

from classification.scores.basis import Basis
from classification.scores.result import (
    Known,
    ScoreFacts,
    ScoreId,
    SideScore,
    any_of,
    together,
    whenever,
    yes_or_no,
)
from classification.scores.thresholds import over, over_share_or_number

LOSS_EUR = 500_000
LOSS_OF_TURNOVER = 0.05
NOT_APPLICABLE = "not-applicable"


class EntityKind(StrEnum):
    """The entities that the regulation has tests for; ``other`` is outside of it."""

    DNS = "dns"
    TLD = "tld"
    CLOUD = "cloud"
    DATA_CENTRE = "data-centre"
    CDN = "cdn"
    MANAGED_SERVICE = "managed-service"
    MANAGED_SECURITY = "managed-security-service"
    MARKETPLACE = "marketplace"
    SEARCH_ENGINE = "search-engine"
    SOCIAL_NETWORK = "social-network"
    TRUST_SERVICE = "trust-service"
    OTHER = "other"


_SERVICES = frozenset({
    EntityKind.CLOUD, EntityKind.CDN, EntityKind.MANAGED_SERVICE, EntityKind.MANAGED_SECURITY,
})  # fmt: skip
_PLATFORMS = frozenset({
    EntityKind.MARKETPLACE, EntityKind.SEARCH_ENGINE, EntityKind.SOCIAL_NETWORK,
})  # fmt: skip


class Ir2690Facts(ScoreFacts):
    """What the tests ask of one entity and one incident."""

    planned_maintenance: bool | None = Field(
        default=None, description="it is the planned consequence of scheduled maintenance"
    )
    loss_eur: float | None = Field(default=None, ge=0, description="direct loss, EUR, at least")
    turnover_eur: float | None = Field(
        default=None, ge=0, description="turnover of the entity in the year before, EUR"
    )
    trade_secrets_taken: bool | None = Field(
        default=None, description="trade secrets were exfiltrated"
    )
    death: bool | None = Field(default=None, description="caused, or can cause, a death")
    health_damage: bool | None = Field(
        default=None, description="caused, or can cause, considerable damage to health"
    )
    malicious_access: bool | None = Field(
        default=None,
        description="successful, suspectedly malicious and unauthorised access that can disrupt "
        "operations severely",
    )
    recurring_over_loss: bool | None = Field(
        default=None,
        description="twice or more in 6 months, of one apparent root cause, together over the loss",
    )
    entity: EntityKind | None = Field(default=None, description="the kind of entity")
    unavailable_minutes: float | None = Field(
        default=None, ge=0, description="minutes for which the service was wholly unavailable"
    )
    unavailable_minutes_in_week: float | None = Field(
        default=None, ge=0, description="the same, over one calendar week"
    )
    slow_answers_minutes: float | None = Field(
        default=None, ge=0, description="minutes for which DNS answers took over 10 s on average"
    )
    limited_minutes: float | None = Field(
        default=None, ge=0, description="minutes for which the service was limited"
    )
    users_affected: int | None = Field(
        default=None, ge=0, description="users in the Union for whom it was limited or unavailable"
    )
    users_affected_share: float | None = Field(
        default=None, ge=0, le=1, description="the same, as a share of all users in the Union"
    )
    data_compromised_maliciously: bool | None = Field(
        default=None,
        description="integrity, confidentiality or authenticity of the service's data is "
        "compromised, suspectedly by a malicious action",
    )
    users_data_compromised: int | None = Field(
        default=None, ge=0, description="users or customers whose data is compromised"
    )
    users_data_compromised_share: float | None = Field(
        default=None, ge=0, le=1, description="the same, as a share of all of them"
    )
    physical_access_compromised: bool | None = Field(
        default=None, description="physical access to a data centre is compromised"
    )


_Tests = Mapping[str, tuple[Known, tuple[str, ...]]]
"""What is tested, what comes of it, and the inputs that it needs."""


def ir_2024_2690(facts: Ir2690Facts, basis: Basis) -> SideScore:
    """``yes``, ``no``, ``not-applicable`` for an entity outside of it, or not enough known."""
    known, inputs = together(facts, _derived(basis))
    tests = {**_general(known), **_of_entity(known)}
    settled = any_of(holds for holds, _ in tests.values())
    holding = [test for test, (holds, _) in tests.items() if holds]
    value, missing = yes_or_no(settled), _missing(known, tests) if settled is None else ()
    meaning = f"by {', '.join(holding)}" if holding else "no test is known to be met"
    if known.entity is EntityKind.OTHER:
        value, meaning, missing = NOT_APPLICABLE, "the regulation is not for this entity", ()
    elif known.planned_maintenance:
        value, meaning, missing = "no", "planned maintenance does not count", ()
    return SideScore(
        id=ScoreId.IR_2024_2690,
        title="Significant incident, Implementing Regulation (EU) 2024/2690",
        source="domain 3.2; Implementing Regulation (EU) 2024/2690, Arts 3 to 14",
        value=value,
        meaning=meaning,
        missing=missing,
        inputs=inputs,
    )


def _general(f: Ir2690Facts) -> _Tests:
    """Art. 3(1)(a) to (f): for every entity."""
    return {
        "loss": (_loss(f), ("loss_eur", "turnover_eur")),
        "trade secrets": (f.trade_secrets_taken, ("trade_secrets_taken",)),
        "death": (f.death, ("death",)),
        "health": (f.health_damage, ("health_damage",)),
        "malicious access": (f.malicious_access, ("malicious_access",)),
        "recurring": (f.recurring_over_loss, ("recurring_over_loss",)),
    }


def _loss(f: Ir2690Facts) -> Known:
    """More than EUR 500,000 or 5 % of turnover, whichever is lower."""
    if f.turnover_eur is None:
        return True if over(f.loss_eur, LOSS_EUR) else None
    return over(f.loss_eur, min(LOSS_EUR, LOSS_OF_TURNOVER * f.turnover_eur))


def _of_entity(f: Ir2690Facts) -> _Tests:
    """Art. 3(1)(g) with Arts 5 to 14: by the kind of entity."""
    down, limited = ("unavailable_minutes",), ("limited_minutes",)
    users = ("users_affected", "users_affected_share")
    many = over_share_or_number(f.users_affected_share, 0.05, f.users_affected, 1_000_000)
    slow = (over(f.slow_answers_minutes, 60), ("slow_answers_minutes",))
    data = (f.data_compromised_maliciously, ("data_compromised_maliciously",))
    if f.entity is None:
        return {"tests by kind of entity": (None, ("entity",))}
    services: _Tests = {
        "down": (over(f.unavailable_minutes, 30), down),
        "limited": (_both(many, over(f.limited_minutes, 60)), users + limited),
        "data": data,
    }
    tests: Mapping[EntityKind, _Tests] = {
        EntityKind.DNS: {"down": services["down"], "slow": slow, "data": data},
        EntityKind.TLD: {
            "down": (over(f.unavailable_minutes, 0), down),
            "slow": slow,
            "data": data,
        },
        EntityKind.DATA_CENTRE: {
            "down": (over(f.unavailable_minutes, 0), down),
            "limited": (over(f.limited_minutes, 60), limited),
            "data": data,
            "access": (f.physical_access_compromised, ("physical_access_compromised",)),
        },
        EntityKind.TRUST_SERVICE: {**_trust_service(f), "data": data},
        **dict.fromkeys(_SERVICES, services),
        **{kind: {"users": (many, users), "data": data} for kind in _PLATFORMS},
    }
    return tests.get(f.entity, {})


def _trust_service(f: Ir2690Facts) -> _Tests:
    users = ("users_affected", "users_affected_share")
    data = ("users_data_compromised", "users_data_compromised_share")
    week = ("unavailable_minutes_in_week",)
    return {
        "down": (over(f.unavailable_minutes, 20), ("unavailable_minutes",)),
        "down in a week": (over(f.unavailable_minutes_in_week, 60), week),
        "users": (
            over_share_or_number(f.users_affected_share, 0.01, f.users_affected, 200_000),
            users,
        ),
        "users' data": (
            over_share_or_number(
                f.users_data_compromised_share, 0.001, f.users_data_compromised, 100
            ),
            data,
        ),
    }


def _both(one: Known, other: Known) -> Known:
    if one is False or other is False:
        return False
    return True if one and other else None


def _missing(facts: Ir2690Facts, tests: _Tests) -> tuple[str, ...]:
    asked = (name for holds, names in tests.values() if holds is None for name in names)
    return tuple(dict.fromkeys(name for name in asked if getattr(facts, name) is None))


def _derived(basis: Basis) -> Mapping[str, object]:
    return {
        **whenever(basis.loss_eur_min is not None, loss_eur=basis.loss_eur_min),
        **whenever(basis.states("control-plane-taken"), malicious_access=True),
    }
