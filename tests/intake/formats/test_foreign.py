"""What is no report: each is refused for what it is, so that its sender knows what to do."""

from __future__ import annotations

import json

import pytest

from protocol.errors import RejectedReport
from tests.intake.formats.samples import intelmq_event, misp_event, read, read_one


@pytest.mark.parametrize(
    ("body", "reason", "text"),
    [
        (b"<!DOCTYPE html><html><body>x</body></html>", "unknown-format", "web page"),
        (b"\n<HTML><p>x</HTML>", "unknown-format", "web page"),
        (rb"{\rtf1\ansi x}", "unknown-format", "rich text"),
        (b"<34>1 2017-05-12T07:44:00Z ward su - - failed", "unknown-format", "this text"),
        (b'<ioc xmlns="http://schemas.example/ioc"/>', "unknown-format", "OpenIOC"),
        (b"<IDMEF-Message/>", "unknown-format", "IDMEF"),
        (b"alert tcp any any -> 192.0.2.1 443 (sid:1;)", "unknown-format", "this text"),
        (b"CEF:0|A|B|1|2|c|5|src=192.0.2.1", "unknown-format", "this text"),
        (b"rule A { condition: true }", "unknown-format", "this text"),
        (b"title: A\ndetection:\n  condition: b\n", "unknown-format", "this text"),
        (b'{"Version": "3", "Report": {"ReportType": "Spam"}}', "missing-field", "ReporterInfo"),
        (b'{"Version": "3", "ReporterInfo": {}}', "missing-field", "Report "),
        (json.dumps(intelmq_event() | {"__type": "Report"}).encode(), "intelmq-report", "events"),
    ],
)  # fmt: skip
def test_what_is_no_report_is_refused_by_its_name(body: bytes, reason: str, text: str) -> None:
    with pytest.raises(RejectedReport, match=text) as refused:
        read(body)

    assert refused.value.reason == reason


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_report_with_a_byte_order_mark_is_read(encoding: str) -> None:
    body = json.dumps(misp_event(info="Größe"), ensure_ascii=False).encode(encoding)

    assert read_one(body).title == "Größe"
