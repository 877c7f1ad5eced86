"""Contact points as vCards, 3.0 and 4.0: cards bring organisations that stand in the directory up to date.

A card names its organisation by ``X-LEERP-RECIPIENT`` (the id) or by ``ORG`` as the directory has it, and
its contact by the address, else by the name; what it does not say stays. Source: R25, R72; RFC 6350,
RFC 2426.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pysequoia import Cert
from vobject.base import ContentLine, ParseError, getLogicalLines, textLineToContentLine

from notifications.directory import Contact, Recipient
from notifications.directory_document import INVALID
from protocol.errors import Refused
from protocol.markings import Classification
from protocol.wording import Location, dotted

MOST_BYTES = 20_000_000
MOST_CARDS = 20_000
X509_TYPE, OPENPGP_TYPE = "application/pkix-cert", "application/pgp-keys"
PLAIN = {
    "FN": "name",
    "EMAIL": "email",
    "TEL": "phone",
    "TZ": "time_zone",
    "X-LEERP-HOURS": "hours",
}
"""Properties whose text is the value of a field; the preferred one, else the first, counts."""
LEVELS = {"X-LEERP-CLEARANCE": "clearance", "X-LEERP-ACCREDITED-UP-TO": "accredited_up_to"}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_DATA = re.compile(r"data:(?P<type>[^;,]*)(?:;[^,]*)?;base64\\?,(?P<data>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One card: the line on which it begins, its organisation, and what it says of a contact."""

    line: int
    recipient: str = ""
    organisation: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


def write_vcards(recipients: Iterable[Recipient]) -> str:
    """A card (4.0) for each contact point, in their order."""
    return "".join(
        _card_of(recipient, contact) for recipient in recipients for contact in recipient.contacts
    )


class CardReading:
    """The organisations of a directory with what cards say of their contacts."""

    def __init__(self, text: str, known: Sequence[Recipient]) -> None:
        """Read the cards into ``recipients``, the values of all organisations.

        Raises:
            Refused: ``directory-invalid``; the message names the line on which the card begins.
        """
        self._known = {recipient.id: recipient for recipient in known}
        self._lines: dict[tuple[str, int], int] = {}
        self._contacts: dict[str, list[dict[str, Any]]] = {
            r.id: [_stated(contact) for contact in r.contacts] for r in known
        }
        self._ids = list(self._known)
        self.updated: list[str] = []
        """Ids of the organisations that cards were about."""
        for card in read_cards(text):
            self._apply(card)
        self.recipients = [
            {**_stated(recipient), "contacts": self._contacts[name]}
            for name, recipient in self._known.items()
        ]

    def place(self, location: Location) -> str:
        """``the card on line 12, field email`` for the place of an error in the document."""
        match location:
            case ["recipients", int(index), "contacts", int(number), *rest]:
                line = self._lines.get((self._ids[index], number))
                what = f", {rest[0]}" if rest else ""
                if line is not None:
                    return f"the card on line {line}{what}"
                return f"{self._ids[index]}, contact {number + 1}{what}"
            case ["recipients", int(index), *_]:
                return self._ids[index]
            case _:
                return dotted(location)

    def _apply(self, card: Card) -> None:
        name = self._organisation_of(card)
        contacts = self._contacts[name]
        for key in ("email", "name"):
            said = str(card.fields.get(key, "")).casefold()
            places = [n for n, c in enumerate(contacts) if said and c[key].casefold() == said]
            if places:
                contacts[places[0]].update(card.fields)
                break
        else:
            places = [len(contacts)]
            contacts.append(dict(card.fields))
        if (name, places[0]) in self._lines:
            raise _wrong(card.line, "is about the same contact as another card of this file")
        self._lines[name, places[0]] = card.line
        self.updated = list(dict.fromkeys([*self.updated, name]))

    def _organisation_of(self, card: Card) -> str:
        if card.recipient in self._known:
            return card.recipient
        named = card.organisation.casefold()
        found = [r.id for r in self._known.values() if named and r.organisation.casefold() == named]
        if card.recipient or len(found) != 1:
            raise _wrong(
                card.line,
                "names no organisation of the directory: add X-LEERP-RECIPIENT with its id (see "
                "'leerp directory list'); a new organisation comes by JSON, CSV or spreadsheet",
            )
        return found[0]


