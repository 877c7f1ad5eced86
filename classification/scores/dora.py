"""Whether an ICT incident of a financial entity is major under DORA (Delegated Regulation (EU) 2024/1772).

Clients, counterparts and transactions are one threshold, Art. 9(1). What recurs (Art. 8(2)) is not
looked at here.
Source: domain 3.2; Delegated Regulation (EU) 2024/1772 Arts 8, 9.
"""

from __future__ import annotations

from collections.abc import Mapping

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
from classification.scores.thresholds import at_least, over, over_share_or_number

NEEDED = 2
NOT_APPLICABLE = "not-applicable"
FINANCIAL_SECTORS = frozenset({"banking", "financial"})


class DoraFacts(ScoreFacts):
    """What Arts 8 and 9 ask of one financial entity and one incident."""

    financial_entity: bool | None = Field(
        default=None, description="a financial entity is affected"
    )
    critical_services_affected: bool | None = Field(
        default=None, description="critical services are affected (Art. 6)"
    )
    data_loss_by_access: bool | None = Field(
        default=None,
        description="successful, malicious and unauthorised access that may lead to data losses "
        "(Art. 9(5)(b))",
    )
    clients_share: float | None = Field(
        default=None, ge=0, le=1, description="affected clients, share of those of the service"
    )
    clients: int | None = Field(default=None, ge=0, description="affected clients")
    counterparts_share: float | None = Field(
        default=None, ge=0, le=1, description="affected financial counterparts, share"
    )
    transactions_share: float | None = Field(
        default=None, ge=0, le=1, description="affected transactions, share of a daily average"
    )
    reputational_impact: bool | None = Field(
        default=None, description="reputational impact (Art. 9(2))"
    )
    duration_hours: float | None = Field(default=None, ge=0, description="duration, hours")
    downtime_hours: float | None = Field(
        default=None, ge=0, description="downtime of what supports critical functions, hours"
    )
    two_member_states: bool | None = Field(
        default=None, description="impact in two member states or more (Art. 9(4))"
    )
    data_losses: bool | None = Field(
        default=None, description="data losses with an adverse impact (Art. 9(5)(a))"
    )
    loss_eur: float | None = Field(default=None, ge=0, description="costs and losses, EUR")


def dora_major(facts: DoraFacts, basis: Basis) -> SideScore:
    """``yes``, ``no``, ``not-applicable`` where no financial entity is hit, or not enough known."""
    known, inputs = together(facts, _derived(basis))
    thresholds = _thresholds(known)
    enough = any_of((known.data_loss_by_access, at_least(NEEDED, thresholds.values())))
    tests = (known.financial_entity, known.critical_services_affected, enough)
    settled = False if False in tests else (None if None in tests else True)
    holding = [name for name, holds in thresholds.items() if holds]
    if known.data_loss_by_access:
        holding.insert(0, "data loss by access")
    value, missing = yes_or_no(settled), _missing(known, enough) if settled is None else ()
    meaning = f"thresholds met: {', '.join(holding) or 'none known'}"
    if known.financial_entity is False:
        value, meaning, missing = NOT_APPLICABLE, "no financial entity is affected", ()
    return SideScore(
        id=ScoreId.DORA_MAJOR,
        title="Major ICT-related incident, DORA",
        source="domain 3.2; Delegated Regulation (EU) 2024/1772",
        value=value,
        meaning=meaning,
        missing=missing,
        inputs=inputs,
    )


def _thresholds(f: DoraFacts) -> dict[str, Known]:
    """The thresholds of Art. 9(1) to (6) but for 9(5)(b), of which two are needed."""
    return {
        "clients, counterparts, transactions": any_of((
            over_share_or_number(f.clients_share, 0.10, f.clients, 100_000),
            over(f.counterparts_share, 0.30),
            over(f.transactions_share, 0.10),
        )),
        "reputation": f.reputational_impact,
        "duration": any_of((over(f.duration_hours, 24), over(f.downtime_hours, 2))),
        "two member states": f.two_member_states,
        "data losses": f.data_losses,
        "losses": over(f.loss_eur, 100_000),
    }  # fmt: skip


_ASKED = {
    "clients, counterparts, transactions": (
        "clients_share",
        "clients",
        "counterparts_share",
        "transactions_share",
    ),
    "reputation": ("reputational_impact",),
    "duration": ("duration_hours", "downtime_hours"),
    "two member states": ("two_member_states",),
    "data losses": ("data_losses",),
    "losses": ("loss_eur",),
}


def _missing(facts: DoraFacts, enough: Known) -> tuple[str, ...]:
    asked = ["financial_entity", "critical_services_affected"]
    if enough is None:
        asked.append("data_loss_by_access")
        for name, holds in _thresholds(facts).items():
            asked += _ASKED[name] if holds is None else ()
    return tuple(name for name in asked if getattr(facts, name) is None)


def _derived(basis: Basis) -> Mapping[str, object]:
    financial = bool(basis.sectors & FINANCIAL_SECTORS)
    critical = financial and basis.states(
        "essential-service-disrupted", "essential-service-sustained-denial"
    )
    return {
        **whenever(financial, financial_entity=True),
        **whenever(critical, critical_services_affected=True),
        **whenever(len(basis.member_states) > 1, two_member_states=True),
        **whenever(basis.loss_eur_min is not None, loss_eur=basis.loss_eur_min),
    }
