"""The quick way and the long way through our own format come to the same, to the byte."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from intake.formats.own import NAME
from intake.preparing import Preparer, Ready
from intake.records import RawRecord, quick_report, read_record
from intake.standing import UNRECOGNISED, Standing
from leerp.bench.stream import Stream
from protocol.markings import Tlp
from protocol.parties import SourceGroup
from protocol.report import ReportContent
from tests.intake.samples import LIMITS, body_of, content, major, profile, record, telling

PREPARER = Preparer(profile(), telling, LIMITS)
DATA = Path(__file__).parents[4] / "shared" / "data"
LABELLED = Standing(source_id="cert", groups=frozenset(SourceGroup), tlp=Tlp.GREEN)
DIGEST = "ab" * 32

TEXTS = (
    "plain", "", " led", "trailing ", "two\nlines", "tab\there", 'say "so"', "back\\slash", "caf\u00e9",
    "cafe\u0301", "\u03a3\u03af\u03b3\u03bc\u03b1", "\u00a0space", "\u2028", "\u200b",
    "\x7f", "\x00", "\x85", "\ud800", "=?utf-8?q?x?=", "=?", "a" * 1_000, "a" * 1_001, "a" * 201,
    "\U0001f600", "null", None, 5, True,
)  # fmt: skip
TIMES = (
    "2026-03-02T06:00:00Z", "2026-03-02T06:00:00.018000+00:00", "2026-03-02T06:00:00.5+02:00",
    "2026-03-02T06:00:00.0180006Z", "2026-03-02 06:00:00Z", "2026-03-02T06:00Z", "2026-03-02T06:00:00",
    "2026-03-02T24:00:00Z", "1969-12-31T23:00:00Z", "2200-01-01T00:00:00Z", "1970-01-01T00:00:00+00:00",
    "2199-12-31T23:59:59.999999Z", "2026-03-02T06:00:00-00:00", "2026-13-02T06:00:00Z", 1772431200,
    "2026-03-02T06:00:00+0200", "2026-03-02T06:00:60Z", "2199-12-31T00:00:00Z", None,
)  # fmt: skip
VALUES = (
    DIGEST, DIGEST.upper(), "ab" * 16, "a1" * 20, "c2.example.test", "C2.Example.test", "c2[.]example.test",
    "https://c2.example.test/a?b=c", "hxxp://c2.example.test/", "198.51.100.7", "198.51.100.007", "8.8.8.8",
    "fd00::12:34", "fd00::0012:34", "FD00::1", "fd00:0:0:1::5", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4",
    "a@example.test", "A@Example.test", "445", "0445", "0x" + "aB" * 20, "caf\u00e9.example.test", " x ",
    "", "a" * 2_001, "b\u00fccher.example", "x\x00y", 7,
)  # fmt: skip
NUMBERS = (0, 1, 3, 2**53, 2**63, 2**64, -1, 1.0, 1e3, "1", None, True)

line = st.sampled_from(("plain", "two words")) | st.sampled_from(TEXTS)
time = st.sampled_from(TIMES[:3]) | st.sampled_from(TIMES)
usual_time = st.sampled_from(TIMES[:3])


def parts(*required: tuple[str, Any], **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(dict(required), optional=optional)


reporter = parts(
    ("name", line), country=st.sampled_from(["EE", "ee", "EEE", "E\n", None]), contact=line
)
window = parts(
    ("kind", st.sampled_from(["observed", "reported", "seen"])),
    ("earliest", time),
    ("latest", time),
    tz_known=st.sampled_from([True, False, 1]),
)
affected = parts(
    ("kind", st.sampled_from(["organisation", "country", "sector", "person", "star"])),
    ("value", line),
    role=st.sampled_from(["victim", "source", "other"]),
    count_min=st.sampled_from(NUMBERS),
    count_max=st.sampled_from(NUMBERS),
    derived=st.booleans(),
)
impact = parts(
    criteria=st.lists(line, max_size=2),
    disruption=st.sampled_from(["observed", "none", "great"]),
    services=st.lists(line, max_size=1),
    loss_eur_min=st.sampled_from([None, 0, 1.5, 1e16, -1]),
    risk_to_life=st.booleans(),
    self_propagating=st.sampled_from([True, "yes"]),
)
indicator = parts(
    ("type", st.sampled_from(["sha256", "md5", "domain", "url", "ip", "email", "port", "wallet",
        "other", "x"])),
    ("value", st.sampled_from(VALUES)),
    role=line,
    first_seen=time,
    last_seen=time,
    confidence_raw=line,
)  # fmt: skip
marking = parts(
    classification=st.sampled_from([0, 1, 5, 9, "1"]),
    tlp=st.sampled_from(["CLEAR", "AMBER", "AMBER+STRICT", "amber"]),
    pap=st.sampled_from(["RED", "BLUE"]),
    handling_codes=st.lists(st.sampled_from(["H0", "H1", "H2", "H3", "H9"]), max_size=3),
    handling_text=line,
)
evaluation = parts(
    ("scheme", st.sampled_from(["europol4x4", "admiralty", "own"])),
    ("original", line),
    ("grade", parts(source=st.sampled_from(["A", "X", "Z"]), information=st.sampled_from(["1", "4", 4]))),
    flags=st.lists(line, max_size=1),
)  # fmt: skip
cause = parts(
    value=st.sampled_from(["malicious", "natural", "magic"]),
    clear=st.booleans(),
    by_authority_in_charge=st.booleans(),
    statement=line,
)
relation = parts(
    ("kind", st.sampled_from(["same-incident", "withdraws", "replaces", "x"])), ("id", line)
)
usual = st.fixed_dictionaries(
    {
        "format": st.just(NAME),
        "source_id": st.just("cert/1"),
        "title": st.just("A report"),
        "reporter": st.just({"name": "CERT", "country": "EE"}),
        "times": st.lists(
            usual_time.map(lambda t: {"kind": "observed", "earliest": t, "latest": t}),
            min_size=1,
            max_size=2,
        ),
    }
)
ODD = {
    "format": st.sampled_from([NAME, "leerp-report/2", None]),
    "source_id": line,
    "title": line,
    "description": line,
    "lang": line,
    "reporter": reporter,
    "first_hand": st.sampled_from([True, False, None, 1]),
    "detected_by": st.sampled_from(["primary", "secondary", "tertiary", None]),
    "evaluation": st.none() | evaluation,
    "times": st.lists(window, max_size=2),
    "cause": cause,
    "technical_failure_indicated": st.sampled_from(["yes", "no", "maybe"]),
    "rsit": line,
    "affected": st.lists(affected, max_size=3),
    "impact": impact,
    "indicators": st.lists(indicator, max_size=4),
    "marking": marking,
    "relations": st.lists(relation, max_size=2),
    "references": st.lists(line, max_size=2),
    "warnings": st.lists(line, max_size=1),
    "type": st.sampled_from(["csam", "x"]),
    "id": st.just("1-abc"),
}
odd: st.SearchStrategy[dict[str, Any]] = st.lists(
    st.sampled_from(sorted(ODD)), max_size=3, unique=True
).flatmap(lambda names: st.fixed_dictionaries({name: ODD[name] for name in names}))
documents: st.SearchStrategy[dict[str, Any]] = st.builds(lambda one, other: one | other, usual, odd)
spellings: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {"ensure_ascii": False},
        {"separators": (",", ":")},
        {"indent": 1},
        {"separators": (" , ", "\t:\r\n")},
    ]
)
deliveries = st.tuples(
    st.sampled_from([SourceGroup.CSIRT, SourceGroup.OSINT]),
    st.sampled_from(
        [
            {},
            {"leerp-format": NAME},
            {"leerp-format": "misp"},
            {"leerp-detected-by": "primary"},
            {"leerp-detected-by": "x"},
            {"content-type": "application/json"},
            {"content-type": "message/rfc822"},
        ]
    ),
    st.sampled_from([UNRECOGNISED, LABELLED]),
)


def the_long_way(one: RawRecord, standing: Standing) -> Ready:
    return PREPARER.ready(read_record(one, LIMITS), one, standing)


def written(document: dict[str, Any], spelling: dict[str, Any]) -> bytes:
    return json.dumps(document, **spelling).encode("utf-8", "surrogatepass")


@settings(max_examples=400)
@given(documents, spellings, deliveries)
def test_both_ways_come_to_the_same_bytes_or_the_same_refusal(
    document: dict[str, Any],
    spelling: dict[str, Any],
    delivery: tuple[SourceGroup, dict[str, str], Standing],
) -> None:
    group, headers, standing = delivery
    one = record(written(document, spelling), group=group, headers=headers)
    assert PREPARER.read(one, standing) == the_long_way(one, standing)


@settings(max_examples=400)
@given(st.data())
def test_both_ways_agree_on_damaged_reports(data: st.DataObject) -> None:
    body = bytearray(written(data.draw(documents), data.draw(spellings)))
    begin = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(begin, min(len(body), begin + 8)))
    body[begin:end] = data.draw(
        st.sampled_from([b"", b'"', b"\\", b"\\u0022", b'"lang":"x",', b"ustar", b"\xff", b" ", b"1"])
    )  # fmt: skip
    one = record(bytes(body))
    assert PREPARER.read(one) == the_long_way(one, UNRECOGNISED)


@pytest.mark.parametrize(
    "twice",
    [
        b'"lang": "en", "lang": "en"',
        b'"lang": "en", "l\\u0061ng": "en"',
        b'"lang": "\\u0022\\u0022", "lang": "en"',
        b'"impact": {"disruption": "none", "disruption": "none"}',
        b'"first_hand": true, "first_hand": true',
    ],
)
def test_a_field_that_is_named_twice_is_refused_as_ever(twice: bytes) -> None:
    body = body_of(content("one"))
    one = record(body[:-1] + b", " + twice + b"}")
    assert PREPARER.read(one).reason == "duplicate-key"


def test_the_reports_of_a_storm_go_the_quick_way_and_come_to_the_same() -> None:
    for number, sent in enumerate(Stream(300)):
        one = record(sent.body, offset=number)
        assert quick_report(one, LIMITS) is not None
        assert PREPARER.read(one) == the_long_way(one, UNRECOGNISED)


@pytest.mark.parametrize(
    "sent",
    [
        content("one", "hash-1", "ip-2"),
        major("two", "domain-3", description="Stra\u00dfe\nund Platz", warnings=('a "word"',)),
    ],
)
def test_what_leerp_itself_writes_goes_the_quick_way(sent: ReportContent) -> None:
    whole = sent.model_dump(mode="json", exclude={"impact": {"loss_eur_min"}})
    one = record(json.dumps({"format": NAME, **whole}).encode())
    quick = quick_report(one, LIMITS)
    assert quick is not None
    assert quick.said == sent.model_dump_json()


def test_no_foreign_file_is_taken_for_our_own_format() -> None:
    files = [file for file in DATA.rglob("*") if file.is_file()]
    for file in files:
        one = replace(record(file.read_bytes()), received_at=datetime.now(UTC))
        assert quick_report(one, LIMITS) is None
