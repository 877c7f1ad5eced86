"""Feedback reports and X-ARF before version 3, as they come by mail."""

from __future__ import annotations

import pytest

from protocol.report import IndicatorType as Kind
from protocol.report import TimeKind
from tests.intake.formats.samples import mail_of, read_one, values

OLD_XARF = b"""---
Reported-From: desk@isp.example
Category: abuse
Report-Type: login-attack
Report-ID: 17@isp.example
Date: Fri, 12 May 2017 08:44:00 +0100
Source-Type: ip-address
Source: 192.0.2.7
Schema-URL: http://schema.example/abuse.json
"""
FEEDBACK = b"""Feedback-Type: fraud
Version: 1
Arrival-Date: Fri, 12 May 2017 07:44:00 +0000
Source-IP: 192.0.2.8
Reported-URI: http://phish.example/login
"""
INNER = b"""From: bad@evil.example
To: ward@hospital.example
Subject: Invoice

Pay at hxxp://phish[.]example/pay
"""


@pytest.mark.requirement("R4")
def test_the_fields_of_an_old_xarf_say_who_attacked_when_and_how() -> None:
    content = read_one(mail_of("An attack.", ("text/plain; name=report.txt", OLD_XARF)))

    assert values(content, Kind.IP) == {"192.0.2.7"}
    assert values(content, Kind.URL) == set()
    assert content.rsit == "intrusion-attempts:brute-force"
    assert (content.times[0].kind, content.times[0].earliest.isoformat()) == (
        TimeKind.OBSERVED,
        "2017-05-12T07:44:00+00:00",
    )
    assert content.references == ("17@isp.example",)


def test_a_feedback_report_is_read_though_the_parser_takes_it_for_headers() -> None:
    content = read_one(mail_of("A report.", ("message/feedback-report", FEEDBACK)))

    assert values(content, Kind.IP) == {"192.0.2.8"}
    assert values(content, Kind.URL) == {"http://phish.example/login"}
    assert content.rsit == "fraud:phishing"


def test_fields_in_the_text_itself_are_read() -> None:
    assert read_one(mail_of(OLD_XARF.decode())).rsit == "intrusion-attempts:brute-force"


def test_a_text_with_colons_is_no_report_of_fields() -> None:
    content = read_one(mail_of("See below.", ("text/plain; name=log.txt", b"Source: x\nDate: y\n")))

    assert content.rsit == ""
    assert any("no format known" in warning for warning in content.warnings)


def test_a_mail_that_only_forwards_another_is_read_by_that_ones_text() -> None:
    content = read_one(mail_of("", ("message/rfc822", INNER)))

    assert values(content, Kind.URL) == {"http://phish.example/pay"}
    assert content.title == "Worm in the ward"
