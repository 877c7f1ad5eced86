from __future__ import annotations

import pytest

from intake.formats.base import UNDATED
from intake.formats.prose import indicators_in
from protocol.errors import RejectedReport
from protocol.markings import Tlp
from protocol.report import IndicatorType as Kind
from protocol.report import ReportContent, TimeKind
from tests.intake.formats.samples import make_delivery, read, read_one, values

SHA256 = "ab" * 32


def found(content: ReportContent) -> set[tuple[Kind, str]]:
    return {(i.type, i.value) for i in content.indicators}


@pytest.mark.requirement("R4")
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " ; "])
def test_a_table_is_read_by_the_names_of_its_columns(delimiter: str) -> None:
    rows = [
        ["Domain", "IP Address", "SHA-256", "dst_port", "Malware", "Colour"],
        ["hxxp-evil[.]example", "192.0.2[.]1", SHA256.upper(), "445", "wannacry", "red"],
        ["n/a", "-", "", "", "petya", ""],
    ]
    content = read_one("\n".join(delimiter.join(row) for row in rows).encode())

    assert found(content) == {
        (Kind.DOMAIN, "hxxp-evil.example"),
        (Kind.IP, "192.0.2.1"),
        (Kind.SHA256, SHA256),
        (Kind.PORT, "445"),
    }
    assert content.description.strip() == "wannacry, petya"
    assert "column 'Colour' stays in the original record only" in content.warnings


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("Domain", "evil[.]example", {(Kind.DOMAIN, "evil.example")}),
        ("ip-dst", "192.0.2.1", {(Kind.IP, "192.0.2.1")}),
        ("Filename", "evil.example", {(Kind.OTHER, "evil.example")}),
        ("ip:port", "192.0.2.1:445", {(Kind.IP, "192.0.2.1"), (Kind.PORT, "445")}),
        ("filename|md5", f"a.exe|{'ab' * 16}", {(Kind.OTHER, "a.exe"), (Kind.MD5, "ab" * 16)}),
        ("unheard of", "hxxp://evil.example/x", {(Kind.URL, "http://evil.example/x")}),
        ("unheard of", "just words", {(Kind.OTHER, "just words")}),
    ],
)
def test_a_column_of_types_says_what_the_values_are(
    kind: str, value: str, expected: set[tuple[Kind, str]]
) -> None:
    assert found(read_one(f"type,value\n{kind},{value}\n".encode())) == expected


def test_a_header_may_be_the_last_comment_and_its_times_may_be_in_utc_by_name() -> None:
    content = read_one(
        b'# Feed of One\n# "first_seen_utc","ioc_id","ioc_value","ioc_type","reference"\n'
        b'"2017-05-12 07:44:00", "1", "192.0.2.1:445", "ip:port", "http://a.example/"\n'
    )

    assert content.title == "Feed of One"
    assert [(t.kind, t.tz_known, t.earliest.hour) for t in content.times] == [
        (TimeKind.OBSERVED, True, 7)
    ]
    assert content.references == ("http://a.example/",)
    assert found(content) == {(Kind.IP, "192.0.2.1"), (Kind.PORT, "445")}


@pytest.mark.requirement("R31", "R32")
@pytest.mark.parametrize(
    ("body", "tlp"),
    [
        (b"domain,tlp\na.example,green\nb.example,TLP:RED\n", Tlp.RED),
        (b"domain,tlp\na.example,mauve\n", Tlp.RED),
        (b"# TLP:GREEN\ndomain\na.example\n", Tlp.GREEN),
        (b"# TLP:AMBER+STRICT, TLP:CLEAR\na.example\n", Tlp.AMBER_STRICT),
        (b"a.example\n", Tlp.AMBER),
    ],
)
def test_the_strictest_label_of_a_list_counts(body: bytes, tlp: Tlp) -> None:
    assert read_one(body).marking.tlp is tlp


