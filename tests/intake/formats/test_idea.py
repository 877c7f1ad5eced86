from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from protocol.errors import RejectedReport
from protocol.report import IndicatorType as Kind
from protocol.report import TimeKind
from tests.intake.formats.samples import idea_message, read, read_one, values

DETECTED = datetime(2017, 5, 12, 10, 12, 56, tzinfo=UTC)


def test_a_message_finds_its_fields() -> None:
    content = read_one(
        idea_message(
            Node=[{"Name": "cz.relay", "Type": ["Relay"]}, {"Name": "cz.sensor"}],
            Source=[{"IP4": ["192.0.2.1"], "Port": [445], "Type": ["OriginBot"]}],
            Target=[{"Hostname": ["ward.hospital.example"], "Email": ["a@hospital.example"]}],
            Confidence=0.5,
            Ref=["urn:cve:CVE-2017-0144"],
            Attach=[{"Hash": ["sha1:" + "a" * 40], "Content": "AAAA"}],
            PredID=["old-1"],
            CorrelID="other-1",
            Unheard="of",
        )
    )

    assert (content.title, content.rsit) == ("SMB scan", "information-gathering:scanner")
    assert (content.reporter.name, content.first_hand) == ("cz.sensor", False)
    assert {(i.type, i.value, i.role) for i in content.indicators} == {
        (Kind.IP, "192.0.2.1", "source"),
        (Kind.PORT, "445", "source"),
        (Kind.DOMAIN, "ward.hospital.example", "victim"),
        (Kind.EMAIL, "a@hospital.example", "victim"),
        (Kind.SHA1, "a" * 40, "attachment"),
    }
    assert {(a.value, a.role) for a in content.affected} == {
        ("192.0.2.1", "source"),
        ("ward.hospital.example", "victim"),
    }
    assert {(r.kind, r.id) for r in content.relations} == {
        ("related", "other-1"),
        ("replaces", "old-1"),
    }
    assert content.indicators[0].confidence_raw == "0.5"
    assert content.references == ("urn:cve:CVE-2017-0144",)


@pytest.mark.parametrize(
    ("node", "first_hand"),
    [(..., None), ([{"Name": "s"}], True), ([{"Name": "r", "Type": ["Relay"]}], False)],
)
def test_a_sensor_is_first_hand_and_a_relay_is_not(node: Any, first_hand: bool | None) -> None:
    assert read_one(idea_message(Node=node)).first_hand is first_hand


@pytest.mark.parametrize(
    ("written", "earliest", "latest", "known"),
    [
        ("2017-05-12T10:12:56Z", DETECTED, DETECTED, True),
        ("2017-05-12t12:12:56+02:00", DETECTED, DETECTED, True),
        ("2017-05-12 10:12:56", DETECTED - timedelta(hours=14), DETECTED + timedelta(hours=14), False),
        ("2017-05-12T10:12:56.5Z", DETECTED + timedelta(seconds=0.5),
         DETECTED + timedelta(seconds=0.5), True),
        ("2017-05-12", datetime(2017, 5, 11, 10, tzinfo=UTC),
         datetime(2017, 5, 13, 14, tzinfo=UTC), False),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC),
         datetime(2017, 1, 1, tzinfo=UTC), True),
    ],
)  # fmt: skip
def test_a_time_keeps_the_uncertainty_that_its_writing_leaves(
    written: str, earliest: datetime, latest: datetime, known: bool
) -> None:
    (time,) = read_one(idea_message(DetectTime=written)).times

    assert (time.kind, time.earliest, time.latest, time.tz_known) == (
        TimeKind.DETECTED,
        earliest,
        latest,
        known,
    )


@pytest.mark.parametrize(
    "written",
    ["yesterday", "", 5, [], {}, "2017-02-30T00:00:00Z", "2017-05-12T25:00:00Z", "0001-01-01T00:00:00Z",
     "9999-12-31T23:59:59-14:00", "2017-05-12T10:00:00+25:00", "2017-W19-5", "20170512T101256Z"],
)  # fmt: skip
def test_a_detect_time_that_is_none_refuses_the_message(written: Any) -> None:
    with pytest.raises(RejectedReport) as refused:
        read(idea_message(DetectTime=written))

    assert refused.value.reason == "bad-time"


def test_a_message_without_any_time_is_refused() -> None:
    with pytest.raises(RejectedReport) as refused:
        read(idea_message(DetectTime=...))

    assert refused.value.reason == "no-time"


def test_windows_become_windows() -> None:
    content = read_one(
        idea_message(
            EventTime="2017-05-12T09:00:00Z",
            CeaseTime="2017-05-12T10:00:00Z",
            WinStartTime="2017-05-12T08:00:00Z",
            WinEndTime="2017-05-12T11:00:00Z",
        )
    )
    spans = {t.kind: (t.earliest.hour, t.latest.hour) for t in content.times}

    assert spans[TimeKind.STARTED] == (9, 9)
    assert spans[TimeKind.ENDED] == (10, 10)
    assert spans[TimeKind.OBSERVED] == (8, 11)


def test_an_aggregation_window_ends_at_the_detection() -> None:
    content = read_one(idea_message(Node=[{"Name": "s", "AggrWin": "00:05:00"}]))

    assert (content.times[-1].earliest, content.times[-1].latest) == (
        DETECTED - timedelta(minutes=5),
        DETECTED,
    )


@pytest.mark.parametrize("category", ["Test", "test", "Test.Something"])
def test_a_test_message_does_not_become_a_report(category: str) -> None:
    with pytest.raises(RejectedReport) as refused:
        read(idea_message(Category=["Recon.Scanning", category]))

    assert refused.value.reason == "test-lane"


@pytest.mark.parametrize(
    ("category", "rsit"),
    [
        ("Availability.DDoS", "availability:ddos"),
        ("Attempt.Login", "intrusion-attempts:brute-force"),
        ("Intrusion.Botnet", "intrusions"),
        ("Anomaly.Traffic", "other:undetermined"),
        ("something", ""),
    ],
)
def test_a_category_becomes_its_rsit_class(category: str, rsit: str) -> None:
    assert read_one(idea_message(Category=[category])).rsit == rsit


def test_an_outage_alone_indicates_no_technical_failure() -> None:
    content = read_one(idea_message(Category=["Availability.Outage"]))

    assert content.technical_failure_indicated == "unknown"


def test_anonymised_and_spoofed_parties_do_not_count_as_they_stand() -> None:
    content = read_one(
        idea_message(
            Source=[{"IP4": ["192.0.2.1"], "Spoofed": True}],
            Target=[{"IP4": ["198.51.100.0/24", "198.51.100.7"], "Anonymised": True}],
        )
    )

    assert values(content, Kind.IP) == {"192.0.2.1"}
    assert values(content, Kind.OTHER) == {"198.51.100.0/24", "198.51.100.7"}
    assert [a.role for a in content.affected] == ["intermediate", "victim"]
    assert any("attribution" in warning for warning in content.warnings)


def test_a_list_of_messages_gives_as_many_reports() -> None:
    assert len(read([idea_message(), idea_message(ID="two")]).contents) == 2
