from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.formats.base import UNDATED
from protocol.errors import RejectedReport
from protocol.markings import Tlp
from protocol.report import IndicatorType as Kind
from protocol.report import TimeKind
from tests.intake.formats.samples import (
    CSV,
    TEXT,
    as_bytes,
    iodef_xml,
    mail_of,
    misp_event,
    read,
    read_one,
    values,
    xarf3_report,
    xarf_report,
)

SENT = datetime(2017, 5, 12, 7, 44, tzinfo=UTC)


@pytest.mark.requirement("R4")
def test_the_text_of_a_mail_is_a_report_with_its_indicators() -> None:
    content = read_one(
        mail_of(
            "Seen: hxxp://evil[.]example/x and 192.0.2.1. Write to duty@hospital.example"
            " or see hospital.example.",
            In_Reply_To="<16@hospital.example>",
        )
    )

    assert (content.source_id, content.title) == ("17@hospital.example", "Worm in the ward")
    assert (content.reporter.name, content.reporter.contact) == (
        "Duty Officer",
        "duty@hospital.example",
    )
    assert [(t.kind, t.earliest, t.tz_known) for t in content.times] == [
        (TimeKind.REPORTED, SENT, True)
    ]
    assert {(i.type, i.value) for i in content.indicators} == {
        (Kind.URL, "http://evil.example/x"),
        (Kind.IP, "192.0.2.1"),
    }
    assert [(r.kind, r.id) for r in content.relations] == [("related", "16@hospital.example")]


@pytest.mark.requirement("R4")
@pytest.mark.parametrize(
    ("media_type", "document", "source_id"),
    [
        ("application/json", xarf_report(), "9ac39cd1-85f3-4c31-ae87-a0a95f3ebc83"),
        ("application/json", xarf3_report(), "xarf3-"),
        ("text/plain", xarf3_report(), "xarf3-"),
        ("application/octet-stream", misp_event(), "5acc88e9-265c-4f22-9d2b-b702950d210f"),
        ("application/xml", iodef_xml(), "csirt.example:17"),
        ("text/csv", CSV, "csv-"),
        ("text/plain", TEXT, "text-"),
    ],
)
def test_what_is_attached_is_read_in_its_own_format(
    media_type: str, document: object, source_id: str
) -> None:
    content = read_one(mail_of("see attachment", (media_type, as_bytes(document))))

    assert content.source_id.startswith(source_id)
    assert "came as part 1 of a mail" in content.warnings


def test_a_list_that_is_attached_takes_its_sender_time_and_label_from_the_mail() -> None:
    content = read_one(mail_of("see", ("text/plain", TEXT), Subject="[TLP:RED] Worm"))

    assert content.reporter.name == "Duty Officer"
    assert [t.earliest for t in content.times] == [SENT]
    assert content.marking.tlp is Tlp.RED


def test_two_attachments_are_two_reports_and_a_picture_is_a_note() -> None:
    parsed = read(
        mail_of(
            "see",
            ("image/png", b"\x89PNG\r\n\x1a\n"),
            ("application/json", as_bytes(xarf_report())),
            ("text/csv", CSV),
        )
    )

    assert [c.source_id[:4] for c in parsed.contents] == ["9ac3", "csv-"]
    assert any("unknown-format" in warning for warning in parsed.contents[0].warnings)


def test_the_body_itself_may_be_a_report() -> None:
    assert read_one(mail_of(json.dumps(xarf_report()))).source_id.startswith("9ac39cd1")


@pytest.mark.parametrize(
    ("attached", "reason"),
    [
        (b"\x1f\x8b\x08\x00 archive", "archive"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "xml-dtd"),
        (b'{"a": 1, "a": 2}', "duplicate-key"),
    ],
)
def test_an_attachment_that_cannot_be_read_is_a_note_beside_text_and_a_refusal_without(
    attached: bytes, reason: str
) -> None:
    content = read_one(mail_of("Please see.", ("application/octet-stream", attached)))
    with pytest.raises(RejectedReport) as refused:
        read(mail_of("", ("application/octet-stream", attached)))

    assert any(reason in warning for warning in content.warnings)
    assert refused.value.reason == reason


def test_a_report_that_is_attached_and_refused_refuses_the_mail() -> None:
    attached = as_bytes(xarf_report(timestamp="never"))
    with pytest.raises(RejectedReport, match="part 1 of the mail") as refused:
        read(mail_of("Please see.", ("application/json", attached)))

    assert refused.value.reason == "bad-time"


