"""Who told what of whom in the sample files, written from the files; see ``expectations``.

A second reader wrote these, file by file, before looking at what the adapters make of them.
"""

from __future__ import annotations

from typing import NamedTuple


class Told(NamedTuple):
    """Beside what ``Stored`` says: of the first report of a file."""

    path: str
    reporter: str
    contact: str
    rsit: str
    first_hand: bool | None
    victims: str = ""
    """Those who were hit, sorted, with ``|`` between them."""
    relations: str = ""
    references: int = 0
    description: str = ""
    """Words that the report must keep."""


_CERT = ("Example CERT", "incident@cert-example.org")
_ORG = ("ExampleOrg", "contact@example.com")
_SPAM = ("Example Anti-Spam Service", "reports@antispam-service.example")
_CSIRT = ("example.com CSIRT", "contact@csirt.example.com")

IODEF = [
    Told("iodef2_xml/GuidanceDraft_DDoS.xml", "Dummy Test", "contact@dummytest.com",
         "availability", None, "203.0.113.1", "", 2, "Low Orbit Ion Cannon User Agent"),
    Told("iodef2_xml/GuidanceDraft_Malware.xml", *_CSIRT, "information-content-security", None,
         references=2, description="Cridex"),
    Told("iodef2_xml/GuidanceDraft_MalwareDeliverURL.xml", *_CSIRT,
         "information-content-security", None, references=1, description="Malware with C&C"),
    Told("iodef2_xml/RFC7970_MinimalIODEF.xml", "csirt.example.com", _CSIRT[1], "", None),
    # its three targets are nodes without a name
    Told("iodef2_json/draft14-long-example.json", "CSIRT for example.com", _CSIRT[1], "", None, "",
         "C-2015-59405|TA-12-AGGRESSIVE-BUTTERFLY", 1,
         "It seems to be a scan from an infected machine."),
    Told("iodef2_json/draft14-section7-1.json", "csirt.example.com", _CSIRT[1], "", None),
    # it was tried and failed: an attempt
    Told("iodef1_xml/iodeflib_example.xml", "Example.com CSIRT", _CSIRT[1], "intrusion-attempts",
         None, "192.0.2.16/28", description="Web-server logs"),
    Told("iodef1_xml/rfc5070_worm_codered.xml", "Example.com CSIRT", _CSIRT[1],
         "intrusion-attempts", None, "192.0.2.16/28", description="Web-server logs"),
    Told("iodef1_xml/rfc5070_botnet_reporting.xml", "Joe Smith", "jsmith@csirt.example.com",
         "availability:dos", None, references=3, description="IRC server on #give-me-cmd channel"),
]  # fmt: skip

IDEA = [
    # the first target is spoofed, the second is not
    Told("idea0/csirtmu_testidea1.json", "unknown", "", "information-gathering:sniffing", None,
         "target2.def", "e45|e56|e89", 2),
    Told("idea0/csirtmu_longidmef.json", "DetectorExample", "", "", True,
         "Fourth name of the equipment", "28421|87955", 1),
    Told("idea0/csirtmu_idea-examples.jsonl", "unknown", "", "information-gathering:scanner", None,
         "93.184.216.0/24"),
]  # fmt: skip


def _v3(
    name: str,
    rsit: str,
    victims: str = "",
    reporter: tuple[str, str] = _ORG,
    *,
    description: str = "",
    folder: str = "xarf_json",
) -> Told:
    path = f"{folder}/{name}.json"
    return Told(path, *reporter, rsit, None, victims, description=description)


_INFECTED = "malicious-code:infected-system"
_ACCOUNT = "intrusions:unprivileged-account-compromise"
_GAMER = ("Harassed McPerson", "contact@example.com")
_BAD = "malformed"