def read_cards(text: str) -> list[Card]:
    """Every card of a file.

    Raises:
        Refused: ``directory-invalid``.
    """
    if len(text) > MOST_BYTES:
        raise Refused(INVALID, "too large for a file of vCards: split it")
    cards: list[Card] = []
    inside: list[ContentLine] | None = None
    begun = 0
    for raw, number in getLogicalLines(io.StringIO(text.removeprefix("\ufeff")), False):
        if not raw.strip():
            continue
        try:
            line = textLineToContentLine(raw, number)
        except ParseError:
            raise Refused(INVALID, f"line {number}: no line of a vCard") from None
        what = (line.name.upper(), str(line.value).strip().upper())
        if what == ("BEGIN", "VCARD") and inside is None:
            inside, begun = [], number
        elif what == ("END", "VCARD") and inside is not None:
            cards.append(_card(inside, begun))
            inside = None
        elif inside is None:
            raise Refused(INVALID, f"line {number}: stands outside of a card")
        else:
            inside.append(line)
    if inside is not None or not cards or len(cards) > MOST_CARDS:
        raise Refused(INVALID, "no vCards, too many, or one that has no end (END:VCARD)")
    return cards


def _card(lines: list[ContentLine], begun: int) -> Card:
    versions = [str(line.value).strip() for line in lines if line.name.upper() == "VERSION"]
    if versions not in (["3.0"], ["4.0"]):
        raise _wrong(begun, "is not of VERSION 3.0 or 4.0: save it as such")
    found: dict[str, list[ContentLine]] = {}
    for line in sorted(lines, key=_preference):
        found.setdefault(line.name.upper(), []).append(line)
    fields = {PLAIN[name]: _text(found[name][0]) for name in PLAIN if name in found}
    if "phone" in fields:
        fields["phone"] = fields["phone"].removeprefix("tel:")
    values: dict[str, Any] = dict(fields)
    for name, level in LEVELS.items():
        if name in found:
            values[level] = _level(_text(found[name][0]), begun)
    if "LANG" in found:
        values["languages"] = [_text(line).casefold() for line in found["LANG"]]
    if "X-LEERP-REQUIRETLS" in found:
        values["requiretls"] = _text(found["X-LEERP-REQUIRETLS"][0]).casefold() == "yes"
    if "X-LEERP-NUDGE" in found:
        values["nudges"] = [_text(line) for line in found["X-LEERP-NUDGE"]]
    for line in found.get("KEY", []):
        values.update(_key(line, begun))
    return Card(
        line=begun,
        recipient=_text(found["X-LEERP-RECIPIENT"][0]) if "X-LEERP-RECIPIENT" in found else "",
        organisation=_organisation(found["ORG"][0]) if "ORG" in found else "",
        fields=values,
    )


def _preference(line: ContentLine) -> int:
    """``PREF=1`` (4.0) and ``TYPE=PREF`` (3.0) come first; the rest keep their order."""
    types = {kind.upper() for kind in line.params.get("TYPE", [])}
    stated = next(iter(line.params.get("PREF", [])), "")
    if stated.isdecimal():
        return int(stated)
    return 1 if "PREF" in types else 101


def _text(line: ContentLine) -> str:
    return _ESCAPE.sub(lambda m: "\n" if m[1] in "nN" else m[1], str(line.value)).strip()


def _organisation(line: ContentLine) -> str:
    """The name alone; units follow after a semicolon."""
    name = re.split(r"(?<!\\)(?:\\\\)*;", str(line.value))[0]
    return _ESCAPE.sub(lambda m: m[1], name).strip()


