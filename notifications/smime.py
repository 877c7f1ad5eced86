"""S/MIME: sign with RSA or P-256 and SHA-256, then encrypt to one recipient.

The library's own S/MIME writer costs four times what the RSA operation does (reliability 1.5c), so it
is asked only for the CMS objects in DER, and the two MIME wrappers are written here, in the form of
RFC 8551 section 3.5.3. Whatever the encryption is, the signature stands inside it: it is what guards
a CBC ciphertext. Source: reliability 0.11, 5.2.
"""

from __future__ import annotations

import binascii
import secrets
import struct
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from functools import lru_cache
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import PublicKeyAlgorithmOID

from notifications.enveloping import ContentCipher, SmimeProfile, envelop
from notifications.openpgp import OpenPgpSigner
from notifications.trust import MIN_RSA_BITS
from protocol.errors import Refused

EVERYBODY = SmimeProfile()
"""What all software opens."""
_TYPES = {ContentCipher.CBC: b"enveloped-data", ContentCipher.GCM: b"authEnveloped-data"}
SEALED_TYPE = "application/pkcs7-mime"
LINE = 76

SIGNED_HEADER = (
    b'Content-Type: multipart/signed; protocol="application/pkcs7-signature";\r\n'
    b' micalg=sha-256; boundary="'
)
SIGNATURE_HEADERS = (
    b'\r\nContent-Type: application/pkcs7-signature; name="smime.p7s"\r\n'
    b"Content-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; filename="smime.p7s"\r\n\r\n'
)


SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signs: the key, its certificate, and the certificates between it and a trusted root."""

    certificate: x509.Certificate
    key: SigningKey = field(repr=False)
    chain: tuple[x509.Certificate, ...] = ()
    openpgp: OpenPgpSigner | None = None
    """For contacts who have only OpenPGP; without it nothing is sent to them."""

    @classmethod
    def load(
        cls,
        certificate_file: Path,
        key_file: Path,
        password: bytes | None = None,
        *,
        openpgp_file: Path | None = None,
    ) -> Self:
        """Read PEM files; the certificate file may hold the chain after the signer's own.

        Raises:
            Refused: the key is neither RSA of at least 2,048 bits nor on the curve P-256, is limited
                to RSA-PSS, or is not the certificate's; or there is no OpenPGP key in its file.
        """
        own, *chain = x509.load_pem_x509_certificates(certificate_file.read_bytes())
        if own.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS:
            raise Refused(
                "signer-key",
                f"the key of {certificate_file} is limited to RSA-PSS, which many readers cannot check: "
                "it must be plain RSA, or on the curve P-256",
            )
        match serialization.load_pem_private_key(key_file.read_bytes(), password):
            case rsa.RSAPrivateKey() as rsa_key if rsa_key.key_size >= MIN_RSA_BITS:
                key: SigningKey = rsa_key
            case ec.EllipticCurvePrivateKey(curve=ec.SECP256R1()) as ec_key:
                key = ec_key
            case _:
                raise Refused(
                    "signer-key",
                    f"{key_file} must hold an RSA key of {MIN_RSA_BITS} bits or more, or one on the "
                    "curve P-256",
                )
        if key.public_key() != own.public_key():
            raise Refused("signer-key", f"the key in {key_file} is not that of {certificate_file}")
        openpgp = OpenPgpSigner.load(openpgp_file) if openpgp_file else None
        return cls(certificate=own, key=key, chain=tuple(chain), openpgp=openpgp)


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


def seal(
    inner: bytes, signer: Signer, certificate: x509.Certificate, profile: SmimeProfile = EVERYBODY
) -> bytes:
    """Sign ``inner`` and encrypt the result to ``certificate``: a MIME entity, its headers included."""
    return b"".join(
        (
            b"Content-Type: " + SEALED_TYPE.encode() + b"; smime-type=",
            _TYPES[profile.content],
            (
                b'; name="smime.p7m"\r\n'
                b"Content-Transfer-Encoding: base64\r\n"
                b'Content-Disposition: attachment; filename="smime.p7m"\r\n\r\n'
            ),
            base64_lines(envelop(sign(inner, signer), certificate, profile)),
        )
    )


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
    """Decrypt a whole mail as a recipient of the default profile does.

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
    return message.get_content_type() == SEALED_TYPE


def base64_lines(data: bytes) -> bytes:
    """Base64 in lines of 76 characters, each ended by CRLF."""
    encoded = binascii.b2a_base64(data, newline=False)
    whole, rest = divmod(len(encoded), LINE)
    lines = [*_lines_of(whole).unpack_from(encoded)]
    if rest:
        lines.append(encoded[-rest:])
    return b"\r\n".join([*lines, b""])


@lru_cache(maxsize=4_096)
def _lines_of(number: int) -> struct.Struct:
    """Cuts so many whole lines, three times as fast as slices do: a mail has a thousand."""
    return struct.Struct(f"{LINE}s" * number)
