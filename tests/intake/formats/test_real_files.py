"""What the public sample files must give; the table was written from the files, not from the code."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from intake.formats.base import Parsed
from protocol.errors import RejectedReport
from protocol.markings import Tlp
from protocol.report import IndicatorType as Kind
from tests.intake.formats.samples import DATA, read, values


class Expected(NamedTuple):
    """First report of a file: distinct hashes, domains, addresses and URLs that the file names."""

    path: str
    reports: int
    source_id: str
    title: str
    tlp: Tlp
    hashes: int = 0
    domains: int = 0
    addresses: int = 0
    urls: int = 0


def _misp(name: str, uuid: str, title: str, tlp: Tlp, *counts: int, reports: int = 1) -> Expected:
    return Expected(f"misp/{name}.json", reports, uuid, title, tlp, *counts)


def _stix(
    path: str, source_id: str, title: str, *counts: int, reports: int = 1, tlp: Tlp = Tlp.AMBER
) -> Expected:
    return Expected(f"{path}.json", reports, source_id, title, tlp, *counts)


FILES = [
    # 14 values are given as url; 7 of them are bare host names and one is no URL at all
    _misp("circl_asert_four_element_sword", "57153590-f73c-49fa-be4b-4737950d210f",
          "OSINT - ASERT Threat Intelligence Report 2016-03 The Four-Element Sword Engagement",
          Tlp.CLEAR, 208, 31, 9, 6),
    _misp("circl_osint_sednit_2017", "5a3c2fcd-8328-42bb-a95e-4f4402de0b81",
          "OSINT - Sednit update: How Fancy Bear Spent the Year", Tlp.CLEAR, 37, 18, 11),
    _misp("circl_pubg_ransomware", "5acc88e9-265c-4f22-9d2b-b702950d210f",
          "OSINT - PUBG Ransomware Decrypts Your Files If You Play PlayerUnknown's Battlegrounds",
          Tlp.CLEAR, 3),
    _misp("circl_qakbot_emotet_mitigation", "5a0ac036-6fbc-4855-83af-422b950d210f",
          "OSINT - Mitigating and eliminating info-stealing Qakbot and Emotet in corporate "
          "networks", Tlp.CLEAR, 15, 0, 43),
    _misp("circl_ransomware_xorist", "57c4445b-c548-4654-af0b-4be3950d210f",
          "Ransomware - Xorist", Tlp.CLEAR, 3),
    _misp("circl_uscert_samsam_MAR-10164494", "5c066053-0e94-46eb-9746-4b7d950d210f",
          "MAR-10164494.r1.v1 (SamSam ransomware)", Tlp.CLEAR, 17),
    # no TLP tag: distribution 3 is the whole community, 1 this community, 0 the organisation only
    _misp("eset_backdoordiplomacy", "a3bc1af1-e021-4685-9dd1-68013abef4d9",
          "BackdoorDiplomacy: Upgrading from Quarian to Turian", Tlp.GREEN, 66),
    _misp("eset_cloudmensis", "7a1f92cb-dba7-425f-aacd-85b80ff5cb9a", "CloudMensis", Tlp.AMBER, 9),
    _misp("eset_mozi_iot_botnet", "15ebb496-c51c-4f88-b60b-aba5f806db5f",
          "Who killed Mozi? Finally putting the IoT zombie botnet in its grave",
          Tlp.AMBER, 63, 0, 5, 11),
    _misp("eset_ramsay_airgap", "5eb0775e-2780-4234-89b8-5e640a019371",
          "Ramsay: A cyber espionage toolkit tailored for Air-Gapped Networks", Tlp.RED, 51),
    _misp("eset_sednit_zebrocy_2019", "5cb88eb5-ba84-40a8-a31d-01c00a016219",
          "A journey to Zebrocy land", Tlp.GREEN, 9, 0, 0, 2),
    _misp("eset_sshdoor_bespin", "5bbe52cb-40b0-4bda-8140-79220a016219", "SSHDoor : Bespin",
          Tlp.GREEN, 1),
    _misp("eset_telebots_killdisk", "58503e2f-4c78-442d-833f-8ad202de0b81",
          "OSINT - The rise of TeleBots: Analyzing disruptive KillDisk attacks",
          Tlp.CLEAR, 66, 3, 9),
    _misp("eset_turla_lightneuron", "5cccb246-0da0-4c93-a463-61fe0a016219",
          "ESET Turla LightNeuron Research", Tlp.GREEN, 24, 0, 0, 1),
    _misp("eset_winnti_gaming_supply_chain", "5c8ff618-0998-4b11-89d4-39d70a016219",
          "Asian gaming industry supply-chain attacks", Tlp.GREEN, 11, 2, 0, 5),
    _misp("eset_winter_vivern_roundcube", "50c22e72-d95e-4ac9-a5d3-5ed05246d239",
          "Winter Vivern exploits zero-day vulnerability in Roundcube Webmail servers",
          Tlp.GREEN, 6, 1, 1, 2),
    _misp("misp_stix_collection_1", "e2e6a6ea-f69b-4d93-8564-f51d67cafe51",
          "MISP-STIX-Converter test event with AS attribute", Tlp.AMBER, reports=2),
    _misp("shadow_attributes_proposals", "5a4cb19a-f550-437f-bd29-48ed950d210f",
          "Test proposals / ShadowAttributes", Tlp.RED),
    _misp("unicode_japanese_event", "5c7cdc3b-2f40-4dca-8200-276c0a00020f",
          "Japanese Lorem Ipsum 条イ音態ぞゃご法説イシ技", Tlp.AMBER),
    _stix("stix20/attack_SUNBURST", "bundle--9ec60fb0-0e57-45cd-aca3-e1e18a37db1e", "SUNBURST"),
    _stix("stix20/attack_Stuxnet", "bundle--bb0a7b4b-3c33-4d0d-b306-b49966c1b820", "Stuxnet"),
    _stix("stix20/attack_WannaCry", "bundle--83bfaf03-f0a8-4824-a716-8429e1120a09", "WannaCry"),
    _stix("stix20/misp_stix_event1_stix20", "report--e2e6a6ea-f69b-4d93-8564-f51d67cafe51",
          "MISP-STIX-Converter test event with AS attribute", reports=2),
    _stix("stix20/unit42_2024-02-15-Bradesco-phishing",
          "report--7ef27fa2-8d4a-42ba-a2a7-b163bcb55543",
          "Brazil Phishing Email Leads to Fake Bradesco Banking Page.", 0, 1, 1, 2),
    _stix("stix20/unit42_2024-02-27-Akira-Ransomware",
          "report--95323298-09f7-4de1-9251-1048fdae633c",
          "Code updates to Akira Ransomware.", 18),
    _stix("stix20/unit42_2024-03-24-thru-26-FortiClient-EMS-exploitation",
          "report--a521c7f3-7f47-4b5f-8bc0-a4a591a7d37b",
          "2024-03-24-thru-26-FortiClient-EMS-exploitation.json", 3, 1, 0, 6),
    _stix("stix20/unit42_CodeCov_Breach", "report--bce9ad6c-c8c2-4c53-a6f1-96cf0c8b0f67",
          "Campaign 1 - CodeCov Breach", 1, 0, 1, 1),
    _stix("stix20/unit42_REvil_SupplyChain_Attack_Kaseya",
          "report--6f687ab2-e2e7-423c-8839-586189fd27a4",
          "Campaign - Kaseya Supply Chain Attack", 3),
    _stix("stix20/unit42_domain-parking-emotet-fake-updates",
          "report--35fe1b81-a267-4a19-8b8d-601458508d97",
          "Domain Parking: Attackers Spreading Emotet and Fake McAfee Updates", 2, 4, 2, 2),
    # the first report only refers to the second, which holds the indicators
    _stix("stix20/unit42_playbook_exchange_proxylogon",
          "report--6709b342-a101-4365-b55f-47e69db38ef0",
          "Zero-Day Microsoft Exchange Vulnerabilities", reports=2),
    _stix("stix20/unit42_websvn-vulnerability", "report--b8ee2a32-20bb-4509-8f62-415389607a7e",
          "Exploits in the Wild for WebSVN Command Injection Vulnerability (CVE-2021-32305)",
          12, 0, 1),
    _stix("stix21/elevator_custom_object", "bundle--cad0c65f-3415-4ec6-84df-c01e427ec3b6",
          "STIX bundle of 5 objects"),
    _stix("stix21/elevator_incident_malware", "incident--1b75ee8f-44d6-819a-d729-09ab52c91fdb",
          "Detected Poison Ivy beaconing through perimeter firewalls"),
    _stix("stix21/misp_stix_event1", "grouping--e2e6a6ea-f69b-4d93-8564-f51d67cafe51",
          "MISP-STIX-Converter test event with AS attribute", reports=2),
    _stix("stix21/misp_stix_events_collection", "grouping--e2e6a6ea-f69b-4d93-8564-f51d67cafe51",
          "MISP-STIX-Converter test event with AS attribute", reports=4),
    # its four ipv4-addr are networks, which are no addresses
    _stix("stix21/oasis_apt1", "report--e33ffe07-2f4c-48d8-b0af-ee2619d765cf",
          "APT1: Exposing One of China's Cyber Espionage Units", 3, 3),
    _stix("stix21/oasis_identifying-a-threat-actor-profile",
          "bundle--601cee35-6b16-4e68-a3e7-9ec7d755b4c3", "Disco Team Threat Actor Group"),
    _stix("stix21/oasis_indicator-for-malicious-url",
          "bundle--56be2a3b-1534-4bef-8fe9-602926274089", "x4z9arb backdoor", 0, 0, 0, 1),
    _stix("stix21/oasis_infrastructure", "bundle--5330e3e3-8f58-4d21-9f4b-793a054c0d33",
          "Poison Ivy", 0, 1, 1),
    _stix("stix21/oasis_malicious_email_attachment",
          "bundle--8b8ed1c1-f01d-4393-ac65-97017ed15876", "Malicious E-mail"),
    _stix("stix21/oasis_sighting-of-an-indicator",
          "bundle--2ac7882f-76a3-4a9b-97b3-811b3af1c7c0", "Malicious URL", 0, 0, 0, 1),
    _stix("stix21/oasis_using-marking-definitions",
          "bundle--dbe491fe-6faf-4125-b019-d8938bc0294d", "Known malicious IP Address", 0, 0, 1),
    Expected("idea0/csirtmu_testidea1.json", 1, "2E4A3926-B1B9-41E3-89AE-B6B474EB0A54",
             "EPMAPPER exploitation attempt", Tlp.AMBER, 0, 8, 8),
    Expected("idea0/csirtmu_longidmef.json", 1, "123d45", "Phishing", Tlp.AMBER, 0, 0, 5),
]  # fmt: skip

MALFORMED = {
    "json_i_number_very_big_negative_int.json": "number-too-large",
    "json_i_string_invalid_utf-8.json": "bad-text",
    "json_i_string_iso_latin_1.json": "bad-text",
    "json_i_string_lone_second_surrogate.json": "bad-text",
    "json_n_number_NaN.json": "not-finite",
    "json_n_string_unescaped_ctrl_char.json": "bad-text",
    "json_n_structure_100000_opening_arrays.json": "too-deep",
    "json_n_structure_no_data.json": "empty",
    "json_n_structure_trailing__.json": "not-json",
    "json_y_object_duplicated_key.json": "duplicate-key",
    "json_y_string_null_escape.json": "bad-text",
    "own_idea0_bad_detecttime.json": "bad-time",
    "own_misp_missing_uuid_bad_date.json": "no-id",
}


def _format_of(path: str) -> str:
    return {"misp": "misp", "stix20": "stix-2.1", "stix21": "stix-2.1", "idea0": "idea0"}[
        path.split("/", maxsplit=1)[0]
    ]


def _file(path: str) -> Parsed:
    return read((DATA / path).read_bytes())


@pytest.mark.parametrize("expected", FILES, ids=lambda expected: str(expected.path))
def test_a_real_file_gives_what_stands_in_it(expected: Expected) -> None:
    parsed = _file(expected.path)
    first = parsed.contents[0]
    hashes = [values(first, kind) for kind in (Kind.MD5, Kind.SHA1, Kind.SHA256)]

    assert parsed.format == _format_of(expected.path)
    assert Expected(
        expected.path,
        len(parsed.contents),
        first.source_id,
        first.title,
        first.marking.tlp,
        sum(map(len, hashes)),
        len(values(first, Kind.DOMAIN)),
        len(values(first, Kind.IP)),
        len(values(first, Kind.URL)),
    ) == expected


def test_the_table_holds_every_sample_file() -> None:
    present = {
        str(path.relative_to(DATA))
        for folder in ("misp", "stix20", "stix21", "idea0")
        for path in (DATA / folder).glob("*.json")
    }

    assert {expected.path for expected in FILES} == present


@pytest.mark.parametrize(
    ("name", "read_lines", "refused"),
    [("csirtmu_idea-examples.jsonl", 6, []), ("csirtmu_rfc4765.jsonl", 8, ["no-id", "no-id"])],
)
def test_every_line_of_the_idea_samples_is_read_unless_it_has_no_id(
    name: str, read_lines: int, refused: list[str]
) -> None:
    outcomes = [_outcome(line) for line in (DATA / "idea0" / name).read_bytes().splitlines()]

    assert outcomes.count("") == read_lines
    assert [reason for reason in outcomes if reason] == refused


def _outcome(line: bytes) -> str:
    try:
        read(line)
    except RejectedReport as rejected:
        return rejected.reason
    return ""


def test_the_second_report_of_the_playbook_holds_its_47_indicators() -> None:
    second = _file("stix20/unit42_playbook_exchange_proxylogon.json").contents[1]

    assert (len(second.indicators), len(values(second, Kind.IP))) == (47, 17)
    assert {a.value for a in second.affected if a.kind == "sector"} >= {"health", "financial"}


@pytest.mark.parametrize("name", sorted(p.name for p in (DATA / "malformed").glob("*.json")))
def test_a_malformed_file_is_refused_for_the_right_reason(name: str) -> None:
    body = (DATA / "malformed" / name).read_bytes()
    if name == "stix21_badflow1.json":  # its faults lie in an extension that nobody needs here
        content = read(body).contents[0]
        assert (content.title, len(content.warnings) > 0) == ("Test Flow 1", True)
        return

    with pytest.raises(RejectedReport) as refused:
        read(body)

    assert refused.value.reason == MALFORMED.get(name, "unknown-format")


@pytest.mark.parametrize("name", sorted(p.name for p in (DATA / "malformed").glob("*.xml")))
def test_xml_is_refused_before_anything_in_it_is_expanded(name: str) -> None:
    with pytest.raises(RejectedReport, match="this is XML") as refused:
        read((DATA / "malformed" / name).read_bytes())

    assert refused.value.reason == "unknown-format"
