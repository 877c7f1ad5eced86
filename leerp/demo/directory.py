"""The demo's directory: the import document, and the keys of everybody who is in it.

Making 96 RSA keys takes seconds, so a folder that has them keeps them; the document then comes out the
same and its import changes nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from leerp.demo.desks import CONTACT_NAMES, DESKS, OFFICERS, Desk
from notifications.certificates import self_signed
from notifications.directory import Contact, Recipient
from protocol.parties import RecipientClass

DOCUMENT = "directory.json"
OWNER_ONLY = 0o600
_LEAST_LIFE = timedelta(days=60)
"""A certificate with less is made anew: the directory's check would warn of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """One contact of the directory, and where its key and certificate lie."""

    recipient_id: str
    recipient_class: RecipientClass
    contact: int
    address: str
    key_file: Path
    certificate_file: Path

    def key(self) -> rsa.RSAPrivateKey:
        """Read the private key; that it is sound was seen to when it was made."""
        key = serialization.load_pem_private_key(
            self.key_file.read_bytes(), None, unsafe_skip_rsa_key_validation=True
        )
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError(f"{self.key_file} holds no RSA key")
        return key

    def certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.certificate_file.read_bytes())


def mailboxes(folder: Path) -> tuple[Mailbox, ...]:
    """All contacts of the demo's directory in ``folder``."""
    return tuple(box for desk in DESKS for box in _mailboxes_of(desk, folder))


def make_demo_directory(folder: Path) -> Path:
    """Write ``directory.json`` and a key and certificate for each contact; return the document.

    Keys are readable by their owner only. What is already there and valid long enough stays.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = datetime.now(UTC)
    wanting = [box for box in mailboxes(folder) if not _has_keys(box, now)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # the library lets other threads run meanwhile
        list(pool.map(lambda box: _make_keys(box, now), wanting))
    document = {
        "recipients": [_recipient(desk, folder).model_dump(mode="json") for desk in DESKS],
        "officers": [officer.model_dump(mode="json") for officer in OFFICERS],
    }
    path = folder / DOCUMENT
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def _mailboxes_of(desk: Desk, folder: Path) -> Iterator[Mailbox]:
    for contact, address in enumerate(desk.addresses):
        yield Mailbox(
            recipient_id=desk.id,
            recipient_class=desk.recipient_class,
            contact=contact,
            address=address,
            key_file=folder / f"{desk.id}-{contact}.key",
            certificate_file=folder / f"{desk.id}-{contact}.pem",
        )


def _recipient(desk: Desk, folder: Path) -> Recipient:
    return Recipient(
        id=desk.id,
        recipient_class=desk.recipient_class,
        organisation=desk.organisation,
        country=desk.country,
        contacts=tuple(
            Contact(
                name=CONTACT_NAMES[box.contact],
                email=box.address,
                certificate=box.certificate_file.read_text(encoding="ascii"),
            )
            for box in _mailboxes_of(desk, folder)
        ),
        transfer_agreement=desk.recipient_class is RecipientClass.INTERPOL,
        principals=desk.principals,
        value_to_investigation=desk.value_to_investigation,
    )


def _has_keys(box: Mailbox, now: datetime) -> bool:
    if not (box.key_file.exists() and box.certificate_file.exists()):
        return False
    return box.certificate().not_valid_after_utc > now + _LEAST_LIFE


def _make_keys(box: Mailbox, now: datetime) -> None:
    """The certificate last: a key without it is made anew."""
    made = self_signed(f"{box.recipient_id} {box.contact}", box.address, now=now)
    descriptor = os.open(box.key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(made.key_pem())
    box.certificate_file.write_text(made.certificate_pem(), encoding="ascii")
