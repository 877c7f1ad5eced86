"""How a mail to one contact is protected: the one place that chooses, and the one that carries it out.

S/MIME where the contact has a certificate, else OpenPGP where it has such a key. A certificate that
cannot be used is not passed over for an OpenPGP key beside it: somebody has to look at it first.
Source: domain 4.4 (nothing above PUBLIC in clear); reliability 5.2, F-M11.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from sqlalchemy import Connection

from infra import audit
from notifications import smime
from notifications.enveloping import SmimeProfile
from notifications.openpgp import OpenPgpKey, openpgp_key, seal_openpgp
from notifications.outbox import Claim
from notifications.smime import Signer, seal, sign
from notifications.trust import Trust
from protocol.errors import Refused

CLEAR = "signed-only"
OPENPGP = "openpgp"


class KeyHolder(Protocol):
    """What of a contact counts here."""

    @property
    def openpgp_key(self) -> str: ...

    @property
    def smime(self) -> SmimeProfile: ...

    @property
    def email(self) -> str: ...

    def x509(self) -> x509.Certificate | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """The choice for one mail. Signed it is always."""

    word: str
    """For the audit trail: what, not for whom."""
    certificate: x509.Certificate | None = None
    profile: SmimeProfile = smime.EVERYBODY
    openpgp: OpenPgpKey | None = None

    @property
    def encrypts(self) -> bool:
        return self.certificate is not None or self.openpgp is not None

    def apply(self, inner: bytes, signer: Signer, at: datetime) -> bytes:
        """The MIME entity that protects ``inner``, a MIME entity with CRLF line ends.

        Raises:
            Refused: the centre has no OpenPGP key to sign with; or as ``OpenPgpKey.require``.
        """
        if self.certificate is not None:
            return seal(inner, signer, self.certificate, self.profile)
        if self.openpgp is None:
            return sign(inner, signer)
        if signer.openpgp is None:
            raise Refused(
                "no-openpgp-signer",
                "the centre has no OpenPGP key to sign with: 'leerp up' makes one in the keys' folder",
            )
        return seal_openpgp(inner, signer.openpgp, self.openpgp, at)


def choose(holder: KeyHolder, *, at: datetime, trust: Trust, public: bool) -> Protection:
    """How mail to this contact is protected at this moment.

    What is ``public``, such as the bare fact of a closure, goes out signed only to whom no key is
    usable.

    Raises:
        Refused: not public, and there is no key or it cannot be used.
    """
    try:
        return _encrypting(holder, at, trust)
    except Refused:
        if public:
            return Protection(word=CLEAR)
        raise


def problem(holder: KeyHolder, at: datetime, trust: Trust) -> tuple[str, str] | None:
    """Why mail cannot be encrypted to this contact: a code and words, or None."""
    try:
        _encrypting(holder, at, trust)
    except Refused as refused:
        return refused.reason, str(refused)
    return None


def usable_until(holder: KeyHolder) -> datetime | None:
    """When the key that is used for this contact ends, or None when it has none or never ends."""
    if (certificate := holder.x509()) is not None:
        return certificate.not_valid_after_utc
    return openpgp_key(holder.openpgp_key).usable_until() if holder.openpgp_key else None


def made_for(holder: KeyHolder) -> str:
    """A digest of what a mail to this contact depends on besides its content: address and keys."""
    certificate = holder.x509()
    parts = (
        holder.email.encode(),
        certificate.fingerprint(hashes.SHA256()) if certificate is not None else b"",
        holder.openpgp_key.encode(),
        holder.smime.model_dump_json().encode(),
    )
    return sha256(b"\0".join(parts)).hexdigest()


class Protected(Protocol):
    """A mail as the audit trail sees it."""

    @property
    def claim(self) -> Claim: ...

    @property
    def protection(self) -> str: ...


def audit_protection(
    connection: Connection, campaign_id: str, mails: Iterable[Protected], *, actor: str
) -> None:
    """Write down how the mails that were made just now are protected: a word for each."""
    words = {mail.claim.id: mail.protection for mail in mails if mail.protection}
    if words:
        audit.append(
            connection, "mail_protected", actor=actor, subject=campaign_id, notifications=words
        )


def _encrypting(holder: KeyHolder, at: datetime, trust: Trust) -> Protection:
    if (certificate := holder.x509()) is not None:
        trust.require(certificate, at)
        return Protection(
            word=holder.smime.word(certificate), certificate=certificate, profile=holder.smime
        )
    if holder.openpgp_key:
        key = openpgp_key(holder.openpgp_key)
        key.require(at)
        return Protection(word=OPENPGP, openpgp=key)
    raise Refused(
        "no-key",
        "no certificate and no OpenPGP key: import one, nothing above PUBLIC is sent in clear",
    )
