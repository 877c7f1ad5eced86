"""Signed mail from outside: what was signed, and whether a known key signed it. Nothing is decrypted.

Keys are those of the directory; no chain is followed, since the key itself is registered. Both forms of
S/MIME (RFC 8551) and OpenPGP's (RFC 3156) are read. The bytes come from anybody: whatever is odd about
them is one refusal. Source: reliability 5.2; issue 7, item 6.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from typing import Any

from asn1crypto import cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pysequoia import Cert, Sig, verify

MAX_BYTES = 5_000_000
HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
SMIME = {"application/pkcs7-signature", "application/x-pkcs7-signature"}
SMIME_WHOLE = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
OPENPGP = "application/pgp-signature"


class Unsigned(Exception):
    """There is no signature to check: the mail is not signed, or it is encrypted, or not readable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signed entity and its signature, as they stand in a mail."""

    entity: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    openpgp: bool


def read_signed(raw: bytes) -> Signed:
    """The signed part of a mail, byte by byte as it was signed.

    Raises:
        Unsigned: as said above.
    """
    canonical = re.sub(rb"\r?\n", b"\r\n", raw[:MAX_BYTES])
    message = parsed(canonical)
    kind = message.get_content_type()
    if kind in SMIME_WHOLE:
        return _opaque(message)
    parts = message.get_payload()
    if kind != "multipart/signed" or not isinstance(parts, list) or len(parts) != 2:
        raise Unsigned
    last = parts[1]
    how = last.get_content_type() if isinstance(last, Message) else ""
    if how not in SMIME and how != OPENPGP:
        raise Unsigned
    signature = last.get_payload(decode=True) if isinstance(last, Message) else None
    if not isinstance(signature, bytes):
        raise Unsigned
    return Signed(
        entity=_first_part(canonical, message), signature=signature, openpgp=how == OPENPGP
    )


def parsed(raw: bytes) -> Message:
    """A mail or a part of one, by Python's parser, which raises nothing."""
    return BytesParser(policy=compat32).parsebytes(raw)


def signed_at(
    signed: Signed, certificates: Sequence[x509.Certificate], keys: Sequence[str]
) -> datetime | None:
    """When one of these keys signed it; None when none of them did, or it does not say when.

    ``certificates`` are X.509, ``keys`` are OpenPGP certificates in armour.
    """
    try:
        if signed.openpgp:
            return _by_openpgp(signed, keys)
        return _by_smime(signed, certificates)
    except Exception:  # noqa: BLE001  bytes from anybody: no parser of them promises its errors
        return None


def _first_part(raw: bytes, message: Message) -> bytes:
    boundary = message.get_boundary()
    if not boundary:
        raise Unsigned
    mark = b"\r\n--" + boundary.encode("ascii", "replace")
    pieces = raw.split(mark + b"\r\n")
    if len(pieces) != 3:
        raise Unsigned
    return pieces[1]


def _opaque(message: Message) -> Signed:
    """An S/MIME object that holds what it signs; one that is encrypted is not opened."""
    try:
        der = base64.b64decode(str(message.get_payload()), validate=False)
        found = cms.ContentInfo.load(der)
        if found["content_type"].native != "signed_data":
            raise Unsigned
        entity = found["content"]["encap_content_info"]["content"].native
    except (binascii.Error, ValueError, TypeError, KeyError) as error:
        raise Unsigned from error
    if not isinstance(entity, bytes):
        raise Unsigned
    return Signed(entity=entity, signature=der, openpgp=False)


def _by_smime(signed: Signed, certificates: Sequence[x509.Certificate]) -> datetime | None:
    content = cms.ContentInfo.load(signed.signature, strict=True)["content"]
    for info in content["signer_infos"]:
        attributes = {each["type"].native: each["values"] for each in info["signed_attrs"]}
        digest = HASHES[info["digest_algorithm"]["algorithm"].native]()
        hasher = hashes.Hash(digest)
        hasher.update(signed.entity)
        (stated,) = attributes["message_digest"].native
        if stated != hasher.finalize() or attributes["content_type"].native != ["data"]:
            continue
        # What is signed is the set of attributes, with the tag of a set (RFC 5652, 5.4).
        text = info["signed_attrs"].untag().dump()
        if any(_holds(info, certificate, text, digest) for certificate in certificates):
            (at,) = attributes["signing_time"].native
            return at.astimezone(UTC) if isinstance(at, datetime) else None
    return None


def _holds(
    info: Any, certificate: x509.Certificate, text: bytes, digest: hashes.HashAlgorithm
) -> bool:
    key, signature = certificate.public_key(), info["signature"].native
    algorithm = info["signature_algorithm"].signature_algo
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm == "ecdsa":
            key.verify(signature, text, ec.ECDSA(digest))
        elif isinstance(key, rsa.RSAPublicKey) and algorithm == "rsassa_pkcs1v15":
            key.verify(signature, text, padding.PKCS1v15(), digest)
        elif isinstance(key, rsa.RSAPublicKey) and algorithm == "rsassa_pss":
            salt = padding.PSS(padding.MGF1(digest), padding.PSS.AUTO)
            key.verify(signature, text, salt, digest)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _by_openpgp(signed: Signed, keys: Sequence[str]) -> datetime | None:
    certificates = [Cert.from_bytes(key.encode()) for key in keys]
    signature = Sig.from_bytes(signed.signature)
    checked = verify(signed.entity, lambda _ids: certificates, signature=signature)
    if not checked.valid_sigs or signature.created is None:
        return None
    return signature.created.astimezone(UTC)
