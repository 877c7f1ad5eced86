from __future__ import annotations

import ipaddress
import json
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select

from classification.assessment import assess
from classification.evidence import Evidence
from classification.findings import Findings
from classification.major_attack import major_attack_test
from infra.database import Database
from infra.intake_limits import IntakeSettings
from infra.settings import Settings
from infra.tables import incident, report
from intake.preparing import Preparer
from intake.records import DETECTED_BY_HEADER, Accepted, RawRecord, Rejected, read_record
from intake.settled import Settled
from intake.store import Store
from intake.warning_lists import WarningLists
from leerp.demo.attack import LENGTH, POLICE_FROM, Part, SimulatedReport, wannacry
from protocol.countries import EU_MEMBER_STATES
from protocol.parties import DetectedBy, SourceGroup
from protocol.report import ReportContent

BEGIN = datetime.now(UTC) - LENGTH
PROFILE = Settings().profile()
RESERVED_NETWORKS = [
    ipaddress.ip_network(network)
    for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
LISTS = WarningLists()


@cache
def attack(seed: int = 1) -> tuple[SimulatedReport, ...]:
    return wannacry(BEGIN, seed)


def of_part(part: Part) -> list[SimulatedReport]:
    return [sent for sent in attack() if sent.part is part]


def record_of(sent: SimulatedReport, offset: int = 0) -> RawRecord:
    return RawRecord(
        topic=f"leerp.intake.{sent.group}.v1",
        partition=0,
        offset=offset,
        group=sent.group,
        principal="anonymous",
        headers=sent.headers,
        body=sent.body,
        received_at=BEGIN + sent.after,
    )


def received(sent: SimulatedReport) -> Accepted | Rejected:
    return read_record(record_of(sent), IntakeSettings())


def contents_of(records: Sequence[SimulatedReport]) -> list[ReportContent]:
    outcomes = map(received, records)
    return [c for o in outcomes if isinstance(o, Accepted) for c in o.contents]


def evidence_of_all(records: Sequence[SimulatedReport]) -> list[Evidence]:
    """What each report contributes, under the grade that it has when it comes in."""
    preparer = Preparer(PROFILE, lambda _: True, IntakeSettings())
    return [
        Evidence.from_json(
            json.loads(each.evidence), grade=each.source_grade + each.information_grade
        )
        for sent in records
        for each in preparer.read(record_of(sent)).reports
    ]


def settle(
    folder: Path, records: Sequence[SimulatedReport], batch: int
) -> tuple[Database, Settled]:
    """Store the records as the consumer would, in batches of this size."""
    database = Database(f"sqlite:///{folder / 'leerp.db'}")
    database.migrate()
    store = Store(database, PROFILE, exercise=True, telling=lambda known: not LISTS.hold(*known))
    preparer = store.preparer(IntakeSettings())
    outcomes = [(r, preparer.read(r)) for r in map(record_of, records, range(len(records)))]
    settled = Settled()
    for start in range(0, len(outcomes), batch):
        part = store.settle(outcomes[start : start + batch], source="test")
        settled.stored += part.stored
        settled.duplicates += part.duplicates
        settled.quarantined += part.quarantined
    return database, settled


@pytest.mark.requirement("R4")
def test_some_three_hundred_reports_come_from_all_six_groups_in_all_four_formats() -> None:
    assert 280 <= len(attack()) <= 320
    assert {sent.group for sent in attack()} == set(SourceGroup)
    assert {sent.format for sent in attack()} == {"leerp-report/1", "misp", "stix-2.1", "idea0"}


def test_the_same_beginning_and_seed_give_the_same_bytes_and_another_seed_others() -> None:
    assert wannacry(BEGIN) == attack()
    assert {sent.body for sent in attack()} != {sent.body for sent in wannacry(BEGIN, 2)}


def test_reports_come_in_order_within_the_length_of_the_attack() -> None:
    assert all(one.after <= other.after for one, other in pairwise(attack()))
    assert attack()[0].after >= timedelta()
    assert attack()[-1].after <= LENGTH


def test_intake_reads_everything_but_the_broken_records_without_a_warning() -> None:
    for sent in attack():
        outcome = received(sent)
        assert isinstance(outcome, Rejected) is (sent.part is Part.BROKEN), sent.note
        if isinstance(outcome, Accepted):
            assert [content.warnings for content in outcome.contents] == [()], sent.note


def test_each_broken_record_is_refused_for_its_own_reason() -> None:
    outcomes = [received(sent) for sent in of_part(Part.BROKEN)]
    reasons = Counter(outcome.reason for outcome in outcomes if isinstance(outcome, Rejected))
    assert reasons == {
        "not-json": 1,
        "not-finite": 1,
        "too-deep": 1,
        "no-detection-source": 1,
        "no-time": 1,
        "invalid-field": 1,
    }


def test_duplicates_are_byte_for_byte_those_of_an_earlier_record() -> None:
    duplicates = of_part(Part.DUPLICATE)
    assert len(duplicates) == 12
    for duplicate in duplicates:
        assert any(
            (sent.group, sent.headers, sent.body)
            == (duplicate.group, duplicate.headers, duplicate.body)
            and sent.after <= duplicate.after
            for sent in of_part(Part.ATTACK)
        )


@pytest.mark.requirement("R5")
def test_what_the_centre_found_itself_says_by_which_kind_of_source() -> None:
    found = [
        sent
        for sent in attack()
        if sent.group is SourceGroup.OSINT and sent.part is not Part.BROKEN
    ]
    assert {sent.headers[DETECTED_BY_HEADER] for sent in found} == set(DetectedBy)
    assert {r.detected_by for r in contents_of(found)} == set(DetectedBy)


def test_nothing_real_is_named() -> None:
    for sent in attack():
        text = sent.body.decode()
        for host in re.findall(r"[\w-]+(?:\.[\w-]+)*\.([a-z]{2,})\b", text):
            assert host in {"invalid", "example"}, sent.note
        for literal in re.findall(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|2001:[0-9a-f:]+", text):
            address = ipaddress.ip_address(literal)
            assert any(address in network for network in RESERVED_NETWORKS), literal
    for told in contents_of(attack()):
        assert told.reporter.name.count("(simulated)") == 1
        assert all("(simulated)" in a.value for a in told.affected if a.kind == "organisation")


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.requirement("R7")
def test_all_of_the_attack_becomes_one_detection_and_nothing_else_joins_it(
    seed: int, tmp_path: Path
) -> None:
    database, settled = settle(tmp_path, attack(seed), batch=25)
    assert (settled.duplicates, settled.quarantined) == (12, 6)
    with database.read() as connection:
        detected = connection.scalars(
            select(incident.c.id).where(incident.c.status == "detected")
        ).all()
        assert len(detected) == 1
        stored = connection.execute(select(report.c.id, report.c.incident_id)).all()
    inside = {row.id for row in stored if row.incident_id == detected[0]}
    outcomes = [received(s) for s in attack(seed) if s.part is Part.ATTACK]
    of_attack = {i for o in outcomes if isinstance(o, Accepted) for i in o.ids()}
    assert inside == of_attack
    assert len(stored) - len(inside) == len(of_part(Part.UNRELATED))


def test_the_incident_is_the_same_when_one_group_arrives_after_the_other(tmp_path: Path) -> None:
    by_group = sorted(attack(), key=lambda sent: (-sent.group.number, sent.after))
    database, _ = settle(tmp_path, by_group, batch=1_000)
    with database.read() as connection:
        detected = connection.scalars(
            select(incident.c.id).where(incident.c.status == "detected")
        ).all()
        inside = connection.scalars(
            select(report.c.id).where(report.c.incident_id.in_(detected))
        ).all()
    assert len(detected) == 1
    assert len(inside) == len(of_part(Part.ATTACK))


@pytest.mark.requirement("R11", "R13", "R16")
def test_before_the_police_confirm_it_no_assessment_recommends_a_launch() -> None:
    sent = of_part(Part.ATTACK)
    evidence = evidence_of_all([s for s in sent if s.after < POLICE_FROM])
    recommended = [
        assess(evidence[:n], Findings(), PROFILE).recommendation
        for n in range(1, len(evidence) + 1)
    ]
    assert "launch" not in recommended
    assert recommended[-1] == "hold-corroborate"
    assert not major_attack_test(evidence[:3], PROFILE).may_be_major
    assert major_attack_test(evidence, PROFILE).may_be_major


@pytest.mark.requirement("R13", "R15", "R16")
def test_in_the_end_it_is_a_c4_with_triggers_t1_t2_t5_that_is_recommended_for_launch() -> None:
    evidence = evidence_of_all(of_part(Part.ATTACK))
    result = assess(evidence, Findings(), PROFILE)
    assert (result.threat_class, result.impact, result.reach) == ("C4", "I4", "P4")
    assert [trigger.id for trigger in result.triggers] == ["T1", "T2", "T5"]
    assert result.recommendation == "launch"
    assert len(EU_MEMBER_STATES & set(result.countries)) >= 6
    assert {"health", "transport"} <= set(result.sectors)
    assert all(gate.passed for gate in result.gates)


@pytest.mark.requirement("R12")
def test_law_enforcement_states_its_own_4x4() -> None:
    own = [
        json.loads(sent.body)
        for sent in of_part(Part.ATTACK)
        if sent.group is SourceGroup.LAW_ENFORCEMENT and sent.format == "leerp-report/1"
    ]
    assert {"B2", "A2"} <= {document["evaluation"]["original"] for document in own}
    assert len(own) >= 30
