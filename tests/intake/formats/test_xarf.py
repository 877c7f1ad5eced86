from __future__ import annotations

import json
from typing import Any

import pytest

from protocol.errors import RejectedReport
from protocol.markings import HandlingCode, Tlp
from protocol.report import IndicatorType as Kind
from tests.intake.formats.samples import (
    mail_of,
    read,
    read_one,
    values,
    xarf3_report,
    xarf_report,
)

MATERIAL = "aGFybWZ1bA=="
EVIDENCE = [{"content_type": "image/png", "payload": MATERIAL}]


@pytest.mark.requirement("R4")
def test_the_source_port_is_kept_since_addresses_are_shared() -> None:
    content = read_one(xarf_report(destination_ip="198.51.100.1", destination_port=22))

    assert {(i.type, i.value, i.role) for i in content.indicators} == {
        (Kind.IP, "192.0.2.1", "source"),
        (Kind.PORT, "49152", "source"),
        (Kind.IP, "198.51.100.1", "victim"),
        (Kind.PORT, "22", "victim"),
    }


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({}, False),
        ({"source_port": ...}, True),
        ({"source_port": ..., "source_identifier": "evil.example"}, False),
        ({"source_port": ..., "type": "scraping"}, False),
    ],
)
def test_a_missing_source_port_is_said_where_it_matters(
    changes: dict[str, Any], warned: bool
) -> None:
    warnings = read_one(xarf_report(**changes)).warnings

    assert any("no source_port" in warning for warning in warnings) is warned


@pytest.mark.parametrize(
    ("category", "kind", "rsit", "role"),
    [
        ("connection", "ddos", "availability:ddos", "source"),
        ("connection", "login_attack", "intrusion-attempts:brute-force", "source"),
        ("connection", "infected_host", "malicious-code:infected-system", "victim"),
        ("content", "phishing", "fraud:phishing", "source"),
        ("infrastructure", "botnet", "malicious-code:infected-system", "victim"),
        ("vulnerability", "open_service", "vulnerable", "victim"),
        ("content", "unheard_of", "", "source"),
    ],
)
def test_category_and_type_give_class_and_role(
    category: str, kind: str, rsit: str, role: str
) -> None:
    content = read_one(xarf_report(category=category, type=kind))

    assert (content.rsit, content.affected[0].role) == (rsit, role)


@pytest.mark.parametrize(
    ("changes", "first_hand"),
    [
        ({}, True),
        ({"sender": {"org": "Relay"}}, False),
        ({"sender": ...}, None),
        ({"evidence_source": "threat_intelligence"}, None),
    ],
)
def test_who_sends_for_another_is_not_first_hand(
    changes: dict[str, Any], first_hand: bool | None
) -> None:
    content = read_one(xarf_report(**changes))

    assert (content.reporter.name, content.first_hand) == ("CSIRT One", first_hand)


@pytest.mark.requirement("R31")
@pytest.mark.parametrize(
    ("tags", "tlp"), [(["tlp:red", "tlp:green"], Tlp.RED), (["severity:high"], Tlp.AMBER)]
)
def test_tags_mark_the_report(tags: list[str], tlp: Tlp) -> None:
    assert read_one(xarf_report(tags=tags)).marking.tlp is tlp


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("report_id", "no-id"), ("timestamp", "no-time"), ("xarf_version", "missing-field"),
        ("reporter", "missing-field"), ("source_identifier", "missing-field"),
        ("category", "missing-field"), ("type", "missing-field"),
    ],
)  # fmt: skip
def test_a_report_without_what_it_must_have_is_refused(field: str, reason: str) -> None:
    with pytest.raises(RejectedReport) as refused:
        read(xarf_report(**{field: ...}))

    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "make", [lambda t: xarf_report(timestamp=t), lambda t: xarf3_report(Date=t)]
)
def test_an_unreadable_time_refuses_the_report(make: Any) -> None:
    with pytest.raises(RejectedReport) as refused:
        read(make("yesterday"))

    assert refused.value.reason == "bad-time"


@pytest.mark.parametrize(
    "document",
    [
        xarf_report(category="content", type="csam", evidence=EVIDENCE),
        xarf_report(category="content", type="CSEM", evidence=EVIDENCE),
        xarf3_report(ReportClass="Content", ReportType="ChildAbuse",
                     Samples=[{"Payload": MATERIAL}]),
    ],
)  # fmt: skip
def test_abuse_material_is_never_kept_and_a_person_must_read_the_report(document: Any) -> None:
    for body in (
        document,
        [document],
        mail_of("see", ("application/json", json.dumps(document).encode())),
    ):
        parsed = read(body)
        content = parsed.contents[0]

        assert parsed.kept is not None
        assert MATERIAL.encode() not in parsed.kept
        assert b"192.0.2.1" in parsed.kept
        assert content.rsit == "abusive-content:violence"
        assert content.marking.handling_codes == {HandlingCode.H3}
        assert any("not kept" in warning for warning in content.warnings)
        assert values(content, Kind.IP) == {"192.0.2.1"}


def test_what_is_kept_of_such_a_report_reads_as_the_same_report() -> None:
    parsed = read(xarf_report(category="content", type="csam", evidence=EVIDENCE))

    assert parsed.kept is not None
    assert read(parsed.kept).contents == parsed.contents


def test_abuse_material_is_not_kept_where_the_report_is_refused_either() -> None:
    with pytest.raises(RejectedReport) as refused:
        read(xarf_report(category="content", type="csam", evidence=EVIDENCE, timestamp="never"))

    assert refused.value.kept is not None
    assert MATERIAL.encode() not in refused.value.kept


def test_other_evidence_is_kept_in_the_original_record() -> None:
    parsed = read(xarf_report(evidence=EVIDENCE))

    assert parsed.kept is None
    assert "evidence stays in the original record only" in parsed.contents[0].warnings


@pytest.mark.requirement("R4")
def test_version_3_is_read_in_both_its_spellings() -> None:
    flat = read_one(xarf3_report())
    nested = read_one(
        xarf3_report(SourceIp=..., SourcePort=..., Source={"IP": "192.0.2.1", "Port": 49152})
    )

    assert flat.indicators == nested.indicators
    assert flat.rsit == "information-gathering:scanner"


def test_version_3_has_ids_of_its_content_that_do_not_depend_on_samples() -> None:
    one = read_one(xarf3_report(Samples=[{"Payload": "a"}]))
    same = read_one(xarf3_report(Samples=[{"Payload": "b"}]))
    other = read_one(xarf3_report(SourceIp="192.0.2.2"))

    assert one.source_id == same.source_id != other.source_id


def test_a_complaint_on_behalf_of_another_is_not_first_hand() -> None:
    document = xarf3_report() | {"OnBehalfOf": {"ComplainantOrg": "Hospital"}}
    content = read_one(document)

    assert content.first_hand is False
    assert ("organisation", "Hospital") in {(a.kind, a.value) for a in content.affected}
