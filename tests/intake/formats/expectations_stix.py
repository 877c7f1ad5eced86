"""The STIX 2 bundles of the sample data, written from the files; see ``expectations``."""

from __future__ import annotations

from protocol.markings import Tlp
from tests.intake.formats.expectations import Stored


def _stix(
    path: str, source_id: str, title: str, first: str, *counts: int, reports: int = 1
) -> Stored:
    stored = Stored(f"{path}.json", "stix-2.1", source_id, title, Tlp.AMBER, first, *counts)
    return stored._replace(reports=reports)


STIX = [
    _stix("stix20/attack_SUNBURST", "bundle--9ec60fb0-0e57-45cd-aca3-e1e18a37db1e",
          "SUNBURST",
          "2021-01-05T22:42:05.965Z", 0),
    _stix("stix20/attack_Stuxnet", "bundle--bb0a7b4b-3c33-4d0d-b306-b49966c1b820",
          "Stuxnet",
          "2020-12-14T17:34:58.457Z", 0),
    _stix("stix20/attack_WannaCry", "bundle--83bfaf03-f0a8-4824-a716-8429e1120a09",
          "WannaCry",
          "2019-03-25T17:30:17.004Z", 0),
    _stix("stix20/misp_stix_event1_stix20", "report--e2e6a6ea-f69b-4d93-8564-f51d67cafe51",
          "MISP-STIX-Converter test event with AS attribute",
          "2020-10-25T16:22:00Z", 1, reports=2),
    _stix("stix20/unit42_2024-02-15-Bradesco-phishing", "report--7ef27fa2-8d4a-42ba-a2a7-b163bcb55543",
          "Brazil Phishing Email Leads to Fake Bradesco Banking Page.",
          "2024-02-16T15:36:01.001Z", 4, 0, 1, 1, 2),
    _stix("stix20/unit42_2024-02-27-Akira-Ransomware", "report--95323298-09f7-4de1-9251-1048fdae633c",
          "Code updates to Akira Ransomware.",
          "2024-02-27T17:22:00.001Z", 18, 18),
    _stix("stix20/unit42_2024-03-24-thru-26-FortiClient-EMS-exploitation",
          "report--a521c7f3-7f47-4b5f-8bc0-a4a591a7d37b",
          "2024-03-24-thru-26-FortiClient-EMS-exploitation.json",
          "2024-03-28T19:24:00.001Z", 10, 3, 1, 0, 6),
    _stix("stix20/unit42_CodeCov_Breach", "report--bce9ad6c-c8c2-4c53-a6f1-96cf0c8b0f67",
          "Campaign 1 - CodeCov Breach",
          "2021-04-19T21:56:12.713Z", 3, 1, 0, 1, 1),
    _stix("stix20/unit42_REvil_SupplyChain_Attack_Kaseya",
          "report--6f687ab2-e2e7-423c-8839-586189fd27a4",
          "Campaign - Kaseya Supply Chain Attack",
          "2021-07-03T22:40:26.935Z", 6, 3),
    _stix("stix20/unit42_domain-parking-emotet-fake-updates",
          "report--35fe1b81-a267-4a19-8b8d-601458508d97",
          "Domain Parking: Attackers Spreading Emotet and Fake McAfee Updates",
          "2020-10-29T12:43:37.773Z", 10, 2, 4, 2, 2),
    # the first report only refers to the second, which holds the indicators
    _stix("stix20/unit42_playbook_exchange_proxylogon", "report--6709b342-a101-4365-b55f-47e69db38ef0",
          "Zero-Day Microsoft Exchange Vulnerabilities",
          "2021-03-04T00:13:50.679Z", 0, reports=2),
    _stix("stix20/unit42_websvn-vulnerability", "report--b8ee2a32-20bb-4509-8f62-415389607a7e",
          "Exploits in the Wild for WebSVN Command Injection Vulnerability (CVE-2021-32305)",
          "2021-09-24T15:25:56.612Z", 13, 12, 0, 1),
    _stix("stix21/elevator_custom_object", "bundle--cad0c65f-3415-4ec6-84df-c01e427ec3b6",
          "STIX bundle of 5 objects",
          "2015-07-31T11:24:39.090Z", 0),
    _stix("stix21/elevator_incident_malware", "incident--1b75ee8f-44d6-819a-d729-09ab52c91fdb",
          "Detected Poison Ivy beaconing through perimeter firewalls",
          "2014-05-08T09:00:00.000Z", 0),
    _stix("stix21/misp_stix_event1", "grouping--e2e6a6ea-f69b-4d93-8564-f51d67cafe51",
          "MISP-STIX-Converter test event with AS attribute",
          "2020-10-25T16:22:00Z", 1, reports=2),
    _stix("stix21/misp_stix_events_collection", "grouping--e2e6a6ea-f69b-4d93-8564-f51d67cafe51",
          "MISP-STIX-Converter test event with AS attribute",
          "2020-10-25T16:22:00Z", 1, reports=4),
    # its four ipv4-addr are networks, which are no addresses
    _stix("stix21/oasis_apt1", "report--e33ffe07-2f4c-48d8-b0af-ee2619d765cf",
          "APT1: Exposing One of China's Cyber Espionage Units",
          "2013-02-19T00:00:00.000000Z", 14, 3, 3),
    _stix("stix21/oasis_identifying-a-threat-actor-profile",
          "bundle--601cee35-6b16-4e68-a3e7-9ec7d755b4c3",
          "Disco Team Threat Actor Group",
          "2014-11-19T23:39:03.893Z", 0),
    _stix("stix21/oasis_indicator-for-malicious-url", "bundle--56be2a3b-1534-4bef-8fe9-602926274089",
          "x4z9arb backdoor",
          "2014-06-29T13:49:37.079Z", 1, 0, 0, 0, 1),
    _stix("stix21/oasis_infrastructure", "bundle--5330e3e3-8f58-4d21-9f4b-793a054c0d33",
          "Poison Ivy",
          "2016-05-07T11:22:30.000Z", 2, 0, 1, 1),
    _stix("stix21/oasis_malicious_email_attachment", "bundle--8b8ed1c1-f01d-4393-ac65-97017ed15876",
          "Malicious E-mail",
          "2014-10-31T15:52:13.126Z", 0),
    _stix("stix21/oasis_sighting-of-an-indicator", "bundle--2ac7882f-76a3-4a9b-97b3-811b3af1c7c0",
          "Malicious URL",
          "2017-02-27T21:37:11.213Z", 1, 0, 0, 0, 1),
    _stix("stix21/oasis_using-marking-definitions", "bundle--dbe491fe-6faf-4125-b019-d8938bc0294d",
          "Known malicious IP Address",
          "2017-04-14T13:07:49.812Z", 1, 0, 0, 1),
    # its faults lie in an extension that nobody needs here; it names no report and no indicator
    _stix("malformed/stix21_badflow1", "bundle--e8d6416b-feb8-4e3b-833c-cb6b79dfd922",
          "Test Flow 1",
          "2022-08-02T19:34:35.143Z", 0),
]  # fmt: skip