def _level(text: str, begun: int) -> Classification:
    try:
        return Classification[text.upper()]
    except KeyError:
        names = ", ".join(level.name for level in Classification)
        raise _wrong(begun, f"states a classification that is none of {names}") from None


def _key(line: ContentLine, begun: int) -> dict[str, str]:
    """The field for a key that stands in the card itself; one that is elsewhere is not fetched."""
    value = str(line.value).strip()
    found = _DATA.fullmatch(value)
    if found is None and value.casefold().startswith(("http:", "https:", "ldap:", "uri:")):
        raise _wrong(begun, "points to a key elsewhere, which is not fetched: put it into the card")
    try:
        data = base64.b64decode(re.sub(r"\s", "", found["data"] if found else value), validate=True)
        if b"PGP" in data[:64] or "PGP" in f"{found['type'] if found else line.params}".upper():
            return {"openpgp_key": _armoured(data)}
        if b"-----BEGIN CERTIFICATE" in data:
            return {"certificate": data.decode("ascii")}
        certificate = x509.load_der_x509_certificate(data)
    except (binascii.Error, ValueError, UnicodeDecodeError):
        words = "has a KEY that is neither an X.509 nor an OpenPGP certificate in base64"
        raise _wrong(begun, words) from None
    return {"certificate": certificate.public_bytes(Encoding.PEM).decode()}


def _armoured(data: bytes) -> str:
    if data.lstrip().startswith(b"-----BEGIN"):
        return data.decode("ascii")
    try:
        return str(Cert.from_bytes(data))
    except Exception as exc:  # the library's own errors are plain exceptions
        raise ValueError("no OpenPGP certificate") from exc


def _wrong(line: int, words: str) -> Refused:
    return Refused(INVALID, f"the card on line {line} {words}")


def _stated(entry: Recipient | Contact) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in type(entry).model_fields}


def _card_of(recipient: Recipient, contact: Contact) -> str:
    lines = [
        ("BEGIN", "VCARD"),
        ("VERSION", "4.0"),
        ("KIND", "org"),
        ("FN", _escaped(contact.name)),
        ("ORG", _escaped(recipient.organisation)),
        ("X-LEERP-RECIPIENT", recipient.id),
        ("EMAIL", _escaped(contact.email)),
        *([("TEL", _escaped(contact.phone))] if contact.phone else []),
        ("TZ", contact.time_zone),
        ("X-LEERP-HOURS", _escaped(contact.hours)),
        *(("LANG", language) for language in contact.languages),
        *([("X-LEERP-CLEARANCE", contact.clearance.name)] if contact.clearance is not None else []),
        ("X-LEERP-ACCREDITED-UP-TO", contact.accredited_up_to.name),
        ("X-LEERP-REQUIRETLS", "yes" if contact.requiretls else "no"),
        *(("X-LEERP-NUDGE", _escaped(nudge)) for nudge in contact.nudges),
        *_keys_of(contact),
        ("END", "VCARD"),
    ]
    return "".join(_line(name, value) for name, value in lines)


def _keys_of(contact: Contact) -> Iterable[tuple[str, str]]:
    certificate = contact.x509()
    if certificate is not None:
        der = certificate.public_bytes(Encoding.DER)
        yield "KEY", f"data:{X509_TYPE};base64,{base64.b64encode(der).decode()}"
    if contact.openpgp_key:
        armoured = base64.b64encode(contact.openpgp_key.encode()).decode()
        yield "KEY", f"data:{OPENPGP_TYPE};base64,{armoured}"


def _line(name: str, value: str) -> str:
    folded: str = ContentLine(name, [], value, encoded=True).serialize(lineLength=75)
    return folded


def _escaped(text: str) -> str:
    return re.sub(r"([\\,;])", r"\\\1", text)
