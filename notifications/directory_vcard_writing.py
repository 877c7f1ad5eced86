"""Contact points as vCards 4.0, which ``directory_vcard`` reads to the same contacts.

Source: R25, R72; RFC 6350.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

from cryptography.hazmat.primitives.serialization import Encoding
from vobject.base import ContentLine

from notifications.directory import Contact, Recipient

X509_TYPE, OPENPGP_TYPE = "application/pkix-cert", "application/pgp-keys"


def write_vcards(recipients: Iterable[Recipient]) -> str:
    """A card (4.0) for each contact point, in their order."""
    return "".join(
        _card_of(recipient, contact) for recipient in recipients for contact in recipient.contacts
    )


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
        ("X-LEERP-SMIME-CONTENT", contact.smime_content),
        ("X-LEERP-SMIME-TRANSPORT", contact.smime_transport),
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
