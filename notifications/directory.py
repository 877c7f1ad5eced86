"""The directory of who is warned: organisations, their contact points, keys and rights.

A version is imported whole and never changed; a campaign freezes the version it was made with.
Source: R25 (the agreed annex of 24/7 points of contact), R72 (alternative contact points) and
domain 4.4.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pysequoia import Cert
from sqlalchemy import Connection, select

from infra.tables import directory_version
from infra.tables import officer as officer_table
from infra.tables import recipient as recipient_table
from notifications import protection
from notifications.directory_hours import canonical_hours, is_open, parse_hours
from notifications.enveloping import ContentCipher, KeyTransport, SmimeProfile
from notifications.trust import PINNED, Trust, read_certificate
from protocol.errors import NotFound
from protocol.markings import Classification, Tlp
from protocol.parties import INTERNAL_CLASSES, Audience, RecipientClass, Role
from protocol.report import Country, Line, visible

_NONCHARACTERS = frozenset("\ufffe\uffff")
"""No spreadsheet can hold these."""


def _one_line(text: str) -> str:
    if text.isascii() and text.isprintable():  # nearly all, and the two are quick to ask
        return text
    if any(unicodedata.category(c) in {"Cc", "Zl", "Zp"} or c in _NONCHARACTERS for c in text):
        raise ValueError("must be one line without control characters")
    return text


@lru_cache(maxsize=8_192)
def _public_part(armoured: str) -> str:
    """The key as the library writes it; a directory is read often, and reading a key takes its time."""
    if "PRIVATE KEY" in armoured:
        raise ValueError("a private key: it must not leave its owner; give the public one")
    try:
        return str(Cert.from_bytes(armoured.encode()))  # which leaves out what is private
    except Exception:  # noqa: BLE001  the library's own errors are plain exceptions
        raise ValueError("no OpenPGP certificate: export it with 'gpg --armor --export'") from None


OneLine = Annotated[Line, AfterValidator(_one_line)]
Title = Annotated[OneLine, AfterValidator(visible)]
"""A line with something to be seen."""
Address = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}$")
]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
Nudge = Annotated[str, StringConstraints(pattern=r"^\S{3,500}$"), AfterValidator(_one_line)]


class Record(BaseModel):
    """An entry of the directory: frozen, and closed to fields that nobody defined."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Contact(Record):
    """One contact point: a duty desk or person that reads mail and holds the key to it."""

    name: Title
    email: Address
    phone: OneLine = ""
    certificate: str = ""
    """X.509 certificate in PEM; without a key nothing that is not public can be sent."""
    openpgp_key: str = ""
    """OpenPGP certificate, ASCII armoured, for who has no S/MIME."""
    smime_content: ContentCipher = ContentCipher.CBC
    """What the mail program there can open, where it can do more than all do."""
    smime_transport: KeyTransport = KeyTransport.PKCS1
    languages: tuple[Language, ...] = Field(default=("en",), min_length=1)
    """Languages that are read there, the preferred one first (ISO 639-1)."""
    time_zone: str = "UTC"
    """Name of the IANA database."""
    hours: Annotated[str, AfterValidator(canonical_hours)] = ""
    """When it is staffed, in its time zone: ``mon-fri 08:00-17:00``; empty is round the clock."""
    clearance: Classification | None = None
    """What this desk or person is cleared for, where it differs from the organisation."""
    accredited_up_to: Classification = Classification.BPL
    """What this contact's mail channel is accredited for."""
    requiretls: bool = False
    """Every hop to it must speak TLS (RFC 8689), or nothing is sent."""
    nudges: tuple[Nudge, ...] = Field(default=(), max_length=5, repr=False)
    """Addresses for nudges without content, as apprise writes them; they may hold secrets."""

    @field_validator("certificate")
    @classmethod
    def _readable(cls, pem: str) -> str:
        if not pem.strip():
            return ""
        return read_certificate(pem).public_bytes(Encoding.PEM).decode()

    @field_validator("openpgp_key")
    @classmethod
    def _public(cls, armoured: str) -> str:
        if not armoured.strip():
            return ""
        return _public_part(armoured)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"no time zone {name!r}: write it as Europe/Brussels") from None
        return name

    def x509(self) -> x509.Certificate | None:
        """The certificate, or None when there is none."""
        return read_certificate(self.certificate) if self.certificate else None

    @property
    def smime(self) -> SmimeProfile:
        """What the mail program there can open."""
        return SmimeProfile(content=self.smime_content, transport=self.smime_transport)

    def is_open_at(self, at: datetime) -> bool:
        """Whether somebody is there at this (aware) time, by the hours in the contact's time zone."""
        return is_open(parse_hours(self.hours), ZoneInfo(self.time_zone), at)