@pytest.mark.requirement("R31")
@pytest.mark.parametrize(
    ("subject", "text", "tlp"),
    [
        ("TLP:GREEN - Worm", "a", Tlp.GREEN),
        ("TLP:GREEN - Worm", "TLP:AMBER+STRICT a", Tlp.AMBER_STRICT),
        ("Worm", "tlp: red a", Tlp.RED),
        ("Worm", "a", Tlp.AMBER),
    ],
)
def test_the_strictest_label_in_subject_and_text_counts(subject: str, text: str, tlp: Tlp) -> None:
    assert read_one(mail_of(text, Subject=subject)).marking.tlp is tlp


@pytest.mark.parametrize(
    ("date", "known"),
    [
        ("12 May 2017 09:44:00 +0200", True), ("Fri, 12 May 2017 07:44:00 -0000", False),
        ("Fri, 12 May 2017 07:44:00", False), ("Fri, 12 May 2017 03:44:00 EDT", True),
    ],
)  # fmt: skip
def test_a_date_keeps_the_uncertainty_of_its_zone(date: str, known: bool) -> None:
    (time,) = read_one(mail_of(Date=date)).times

    assert time.tz_known is known
    assert time.earliest <= SENT <= time.latest
    assert ((time.latest - time.earliest).total_seconds() / 3600) == (0 if known else 28)


@pytest.mark.parametrize(
    "date",
    ["", "<HR>", "yesterday", "Fri, 31 Feb 2017 07:44:00 +0000", "12 May 2017 07:44:00 +9999", "1 " * 3_000]
)  # fmt: skip
def test_a_date_that_is_none_leaves_the_time_of_arrival(date: str) -> None:
    content = read_one(mail_of(Date=date))

    assert content.times == (UNDATED,)
    assert any("no Date" in warning for warning in content.warnings)


def test_html_is_read_as_its_text_with_where_its_links_lead() -> None:
    html = (
        b"From: a@b.example\nTo: c@d.example\nSubject: x\nContent-Type: text/html\n\n"
        b"<style>p {}</style><p>Pay <a href='http://evil.example/pay'>here</a><script>1.2.3.4</script>"
    )
    content = read_one(html)

    assert values(content, Kind.URL) == {"http://evil.example/pay"}
    assert not values(content, Kind.IP)
    assert "Pay <http://evil.example/pay> here" in content.description


@pytest.mark.parametrize(
    "headers",
    [
        {"Subject": "=?utf-8?b?////?= =?idna?q?a?= =?punycode?q?b?= =?zlib?b?eJw?="},
        {"Subject": "a\u2028b =?utf-8?q?=0D=0ABcc:_x=40y.example?="},
        {"From": "(" * 5_000},
        {"From": "=?utf-8?q?=00=01?= <a@b.example>"},
        {"From": ""},
        {"Message-ID": "<" * 5_000},
        {"Content_Disposition": "attachment; filename*=idna''%ff%fe"},
        {"Subject": "=?" * 2_000},
    ],
)
def test_hostile_headers_do_no_harm(headers: dict[str, str]) -> None:
    try:
        content = read_one(mail_of(**headers))
    except RejectedReport:  # refused is unharmed
        return

    for text in (content.title, content.reporter.name, content.reporter.contact):
        assert "\n" not in text
        assert "\r" not in text


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_any_header_text_is_read_or_refused_and_adds_no_line(
    subject: str, sender: str, date: str
) -> None:
    body = (
        f"To: c@d.example\r\nMIME-Version: 1.0\r\nReceived: x\r\nSubject: {subject}\r\nFrom: {sender}"
        f"\r\nDate: {date}\r\n\r\nhello"
    ).encode("utf-8", "replace")
    try:
        contents = read(body).contents
    except RejectedReport:  # refused is unharmed
        return

    assert not any(character in contents[0].title for character in "\r\n")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (mail_of("see", *[("text/csv", CSV)] * 101), "too-many-parts"),
        (mail_of("a\n" * 210_000), "too-many-lines"),
        (mail_of("see", ("application/octet-stream", b"a" * 3_000_001)), "attachment-too-large"),
        (mail_of(""), "no-reports"),
    ],
)
def test_a_mail_beyond_the_limits_or_of_nothing_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(RejectedReport) as refused:
        read(body)

    assert refused.value.reason == reason


def test_a_mail_of_deeply_nested_parts_is_refused() -> None:
    body = b"From: a@b.example\nTo: c@d.example\nSubject: x\n"
    for level in range(20):
        body += b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level)
    with pytest.raises(RejectedReport) as refused:
        read(body + b"\ntext\n")

    assert refused.value.reason == "too-deep"


def test_a_text_that_is_no_mail_is_not_taken_for_one() -> None:
    with pytest.raises(RejectedReport) as refused:
        read(b"Note: this is\nTo: nobody\n\nHello")

    assert refused.value.reason == "unknown-format"
