"""Contact points as vCards, 3.0 and 4.0: cards bring organisations that stand in the directory up to date.

A card names its organisation by ``X-LEERP-RECIPIENT`` (the id) or by ``ORG`` as the directory has it, and
its contact by the address, else by the name; what it does not say stays. Source: R25, R72; RFC 6350,
RFC 2426.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pysequoia import Cert
from vobject.base import ContentLine, textLineToContentLine

from notifications.directory import Contact, Recipient
from notifications.directory_document import INVALID
from protocol.errors import Refused
from protocol.markings import Classification
from protocol.wording import Location, dotted

MOST_BYTES = 20_000_000
MOST_CARDS = 20_000
MOST_IN_A_LINE = 200_000
PLAIN = {
    "FN": "name",
    "EMAIL": "email",
    "TEL": "phone",
    "TZ": "time_zone",
    "X-LEERP-HOURS": "hours",
    "X-LEERP-SMIME-CONTENT": "smime_content",
    "X-LEERP-SMIME-TRANSPORT": "smime_transport",
}
"""Properties whose text is the value of a field; the preferred one, else the first, counts."""
LEVELS = {"X-LEERP-CLEARANCE": "clearance", "X-LEERP-ACCREDITED-UP-TO": "accredited_up_to"}
_WORD, _VALUE = r"[A-Za-z0-9_-]+", r'(?:"[^"]*"|[^";:,]*)'
_LINE = re.compile(rf"(?:{_WORD}\.)?{_WORD}(?:;{_WORD}(?:={_VALUE}(?:,{_VALUE})*)?)*:.*", re.DOTALL)
"""What the library may see: with other lines its own pattern can take longer than anybody lives."""
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_DATA = re.compile(r"data:(?P<type>[^;,]*)(?:;[^,]*)?;base64\\?,(?P<data>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One card: the line on which it begins, its organisation, and what it says of a contact."""

    line: int
    recipient: str = ""
    organisation: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


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
        self._named: dict[str, list[str]] = {}
        for recipient in known:
            self._named.setdefault(recipient.organisation.casefold(), []).append(recipient.id)
        self.updated: dict[str, None] = {}
        """Ids of the organisations that cards were about, in the order of the cards."""
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
        place = self._place_of(card, contacts)
        if (name, place) in self._lines:
            raise _wrong(card.line, "is about the same contact as another card of this file")
        if place == len(contacts):
            contacts.append({})
        contacts[place].update(card.fields)
        self._lines[name, place] = card.line
        self.updated[name] = None

    def _place_of(self, card: Card, contacts: list[dict[str, Any]]) -> int:
        """The contact with the card's address, else the one of its name, else a new one."""
        for key in ("email", "name"):
            said = str(card.fields.get(key, "")).casefold()
            found = [
                n for n, c in enumerate(contacts) if said and c.get(key, "").casefold() == said
            ]
            if len(found) > 1:
                raise _wrong(
                    card.line,
                    "has the name of more than one contact and the address of none: change the address "
                    "by spreadsheet, or give the new contact a name of its own",
                )
            if found:
                return found[0]
        return len(contacts)

    def _organisation_of(self, card: Card) -> str:
        if card.recipient in self._known:
            return card.recipient
        found = self._named.get(card.organisation.casefold(), [])
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
    for number, raw in _unfolded(text):
        if len(raw) > MOST_IN_A_LINE:
            raise Refused(INVALID, f"line {number}: too long for a line of a vCard")
        if not _LINE.fullmatch(raw):
            raise Refused(INVALID, f"line {number}: no line of a vCard")
        line = textLineToContentLine(raw, number)
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


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Each line with the number on which it begins: the library counts folded ones otherwise."""
    begun, parts = 0, [""]
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")), start=1):
        if line[:1] in {" ", "\t"} and begun:
            parts.append(line[1:])
            continue
        if "".join(parts).strip():
            yield begun, "".join(parts)
        begun, parts = number, [line]
    if "".join(parts).strip():
        yield begun, "".join(parts)


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
