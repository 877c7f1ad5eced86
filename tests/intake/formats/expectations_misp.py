"""The MISP events of the sample data, written from the files; see ``expectations``."""

from __future__ import annotations

from protocol.markings import Tlp
from tests.intake.formats.expectations import Stored


def _misp(
    name: str, uuid: str, title: str, tlp: Tlp, date: str, *counts: int, reports: int = 1
) -> Stored:
    return Stored(f"misp/{name}.json", "misp", uuid, title, tlp, date, *counts)._replace(
        reports=reports
    )


# Without a TLP tag, distribution 3 is the whole community, 1 this community, 0 the organisation only.
MISP = [
    # 14 values are given as url; 7 of them are bare host names and one is no URL at all
    _misp("circl_asert_four_element_sword", "57153590-f73c-49fa-be4b-4737950d210f",
          "OSINT - ASERT Threat Intelligence Report 2016-03 The Four-Element Sword Engagement",
          Tlp.CLEAR, "2016-04-18", 329, 208, 31, 9, 6),
    _misp("circl_osint_sednit_2017", "5a3c2fcd-8328-42bb-a95e-4f4402de0b81",
          "OSINT - Sednit update: How Fancy Bear Spent the Year",
          Tlp.CLEAR, "2017-12-21", 81, 37, 18, 11),
    _misp("circl_pubg_ransomware", "5acc88e9-265c-4f22-9d2b-b702950d210f",
          "OSINT - PUBG Ransomware Decrypts Your Files If You Play PlayerUnknown's Battlegrounds",
          Tlp.CLEAR, "2018-04-09", 3, 3),
    _misp("circl_qakbot_emotet_mitigation", "5a0ac036-6fbc-4855-83af-422b950d210f",
          "OSINT - Mitigating and eliminating info-stealing Qakbot and Emotet in corporate networks",
          Tlp.CLEAR, "2017-11-06", 71, 15, 0, 43),
    _misp("circl_ransomware_xorist", "57c4445b-c548-4654-af0b-4be3950d210f",
          "Ransomware - Xorist",
          Tlp.CLEAR, "2016-08-29", 5, 3),
    _misp("circl_uscert_samsam_MAR-10164494", "5c066053-0e94-46eb-9746-4b7d950d210f",
          "MAR-10164494.r1.v1 (SamSam ransomware)",
          Tlp.CLEAR, "2018-11-27", 26, 17),
    _misp("eset_backdoordiplomacy", "a3bc1af1-e021-4685-9dd1-68013abef4d9",
          "BackdoorDiplomacy: Upgrading from Quarian to Turian",
          Tlp.GREEN, "2021-06-07", 66, 66),
    _misp("eset_cloudmensis", "7a1f92cb-dba7-425f-aacd-85b80ff5cb9a",
          "CloudMensis",
          Tlp.AMBER, "2022-07-19", 11, 9),
    _misp("eset_mozi_iot_botnet", "15ebb496-c51c-4f88-b60b-aba5f806db5f",
          "Who killed Mozi? Finally putting the IoT zombie botnet in its grave",
          Tlp.AMBER, "2023-11-01", 80, 63, 0, 5, 11),
    _misp("eset_ramsay_airgap", "5eb0775e-2780-4234-89b8-5e640a019371",
          "Ramsay: A cyber espionage toolkit tailored for Air-Gapped Networks",
          Tlp.RED, "2020-05-04", 69, 51),
    _misp("eset_sednit_zebrocy_2019", "5cb88eb5-ba84-40a8-a31d-01c00a016219",
          "A journey to Zebrocy land",
          Tlp.GREEN, "2019-04-18", 11, 9, 0, 0, 2),
    _misp("eset_sshdoor_bespin", "5bbe52cb-40b0-4bda-8140-79220a016219",
          "SSHDoor : Bespin",
          Tlp.GREEN, "2018-10-10", 2, 1),
    _misp("eset_telebots_killdisk", "58503e2f-4c78-442d-833f-8ad202de0b81",
          "OSINT - The rise of TeleBots: Analyzing disruptive KillDisk attacks",
          Tlp.CLEAR, "2016-12-13", 78, 66, 3, 9),
    _misp("eset_turla_lightneuron", "5cccb246-0da0-4c93-a463-61fe0a016219",
          "ESET Turla LightNeuron Research",
          Tlp.GREEN, "2019-05-03", 34, 24, 0, 0, 1),
    _misp("eset_winnti_gaming_supply_chain", "5c8ff618-0998-4b11-89d4-39d70a016219",
          "Asian gaming industry supply-chain attacks",
          Tlp.GREEN, "2019-03-18", 18, 11, 2, 0, 5),
    _misp("eset_winter_vivern_roundcube", "50c22e72-d95e-4ac9-a5d3-5ed05246d239",
          "Winter Vivern exploits zero-day vulnerability in Roundcube Webmail servers",
          Tlp.GREEN, "2023-10-19", 14, 6, 1, 1, 2),
    _misp("misp_stix_collection_1", "e2e6a6ea-f69b-4d93-8564-f51d67cafe51",
          "MISP-STIX-Converter test event with AS attribute",
          Tlp.AMBER, "2020-10-25", 1, reports=2),
    _misp("shadow_attributes_proposals", "5a4cb19a-f550-437f-bd29-48ed950d210f",
          "Test proposals / ShadowAttributes",
          Tlp.RED, "2018-01-03", 2),
    _misp("unicode_japanese_event", "5c7cdc3b-2f40-4dca-8200-276c0a00020f",
          "Japanese Lorem Ipsum 条イ音態ぞゃご法説イシ技",
          Tlp.AMBER, "2019-03-04", 0),
]  # fmt: skip
