from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.formats.base import MOST_REPORTS, Parsed
from intake.formats.registry import FORMATS
from protocol.errors import RejectedReport
from protocol.parties import DetectedBy, SourceGroup
from protocol.report import ReportContent
from tests.intake.formats.samples import (
    CSV,
    DATA,
    TEXT,
    as_bytes,
    idea_message,
    intelmq_event,
    iodef_json,
    iodef_xml,
    mail_of,
    make_delivery,
    misp_event,
    own_report,
    read,
    stix,
    stix_bundle,
    xarf3_report,
    xarf_report,
)

SAMPLES: dict[str, Any] = {
    "leerp-report/1": own_report(),
    "misp": misp_event(),
    "stix-2.1": stix_bundle(stix("incident", name="Worm in the ward")),
    "idea0": idea_message(),
    "intelmq": intelmq_event(),
    "xarf-4": xarf_report(),
    "xarf-3": xarf3_report(),
    "iodef-2": iodef_xml(),
    "iodef-2-json": iodef_json(),
    "iodef-1": iodef_xml(version="1"),
    "csv": CSV,
    "text": TEXT,
    "mail": mail_of(),
}
LISTED = ("leerp-report/1", "misp", "idea0", "intelmq", "xarf-4", "xarf-3")
"""Formats of which one document may hold many, as a list or as lines."""


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("declare", [False, True])
def test_each_format_is_recognised_by_itself_and_when_declared(name: str, declare: bool) -> None:
    parsed = read(SAMPLES[name], make_delivery(declared=name if declare else None))

    assert (parsed.format, len(parsed.contents)) == (name, 1)


@pytest.mark.parametrize(
    ("document", "declared", "reason"),
    [
        ({"a": 1}, None, "unknown-format"),
        ([], None, "unknown-format"),
        ("text", None, "unknown-format"),
        (None, None, "unknown-format"),
        (own_report(format="leerp-report/2"), None, "unknown-format"),
        (own_report(), "csv", "format-mismatch"),
        (own_report(), "yaml", "unknown-format"),
        (own_report(), "misp", "format-mismatch"),
        (misp_event(), "idea0", "format-mismatch"),
        (b"  <IODEF-Document/>", None, "unknown-format"),
        (b"\xef\xbb\xbf<a/>", "misp", "format-mismatch"),
        (iodef_xml(), "iodef-1", "format-mismatch"),
        (misp_event(), "iodef-2", "not-xml"),
        (b"Dear all, nothing is known yet.", None, "unknown-format"),
        (b"%PDF-1.7", None, "unknown-format"),
        (b"\x1f\x8b\x08\x00", None, "archive"),
        (b"PK\x03\x04", "misp", "archive"),
        ({"5acc88e9-265c-4f22-9d2b-b702950d210f": {"info": "x"}}, None, "misp-feed-index"),
        (
            b"d41d8cd98f00b204e9800998ecf8427e,5acc88e9-265c-4f22-9d2b-b702950d210f\n" * 3,
            None,
            "misp-feed-index",
        ),
        (json.dumps(misp_event()).encode() + b"\n{broken}", None, "not-json"),
        (b'{"a": 1}\n' * (MOST_REPORTS + 1), None, "too-many-reports"),
        ([misp_event()] * (MOST_REPORTS + 1), None, "too-many-reports"),
    ],
)
def test_what_no_adapter_can_read_is_refused(
    document: Any, declared: str | None, reason: str
) -> None:
    with pytest.raises(RejectedReport) as refused:
        read(document, make_delivery(declared=declared))

    assert refused.value.reason == reason


def test_a_refusal_says_which_formats_are_accepted() -> None:
    with pytest.raises(RejectedReport) as refused:
        read({"a": 1})

    assert str(refused.value).endswith(f"accepted are {', '.join(FORMATS)}")


@pytest.mark.parametrize("name", LISTED)
@pytest.mark.parametrize("lines", [False, True])
def test_a_list_or_lines_of_documents_give_a_report_each(name: str, lines: bool) -> None:
    one = SAMPLES[name]
    two = as_bytes(one) + b"\n\n" + as_bytes(one) + b"\n" if lines else [one, one]
    parsed = read(two, make_delivery(declared=name))

    assert (parsed.format, len(parsed.contents)) == (name, 2)


def test_a_refused_report_among_many_is_named_by_its_place() -> None:
    with pytest.raises(RejectedReport, match="report 2 of 3: DetectTime"):
        read([idea_message(), idea_message(DetectTime="never"), idea_message()])