@pytest.mark.requirement("R4")
def test_a_text_list_is_read_line_by_line_without_its_comments() -> None:
    content = read_one(
        b"# Worm in the ward\n// more\n\nhxxps://evil[.]example/x\n192.0.2.1  # seen twice\n"
        b"192.0.2.2:8080\nd41d8cd98f00b204e9800998ecf8427e\nsomebody[at]evil.example\n"
    )

    assert content.title == "Worm in the ward"
    assert found(content) == {
        (Kind.URL, "https://evil.example/x"),
        (Kind.IP, "192.0.2.1"),
        (Kind.IP, "192.0.2.2"),
        (Kind.PORT, "8080"),
        (Kind.MD5, "d41d8cd98f00b204e9800998ecf8427e"),
        (Kind.EMAIL, "somebody@evil.example"),
    }


def test_a_list_without_a_time_waits_for_the_time_of_its_arrival() -> None:
    content = read_one(b"evil.example\n")

    assert content.times == (UNDATED,)
    assert "the time of its arrival counts" in content.warnings[0]


def test_the_same_list_is_the_same_report_and_another_is_not() -> None:
    assert read_one(b"evil.example\n").source_id == read_one(b"evil.example\n").source_id
    assert read_one(b"evil.example\n").source_id != read_one(b"vile.example\n").source_id


@pytest.mark.parametrize(
    "body",
    ["domain\nüble.example\n".encode("utf-16"), "domain\nüble.example\n".encode("utf-8-sig")],
)
def test_a_byte_order_mark_says_how_a_list_is_encoded(body: bytes) -> None:
    assert values(read_one(body), Kind.DOMAIN) == {"xn--ble-goa.example"}


def test_a_declared_charset_counts_and_one_that_is_none_of_text_does_not() -> None:
    body = "domain\nüble.example\n".encode("latin-1")
    declared = make_delivery(media_type="text/csv; charset=iso-8859-1")

    assert values(read(body, declared).contents[0], Kind.DOMAIN) == {"xn--ble-goa.example"}
    with pytest.raises(RejectedReport) as refused:
        read(body, make_delivery(media_type="text/csv; charset=unicode_escape"))
    assert refused.value.reason == "bad-text"


@pytest.mark.parametrize(
    ("body", "declared", "reason"),
    [
        (b"domain\n" + b"a" * 10_001, None, "cell-too-long"),
        (b"domain\na.example" + b"," * 201, None, "too-many-columns"),
        (b"domain\n" + b"a.example\n" * 50_001, None, "too-many-rows"),
        (b"192.0.2.1\n" * 50_001, None, "too-many-rows"),
        (b"192.0.2.1 " * 2_000, None, "cell-too-long"),
        (b'domain\n"a.example' + b",\n" * 200_000, None, "bad-csv"),
        (b"domain\nn/a\n", None, "no-indicators"),
        (b"nothing to see here\n", "text", "no-indicators"),
        (b"name,colour\na,b\n", "csv", "format-mismatch"),
        (b"domain\n\x00\n", None, "bad-text"),
        (b"Dear colleagues,\nplease see\nhttp://a.example/\nfor more.\n", None, "unknown-format"),
    ],
)
def test_a_list_beyond_the_limits_or_of_nothing_is_refused(
    body: bytes, declared: str | None, reason: str
) -> None:
    with pytest.raises(RejectedReport) as refused:
        read(body, make_delivery(declared=declared))

    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("See http://evil.example/a, or (192.0.2.1).", ["http://evil.example/a", "192.0.2.1"]),
        ("from evil[.]zip;bad[.]example", ["evil[.]zip", "bad[.]example"]),
        ("open report.pdf, run.exe and and/or e.g. i.e.x", []),
        ("It ended.Then it began", []),
        ("port 192.0.2.1:445 at [2001:db8::1]", ["192.0.2.1", "445", "2001:db8::1"]),
        ("twice a.example a.example", ["a.example"]),
    ],
)
def test_only_words_that_plainly_are_indicators_are_taken(text: str, words: list[str]) -> None:
    assert [value for _, value in indicators_in(text)] == words
