"""NIS2 Art. 23(3) and Implementing Regulation 2024/2690: every test at its limit and beyond it."""

from __future__ import annotations

from typing import Any

import pytest

from classification.scores.ir_2024_2690 import EntityKind, Ir2690Facts, ir_2024_2690
from classification.scores.nis2 import Nis2Facts, nis2_significant
from tests.classification.scores.bases import NOTHING, make_basis

NO: dict[str, Any] = {
    "loss_eur": 0,
    "turnover_eur": 100_000_000,
    "trade_secrets_taken": False,
    "death": False,
    "health_damage": False,
    "malicious_access": False,
    "recurring_over_loss": False,
    "unavailable_minutes": 0,
    "unavailable_minutes_in_week": 0,
    "slow_answers_minutes": 0,
    "limited_minutes": 0,
    "users_affected": 0,
    "users_affected_share": 0,
    "data_compromised_maliciously": False,
    "users_data_compromised": 0,
    "users_data_compromised_share": 0,
    "physical_access_compromised": False,
}
SERVICES = ("cloud", "cdn", "managed-service", "managed-security-service")
PLATFORMS = ("marketplace", "search-engine", "social-network")
LIMITS: list[tuple[tuple[str, ...], dict[str, Any], dict[str, Any]]] = [
    (("dns", *SERVICES), {"unavailable_minutes": 30}, {"unavailable_minutes": 31}),
    (("dns", "tld"), {"slow_answers_minutes": 60}, {"slow_answers_minutes": 61}),
    (("tld", "data-centre"), {"unavailable_minutes": 0}, {"unavailable_minutes": 1}),
    (
        SERVICES,
        {"users_affected_share": 0.05, "limited_minutes": 61},
        {"users_affected_share": 0.06, "limited_minutes": 61},
    ),
    (
        SERVICES,
        {"users_affected": 1_000_001, "limited_minutes": 60},
        {"users_affected": 1_000_001, "limited_minutes": 61},
    ),
    (PLATFORMS, {"users_affected": 1_000_000}, {"users_affected": 1_000_001}),
    (PLATFORMS, {"users_affected_share": 0.05}, {"users_affected_share": 0.051}),
    (("data-centre",), {"limited_minutes": 60}, {"limited_minutes": 61}),
    (("data-centre",), {}, {"physical_access_compromised": True}),
    (("trust-service",), {"unavailable_minutes": 20}, {"unavailable_minutes": 21}),
    (
        ("trust-service",),
        {"unavailable_minutes_in_week": 60},
        {"unavailable_minutes_in_week": 61},
    ),
    (("trust-service",), {"users_affected_share": 0.01}, {"users_affected_share": 0.011}),
    (("trust-service",), {"users_affected": 200_000}, {"users_affected": 200_001}),
    (
        ("trust-service",),
        {"users_data_compromised_share": 0.001},
        {"users_data_compromised_share": 0.0011},
    ),
    (("trust-service",), {"users_data_compromised": 100}, {"users_data_compromised": 101}),
]
BY_ENTITY = [(entity, at, beyond) for entities, at, beyond in LIMITS for entity in entities]


def judged(**said: Any) -> str | None:
    return ir_2024_2690(Ir2690Facts(**{**NO, "entity": "dns", **said}), NOTHING).value


@pytest.mark.parametrize(
    ("at", "beyond"),
    [
        ({"loss_eur": 500_000}, {"loss_eur": 500_001}),
        (
            {"loss_eur": 50_000, "turnover_eur": 1_000_000},
            {"loss_eur": 50_001, "turnover_eur": 1_000_000},
        ),
        ({}, {"loss_eur": 500_001, "turnover_eur": None}),
        ({}, {"trade_secrets_taken": True}),
        ({}, {"death": True}),
        ({}, {"health_damage": True}),
        ({}, {"malicious_access": True}),
        ({}, {"recurring_over_loss": True}),
    ],
)
@pytest.mark.parametrize("entity", [e for e in EntityKind if e is not EntityKind.OTHER])
def test_each_general_test_begins_beyond_its_limit(
    entity: EntityKind, at: dict[str, Any], beyond: dict[str, Any]
) -> None:
    assert judged(entity=entity, **at) == "no"
    assert judged(entity=entity, **beyond) == "yes"


@pytest.mark.parametrize(("entity", "at", "beyond"), BY_ENTITY)
def test_each_test_of_an_entity_begins_beyond_its_limit(
    entity: str, at: dict[str, Any], beyond: dict[str, Any]
) -> None:
    assert judged(entity=entity, **at) == "no"
    assert judged(entity=entity, **beyond) == "yes"


@pytest.mark.parametrize("entity", [e for e in EntityKind if e is not EntityKind.OTHER])
def test_data_compromised_by_malice_counts_for_every_entity(entity: EntityKind) -> None:
    assert judged(entity=entity, data_compromised_maliciously=True) == "yes"


def test_a_test_of_one_entity_is_none_of_another() -> None:
    assert judged(entity="marketplace", unavailable_minutes=600) == "no"
    assert judged(entity="dns", physical_access_compromised=True) == "no"


def test_the_tests_that_are_met_are_named() -> None:
    over_all = {
        "entity": "trust-service",
        "unavailable_minutes": 21,
        "unavailable_minutes_in_week": 61,
        "users_affected": 200_001,
        "users_data_compromised": 101,
    }
    found = ir_2024_2690(Ir2690Facts(**(NO | over_all)), NOTHING)
    assert (found.value, found.meaning) == (
        "yes", "by down, down in a week, users, users' data",
    )  # fmt: skip