@pytest.mark.parametrize(
    ("media_type", "name"), [("message/rfc822", "mail"), ("text/csv; charset=utf-8", "csv")]
)
def test_a_declared_media_type_decides_between_texts_and_mails(media_type: str, name: str) -> None:
    assert read(SAMPLES[name], make_delivery(media_type=media_type)).format == name


@pytest.mark.requirement("R4", "R5")
@pytest.mark.parametrize("name", FORMATS)
def test_a_report_of_group_1_must_say_how_it_was_detected(name: str) -> None:
    with pytest.raises(RejectedReport, match="primary or secondary") as refused:
        read(SAMPLES[name], make_delivery(group=SourceGroup.OSINT))
    said = read(
        SAMPLES[name],
        make_delivery(group=SourceGroup.OSINT, detected_by=DetectedBy.SECONDARY),
    )

    assert refused.value.reason == "no-detection-source"
    assert said.contents[0].detected_by is DetectedBy.SECONDARY


@pytest.mark.requirement("R5")
def test_what_the_report_itself_says_of_its_detection_counts() -> None:
    parsed = read(own_report(detected_by="primary"), make_delivery(group=SourceGroup.OSINT))

    assert parsed.contents[0].detected_by is DetectedBy.PRIMARY


@pytest.mark.parametrize(
    "document",
    [
        idea_message(Source=[{"IP4": [f"10.0.{n // 250}.{n % 250}" for n in range(50_001)]}]),
        own_report(
            indicators=[{"type": "domain", "value": f"d{n}.example"} for n in range(50_001)]
        ),
    ],
)
def test_a_report_of_too_many_indicators_is_refused_before_it_floods_the_database(
    document: Any,
) -> None:
    with pytest.raises(RejectedReport) as refused:
        read(document)

    assert refused.value.reason == "too-many-indicators"


def test_one_bad_report_refuses_the_whole_record() -> None:
    with pytest.raises(RejectedReport) as refused:
        read([misp_event(), misp_event(uuid=...)])

    assert refused.value.reason == "no-id"


def test_the_same_bytes_always_give_the_same_reports() -> None:
    body = (DATA / "misp" / "eset_mozi_iot_botnet.json").read_bytes()

    assert read(body) == read(body)


# Fuzzing: whatever arrives is a Parsed or a RejectedReport, never another exception.

KEYS = st.sampled_from(
    """format source_id title times reporter indicators marking handling_codes type value id objects
    Event response uuid info date timestamp Attribute Object Tag name Orgc Org distribution deleted
    first_seen last_seen object_relation Galaxy RelatedEvent EventReport content extends_uuid Format
    ID DetectTime EventTime WinStartTime WinEndTime Category Source Target IP4 IP6 URL Hostname Port
    Node AggrWin Confidence Attach Hash Ref PredID Spoofed Anonymised pattern object_refs created
    first_observed last_observed created_by_ref object_marking_refs granular_markings marking_ref
    relationship_type source_ref target_ref where_sighted_refs extensions incident_types hashes
    external_references definition definition_type identity_class sectors country revoked
    determination published modified labels Incident IncidentID GenerationTime ReportTime EventData
    Flow System Node Address category Service Portlist DomainData Name Record RecordData FileData File
    HashData DigestMethod DigestValue Key KeyName IndicatorData Indicator Observable BulkObservable
    BulkObservableList Contact role Assessment SystemImpact MonetaryImpact Confidence restriction
    RelatedActivity Description xarf_version report_id timestamp reporter sender source_identifier
    source_port evidence tags url file_hash Report ReporterInfo ReportType Date SourceIp Account
    AdditionalInfo FileHash feed.name time.source classification.type source.ip source.port tlp
    destination.ip malware.hash.md5 event_hash""".split()  # noqa: SIM905, read as a list
)
WORDS = st.sampled_from(
    """leerp-report/1 IDEA0 bundle incident report grouping indicator observed-data sighting identity
    location relationship marking-definition file ipv4-addr malware-sample ip-dst|port filename|md5
    ip-src domain|ip victim targets tlp tlp:red tlp:unclear admiralty-scale:source-reliability="z"
    nis:nature-root-cause="system-failures" PAP:X euci:S handling-code:H3 2017-05-12 1494600000
    0001-01-01T00:00:00Z 9999-12-31T23:59:59-14:00 2017-05-12T10:00:00Z 23:59:60 99D99:99:99
    IODEF-Document 2.0 private default ext-value source target sensor ipv4-addr creator dos csam spam
    1,2-9,x infected-system test AMBER+STRICT #sha1 MHg2NzUx
    192.0.2.1 evil.example hxxp://[::1 a|b Test.X incident--1 [url:value='x] [a:b='c'] NaN""".split()  # noqa: SIM905
)
LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False) | WORDS | st.text(max_size=12)
)  # fmt: skip
SHAPES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=8),
    max_leaves=40,
)


