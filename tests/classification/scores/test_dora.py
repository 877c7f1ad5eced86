"""DORA: critical services, and the data-loss threshold or two of the others."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from classification.scores.dora import DoraFacts, dora_major
from tests.classification.scores.bases import NOTHING, make_basis

NO: dict[str, Any] = {
    "financial_entity": True,
    "critical_services_affected": True,
    "data_loss_by_access": False,
    "clients_share": 0.1,
    "clients": 100_000,
    "counterparts_share": 0.3,
    "transactions_share": 0.1,
    "reputational_impact": False,
    "duration_hours": 24,
    "downtime_hours": 2,
    "two_member_states": False,
    "data_losses": False,
    "loss_eur": 100_000,
}
FIRST = [
    {"clients_share": 0.11},
    {"clients": 100_001},
    {"counterparts_share": 0.31},
    {"transactions_share": 0.11},
]
OTHERS: list[dict[str, Any]] = [
    {"reputational_impact": True},
    {"duration_hours": 25},
    {"two_member_states": True},
    {"data_losses": True},
    {"loss_eur": 100_001},
]


def judged(**said: Any) -> str | None:
    return dora_major(DoraFacts(**{**NO, **said}), NOTHING).value


def test_every_limit_reached_and_none_passed_is_not_major() -> None:
    assert judged() == "no"


@pytest.mark.parametrize("one", [*FIRST, *OTHERS, {"downtime_hours": 2.5}])
def test_one_threshold_is_not_enough_and_two_are(one: dict[str, Any]) -> None:
    assert judged(**one) == "no"
    second = {"data_losses": True} if "data_losses" not in one else {"two_member_states": True}
    assert judged(**one, **second) == "yes"


@pytest.mark.parametrize(("one", "other"), list(combinations(FIRST, 2)))
def test_clients_counterparts_and_transactions_are_one_threshold(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert judged(**one, **other) == "no"


@pytest.mark.parametrize(("one", "other"), list(combinations(OTHERS, 2)))
def test_any_two_thresholds_are_enough(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert judged(**one, **other) == "yes"


def test_duration_and_downtime_are_one_threshold() -> None:
    assert judged(duration_hours=25, downtime_hours=3) == "no"


def test_data_loss_by_access_is_enough_alone_but_not_without_critical_services() -> None:
    assert judged(data_loss_by_access=True) == "yes"
    assert judged(data_loss_by_access=True, critical_services_affected=False) == "no"


def test_without_a_financial_entity_it_does_not_apply() -> None:
    assert judged(financial_entity=False, data_loss_by_access=True) == "not-applicable"


def test_it_is_settled_as_soon_as_the_unknown_cannot_change_it() -> None:
    two = DoraFacts(
        financial_entity=True,
        critical_services_affected=True,
        two_member_states=True,
        clients=200_000,
    )
    assert dora_major(two, NOTHING).value == "yes"
    uncritical = DoraFacts(financial_entity=True, critical_services_affected=False)
    assert dora_major(uncritical, NOTHING).value == "no"
    one_open = {**NO, "data_losses": None}
    assert dora_major(DoraFacts(**one_open), NOTHING).value == "no"
    with_one = dora_major(DoraFacts(**{**one_open, "two_member_states": True}), NOTHING)
    assert (with_one.value, with_one.missing) == (None, ("data_losses",))


def test_nothing_known_asks_for_all_of_it() -> None:
    score = dora_major(DoraFacts(), NOTHING)
    assert score.value is None
    assert set(score.missing) == set(DoraFacts.model_fields)


def test_reports_of_a_disrupted_bank_in_two_states_with_losses_are_enough() -> None:
    basis = make_basis(
        "essential-service-disrupted",
        sectors=frozenset({"banking"}),
        member_states=frozenset({"DE", "FR"}),
        loss_eur_min=200_000.0,
    )
    score = dora_major(DoraFacts(), basis)
    assert (score.value, score.meaning) == ("yes", "thresholds met: two member states, losses")
    one_state = make_basis(
        "essential-service-disrupted",
        sectors=frozenset({"financial"}),
        member_states=frozenset({"DE"}),
    )
    assert dora_major(DoraFacts(), one_state).value is None
    elsewhere = make_basis("essential-service-disrupted", sectors=frozenset({"health"}))
    assert "financial_entity" in dora_major(DoraFacts(), elsewhere).missing
