"""The keys that the centre signs with: until when they are good, and what to do before they end.

A certificate that has ended stops no warning: mails are signed with it and go out, and the reader's
program says that the signature is not valid. An OpenPGP key that has ended cannot sign, so mails to
contacts who have only that are held. Both are said early and loudly. Source: reliability 5.2; issue 7.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509

from infra.keys import OPENPGP_FILE, SIGNER_CERTIFICATE_FILE
from notifications.openpgp import OpenPgpSigner
from protocol.errors import Refused

CERTIFICATE = "signing certificate"
OPENPGP = "OpenPGP signing key"
_CONSEQUENCE = {
    CERTIFICATE: (
        "mails still go out, and their readers' programs say that the signature is not valid"
    ),
    OPENPGP: "mails to contacts who have only OpenPGP are held",
}
_ADVICE = {
    CERTIFICATE: (
        "put a new pair into signer.pem and signer.key there, or remove both and 'leerp up' makes one"
        "; start 'leerp up' again, and give the contacts the new certificate"
    ),
    OPENPGP: (
        "put a new one there, or remove it and openpgp.asc and 'leerp up' makes one; start 'leerp up' "
        "again, give the contacts openpgp.asc, and 'leerp campaign release' what was held"
    ),
}


class Life(StrEnum):
    """How it is with a key at one moment."""

    GOOD = "good"
    EXPIRES_SOON = "expires-soon"
    NOT_YET = "not-yet-valid"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnKey:
    """A key of the centre's own."""

    name: str
    file: Path
    begins: datetime | None
    ends: datetime | None
    """The earliest end in a chain; None for a key that never ends."""

    def life(self, now: datetime, early: timedelta) -> Life:
        """How it is; ``early`` is how long before its end that is said."""
        if self.ends is not None and self.ends <= now:
            return Life.EXPIRED
        if self.begins is not None and now < self.begins:
            return Life.NOT_YET
        soon = self.ends is not None and self.ends <= now + early
        return Life.EXPIRES_SOON if soon else Life.GOOD

    def advice(self, now: datetime, early: timedelta) -> str:
        """What happens and what to do, in words; empty while all is well."""
        what, todo = _CONSEQUENCE[self.name], _ADVICE[self.name]
        match self.life(now, early):
            case Life.EXPIRED:
                return f"{self.file} ended on {self.ends:%Y-%m-%d %H:%M} UTC, so {what}: {todo}"
            case Life.NOT_YET:
                begins = f"{self.begins:%Y-%m-%d %H:%M} UTC"
                return f"{self.file} is valid from {begins} only, so until then {what}: {todo}"
            case Life.EXPIRES_SOON:
                return f"{self.file} ends on {self.ends:%Y-%m-%d %H:%M} UTC; then {what}: {todo}"
            case Life.GOOD:
                return ""


def own_keys(folder: Path) -> Iterator[OwnKey]:
    """The keys in a home's folder of keys; what is missing there is ``load_keys``'s to say.

    Raises:
        Refused: one of them cannot be read.
    """
    certificate, openpgp = folder / SIGNER_CERTIFICATE_FILE, folder / OPENPGP_FILE
    if certificate.exists():
        try:
            chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        except ValueError as error:
            raise Refused("signer-key", f"{certificate} must hold certificates in PEM") from error
        yield OwnKey(
            name=CERTIFICATE,
            file=certificate,
            begins=max(each.not_valid_before_utc for each in chain),
            ends=min(each.not_valid_after_utc for each in chain),
        )
    if openpgp.exists():
        ends = OpenPgpSigner.load(openpgp).ends
        yield OwnKey(name=OPENPGP, file=openpgp, begins=None, ends=ends)
