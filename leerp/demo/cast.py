"""Who plays in the simulation: invented victims, reporters, and the traces of the invented worm.

Every organisation is made up and says so in its name; every domain is reserved (RFC 2606), every
address is set aside for documentation (RFC 5737, RFC 3849), every hash is that of a phrase.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from protocol.report import Indicator, IndicatorType

SIMULATED = "(simulated)"


def invented(name: str) -> str:
    """``name`` with the mark of what exists in the simulation only."""
    return f"{name} {SIMULATED}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Victim:
    """An invented organisation that the worm hits."""

    name: str
    sector: str
    """NIS2 name, or one outside Annex I such as ``manufacturing``."""
    country: str
    sites: int
    """Least number of its units that are hit."""


def _victims(sector: str, *rows: tuple[str, str, int]) -> tuple[Victim, ...]:
    return tuple(
        Victim(name=invented(name), sector=sector, country=country, sites=sites)
        for name, country, sites in rows
    )


HOSPITALS = _victims(
    "health",
    ("Hospital Clínico Vega Alta", "ES", 6),
    ("Ribeira District Hospital", "PT", 4),
    ("Nagyrét County Hospital", "HU", 3),
    ("Klinikum Auental", "DE", 7),
    ("Centre hospitalier de Brévan", "FR", 5),
    ("Ospedale di Monteluce", "IT", 4),
    ("Spitalul Valea Lungă", "RO", 2),
    ("Norrvik sjukhus", "SE", 3),
    ("Northmoor Hospitals Trust", "GB", 16),
)
OTHER_ESSENTIAL = (
    *_victims(
        "transport",
        ("Bahnverbund Mittelau", "DE", 9),
        ("Ferrovie Alta Valle", "IT", 3),
        ("Železnice Podhorie", "SK", 2),
        ("Port of Westkade", "NL", 2),
    ),
    *_victims(
        "digital-infrastructure",
        ("Telefonía Meseta", "ES", 12),
        ("Telecom Beira", "PT", 5),
        ("Duna Mobil", "HU", 4),
    ),
    *_victims("energy", ("Gas del Segre", "ES", 2), ("Energetyka Zalesie", "PL", 3)),
    *_victims(
        "public-administration",
        ("Regional Administration of Lakeside", "BG", 4),
        ("City of Vanderhove", "BE", 3),
    ),
)
FIRMS = _victims(
    "manufacturing",
    ("Automobiles Valdor", "FR", 3),
    ("Carpat Motors", "RO", 2),
    ("Bryggen Verft", "NO", 1),
    ("Jihovna Glassworks", "CZ", 1),
    ("Baltvilna Textiles", "LT", 1),
    ("Ikaros Shipping Supplies", "GR", 1),
)
VICTIMS = HOSPITALS + OTHER_ESSENTIAL + FIRMS

MONITORS = (invented("Open Source Watch"), invented("Cyber Feed Collector"))
PRIVATE_SENDERS = (
    invented("Blauwal Security"),
    invented("Northlight Telemetry"),
    invented("Kestrel Endpoint Defence"),
    invented("Meridian Antivirus Laboratory"),
)
PARTNER_AGENCIES = (
    invented("ENISA"),
    invented("CERT-EU"),
    invented("Eurojust"),
    invented("European Health Agency Network"),
)
POLICE_STATES = ("ES", "PT", "HU", "DE", "FR", "IT", "RO", "SE", "NL", "BE")
"""States whose law enforcement reports, in the order of their first report."""
CSIRT_STATES = ("ES", "PT", "DE", "FR", "IT", "HU", "RO", "SE", "SK", "NL", "BG", "CZ")


def police_of(country: str) -> str:
    """Name of the invented national cybercrime unit."""
    return invented(f"National Cybercrime Unit {country}")


def csirt_of(country: str) -> str:
    """Name of the invented national CSIRT."""
    return invented(f"National CSIRT {country}")


def sha256_of(phrase: str) -> str:
    """A hash that no real file has as far as anybody knows: that of an English phrase."""
    return hashlib.sha256(f"leerp simulation: {phrase}".encode()).hexdigest()


def _trace(kind: IndicatorType, value: str, role: str) -> Indicator:
    return Indicator(type=kind, value=value, role=role)


WORM = _trace(IndicatorType.SHA256, sha256_of("worm component"), "dropper")
ENCRYPTOR = _trace(IndicatorType.SHA256, sha256_of("encryptor"), "payload")
DECRYPTOR_WINDOW = _trace(IndicatorType.SHA256, sha256_of("ransom window"), "payload")
KILL_SWITCH = _trace(IndicatorType.DOMAIN, "qzvkrtwmpxlhsdbngfjyc-simulated.example", "kill switch")
CONTROL = _trace(IndicatorType.DOMAIN, "gate7.panel-simulated.invalid", "command and control")
WALLETS = tuple(
    _trace(IndicatorType.WALLET, f"SIMULATED{sha256_of(f'wallet {n}')[:24]}", "ransom payment")
    for n in range(3)
)
TRACES = (ENCRYPTOR, DECRYPTOR_WINDOW, KILL_SWITCH, CONTROL, *WALLETS)
"""What reports of the attack hold besides the hash of the worm, in ever other selections."""
