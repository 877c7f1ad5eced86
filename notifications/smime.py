"""S/MIME: sign with RSA and SHA-256, then encrypt with AES-256-CBC to one recipient.

The library's own S/MIME writer costs four times what the RSA operation does (reliability 1.5c), so it
is asked only for the two CMS objects in DER, and the two MIME wrappers are written here, in the form of
RFC 8551 section 3.5.3. What cryptography 50 cannot do is said in SECURITY.md: no OAEP, no GCM, no EC
recipients; the inner signature is what guards the CBC ciphertext. Source: reliability 0.11, 5.2.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID

from protocol.errors import Refused

MIN_RSA_BITS = 2048
SEALED_HEADERS = (
    b'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"\r\n'
    b"Content-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; filename="smime.p7m"\r\n'
)
"""The MIME headers that belong to what ``seal`` returns."""

SIGNED_HEADER = (
    b'Content-Type: multipart/signed; protocol="application/pkcs7-signature";\r\n'
    b' micalg=sha-256; boundary="'
)
SIGNATURE_HEADERS = (
    b'\r\nContent-Type: application/pkcs7-signature; name="smime.p7s"\r\n'
    b"Content-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; filename="smime.p7s"\r\n\r\n'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signs: the key, its certificate, and the certificates between it and a trusted root."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey = field(repr=False)
    chain: tuple[x509.Certificate, ...] = ()

    @classmethod
    def load(cls, certificate_file: Path, key_file: Path, password: bytes | None = None) -> Self:
        """Read PEM files; the certificate file may hold the chain after the signer's own.

        Raises:
            Refused: the key is no RSA key of at least 2,048 bits, or is not the certificate's.
        """
        own, *chain = x509.load_pem_x509_certificates(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), password)
        if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < MIN_RSA_BITS:
            raise Refused(
                "signer-key", f"{key_file} must hold an RSA key of {MIN_RSA_BITS} bits or more"
            )
        if key.public_key() != own.public_key():
            raise Refused("signer-key", f"the key in {key_file} is not that of {certificate_file}")
        return cls(certificate=own, key=key, chain=tuple(chain))


def require_usable(certificate: x509.Certificate, now: datetime) -> None:
    """Make sure that mail can be encrypted to this certificate now.

    Raises:
        Refused: expired, not yet valid, not RSA, too short, or not meant for encryption or mail.
    """
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise Refused(
            "certificate-expired",
            f"the certificate is valid from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} to "
            f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC: import a current one",
        )
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < MIN_RSA_BITS:
        raise Refused(
            "certificate-key",
            f"the certificate's key must be RSA of {MIN_RSA_BITS} bits or more: ask for another",
        )
    for extension in certificate.extensions:
        match extension.value:
            case x509.KeyUsage() as usage if not usage.key_encipherment:
                raise Refused("certificate-usage", "the certificate is not meant for encryption")
            case x509.ExtendedKeyUsage() as usage if not {
                ExtendedKeyUsageOID.EMAIL_PROTECTION,
                ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
            } & set(usage):
                raise Refused("certificate-usage", "the certificate is not meant for mail")


def sign(inner: bytes, signer: Signer) -> bytes:
    """A ``multipart/signed`` entity round ``inner``, a MIME entity with CRLF line ends."""
    builder = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(inner)  # first of all: it forgets certificates added before it
        .add_signer(signer.certificate, signer.key, hashes.SHA256())
    )
    for certificate in signer.chain:
        builder = builder.add_certificate(certificate)
    signature = builder.sign(
        serialization.Encoding.DER,
        [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary],
    )
    boundary = secrets.token_hex(16).encode()
    return b"".join(
        (
            SIGNED_HEADER,
            boundary,
            b'"\r\n\r\n--',
            boundary,
            b"\r\n",
            inner,
            b"\r\n--",
            boundary,
            SIGNATURE_HEADERS,
            base64_lines(signature),
            b"--",
            boundary,
            b"--\r\n",
        )
    )


def seal(inner: bytes, signer: Signer, certificate: x509.Certificate) -> bytes:
    """Sign ``inner`` and encrypt the result to ``certificate``: base64 lines to ``SEALED_HEADERS``."""
    enveloped = (
        pkcs7.PKCS7EnvelopeBuilder()
        .set_data(sign(inner, signer))
        .set_content_encryption_algorithm(algorithms.AES256)
        .add_recipient(certificate)
        .encrypt(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])
    )
    return base64_lines(enveloped)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsealed:
    """A decrypted mail. ``signed`` is the whole multipart/signed; its signature is NOT checked here."""

    signed: bytes
    inner: bytes

    @property
    def subject(self) -> str:
        """The protected subject, decoded."""
        return str(make_header(decode_header(message_from_bytes(self.inner)["Subject"])))


def unseal(raw: bytes, key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> Unsealed:
    """Decrypt a whole mail as its recipient does.

    cryptography verifies no CMS signature; whoever must rely on it gives ``signed`` to a verifier
    such as ``openssl cms -verify``.

    Raises:
        Refused: not an encrypted mail, or not one for this key; deliberately not told apart.
    """
    message = message_from_bytes(raw)
    payload = message.get_payload(decode=True)
    refusal = Refused("not-for-this-key", "this is no mail that this key can decrypt")
    if not is_sealed(message) or not isinstance(payload, bytes):
        raise refusal
    try:
        signed = pkcs7.pkcs7_decrypt_der(payload, certificate, key, [])
    except ValueError as error:
        raise refusal from error
    boundary = message_from_bytes(signed).get_boundary()
    if boundary is None:
        raise Refused("not-signed", "the mail is encrypted but not signed")
    parts = signed.split(b"--" + boundary.encode() + b"\r\n")
    if len(parts) != 3:  # headers, content, signature
        raise Refused("not-signed", "the mail is encrypted but not signed")
    return Unsealed(signed=signed, inner=parts[1].removesuffix(b"\r\n"))


def is_sealed(message: Message) -> bool:
    """Whether a mail is encrypted."""
    return message.get_content_type() == "application/pkcs7-mime"


def sealed_for(message: Message, certificate: x509.Certificate) -> bool:
    """Whether an encrypted mail names this certificate as its recipient's (RFC 5652 section 6.2.1)."""
    payload = message.get_payload(decode=True)
    serial = certificate.serial_number
    octets = serial.to_bytes(serial.bit_length() // 8 + 1)
    issuer_and_serial = certificate.issuer.public_bytes() + bytes((2, len(octets))) + octets
    return isinstance(payload, bytes) and issuer_and_serial in payload


def base64_lines(data: bytes) -> bytes:
    """Base64 in lines of 76 characters, each ended by CRLF."""
    return base64.encodebytes(data).replace(b"\n", b"\r\n")
