"""Whatever arrives is a ``Parsed`` or a ``RejectedReport``, never another exception."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from intake.formats.base import Parsed
from intake.formats.registry import FORMATS
from protocol.errors import RejectedReport
from protocol.report import ReportContent
from tests.intake.formats.samples import DATA, SAMPLES, make_delivery, read

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
