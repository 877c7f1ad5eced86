from __future__ import annotations

import pytest

from protocol.errors import RejectedReport
from protocol.markings import Tlp
from protocol.report import IndicatorType as Kind
from protocol.report import TimeKind
from tests.intake.formats.samples import intelmq_event, read, read_one, values


@pytest.mark.requirement("R4")
def test_an_event_finds_its_fields() -> None:
    content = read_one(
        intelmq_event(
            source__fqdn="ward.hospital.example", source__geolocation__cc="be",
            destination__ip="198.51.100.1", destination__port=445, malware__name="wannacry",
            malware__hash__sha256="AB" * 32, event_description__target="Hospital",
            event_description__url="http://a.example/", event_hash="e1", extra__unheard="of",
        )
    )  # fmt: skip

    assert (content.source_id, content.rsit) == ("e1", "malicious-code:infected-system")
    assert content.title == "infected-system wannacry ward.hospital.example"
    assert content.reporter.name == "CSIRT One"
    assert {(i.type, i.value, i.role) for i in content.indicators} == {
        (Kind.IP, "192.0.2.1", "victim"),
        (Kind.DOMAIN, "ward.hospital.example", "victim"),
        (Kind.PORT, "49152", "victim"),
        (Kind.IP, "198.51.100.1", "intermediate"),
        (Kind.PORT, "445", "intermediate"),
        (Kind.SHA256, "ab" * 32, "malware"),
    }
    assert {(a.kind, a.value, a.derived) for a in content.affected} >= {
        ("country", "BE", True),
        ("organisation", "Hospital", False),
    }
    assert [t.kind for t in content.times] == [TimeKind.OBSERVED, TimeKind.REPORTED]
    assert any("extra.unheard" in warning for warning in content.warnings)


@pytest.mark.parametrize(
    ("taxonomy", "kind", "role"),
    [
        ("malicious-code", "infected-system", "victim"),
        ("vulnerable", "vulnerable-system", "victim"),
        ("information-gathering", "scanner", "source"),
        ("malicious-code", "c2-server", "source"),
    ],
)
def test_the_source_of_an_infection_or_weakness_is_who_needs_help(
    taxonomy: str, kind: str, role: str
) -> None:
    content = read_one(intelmq_event(classification__taxonomy=taxonomy, classification__type=kind))

    assert {i.role for i in content.indicators} == {a.role for a in content.affected} == {role}


def test_a_source_address_places_nobody_in_a_country() -> None:
    content = read_one(
        intelmq_event(classification__type="scanner", classification__taxonomy=...,
                      source__geolocation__cc="BE")
    )  # fmt: skip

    assert content.rsit == "information-gathering:scanner"
    assert "country" not in {a.kind for a in content.affected}


@pytest.mark.requirement("R31")
@pytest.mark.parametrize(
    ("label", "tlp"),
    [("WHITE", Tlp.CLEAR), ("GREEN", Tlp.GREEN), ("AMBER", Tlp.AMBER), ("RED", Tlp.RED),
     ("tlp:amber+strict", Tlp.AMBER_STRICT), ("MAUVE", Tlp.RED), (..., Tlp.AMBER)],
)  # fmt: skip
def test_the_label_of_an_event_counts_and_an_unknown_one_is_red(label: str, tlp: Tlp) -> None:
    assert read_one(intelmq_event(tlp=label)).marking.tlp is tlp


@pytest.mark.requirement("R8")
@pytest.mark.parametrize(("kind", "said"), [("outage", "yes"), ("ddos", "unknown")])
def test_an_outage_is_a_hint_at_a_technical_failure(kind: str, said: str) -> None:
    event = intelmq_event(classification__type=kind, classification__taxonomy="availability")

    assert read_one(event).technical_failure_indicated == said


def test_an_event_without_an_id_gets_one_of_its_content_whenever_it_was_collected() -> None:
    one = read_one(intelmq_event())
    again = read_one(intelmq_event(time__observation="2017-05-13T08:00:00+00:00"))
    other = read_one(intelmq_event(source__ip="192.0.2.2"))

    assert one.source_id.startswith("intelmq-")
    assert one.source_id == again.source_id != other.source_id


@pytest.mark.parametrize(
    "changes", [{"classification__type": "test"}, {"classification__taxonomy": "test"}]
)
def test_a_test_event_becomes_no_report(changes: dict[str, str]) -> None:
    with pytest.raises(RejectedReport) as refused:
        read(intelmq_event(**changes))

    assert refused.value.reason == "test-lane"


def test_an_event_without_any_time_is_refused() -> None:
    with pytest.raises(RejectedReport) as refused:
        read(intelmq_event(time__source=..., time__observation=...))

    assert refused.value.reason == "no-time"


def test_an_autonomous_system_is_kept_as_it_stands() -> None:
    assert values(read_one(intelmq_event(source__asn=64496)), Kind.OTHER) == {"AS64496"}