XARF = [
    Told("xarf_json/v4spec_connection-ddos.json", "DDoS Protection Service",
         "ddos@ddos-monitor.example", "availability:ddos", True, "203.0.113.100"),
    Told("xarf_json/v4spec_connection-reconnaissance.json", "Web Security Service",
         "security@webhost.example", "information-gathering:scanner", True, "198.51.100.75"),
    Told("xarf_json/v4spec_content-brand-infringement.json", "Brand Protection Services",
         "brand-abuse@protection-services.example", "fraud:masquerade", True, "Apple Inc."),
    Told("xarf_json/v4spec_content-phishing.json", "Brand Protection Service",
         "takedown@brand-protect.example", "fraud:phishing", True, "Major Bank Corp"),
    Told("xarf_json/v4spec_copyright-cyberlocker.json", "Content Protection Agency",
         "dmca@content-protection.example", "fraud:copyright", True, "Entertainment Corp"),
    Told("xarf_json/v4spec_copyright-usenet.json", "Usenet Copyright Monitor",
         "usenet@copyright-watch.example", "fraud:copyright", True, "Film Distribution Corp"),
    Told("xarf_json/v4spec_messaging-spam.json", *_SPAM, "abusive-content:spam", True),
    Told("xarf_json/v4spec_vulnerability-misconfiguration.json", "Security Scanner Service",
         "scans@security-service.example", "vulnerable", True, "192.0.2.75"),
    Told("xarf_json/v4tests_compromised_microsoft_exchange_sample.json",
         "Microsoft Exchange Security Team", "exchange-security@enterprise-vendor.example",
         "intrusions:system-compromise", True, "172.16.10.50", references=3),
    Told("xarf_json/v4tests_ddos_certin_sample.json", *_CERT, "availability:ddos", True,
         "203.0.113.100"),
    Told("xarf_json/v4tests_internal_metadata_receiver_example.json", *_SPAM,
         "abusive-content:spam", True),
    Told("xarf_json/v4tests_open_service_shadowserver_sample.json", "The Shadowserver Foundation",
         "reports@threat-intel.example", "vulnerable", True, "192.0.2.50"),
    # a user complained: the reporter did not see it
    Told("xarf_json/v4tests_spam_user_complaint_sample.json", "Example Security",
         "abuse@example.com", "abusive-content:spam", None, description="419 scam"),
    Told("malformed/xarf4_messaging_missing_protocol.json", *_SPAM, "abusive-content:spam", True),
    _v3("abusix3_botnet_sample", _INFECTED, "192.0.2.55"),
    _v3("abusix3_harassment_sample_game", "abusive-content:harmful-speech", "", _GAMER,
        description="a bunch of slurs"),
    _v3("abusix3_malware_sample", "malicious-code:malware-distribution"),
    _v3("abusix3_potentially_compromised_attacker_sample", _ACCOUNT, "198.51.100.33|Karl Heinz"),
    _v3("abusix3_rpz_sample", _INFECTED, "192.0.2.55"),
    _v3("v3spec_botnet_v3_sample", _INFECTED, "198.51.100.25",
        ("Example CERT Organization", "botnet@cert-org.example")),
    _v3("v3spec_phishing_v3_sample", "fraud:phishing", "Example Bank",
        ("Example Security Vendor", "phishing@security-vendor.example")),
    # no type of its schema
    _v3("xarf3_harassment_sample_no_description", "", "", _GAMER, folder=_BAD),
    _v3("xarf3_invalid_additional_fields", _INFECTED, "2001:db8:1300:9:3949:9d93:bd2:9da5",
        ("Example", "abuse@example.de"), folder=_BAD),
    _v3("xarf3_invalid_byte_count", "information-gathering:scanner", "198.51.100.33", folder=_BAD),
    _v3("xarf3_invalid_destination", "abusive-content:spam", folder=_BAD),
    _v3("xarf3_invalid_email_as_identifier_potentially_compromised_account", _ACCOUNT,
        "198.51.100.33|leaked@company.com", folder=_BAD),
    _v3("xarf3_invalid_exploit_wrong_cve", "intrusion-attempts:ids-alert", folder=_BAD),
    _v3("xarf3_invalid_exploit_wrong_version", "intrusion-attempts:ids-alert", folder=_BAD),
    Told("malformed/xarf3_invalid_file_info.json", "ExampleOrg", "reports@example.com",
         "fraud:copyright", False, "ExampleComplainantOrg"),
    _v3("xarf3_invalid_host_name", _INFECTED, "192.0.2.55", folder=_BAD),
    _v3("xarf3_invalid_internal_processing_wrong_data_type", "vulnerable", "192.0.2.55",
        folder=_BAD),
]  # fmt: skip


def _misp(name: str, reporter: str, contact: str = "", *, refs: int) -> Told:
    return Told(f"misp/{name}.json", reporter, contact, "", None, references=refs)


OTHERS = [
    Told("malformed/mail_bad_subject.eml", "MySurvey.com & Carol Adams", "carol@mysurvey.com", "",
         None, description="You have a survey waiting!"),
    Told("malformed/mail_cant_parse_from.eml", "Apple", "News@InsideApple.Apple.com", "", None,
         description="one solid piece of aluminum"),
    Told("malformed/mail_encoding_madness.eml", "no-reply@crm.el-example.org",
         "no-reply@crm.el-example.org", "", None, description="Body Text"),
    Told("malformed/mail_multiple_invalid_content_dispositions.eml", "redacted@flashmail.net",
         "redacted@flashmail.net", "", None, description="foo"),
    Told("malformed/mail_weird_to_header.eml", "anonymous@i.tp.host", "anonymous@i.tp.host", "",
         None, description="PAGE THEY WERE ON:"),
    # 64 links and 4 vulnerabilities
    _misp("circl_asert_four_element_sword", "CIRCL", refs=68),
    # CIRCL's, out of ORGNAME's hands
    Told("misp/circl_pubg_ransomware.json", "CIRCL", "", "", False, "",
         "544f8aa7-9224-46ad-a73f-30f9950d210b|"
         "5a390de6-4a58-4a19-89fb-4620950d210f|"
         "5a69ed26-44c8-423c-a8dc-4f7b950d210f|"
         "5a6f379d-3854-4457-949e-41bb950d210f|"
         "5a8ab58a-213c-409a-97af-4eb5950d210f|"
         "5aa7b639-62d8-46e6-be6c-4db8950d210f|"
         "5ae2129e-15b4-41e9-9428-4f1e02de0b81|"
         "5bbe09c9-9040-4415-bd25-45b7950d210f", 2),
    _misp("circl_ransomware_xorist", "CIRCL", refs=2),
    _misp("eset_ramsay_airgap", "ESET", "thomas.dupuy@eset.com", refs=2),
    _misp("eset_telebots_killdisk", "CIRCL", refs=16),
    _misp("eset_winter_vivern_roundcube", "ESET", "matthieu.faou@eset.com", refs=1),
    Told("stix21/oasis_sighting-of-an-indicator.json", "Beta Cyber Intelligence Company",
         "info@beta.com", "", True, "Beta Cyber Intelligence Company|technology"),
    Told("stix21/oasis_using-marking-definitions.json", "Stark Industries", "info@stark.com", "",
         None),
    Told("stix21/oasis_malicious_email_attachment.json",
         "The MITRE Corporation - DHS Support Team", "", "", None, references=1),
    Told("stix20/unit42_CodeCov_Breach.json", "unknown", "", "", None, "",
         "campaign--2c10679c-b308-4823-aaf1-54887a44d6be", 0, "Bash Uploader"),
]  # fmt: skip
