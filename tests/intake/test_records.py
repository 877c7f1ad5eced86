from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta

import pytest
from msgspec.structs import replace

from infra.database import Database
from infra.intake_limits import IntakeSettings
from intake.records import Accepted, RawRecord, Rejected, read_record
from protocol.report import TimeKind
from tests.intake.formats.expectations_refused import REFUSED
from tests.intake.formats.samples import DATA, TEXT, xarf_report
from tests.intake.formats.test_real_files import STORED
from tests.intake.samples import read, read_all, record, reports_of, store_of

LIMITS = IntakeSettings()
MATERIAL = "aGFybWZ1bA=="


def accepted(raw: RawRecord) -> Accepted:
    outcome = read_record(raw, LIMITS)
    assert isinstance(outcome, Accepted)
    return outcome


def abuse(**changes: object) -> bytes:
    evidence = [{"content_type": "image/png", "payload": MATERIAL}]
    report = xarf_report(category="content", type="csam", evidence=evidence, **changes)
    return json.dumps(report).encode()


@pytest.mark.requirement("R4")
def test_a_list_without_a_time_is_reported_when_it_arrives() -> None:
    raw = record(TEXT)
    ((_, ready),) = read(raw)
    (report,) = reports_of(ready)

    assert [(t.kind, t.earliest, t.latest, t.tz_known) for t in report.times] == [
        (TimeKind.REPORTED, raw.received_at, raw.received_at, True)
    ]


def test_the_same_list_that_arrives_again_is_the_same_report() -> None:
    raw = record(TEXT)
    later = replace(raw, offset=raw.offset + 1, received_at=raw.received_at + timedelta(days=3))

    assert accepted(raw).ids() == accepted(later).ids()


def test_abuse_material_leaves_no_trace_in_what_is_stored() -> None:
    ((_, ready),) = read(record(abuse()))

    assert MATERIAL.encode() not in (ready.kept or MATERIAL.encode())
    assert reports_of(ready)[0].sha256 == ready.sha256
    assert MATERIAL not in str(ready.reports)


def test_abuse_material_leaves_no_trace_in_quarantine() -> None:
    outcome = read_record(record(abuse(timestamp="never")), LIMITS)

    assert isinstance(outcome, Rejected)
    assert MATERIAL.encode() not in outcome.record.body


def test_any_other_record_is_kept_as_it_came() -> None:
    raw = record(TEXT)

    assert accepted(raw).record == raw


@pytest.mark.requirement("R4")
def test_every_sample_file_is_stored_or_in_quarantine_with_its_reason(database: Database) -> None:
    kept = [(DATA / expected.path).read_bytes() for expected in STORED]
    bad = [(DATA / path).read_bytes() for path in REFUSED]
    settled = store_of(database).settle(read_all([*kept, *bad]), source="test")

    assert len(settled.stored) + settled.duplicates == sum(each.reports for each in STORED)
    assert settled.quarantined == len(REFUSED)
    assert settled.reasons == Counter(REFUSED.values())
