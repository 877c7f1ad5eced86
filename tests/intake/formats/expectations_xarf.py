"""The X-ARF reports of the sample data, written from the files; see ``expectations``.

Version 3 gives its reports no id. Those that break its schema in what nobody needs here are read;
what they say wrongly is kept as it stands, with a warning.
"""

from __future__ import annotations

from protocol.markings import Tlp
from tests.intake.formats.expectations import Stored


def _v4(
    path: str, source_id: str, title: str, first: str, *counts: int, folder: str = "xarf_json"
) -> Stored:
    return Stored(f"{folder}/{path}.json", "xarf-4", source_id, title, Tlp.AMBER, first, *counts)


def _v3(path: str, title: str, first: str, *counts: int, folder: str = "xarf_json") -> Stored:
    return Stored(f"{folder}/{path}.json", "xarf-3", "xarf3-*", title, Tlp.AMBER, first, *counts)


def _bad(path: str, title: str, first: str, *counts: int) -> Stored:
    return _v3(path, title, first, *counts, folder="malformed")


XARF = [
    _v4("v4spec_connection-ddos", "9ac39cd1-85f3-4c31-ae87-a0a95f3ebc83",
        "connection ddos: 192.0.2.155", "2025-01-11T09:21:23Z", 4, 0, 0, 2),
    _v4("v4spec_connection-reconnaissance", "3c2877ae-da5c-4a72-bebd-d3fd54a4d0d1",
        "connection reconnaissance: 192.0.2.99", "2025-01-20T16:45:00Z", 3, 0, 0, 2),
    _v4("v4spec_content-brand-infringement", "51aab126-b37d-458d-ad32-9ebf3d63865f",
        "content brand_infringement: fake-apple-store.example.com", "2025-01-11T14:15:30Z",
        2, 0, 1, 0, 1),
    _v4("v4spec_content-phishing", "1a5ec293-0849-40a4-9eba-d5926262ff05",
        "content phishing: 203.0.113.45", "2025-01-11T15:15:24Z", 3, 1, 0, 1, 1),
    _v4("v4spec_copyright-cyberlocker", "711c32e8-ed30-43f2-a519-a7098fe7cc9d",
        "copyright cyberlocker: file-sharing.example.com", "2025-01-11T14:16:41Z", 2, 0, 1, 0, 1),
    _v4("v4spec_copyright-usenet", "59f64946-938e-41b3-8d83-c850901fc393",
        "copyright usenet: news.usenet-provider.example.com", "2025-01-11T09:12:59Z", 1, 0, 1),
    _v4("v4spec_messaging-spam", "02eb480f-8172-431a-9276-c28ba90f694a",
        "messaging spam: 192.168.1.100", "2025-01-11T10:59:45Z", 3, 0, 0, 1),
    _v4("v4spec_vulnerability-misconfiguration", "e50999f2-7190-4ed5-a4b0-122db4a407fe",
        "vulnerability misconfiguration: 192.0.2.75", "2025-01-11T11:39:44Z", 2, 0, 0, 1),
    _v4("v4tests_compromised_microsoft_exchange_sample", "o5p6q7r8-s9t0-1234-op56-78901no23456",
        "infrastructure compromised_microsoft_exchange: 172.16.10.50", "2024-01-15T13:20:15Z",
        2, 0, 0, 1),
    _v4("v4tests_ddos_certin_sample", "d4e5f6g7-h8i9-0123-def4-56789012cdef",
        "connection ddos_amplification: 172.16.254.10", "2024-01-15T08:15:45Z", 4, 0, 0, 2),
    _v4("v4tests_internal_metadata_receiver_example", "f2g3h4i5-j6k7-8901-fg23-45678ef90123",
        "messaging spam: 203.0.113.88", "2024-01-15T14:30:25Z", 3, 0, 0, 1),
    _v4("v4tests_open_service_shadowserver_sample", "e5f6g7h8-i9j0-1234-ef56-789012def345",
        "Publicly accessible RDP service without proper authentication", "2024-01-15T12:00:00Z",
        2, 0, 0, 1),
    _v4("v4tests_spam_user_complaint_sample", "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "Advance fee fraud email (419 scam) impersonating religious figure, claiming inheritance "
        "offer of $20.5M USD", "2025-08-31T07:38:01Z", 3, 0, 0, 1),
    _v4("xarf4_messaging_missing_protocol", "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        "messaging spam: 192.168.1.100", "2024-01-15T14:30:25Z", 1, 0, 0, 1, folder="malformed"),
    _v3("abusix3_botnet_sample", "Content Botnet Mariposa: 192.0.2.55", "2018-02-05T14:17:10Z",
        2, 0, 0, 1),
    _v3("abusix3_harassment_sample_game", "Activity Harassment: https://thepetgoatgame.play",
        "2022-09-09T14:17:10Z", 1, 0, 0, 0, 1),
    _v3("abusix3_malware_sample", "Content Malware conficker: 192.0.2.55",
        "2018-02-05T14:17:10Z", 3, 0, 0, 1, 1),
    _v3("abusix3_potentially_compromised_attacker_sample",
        "Activity PotentiallyCompromisedAccount: 192.0.2.55", "2018-02-05T14:17:10Z", 4, 0, 0, 2),
    _v3("abusix3_rpz_sample", "Activity Malware necurs: 192.0.2.55", "2018-02-05T14:17:10Z",
        3, 0, 1, 1),
    _v3("v3spec_botnet_v3_sample", "System botnet Conficker: 198.51.100.25",
        "2024-01-15T11:30:15Z", 2, 0, 1, 1),
    _v3("v3spec_phishing_v3_sample",
        "Content phishing: https://malicious-example.net/banking-login/", "2024-01-15T16:45:30Z",
        1, 0, 0, 0, 1),
    # the address stands where a URL should
    _bad("xarf3_harassment_sample_no_description", "Activity Harassed: 192.168.0.11",
         "2022-09-09T14:17:10Z", 1, 0, 0, 1),
    _bad("xarf3_invalid_additional_fields",
         "Activity Malware: 2001:db8:1300:9:3949:9d93:bd2:9da5", "2020-07-19T19:39:54Z",
         3, 0, 1, 1),
    _bad("xarf3_invalid_byte_count", "Activity PortScan: 192.0.2.55", "2018-02-05T14:17:10Z",
         4, 0, 0, 2),
    # its target is neither an address nor a port
    _bad("xarf3_invalid_destination", "Activity Spam: 192.0.2.55", "2018-02-05T14:17:10Z",
         5, 0, 0, 1),
    _bad("xarf3_invalid_email_as_identifier_potentially_compromised_account",
         "Activity PotentiallyCompromisedAccount: 192.0.2.55", "2018-02-05T14:17:10Z", 4, 0, 0, 2),
    _bad("xarf3_invalid_exploit_wrong_cve", "Activity Exploit: 192.0.2.55",
         "2022-08-24T11:21:10Z", 2, 0, 0, 1),
    _bad("xarf3_invalid_exploit_wrong_version", "Activity Exploit: 192.0.2.55",
         "2022-08-24T11:21:10Z", 2, 0, 0, 1),
    _bad("xarf3_invalid_file_info", "Content Copyright: 192.0.2.55", "2018-02-05T18:17:10Z",
         5, 1, 0, 1, 1),
    _bad("xarf3_invalid_host_name", "Activity Malware necurs: 192.0.2.55",
         "2018-02-05T14:17:10Z", 3, 0, 0, 1),
    _bad("xarf3_invalid_internal_processing_wrong_data_type",
         "Vulnerability OpenService: 192.0.2.55", "2020-07-24T14:17:10Z", 2, 0, 0, 1),
]  # fmt: skip
