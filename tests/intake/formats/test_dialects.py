"""Fields as detectors and older versions really write them."""

from __future__ import annotations

from typing import Any

import pytest

from intake.formats.times import Moment
from protocol.markings import Tlp
from protocol.report import IndicatorType as Kind
from tests.intake.formats.samples import (
    idea_message,
    intelmq_event,
    iodef_json,
    read_one,
    values,
    xarf3_report,
    xarf_report,
)


@pytest.mark.requirement("R4")
@pytest.mark.parametrize(
    ("stated", "tlp"),
    [("GREEN", Tlp.GREEN), ("TLP:RED", Tlp.RED), ("pink", Tlp.RED), (None, Tlp.AMBER)],
)
def test_the_label_of_an_idea_message_is_kept(stated: str | None, tlp: Tlp) -> None:
    assert read_one(idea_message(TLP=stated)).marking.tlp is tlp


def test_the_name_of_a_detector_may_be_a_list() -> None:
    assert read_one(idea_message(Node=[{"Name": ["ward-sensor"]}])).reporter.name == "ward-sensor"


def test_the_number_of_a_network_operator_is_written_as_one() -> None:
    content = read_one(idea_message(Source=[{"ASN": [64500, "AS64501"]}]))

    assert values(content, Kind.OTHER) == {"AS64500", "AS64501"}


def test_the_name_of_an_attached_sample_is_an_indicator() -> None:
    content = read_one(idea_message(Attach=[{"FileName": ["a.exe"], "Content": "x"}]))

    assert {(i.value, i.role) for i in content.indicators} == {("a.exe", "filename")}


@pytest.mark.parametrize(
    ("taxonomy", "kind", "rsit"),
    [
        ("vulnerable", "vulnerable service", "vulnerable:vulnerable-system"),
        ("malicious code", "c&c", "malicious-code:c2-server"),
        (..., "botnet drone", "malicious-code:infected-system"),
        ("malicious-code", "c2-server", "malicious-code:c2-server"),
    ],
)
def test_types_that_intelmq_used_before_have_their_class(
    taxonomy: Any, kind: str, rsit: str
) -> None:
    event = intelmq_event(classification__taxonomy=taxonomy, classification__type=kind)

    assert read_one(event).rsit == rsit


def test_a_network_of_an_intelmq_event_is_kept() -> None:
    event = intelmq_event(source__ip=..., source__port=..., source__network="192.0.2.0/24")

    assert values(read_one(event), Kind.OTHER) == {"192.0.2.0/24"}


@pytest.mark.parametrize(
    ("category", "kind", "rsit"),
    [
        ("infrastructure", "bot", "malicious-code:infected-system"),
        ("messaging", "social_engineering", "information-gathering:social-engineering"),
        ("content", "web_hack", "intrusions:application-compromise"),
        ("content", "spamvertised", "abusive-content:spam"),
        ("infrastructure", "compromised_account", "intrusions:unprivileged-account-compromise"),
    ],
)
def test_types_of_xarf_have_their_class(category: str, kind: str, rsit: str) -> None:
    assert read_one(xarf_report(category=category, type=kind)).rsit == rsit


def test_what_xarf_says_without_a_place_for_it_is_named() -> None:
    content = read_one(xarf_report(malware_family="Worm", bot_id="7", reporter="CSIRT One"))

    assert "2 fields stay in the original record only: bot_id, malware_family" in content.warnings
    assert content.reporter.name == "CSIRT One"


def test_xarf_3_may_name_many_ports_and_its_sender_by_another_name() -> None:
    content = read_one(
        xarf3_report(
            DestinationIp="198.51.100.1",
            DestinationPort=[22, 23],
            AdditionalInfo={"SMTPFrom": "bad@evil.example"},
        )
    )

    assert values(content, Kind.PORT) == {"49152", "22", "23"}
    assert values(content, Kind.EMAIL) == {"bad@evil.example"}


def test_observables_on_one_line_are_many() -> None:
    bulk = {"type": "domain-name", "BulkObservableList": "a.example, b.example;c.example"}
    content = read_one(iodef_json(Indicator=[{"Observable": {"BulkObservable": bulk}}]))

    assert values(content, Kind.DOMAIN) == {"a.example", "b.example", "c.example"}


def test_a_reference_keeps_its_name_beside_its_page() -> None:
    reference = {"ReferenceName": ["CVE-2017-0144"], "URL": ["http://a.example/x"]}
    content = read_one(iodef_json(Method=[{"Reference": [reference]}]))

    assert set(content.references) == {"CVE-2017-0144", "http://a.example/x"}


def test_the_first_day_that_is_counted_is_a_day() -> None:
    first = Moment.read("1970-01-01")

    assert first is not None
    assert first.earliest.isoformat() == "1970-01-01T00:00:00+00:00"
    assert Moment.read("1969-12-30") is None
