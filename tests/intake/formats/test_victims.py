"""Who is hit and who is not: an infected host's server is no victim, nor is a weak host a source."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.report import IndicatorType as Kind
from protocol.report import ReportContent
from tests.intake.formats.samples import (
    idea_message,
    intelmq_event,
    iodef_json,
    iodef_xml,
    read_one,
    xarf3_report,
    xarf_report,
)

SERVER = "198.51.100.1"


def victims(content: ReportContent) -> set[str]:
    return {a.value for a in content.affected if a.role == "victim"}


@pytest.mark.requirement("R7")
@pytest.mark.parametrize(
    "document",
    [
        xarf_report(type="infected_host", destination_ip=SERVER, destination_port=443),
        xarf3_report(ReportType="Botnet", DestinationIp=SERVER, DestinationPort=443),
        intelmq_event(
            destination__ip=SERVER, destination__port=443, destination__geolocation__cc="US"
        ),
    ],
    ids=["xarf-4", "xarf-3", "intelmq"],
)
def test_what_an_infected_host_talks_to_is_no_victim(document: Any) -> None:
    content = read_one(document)
    roles = {i.value: i.role for i in content.indicators}

    assert victims(content) == {"192.0.2.1"}
    assert (roles["192.0.2.1"], roles[SERVER]) == ("victim", "intermediate")


@pytest.mark.parametrize(
    "document",
    [
        xarf_report(destination_ip=SERVER),
        xarf3_report(DestinationIp=SERVER),
        xarf3_report(AdditionalInfo={"DestinationIP": SERVER, "DestinationPort": 80}),
        intelmq_event(
            classification__taxonomy="availability",
            classification__type="ddos",
            destination__ip=SERVER,
        ),
    ],
    ids=["xarf-4", "xarf-3", "xarf-3 nested", "intelmq"],
)
def test_whom_an_attacker_reaches_is_the_victim(document: Any) -> None:
    assert victims(read_one(document)) == {SERVER}


@pytest.mark.parametrize(
    ("category", "hit"),
    [
        ("Vulnerable.Config", {"192.0.2.1"}),
        ("Availability.Outage", {"192.0.2.1"}),
        ("Recon.Scanning", set()),
    ],
)
def test_a_weak_or_broken_source_is_who_needs_help(category: str, hit: set[str]) -> None:
    message = idea_message(Category=[category], Source=[{"IP4": ["192.0.2.1"]}])

    assert victims(read_one(message)) == hit


def test_what_is_no_address_is_no_victim() -> None:
    content = read_one(xarf3_report(DestinationIp="198"))

    assert victims(content) == set()
    assert any("links to nothing" in warning for warning in content.warnings)


def test_whose_brand_or_work_is_abused_is_a_victim() -> None:
    phishing = xarf_report(category="content", type="phishing", target_brand="Bank One")
    copied = xarf_report(category="copyright", type="p2p", rights_holder="Studio One")
    older = xarf3_report(AdditionalInfo={"TargetBrand": "Bank Two"})

    assert victims(read_one(phishing)) == {"Bank One"}
    assert victims(read_one(copied)) == {"Studio One"}
    assert victims(read_one(older)) == {"Bank Two"}


def test_a_target_that_only_has_a_name_is_a_victim_and_a_number_of_its_operator_is_none() -> None:
    named = {"category": "target", "Node": {"DomainData": [{"Name": "www.ward.example"}]}}
    numbered = {"category": "target", "Node": {"Address": [{"category": "asn", "value": "64500"}]}}
    content = read_one(iodef_json(EventData=[{"System": [named, numbered]}]))

    assert victims(content) == {"www.ward.example"}
    assert {i.value for i in content.indicators} == {"www.ward.example", "AS64500"}


def test_who_is_sent_a_mail_by_the_source_is_its_victim() -> None:
    mail = "<EmailTo>ward@hospital.example</EmailTo><EmailFrom>bad@evil.example</EmailFrom>"
    system = (
        '<EventData><Flow><System category="source"><Node/><Service><EmailData>'
        f"{mail}</EmailData></Service></System></Flow></EventData>"
    )
    roles = {i.value: i.role for i in read_one(iodef_xml(system)).indicators}

    assert roles == {"ward@hospital.example": "victim", "bad@evil.example": "source"}


def test_the_port_of_an_anonymised_target_is_still_a_port() -> None:
    message = idea_message(Target=[{"IP4": ["192.0.0.0"], "Port": [23], "Anonymised": True}])

    assert {(i.type, i.value) for i in read_one(message).indicators} == {
        (Kind.OTHER, "192.0.0.0"),
        (Kind.PORT, "23"),
    }
