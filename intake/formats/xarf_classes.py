"""RSIT classes of X-ARF's categories and types, of version 4 and of version 3.

Source: domain 6.8.
"""

from __future__ import annotations

import re

_SYSTEM_COMPROMISE = "intrusions:system-compromise"
_APPLICATION_COMPROMISE = "intrusions:application-compromise"
_ACCOUNT_COMPROMISE = "intrusions:unprivileged-account-compromise"
_SCANNER = "information-gathering:scanner"
_INFECTED = "malicious-code:infected-system"
_VIOLENCE = "abusive-content:violence"
_OF_TYPE = {
    "spam": "abusive-content:spam",
    "bulk_messaging": "abusive-content:spam",
    "harassment": "abusive-content:harmful-speech",
    "csam": _VIOLENCE,
    "csem": _VIOLENCE,
    "ncii": _VIOLENCE,
    "child_abuse": _VIOLENCE,
    "phishing": "fraud:phishing",
    "malware": "malicious-code:malware-distribution",
    "exposed_data": "information-content-security:data-leak",
    "brand_infringement": "fraud:masquerade",
    "trademark": "fraud:masquerade",
    "fraud": "fraud",
    "spamvertised": "abusive-content:spam",
    "social_engineering": "information-gathering:social-engineering",
    "web_hack": _APPLICATION_COMPROMISE,
    "defacement": "information-content-security:unauthorised-information-modification",
    "remote_compromise": _SYSTEM_COMPROMISE,
    "ddos": "availability:ddos",
    "ddos_amplification": "availability:ddos",
    "login_attack": "intrusion-attempts:brute-force",
    "auth_failure": "intrusion-attempts:brute-force",
    "exploit": "intrusion-attempts:ids-alert",
    "sql_injection": "intrusion-attempts:exploit",
    "port_scan": _SCANNER,
    "vulnerability_scan": _SCANNER,
    "reconnaissance": _SCANNER,
    "scraping": _SCANNER,
    "infected_host": _INFECTED,
    "botnet": _INFECTED,
    "bot": _INFECTED,
    "compromised_account": _ACCOUNT_COMPROMISE,
    "compromised_server": _SYSTEM_COMPROMISE,
    "compromised_website": _SYSTEM_COMPROMISE,
    "potentially_compromised_account": _ACCOUNT_COMPROMISE,
    "open_service": "vulnerable",
    "copyright": "fraud:copyright",
}
_OF_CATEGORY = {
    "copyright": "fraud:copyright",
    "vulnerability": "vulnerable",
    "messaging": "abusive-content:spam",
    "infrastructure": _SYSTEM_COMPROMISE,
    "reputation": "other:blacklist",
    "connection": "intrusion-attempts",
}
_RPZ = "rpz_rewrite"
"""A name server met the name of a malware's server: who asked for it is infected."""
_NEED_HELP = {
    _INFECTED,
    _SYSTEM_COMPROMISE,
    _APPLICATION_COMPROMISE,
    "information-content-security:unauthorised-information-modification",
}
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def plain(name: str) -> str:
    """``PortScan``, ``port-scan`` and ``port_scan`` as one."""
    return re.sub(r"[^a-z0-9]+", "_", _HUMP.sub("_", name[:100]).lower().replace("ddo_s", "ddos"))


def rsit_of(category: str, kind: str, subtype: str = "") -> str:
    """The class of a type, else of its category, else none."""
    if plain(subtype) == _RPZ:
        return _INFECTED
    if plain(category) == "vulnerability":
        return "vulnerable"
    return _OF_TYPE.get(plain(kind)) or _OF_CATEGORY.get(plain(category), "")


def is_victim(rsit: str) -> bool:
    """Whether the host that is complained of needs help itself: it is infected, broken or open."""
    return rsit.startswith("vulnerable") or rsit in _NEED_HELP