class Recipient(Record):
    """One organisation that may be warned, with its contacts in the order in which to try them."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,58}$")]
    recipient_class: RecipientClass
    organisation: Title
    country: Country | None = None
    contacts: tuple[Contact, ...] = Field(min_length=1, max_length=5)
    clearance: Classification = Classification.BPL
    may_receive_up_to: Tlp = Tlp.AMBER
    """Strictest TLP this addressee may get; AMBER+STRICT and RED only for named addressees."""
    transfer_agreement: bool = False
    """A basis in law for operational data outside the EU (Art. 25): INTERPOL, third countries."""
    principals: tuple[Title, ...] = ()
    """Kafka principals and reporter names under which this organisation sends reports."""
    value_to_investigation: OneLine = ""
    """Why a private partner is told (R26); required for that class."""

    @property
    def audience(self) -> Audience:
        internal = self.recipient_class in INTERNAL_CLASSES
        return Audience.INTERNAL if internal else Audience.EXTERNAL

    @model_validator(mode="after")
    def _each_contact_has_its_own_address(self) -> Self:
        if len({contact.email.casefold() for contact in self.contacts}) < len(self.contacts):
            raise ValueError("two contacts have the same address: give the second its own (R72)")
        return self

    @model_validator(mode="after")
    def _private_partners_need_a_reason(self) -> Self:
        private = self.recipient_class is RecipientClass.PRIVATE_PARTNER
        if private and not self.value_to_investigation:
            raise ValueError("a private partner needs value_to_investigation (R26)")
        return self


class Officer(Record):
    """Somebody who may act, with the roles that the profile asks for."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,60}$")]
    name: Title
    organisation: Title
    roles: tuple[Role, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """One version of the directory; recipients in their fixed order of class, country and id."""

    version: int
    recipients: tuple[Recipient, ...]

    @classmethod
    def load(cls, connection: Connection, version: int | None = None) -> Directory:
        """Read a version, the newest by default.

        Raises:
            NotFound: no directory was imported, or not this version.
        """
        if version is None:
            newest = newest_version(connection)
            version = newest[0] if newest else 0
        documents = connection.scalars(
            select(recipient_table.c.document).where(recipient_table.c.version == version)
        )
        recipients = [Recipient.model_validate(document) for document in documents]
        if not recipients:
            wanted = f"no directory of version {version}" if version else "no directory yet"
            raise NotFound(f"{wanted}: import one with 'leerp directory import FILE'")
        order = list(RecipientClass)
        recipients.sort(key=lambda r: (order.index(r.recipient_class), r.country or "", r.id))
        return cls(version=version, recipients=tuple(recipients))

    def of_class(self, recipient_class: RecipientClass) -> tuple[Recipient, ...]:
        return tuple(r for r in self.recipients if r.recipient_class is recipient_class)

    def by_id(self) -> dict[str, Recipient]:
        return {recipient.id: recipient for recipient in self.recipients}

    def by_principals(self, principals: Iterable[str]) -> tuple[Recipient, ...]:
        """The organisations that report under any of these principals or reporter names."""
        wanted = set(principals)
        return tuple(r for r in self.recipients if wanted & set(r.principals))


_NEWEST = (
    select(directory_version.c.version, directory_version.c.sha256)
    .order_by(directory_version.c.version.desc())
    .limit(1)
)


def newest_version(connection: Connection) -> tuple[int, str] | None:
    """Number of the newest version and the SHA-256 of its content, or None before the first."""
    row = connection.execute(_NEWEST).one_or_none()
    return None if row is None else (row.version, row.sha256)


def key_problem(contact: Contact, now: datetime, trust: Trust = PINNED) -> tuple[str, str] | None:
    """Why mail cannot be encrypted to this contact at ``now``: a code and words, or None."""
    return protection.problem(contact, now, trust)


def officers(connection: Connection) -> list[Officer]:
    """Everybody who may act, in the order of their ids."""
    rows = connection.execute(select(officer_table).order_by(officer_table.c.id)).mappings()
    return [Officer.model_validate(dict(row)) for row in rows]


def officer(connection: Connection, officer_id: str) -> Officer:
    """The officer of this id.

    Raises:
        NotFound: the directory in force does not name such an officer.
    """
    row = (
        connection.execute(select(officer_table).where(officer_table.c.id == officer_id))
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFound(
            f"no officer {officer_id!r} in the directory: check the id with "
            "'leerp directory officers', or import a directory that names this officer"
        )
    return Officer.model_validate(dict(row))
