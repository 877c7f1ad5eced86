"""Words of other vocabularies in ours: sectors, countries, TLP and PAP labels.

Source: domain 2.5 (NIS2 sectors), 4.3 (TLP), 6.1 (country and sector rules).
"""

from __future__ import annotations

from intake.formats.draft import Draft
from protocol.markings import Classification, Pap, Tlp

TLP_LABELS = {
    "clear": Tlp.CLEAR,
    "white": Tlp.CLEAR,  # the name that version 1 had for CLEAR
    "green": Tlp.GREEN,
    "amber": Tlp.AMBER,
    "amber+strict": Tlp.AMBER_STRICT,
    "red": Tlp.RED,
}

PAP_LABELS = {
    "clear": Pap.CLEAR,
    "white": Pap.CLEAR,
    "green": Pap.GREEN,
    "amber": Pap.AMBER,
    "red": Pap.RED,
}

EUCI_LABELS = {
    "r-ue/eu-r": Classification.RESTRICTED,
    "c-ue/eu-c": Classification.CONFIDENTIAL,
    "s-ue/eu-s": Classification.SECRET,
    "ts-ue/eu-ts": Classification.TOP_SECRET,
    "eu-restricted": Classification.RESTRICTED,
    "eu-confidential": Classification.CONFIDENTIAL,
    "eu-secret": Classification.SECRET,
    "eu-top-secret": Classification.TOP_SECRET,
}
"""Names of the EU's levels in both versions of the ``euci`` taxonomy."""

_SECTORS = {
    "communications": "digital-infrastructure",
    "telecommunications": "digital-infrastructure",
    "energy": "energy",
    "financial-services": "financial",
    "finance": "financial",
    "bank": "banking",
    "government": "public-administration",
    "government-national": "public-administration",
    "government-regional": "public-administration",
    "government-local": "public-administration",
    "government-public-services": "public-administration",
    "healthcare": "health",
    "transportation": "transport",
    "water": "drinking-water",
    "dams": "drinking-water",
    "aerospace": "space",
}

_COUNTRIES = {
    "austria": "AT", "belgium": "BE", "bulgaria": "BG", "croatia": "HR", "cyprus": "CY",
    "czechia": "CZ", "czech republic": "CZ", "denmark": "DK", "estonia": "EE", "finland": "FI",
    "france": "FR", "germany": "DE", "greece": "GR", "hungary": "HU", "iceland": "IS",
    "ireland": "IE", "italy": "IT", "latvia": "LV", "liechtenstein": "LI", "lithuania": "LT",
    "luxembourg": "LU", "malta": "MT", "netherlands": "NL", "the netherlands": "NL",
    "norway": "NO", "poland": "PL", "portugal": "PT", "romania": "RO", "slovakia": "SK",
    "slovenia": "SI", "spain": "ES", "sweden": "SE",
    "switzerland": "CH", "ukraine": "UA", "united kingdom": "GB", "united states": "US",
}  # fmt: skip
_CODE_LENGTH = 2


def tlp_of(stated: str, draft: Draft) -> Tlp:
    """The TLP label that is stated; one that TLP 2.0 does not know is treated as RED."""
    label = TLP_LABELS.get(stated.lower().removeprefix("tlp:").strip())
    if label is None:
        draft.warn("the TLP label is none of TLP 2.0 and is treated as RED")
    return label or Tlp.RED


def sector(name: str) -> str:
    """The NIS2 name of a sector; a name that has none stays as it is, in lower case."""
    key = "-".join(name.lower().replace("_", " ").replace(" - ", " ").split())
    return _SECTORS.get(key, key)


def country(name: str) -> str | None:
    """ISO 3166-1 alpha-2 of a code or an English name, None if it is neither."""
    text = name.strip()
    if len(text) == _CODE_LENGTH and text.isascii() and text.isalpha():
        return text.upper()
    return _COUNTRIES.get(text.lower())
