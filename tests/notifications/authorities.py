"""Authorities of a test's own: certificates for mailboxes by them, and their revocation lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.notifications.samples import NOW

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
LIFE = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A mailbox's key and certificate."""

    certificate: x509.Certificate
    key: Key

    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def write(self, folder: Path, name: str) -> None:
        (folder / f"{name}.pem").write_text(self.pem())
        (folder / f"{name}.key").write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


def usage(**on: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
        "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**dict.fromkeys(names, False) | on)


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


class Authority:
    """An authority, its own root or under another."""

    def __init__(
        self,
        name: str = "Root",
        *,
        under: Authority | None = None,
        since: datetime = NOW - LIFE,
        until: datetime = NOW + 10 * LIFE,
    ) -> None:
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = (under or self).sign(
            self.name,
            self.key.public_key(),
            (x509.BasicConstraints(ca=True, path_length=None),),
            may=usage(key_cert_sign=True, crl_sign=True),
            since=since,
            until=until,
        )

    def mailbox(
        self,
        key: Key | None = None,
        *,
        may: x509.KeyUsage | None = None,
        purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.EMAIL_PROTECTION,
        since: datetime = NOW - timedelta(days=30),
        until: datetime = NOW + LIFE,
    ) -> Box:
        """A certificate for a new mailbox, with an elliptic key unless one is given."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        elliptic = isinstance(key, ec.EllipticCurvePrivateKey)
        certificate = self.sign(
            x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Desk")]),
            key.public_key(),
            (
                x509.BasicConstraints(ca=False, path_length=None),
                x509.ExtendedKeyUsage([purpose]),
                x509.SubjectAlternativeName([x509.RFC822Name("desk@example.invalid")]),
            ),
            may=may or usage(key_agreement=elliptic, key_encipherment=not elliptic),
            since=since,
            until=until,
        )
        return Box(certificate=certificate, key=key)

    def sign(
        self,
        subject: x509.Name,
        key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
        extensions: Sequence[x509.ExtensionType],
        *,
        may: x509.KeyUsage,
        since: datetime,
        until: datetime,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
            .add_extension(may, critical=True)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def revocation_list(
        self, *revoked: x509.Certificate, until: datetime = NOW + timedelta(days=7)
    ) -> bytes:
        """In PEM; these were revoked an hour ago."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(NOW - timedelta(days=20))
            .next_update(until)
        )
        for certificate in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(certificate.serial_number)
                .revocation_date(NOW - timedelta(hours=1))
                .build()
            )
        made = builder.sign(self.key, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.PEM)

    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)
