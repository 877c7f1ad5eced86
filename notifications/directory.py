"""The directory of who is warned: organisations, their contact points, keys and rights.

A version is imported whole and never changed; a campaign freezes the version it was made with.
Source: R25 (the agreed annex of 24/7 points of contact), R72 (alternative contact points) and
domain 4.4.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cryptography import x509
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from sqlalchemy import Connection, select

from infra.tables import directory_version
from infra.tables import officer as officer_table
from infra.tables import recipient as recipient_table
from notifications.smime import require_usable
from protocol.errors import NotFound, Refused
from protocol.markings import Classification, Tlp
from protocol.parties import INTERNAL_CLASSES, Audience, RecipientClass, Role
from protocol.report import Country, Line

EXPIRES_SOON = timedelta(days=30)

Address = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}$")
]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]


class Record(BaseModel):
    """An entry of the directory: frozen, and closed to fields that nobody defined."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Contact(Record):
    """One contact point: a duty desk or person that reads mail and holds the key to it."""

    name: Line
    email: Address
    phone: Line = ""
    certificate: str = ""
    """X.509 certificate in PEM; without a key nothing that is not public can be sent."""
    openpgp_key: str = ""
    """OpenPGP certificate, ASCII armoured, for who has no S/MIME."""
    languages: tuple[Language, ...] = Field(default=("en",), min_length=1)
    """Languages that are read there, the preferred one first (ISO 639-1)."""
    time_zone: str = "UTC"
    """Name of the IANA database."""
    clearance: Classification | None = None
    """What this desk or person is cleared for, where it differs from the organisation."""
    accredited_up_to: Classification = Classification.BPL
    """What this contact's mail channel is accredited for."""
    requiretls: bool = False
    """Every hop to it must speak TLS (RFC 8689), or nothing is sent."""
    nudges: tuple[Annotated[str, StringConstraints(min_length=3, max_length=500)], ...] = Field(
        default=(), max_length=5, repr=False
    )
    """Addresses for nudges without content, as apprise writes them; they may hold secrets."""

    @field_validator("certificate")
    @classmethod
    def _readable(cls, pem: str) -> str:
        if pem:
            x509.load_pem_x509_certificate(pem.encode())
        return pem

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
        if not self.certificate:
            return None
        return x509.load_pem_x509_certificate(self.certificate.encode())


class Recipient(Record):
    """One organisation that may be warned, with its contacts in the order in which to try them."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,58}$")]
    recipient_class: RecipientClass
    organisation: Line
    country: Country | None = None
    contacts: tuple[Contact, ...] = Field(min_length=1, max_length=5)
    clearance: Classification = Classification.BPL
    may_receive_up_to: Tlp = Tlp.AMBER
    """Strictest TLP this addressee may get; AMBER+STRICT and RED only for named addressees."""
    transfer_agreement: bool = False
    """A basis in law for operational data outside the EU (Art. 25): INTERPOL, third countries."""
    principals: tuple[Line, ...] = ()
    """Kafka principals and reporter names under which this organisation sends reports."""
    value_to_investigation: Line = ""
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
    name: Line
    organisation: Line
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


class DirectoryInForce:
    """The recipients of the newest version, read again only when another one came into force."""

    def __init__(self) -> None:
        self._read: tuple[int, dict[str, Recipient]] = (0, {})  # one value: threads share it

    def by_id(self, connection: Connection) -> dict[str, Recipient]:
        """The recipients as they are now.

        Raises:
            NotFound: no directory was imported.
        """
        newest = newest_version(connection)
        version, recipients = self._read
        if newest is None or newest[0] != version:
            read = Directory.load(connection)
            recipients = read.by_id()
            self._read = (read.version, recipients)
        return recipients


def newest_version(connection: Connection) -> tuple[int, str] | None:
    """Number of the newest version and the SHA-256 of its content, or None before the first."""
    row = connection.execute(
        select(directory_version.c.version, directory_version.c.sha256)
        .order_by(directory_version.c.version.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.version, row.sha256)


class Finding(Record):
    """Something in the directory that would keep somebody from being warned."""

    problem: str
    subject: str
    """Recipient id, or class where nobody is in it."""
    contact: int | None = None
    message: str


def check(directory: Directory, now: datetime) -> list[Finding]:
    """What will go wrong with this directory, in its order; empty when all is well."""
    findings = [f for recipient in directory.recipients for f in _findings(recipient, now)]
    return findings + [
        Finding(
            problem="empty-class",
            subject=name,
            message=f"nobody of class {name}: add one, or say with each notice why it is left out",
        )
        for name in RecipientClass
        if not directory.of_class(name)
    ]


def _findings(recipient: Recipient, now: datetime) -> Iterable[Finding]:
    if len(recipient.contacts) == 1:
        message = "only one contact: when it is silent there is nobody else to try (R72)"
        yield Finding(problem="one-contact", subject=recipient.id, message=message)
    for number, contact in enumerate(recipient.contacts):
        if problem := key_problem(contact, now):
            kind, message = problem
        elif key_problem(contact, now + EXPIRES_SOON):
            kind, message = "expires-soon", "the certificate expires in 30 days: ask for a new one"
        else:
            continue
        yield Finding(problem=kind, subject=recipient.id, contact=number, message=message)


def key_problem(contact: Contact, now: datetime) -> tuple[str, str] | None:
    """Why mail cannot be encrypted to this contact at ``now``: a code and words, or None."""
    certificate = contact.x509()
    if certificate is None:
        return "no-key", "no certificate: import one, until then nothing above PUBLIC can be sent"
    try:
        require_usable(certificate, now)
    except Refused as exc:
        return exc.reason, str(exc)
    return None


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
