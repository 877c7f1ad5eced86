"""What a report contributes, and its form in the database."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given

from classification.assessment import assess
from classification.evidence import Evidence, evidence_of
from classification.findings import Findings
from protocol.grades import Grade
from protocol.report import Cause, Disruption, IncidentReport
from tests.classification.builders import PROFILE, evidence_items, make_evidence

B2 = Grade.parse("B2")


def make_report(**content: Any) -> IncidentReport:
    return IncidentReport.model_validate(
        {
            "id": "3-0123456789abcdef01234567",
            "group": "csirt",
            "principal": "anonymous",
            "received_at": "2026-01-01T10:00:00Z",
            "format": "leerp-report/1",
            "sha256": "0" * 64,
            "source_id": "s-1",
            "title": "Wards closed",
            "reporter": {"name": " CERT  Example "},
            "times": [
                {
                    "kind": "observed",
                    "earliest": "2026-01-01T08:00:00Z",
                    "latest": "2026-01-01T09:00:00Z",
                }
            ],
            **content,
        }
    )


def affected(kind: str, value: str, count: int = 1, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "value": value, "count_min": count, **more}


@pytest.mark.parametrize(
    ("kind", "retracted"),
    [("withdraws", True), ("replaces", False), ("related", False), ("same-incident", False)],
)
def test_a_report_that_withdraws_counts_for_nothing_itself(kind: str, retracted: bool) -> None:
    found = evidence_of(make_report(relations=[{"kind": kind, "id": "s-0"}]), B2)
    assert found.retracted is retracted
    assert Evidence.from_json(found.to_json()) == found


def test_only_victims_count_and_nothing_derived() -> None:
    report = make_report(
        affected=[
            affected("country", "DE"),
            affected("country", "RU", role="source"),
            affected("country", "NL", role="intermediate"),
            affected("country", "FR", derived=True),
            affected("sector", "Health"),
            affected("sector", "energy", role="source"),
            affected("organisation", "Clinic North"),
            affected("organisation", "Host", role="intermediate"),
        ]
    )
    evidence = evidence_of(report, B2)
    assert evidence.countries == {"DE"}
    assert evidence.sectors == {"health"}
    assert evidence.organisations == {"clinic north"}
    assert evidence.victims_min == evidence.organisations_min == 1


@pytest.mark.requirement("R7")
@pytest.mark.parametrize(
    ("counts", "highest"),
    [
        ([("person", 120, 5_000)], 5_000),
        ([("person", 120, None)], None),
        ([("person", 120, 5_000), ("person", 10, None)], None),
        ([("person", 100, 200), ("person", 10, 50)], 250),
        ([("person", 100, 200), ("organisation", 3, None)], 200),
        ([("person", 100, 200), ("organisation", 300, None)], 300),
        ([("person", 100, 50)], 100),
        ([], None),
    ],
)
def test_an_upper_end_holds_only_where_every_count_of_its_kind_has_one(
    counts: list[tuple[str, int, int | None]], highest: int | None
) -> None:
    said = [
        affected(kind, f"{kind} {n}", low, count_max=high)
        for n, (kind, low, high) in enumerate(counts)
    ]
    found = evidence_of(make_report(affected=said), B2)
    assert found.victims_max == highest
    assert Evidence.from_json({**found.to_json(), "grade": "B2"}) == found


def test_services_are_those_of_victims_and_of_the_impact() -> None:
    found = evidence_of(
        make_report(
            affected=[
                affected("service", "Blood  Bank"),
                affected("service", "proxy", role="intermediate"),
            ],
            impact={"services": ["Emergency calls"]},
        ),
        B2,
    )
    assert found.services == {"blood bank", "emergency calls"}


def test_codes_of_the_institutions_become_iso_and_other_words_are_no_country() -> None:
    names = ("el", "UK", "Europe", "1A", "ÅL")
    report = make_report(affected=[affected("country", name) for name in names])
    assert evidence_of(report, B2).countries == {"GR", "GB"}


def test_kinds_of_victims_are_views_of_the_same_victims_and_do_not_add_up() -> None:
    report = make_report(
        affected=[
            affected("organisation", "Hospitals", 16),
            affected("organisation", "HOSPITALS", 40),
            affected("organisation", "Clinic"),
            affected("person", "patients", 30),
            affected("country", "DE", 20),
            affected("country", "FR", 15),
            affected("sector", "health", 39),
            affected("service", "mail", 7),
        ]
    )
    evidence = evidence_of(report, B2)
    assert evidence.organisations_min == 41
    assert evidence.victims_min == 41


@pytest.mark.parametrize(
    ("victims", "expected"),
    [
        ([affected("organisation", "Clinic", 4), affected("person", "patients", 30)], 30),
        ([affected("person", "patients", 3), affected("person", "staff", 2)], 5),
        ([affected("country", "DE", 20), affected("country", "FR", 15)], 35),
        ([affected("sector", "health", 9), affected("sector", "energy", 7)], 9),
        ([affected("service", "mail", 7), affected("person", "clerks", 2)], 7),
        ([affected("organisation", "A", 2), affected("organisation", "B", 3)], 5),
    ],
)
def test_the_kind_that_counts_most_victims_counts(
    victims: list[dict[str, Any]], expected: int
) -> None:
    assert evidence_of(make_report(affected=victims), B2).victims_min == expected


def test_a_report_is_taken_over_field_by_field() -> None:
    report = make_report(
        affected=[
            affected("organisation", "City  Hospital", 2, count_max=5),
            affected("country", "de"),
            affected("sector", "Health"),
            affected("service", "Emergency  Calls"),
        ],
        impact={
            "criteria": ["Essential-Service-Disrupted"],
            "disruption": "observed",
            "services": ["Mail"],
            "loss_eur_min": 1_000.0,
            "risk_to_life": True,
            "self_propagating": True,
        },
        cause={"value": "natural", "clear": True, "by_authority_in_charge": True},
    )
    assert evidence_of(report, B2) == Evidence(
        report_id="3-0123456789abcdef01234567",
        origin="cert example",
        grade=B2,
        criteria=frozenset({"essential-service-disrupted", "risk-to-life"}),
        countries=frozenset({"DE"}),
        organisations=frozenset({"city hospital"}),
        organisations_min=2,
        sectors=frozenset({"health"}),
        services=frozenset({"emergency calls", "mail"}),
        victims_min=2,
        victims_max=5,
        self_propagating=True,
        disruption=Disruption.OBSERVED,
        risk_to_life=True,
        loss_eur_min=1_000.0,
        cause=Cause.NATURAL,
        cause_clear=True,
        cause_by_authority=True,
    )


def test_a_report_without_victims_counts_none() -> None:
    assert evidence_of(make_report(), B2).victims_min == 0


def test_what_the_reporter_says_of_the_impact_is_taken_and_not_guessed_from_the_kind() -> None:
    report = make_report(
        rsit="availability:ddos",
        impact={"criteria": ["Critical_Destruction"], "risk_to_life": True, "loss_eur_min": 5.0},
    )
    evidence = evidence_of(report, B2)
    assert evidence.criteria == {"critical-destruction", "risk-to-life"}
    assert evidence.loss_eur_min == 5.0
    assert evidence_of(make_report(rsit="availability:ddos"), B2).criteria == frozenset()


def test_one_reporter_is_one_origin_however_it_writes_its_name() -> None:
    other = make_report(id="5-x", reporter={"name": "cert example"})
    assert evidence_of(make_report(), B2).origin == evidence_of(other, B2).origin


@pytest.mark.requirement("R11")
def test_a_source_on_its_own_topic_is_one_origin_under_whatever_names_it_reports() -> None:
    names = [{"name": "CERT Example"}, {"name": "Somebody else"}]
    one, other = (make_report(reporter=name, principal="cert-ee") for name in names)
    elsewhere = make_report(reporter=names[0], principal="cert-fi")
    assert evidence_of(one, B2).origin == evidence_of(other, B2).origin
    assert evidence_of(one, B2).origin != evidence_of(elsewhere, B2).origin


@pytest.mark.requirement("R8")
@pytest.mark.parametrize(
    ("claim", "indicated", "cause", "clear"),
    [
        ({}, "unknown", Cause.PRESUMED_MALICIOUS, False),
        ({}, "yes", Cause.TECHNICAL_FAILURE, True),
        ({"value": "natural"}, "unknown", Cause.NATURAL, False),
        ({"value": "natural"}, "yes", Cause.NATURAL, True),
        ({"value": "natural", "clear": True}, "no", Cause.NATURAL, True),
        ({"value": "malicious"}, "yes", Cause.MALICIOUS, True),
    ],
)
def test_a_cause_is_clear_only_by_an_explicit_statement(
    claim: dict[str, Any], indicated: str, cause: Cause, clear: bool
) -> None:
    evidence = evidence_of(make_report(cause=claim, technical_failure_indicated=indicated), B2)
    assert (evidence.cause, evidence.cause_clear) == (cause, clear)


@given(item=evidence_items("2-a"))
def test_evidence_survives_its_way_through_json(item: Evidence) -> None:
    assert Evidence.from_json(json.loads(json.dumps(item.to_json()))) == item


def test_what_is_not_stated_takes_no_room() -> None:
    assert make_evidence(origin="cert", grade=None).to_json() == {"report": "2-a", "origin": "cert"}


def test_the_grade_in_force_may_stand_elsewhere() -> None:
    stored = make_evidence(grade="X4").to_json()
    assert Evidence.from_json(stored, grade="A1").grade == Grade.parse("A1")


@pytest.mark.parametrize("grade", ["b2", "B5", "D1", "B"])
def test_a_stored_grade_that_is_none_is_an_error(grade: str) -> None:
    with pytest.raises(ValueError, match="such as B2"):
        Evidence.from_json(make_evidence().to_json(), grade=grade)


def test_twenty_thousand_items_are_read_and_assessed_in_seconds_at_most() -> None:
    stored = [
        make_evidence(
            f"2-{i}",
            origin=f"o{i % 300}",
            criteria={"essential-service-disrupted"},
            countries={"DE", "FR"},
            organisations={f"org {i}"},
            sectors={"health"},
            victims_min=i % 50,
        ).to_json()
        for i in range(20_000)
    ]
    started = time.process_time()
    result = assess([Evidence.from_json(item) for item in stored], Findings(), PROFILE)
    assert time.process_time() - started < 3  # 0.4 s on a quiet machine with two cores
    assert result.organisations == 20_000
    assert len(result.model_dump_json()) < 10_000