def test_planned_maintenance_never_counts_and_others_are_outside_of_it() -> None:
    assert judged(planned_maintenance=True, unavailable_minutes=600) == "no"
    assert judged(entity="other", death=True) == "not-applicable"


def test_a_loss_below_the_fixed_limit_needs_the_turnover() -> None:
    facts = Ir2690Facts(**{**NO, "entity": "dns", "loss_eur": 50_001, "turnover_eur": None})
    score = ir_2024_2690(facts, NOTHING)
    assert (score.value, score.missing) == (None, ("turnover_eur",))


def test_what_is_missing_is_what_the_entity_is_asked() -> None:
    score = ir_2024_2690(Ir2690Facts(entity=EntityKind.MARKETPLACE), NOTHING)
    assert score.value is None
    assert {"users_affected", "data_compromised_maliciously", "death"} <= set(score.missing)
    assert "slow_answers_minutes" not in score.missing
    unknown_kind = ir_2024_2690(Ir2690Facts(**NO), NOTHING)
    assert (unknown_kind.value, unknown_kind.missing) == (None, ("entity",))


def test_one_of_two_users_limits_is_not_enough_to_say_no() -> None:
    facts = Ir2690Facts(**{**NO, "entity": "marketplace", "users_affected_share": None})
    score = ir_2024_2690(facts, NOTHING)
    assert (score.value, score.missing) == (None, ("users_affected_share",))


def test_reports_give_the_loss_and_the_access() -> None:
    lost = ir_2024_2690(Ir2690Facts(), make_basis(loss_eur_min=600_000.0))
    assert (lost.value, lost.meaning) == ("yes", "by loss")
    taken = ir_2024_2690(Ir2690Facts(), make_basis("control-plane-taken"))
    assert (taken.value, taken.meaning) == ("yes", "by malicious access")


@pytest.mark.parametrize("field", Nis2Facts.model_fields)
def test_each_limb_of_article_23_is_enough(field: str) -> None:
    none = dict.fromkeys(Nis2Facts.model_fields, False)
    assert nis2_significant(Nis2Facts(**{**none, field: True}), NOTHING).value == "yes"
    assert nis2_significant(Nis2Facts(**{field: True}), NOTHING).value == "yes"
    assert nis2_significant(Nis2Facts(**none), NOTHING).value == "no"
    part = {name: value for name, value in none.items() if name != field}
    score = nis2_significant(Nis2Facts(**part), NOTHING)
    assert (score.value, score.missing) == (None, (field,))


@pytest.mark.parametrize(
    ("criterion", "value"),
    [
        ("essential-service-disrupted", "yes"),
        ("essential-service-sustained-denial", "yes"),
        ("risk-to-life", "yes"),
        ("large-personal-data-breach", "yes"),
        ("significant-incident", None),
        ("attempt-blocked", None),
    ],
)
def test_reports_speak_for_article_23(criterion: str, value: str | None) -> None:
    assert nis2_significant(Nis2Facts(), make_basis(criterion)).value == value


def test_a_loss_that_reports_give_is_a_limb_and_none_is_not() -> None:
    assert nis2_significant(Nis2Facts(), make_basis(loss_eur_min=1.0)).value == "yes"
    assert nis2_significant(Nis2Facts(), make_basis(loss_eur_min=0.0)).value is None


NAMES = {
    ("unavailable_minutes",): "down",
    ("unavailable_minutes_in_week",): "down in a week",
    ("slow_answers_minutes",): "slow",
    ("limited_minutes",): "limited",
    ("limited_minutes", "users_affected"): "limited",
    ("limited_minutes", "users_affected_share"): "limited",
    ("users_affected",): "users",
    ("users_affected_share",): "users",
    ("users_data_compromised",): "users' data",
    ("users_data_compromised_share",): "users' data",
    ("physical_access_compromised",): "access",
}


@pytest.mark.parametrize(("entity", "at", "beyond"), BY_ENTITY)
def test_the_test_that_is_met_is_named(
    entity: str, at: dict[str, Any], beyond: dict[str, Any]
) -> None:
    met = ir_2024_2690(Ir2690Facts(**{**NO, "entity": entity, **beyond}), NOTHING)
    assert met.meaning == f"by {NAMES[tuple(sorted(beyond))]}"
    unmet = ir_2024_2690(Ir2690Facts(**{**NO, "entity": entity, **at}), NOTHING)
    assert unmet.meaning == "no test is known to be met"


@pytest.mark.parametrize("entity", [kind for kind in EntityKind if kind != EntityKind.OTHER])
def test_data_that_is_compromised_maliciously_is_a_test_for_every_entity(
    entity: EntityKind,
) -> None:
    facts = Ir2690Facts(**{**NO, "entity": entity, "data_compromised_maliciously": True})
    assert ir_2024_2690(facts, NOTHING).meaning == "by data"


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("trade_secrets_taken", "trade secrets"),
        ("death", "death"),
        ("health_damage", "health"),
        ("malicious_access", "malicious access"),
        ("recurring_over_loss", "recurring"),
    ],
)
def test_what_counts_for_every_entity_is_named(field: str, name: str) -> None:
    facts = Ir2690Facts(**{**NO, "entity": "dns", field: True})
    assert ir_2024_2690(facts, NOTHING).meaning == f"by {name}"
    several = Ir2690Facts(**{**NO, "entity": "dns", "loss_eur": 600_000, field: True})
    assert ir_2024_2690(several, NOTHING).meaning == f"by loss, {name}"