def outcome(document: Any, declared: str | None = None) -> Parsed | RejectedReport:
    try:
        return read(document, make_delivery(declared=declared))
    except RejectedReport as rejected:
        return rejected


def sound(result: Parsed | RejectedReport) -> bool:
    """Whether a refusal has its code and sentence, and a report passes its own schema."""
    if isinstance(result, RejectedReport):
        return bool(result.reason) and bool(str(result))
    return all(
        ReportContent.model_validate_json(content.model_dump_json()) == content
        for content in result.contents
    )


@given(SHAPES)
@settings(max_examples=300, deadline=None)
def test_any_json_is_read_or_refused(document: Any) -> None:
    assert sound(outcome(document))


@given(st.sampled_from([n for n, sample in SAMPLES.items() if isinstance(sample, dict)]), st.data())
@settings(max_examples=600, deadline=None)
def test_a_report_with_strange_parts_is_read_or_refused(name: str, data: st.DataObject) -> None:
    document = copy.deepcopy(SAMPLES[name])
    target = document["Event"] if name == "misp" else document
    if name == "iodef-2-json":
        target = document["Incident"][0]
    elif name == "xarf-3":
        target = document["Report"]
    elif name == "stix-2.1":
        target = document["objects"][0]
        document["objects"].extend(data.draw(st.lists(SHAPES, max_size=3)))
    target.update(data.draw(st.dictionaries(KEYS, SHAPES, max_size=5)))

    assert sound(outcome(document))
    assert sound(outcome(document, name))


REAL = sorted(
    path
    for folder in DATA.iterdir()
    if folder.is_dir() and folder.name not in {"contacts", "exercise"}
    for path in folder.iterdir()
    if 0 < path.stat().st_size < 20_000
)
REAL_JSON = [path for path in REAL if path.suffix == ".json" and path.parent.name != "malformed"]


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every container of a document with each of its keys."""
    found: list[tuple[Any, Any]] = []
    pending = [node]
    while pending:
        node = pending.pop()
        inner = list(node.items()) if isinstance(node, dict) else list(enumerate(node))
        found.extend((node, key) for key, _ in inner)
        pending.extend(value for _, value in inner if isinstance(value, dict | list))
    return found


@given(st.sampled_from(REAL_JSON), st.data())
@settings(max_examples=300, deadline=None)
def test_a_real_file_with_broken_parts_is_read_or_refused(path: Path, data: st.DataObject) -> None:
    document = json.loads(path.read_text())
    for _ in range(data.draw(st.integers(1, 4))):
        spots = places(document)
        if not spots:
            break
        holder, key = spots[data.draw(st.integers(0, len(spots) - 1))]
        holder[key] = data.draw(SHAPES)

    assert sound(outcome(document))


PIECES = st.binary(max_size=8) | st.sampled_from([
    b"\x00", b"\n\n", b"--", b'"', b"<", b">", b"&", b"[", b"]", b"{", b"}", b"9" * 30, b"\xed\xa0\x80",
    b"=?punycode?q?a-b?=", b"; charset=idna", b"filename*=idna''%ff", b"\r", b"TLP:RED", b"|", b";",
    b"Content-Type: multipart/mixed; boundary=x\n\n--x\n", b"<!DOCTYPE a>", b"1e400",
])  # fmt: skip


@given(st.sampled_from(REAL), st.data())
@settings(max_examples=400, deadline=None)
def test_a_real_file_with_broken_bytes_is_read_or_refused(path: Path, data: st.DataObject) -> None:
    body = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(body)))
        body[start : start + data.draw(st.integers(0, 60))] = data.draw(PIECES)
    cut = data.draw(st.none() | st.integers(0, len(body)))
    declared = data.draw(st.none() | st.sampled_from(list(FORMATS)))

    assert sound(outcome(bytes(body[:cut])))
    assert sound(outcome(bytes(body[:cut]), declared))
