from __future__ import annotations

import base64
from typing import Any

import pytest

from protocol.errors import RejectedReport
from protocol.markings import HandlingCode, Tlp
from protocol.report import Cause, Disruption
from protocol.report import IndicatorType as Kind
from tests.intake.formats.samples import iodef_json, iodef_xml, read, read_one, values

SHA256 = "ab" * 32
HASH = "http://www.w3.org/2001/04/xmlenc#sha256"


def observed(inside: str) -> bytes:
    return iodef_xml(f"<EventData><Flow>{inside}</Flow></EventData>")


def indicators(document: Any) -> set[tuple[Kind, str, str]]:
    return {(i.type, i.value, i.role) for i in read_one(document).indicators}


def system(category: str, inside: str, **attributes: str) -> str:
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<System category="{category}"{more}>{inside}</System>'


def address(value: str, category: str = "ipv4-addr") -> str:
    return f'<Node><Address category="{category}">{value}</Address></Node>'


@pytest.mark.requirement("R4")
def test_both_shapes_of_the_json_and_the_xml_say_the_same() -> None:
    flat = {
        "System": [
            {
                "category": "source",
                "Node": {"Address": [{"category": "ipv4-addr", "value": "192.0.2.1"}]},
                "Service": [{"Port": 49152}],
            }
        ],
        "RecordData": [
            {"FileData": [{"File": [{"FileName": "a.exe", "HashData": {"Hash": [
                {"DigestMethod": HASH, "DigestValue": SHA256}]}}]}]}
        ],
    }  # fmt: skip
    wrapped = {
        "Flow": [{"System": flat["System"]}],
        "Record": [{"RecordData": flat["RecordData"]}],
    }
    service = "<Service><Port>49152</Port></Service>"
    flow = f"<Flow>{system('source', address('192.0.2.1') + service)}</Flow>"
    digest = (
        f'<ds:DigestMethod xmlns:ds="d" Algorithm="{HASH}"/>'
        f'<ds:DigestValue xmlns:ds="d">{SHA256}</ds:DigestValue>'
    )
    named = f"<FileName>a.exe</FileName><HashData><Hash>{digest}</Hash></HashData>"
    data = f"<RecordData><FileData><File>{named}</File></FileData></RecordData>"
    xml = iodef_xml(f"<EventData>{flow}<Record>{data}</Record></EventData>")
    found = indicators(iodef_json(EventData=[flat]))

    assert found == {
        (Kind.IP, "192.0.2.1", "source"),
        (Kind.PORT, "49152", "source"),
        (Kind.OTHER, "a.exe", "filename"),
        (Kind.SHA256, SHA256, "file"),
    }
    assert indicators(iodef_json(EventData=[wrapped])) == found
    assert indicators(xml) == found
    assert read_one(xml).source_id == read_one(iodef_json()).source_id == "csirt.example:17"


@pytest.mark.requirement("R31", "R32")
@pytest.mark.parametrize(
    ("restriction", "tlp"),
    [
        ("public", Tlp.CLEAR), ("white", Tlp.CLEAR), ("partner", Tlp.GREEN), ("green", Tlp.GREEN),
        ("need-to-know", Tlp.AMBER_STRICT), ("amber", Tlp.AMBER_STRICT), ("private", Tlp.RED),
        ("red", Tlp.RED), ("default", Tlp.AMBER), ("ext-value", Tlp.RED), ("", Tlp.RED),
    ],
)  # fmt: skip
def test_a_restriction_becomes_a_label_and_what_is_not_known_must_be_asked(
    restriction: str, tlp: Tlp
) -> None:
    marking = read_one(iodef_xml(restriction=restriction)).marking

    assert marking.tlp is tlp
    assert (HandlingCode.H3 in marking.handling_codes) == (restriction in {"default", "ext-value"})


@pytest.mark.requirement("R32")
def test_the_strictest_restriction_of_any_part_counts() -> None:
    inner = (
        '<Contact role="creator" restriction="need-to-know"><ContactName>A</ContactName></Contact>'
    )

    assert read_one(iodef_xml(inner)).marking.tlp is Tlp.AMBER_STRICT


@pytest.mark.parametrize(
    ("category", "role"),
    [("source", "source"), ("target", "victim"), ("intermediate", "intermediate"),
     ("watchlist-source", "source"), ("unheard-of", "source")],
)  # fmt: skip
def test_a_system_has_its_role(category: str, role: str) -> None:
    content = read_one(observed(system(category, address("192.0.2.1"))))

    assert [(a.value, a.role) for a in content.affected] == [("192.0.2.1", role)]
    assert content.indicators[0].role == role


def test_a_sensor_is_no_part_of_it_and_a_spoofed_source_is_in_between() -> None:
    sensor = read_one(observed(system("sensor", address("192.0.2.1"))))
    spoofed = read_one(observed(system("source", address("192.0.2.1"), spoofed="yes")))

    assert (sensor.indicators, sensor.affected) == ((), ())
    assert spoofed.affected[0].role == "intermediate"


@pytest.mark.parametrize(
    ("written", "kind", "value"),
    [
        (address("192.0.2.0/24", "ipv4-net"), Kind.OTHER, "192.0.2.0/24"),
        (address("2001:DB8::1", "ipv6-addr"), Kind.IP, "2001:db8::1"),
        (address("64496", "asn"), Kind.OTHER, "AS64496"),
        (address("a@evil.example", "e-mail"), Kind.EMAIL, "a@evil.example"),
        (address("http://evil.example/\n  a?b=1&amp;amp;c=2", "site-uri"), Kind.URL,
         "http://evil.example/a?b=1&c=2"),
        ("<DomainData><Name>Evil.example</Name></DomainData>", Kind.DOMAIN, "evil.example"),
        ("<Node><NodeName>evil.example</NodeName></Node>", Kind.DOMAIN, "evil.example"),
    ],
)  # fmt: skip
def test_observables_of_a_system_find_their_kind(written: str, kind: Kind, value: str) -> None:
    (indicator,) = read_one(observed(system("source", written))).indicators

    assert (indicator.type, indicator.value) == (kind, value)


@pytest.mark.parametrize(
    ("ports", "values_found"),
    [
        ("22,137-139", {"22", "137", "138", "139"}),
        ("1-65535", {"1-65535"}),
        ("99999", {"99999"}),
        ("9-1", {"9-1"}),
    ],
)
def test_lists_of_ports_give_ports_unless_they_name_none_in_particular(
    ports: str, values_found: set[str]
) -> None:
    service = f"<Service><Portlist>{ports}</Portlist></Service>"

    assert {
        i.value for i in read_one(observed(system("target", service))).indicators
    } == values_found


@pytest.mark.parametrize(
    "value",
    [SHA256, f"0x{SHA256.upper()}", base64.b64encode(bytes.fromhex(SHA256)).decode(),
     base64.b64encode(f"0x{SHA256}".encode()).decode()],
)  # fmt: skip
def test_a_hash_is_read_however_it_is_written(value: str) -> None:
    document = iodef_json(
        Indicator=[{"Observable": {"FileData": [{"File": [{"HashData": {"Hash": [
            {"DigestMethod": HASH, "DigestValue": value}]}}]}]}}]
    )  # fmt: skip

    assert values(read_one(document), Kind.SHA256) == {SHA256}


def test_bulk_observables_are_read_line_by_line() -> None:
    bulk = (
        '<IndicatorData><Indicator><Observable><BulkObservable type="fqdn"><BulkObservableList>\n'
        " a[.]example\n b.example\n</BulkObservableList></BulkObservable></Observable></Indicator>"
        "</IndicatorData>"
    )

    assert values(read_one(iodef_xml(bulk)), Kind.DOMAIN) == {"a.example", "b.example"}


@pytest.mark.parametrize(
    ("sources", "first_hand"),
    [
        (["nidps"], True),
        (["leo"], False),
        (["nidps", "partner"], False),
        (["unknown"], None),
        ([], None),
    ],
)
def test_how_it_was_discovered_says_whether_it_is_first_hand(
    sources: list[str], first_hand: bool | None
) -> None:
    discoveries = [{"source": source} for source in sources]

    assert read_one(iodef_json(Discovery=discoveries)).first_hand is first_hand
    assert read_one(iodef_json(EventData=[{"Discovery": discoveries}])).first_hand is first_hand


@pytest.mark.requirement("R8")
def test_an_assessment_hints_at_effect_loss_and_cause() -> None:
    content = read_one(
        iodef_json(
            Assessment=[
                {
                    "occurrence": "actual",
                    "SystemImpact": [{"type": "availability-system", "completion": "succeeded"}],
                    "MonetaryImpact": [{"value": 5000, "currency": "EUR"}, {"value": "x"}],
                    "Cause": ["a misconfigured router"],
                }
            ]
        )
    )

    assert content.impact.disruption is Disruption.OBSERVED
    assert content.impact.loss_eur_min == 5000
    assert content.rsit == "availability"
    assert (content.cause.value, content.cause.clear, content.cause.statement) == (
        Cause.PRESUMED_MALICIOUS,
        False,
        "a misconfigured router",
    )


@pytest.mark.requirement("R8")
def test_a_stated_misconfiguration_is_a_hint_at_a_technical_failure() -> None:
    impact = '<Assessment><Impact type="misconfiguration"/></Assessment>'
    content = read_one(iodef_xml(impact, version="1"))

    assert content.technical_failure_indicated == "yes"
    assert (content.cause.value, content.cause.clear) == (Cause.HUMAN_ERROR, False)


def test_contacts_are_the_reporter_the_victims_and_law_enforcement() -> None:
    content = read_one(
        iodef_json(
            Contact=[
                {"role": "leo", "ContactName": ["NCU"]},
                {"role": "victim", "type": "organization", "ContactName": ["Hospital"]},
                {
                    "role": "creator",
                    "ContactName": ["CSIRT One"],
                    "Email": [{"EmailTo": "a@b.example"}],
                },
            ]
        )
    )

    assert (content.reporter.name, content.reporter.contact) == ("CSIRT One", "a@b.example")
    assert [(a.kind, a.value) for a in content.affected] == [("organisation", "Hospital")]
    assert "law enforcement is involved already: it is among the contacts" in content.warnings


def test_related_activity_and_references_are_kept() -> None:
    content = read_one(
        iodef_json(
            AlternativeID={"IncidentID": [{"id": "9", "name": "other.example"}]},
            RelatedActivity=[{"IncidentID": [{"id": "8", "name": "third.example"}],
                              "Campaign": [{"CampaignID": ["C-1"]}], "URL": ["http://a.example/"]}],
            Method=[{"Reference": [{"URL": ["http://b.example/"]}]}],
        )
    )  # fmt: skip

    assert [(r.kind, r.id) for r in content.relations] == [
        ("related", "other.example:9"),
        ("related", "third.example:8"),
        ("related", "C-1"),
    ]
    assert content.references == ("http://a.example/", "http://b.example/")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (iodef_json(IncidentID={"name": "csirt.example"}), "no-id"),
        (iodef_json(IncidentID={"id": "x" * 300}), "bad-id"),
        (iodef_json(GenerationTime=...), "no-time"),
        (iodef_json(GenerationTime="never"), "bad-time"),
        (b'<IODEF-Document xmlns="urn:ietf:params:xml:ns:iodef-2.0"/>', "no-reports"),
        (b'<IODEF-Document xmlns="urn:other"/>', "unknown-format"),
    ],
)
def test_a_document_that_no_report_can_be_made_of_is_refused(document: Any, reason: str) -> None:
    with pytest.raises(RejectedReport) as refused:
        read(document)

    assert refused.value.reason == reason


def test_xinclude_is_never_followed() -> None:
    evil = (
        '<Description><xi:include xmlns:xi="http://www.w3.org/2001/XInclude"'
        ' href="file:///etc/passwd" parse="text"/></Description>'
    )

    assert "root:" not in read_one(iodef_xml(evil)).model_dump_json()
