"""The process's own keys: payload encryption, acknowledgement links, signature of mails.

They lie in ``HOME/keys``, a folder of the owner's only. ``leerp up`` makes what is missing; a real
deployment puts its own files there. A key is never replaced: to change the codec's key, add one to
``codec.json`` and make it ``active``; the old one still opens what it has sealed.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pysequoia import CipherSuite, Profile, Tsk

from protocol.errors import ServiceDown

CODEC_FILE = "codec.json"
ACKNOWLEDGEMENT_FILE = "acknowledgement.key"
SIGNER_CERTIFICATE_FILE = "signer.pem"
SIGNER_KEY_FILE = "signer.key"
OPENPGP_FILE = "openpgp.key"
OPENPGP_PUBLIC_FILE = "openpgp.asc"
KEY_BYTES = 32
CERTIFICATE_LIFE = timedelta(days=3 * 365)
OTHERS = 0o077


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Keys:
    """All keys of a home. Has no repr, so that no log can show one."""

    codec_active: str
    codec: Mapping[str, bytes]
    """Key id to 32 bytes; payloads are sealed with the active one and opened with any."""
    acknowledgement: bytes
    """32 bytes; the links in mails are bound to their recipient with it."""
    signer_certificate_file: Path
    signer_key_file: Path
    openpgp_file: Path
    """The OpenPGP key that signs, for contacts who have no S/MIME."""


def ensure_keys(folder: Path, sender: str) -> Keys:
    """Make what is missing, for ``sender`` as the address that signs, and return all keys.

    Raises:
        ServiceDown: as ``load_keys``, or half of the signing pair is missing.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    if not (folder / CODEC_FILE).exists():
        key = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
        key_id = f"{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(3)}"
        document = json.dumps({"active": key_id, "keys": {key_id: key}}, indent=2)
        write_secret(folder / CODEC_FILE, document.encode())
    if not (folder / ACKNOWLEDGEMENT_FILE).exists():
        encoded = base64.b64encode(secrets.token_bytes(KEY_BYTES))
        write_secret(folder / ACKNOWLEDGEMENT_FILE, encoded + b"\n")
    certificate, key_file = folder / SIGNER_CERTIFICATE_FILE, folder / SIGNER_KEY_FILE
    if certificate.exists() != key_file.exists():
        there, gone = (certificate, key_file) if certificate.exists() else (key_file, certificate)
        raise ServiceDown(f"{there} has lost its {gone.name}: put it back, or remove both")
    if not certificate.exists():
        _make_signer(certificate, key_file, sender)
    if not (folder / OPENPGP_FILE).exists():
        _make_openpgp(folder / OPENPGP_FILE, sender)
    if not (folder / OPENPGP_PUBLIC_FILE).exists():  # for recipients to import
        public = Tsk.from_bytes(_read(folder / OPENPGP_FILE)).extract_certificate()
        write_secret(folder / OPENPGP_PUBLIC_FILE, str(public).encode())
    return load_keys(folder)


def load_keys(folder: Path) -> Keys:
    """Read all keys of ``folder``.

    Raises:
        ServiceDown: one is missing, unreadable, of the wrong length, or open to other users.
    """
    try:
        codec = json.loads(_read(folder / CODEC_FILE))
        keys = {str(name): _decode(folder / CODEC_FILE, key) for name, key in codec["keys"].items()}
        active = str(codec["active"])
        if active not in keys:
            raise ServiceDown(f"{folder / CODEC_FILE}: the active key {active!r} is not in 'keys'")
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise ServiceDown(
            f'{folder / CODEC_FILE} must read {{"active": ID, "keys": {{ID: BASE64}}}}: put back'
            " the file that this home was made with"
        ) from exc
    acknowledgement = _decode(
        folder / ACKNOWLEDGEMENT_FILE,
        _read(folder / ACKNOWLEDGEMENT_FILE).decode("ascii", "replace"),
    )
    for name in (SIGNER_CERTIFICATE_FILE, SIGNER_KEY_FILE, OPENPGP_FILE):
        _read(folder / name)
    return Keys(
        codec_active=active,
        codec=keys,
        acknowledgement=acknowledgement,
        signer_certificate_file=folder / SIGNER_CERTIFICATE_FILE,
        signer_key_file=folder / SIGNER_KEY_FILE,
        openpgp_file=folder / OPENPGP_FILE,
    )


def ensure_secret(path: Path) -> str:
    """The password in ``path``, which is made, random and for its owner only, when it is missing.

    Raises:
        ServiceDown: as ``load_secret``.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(KEY_BYTES).encode() + b"\n")
    return load_secret(path)


def load_secret(path: Path) -> str:
    """The password in ``path``, without the end of its line.

    Raises:
        ServiceDown: it is missing, empty, no text, or open to other users.
    """
    secret = _read(path).decode("utf-8", "replace").strip()
    if not secret or "\ufffd" in secret:
        raise ServiceDown(f"{path} holds no password: put the file back")
    return secret


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_mode & OTHERS:
            raise ServiceDown(f"{path} is open to other users: run 'chmod 600 {path}'")
        return path.read_bytes()
    except OSError as exc:
        raise ServiceDown(
            f"cannot read the key {path} ({exc.strerror}): 'leerp up' makes missing keys in a new"
            " home; in an old one put the file back"
        ) from exc


def _decode(path: Path, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded.strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ServiceDown(f"a key in {path} is not {KEY_BYTES} bytes in base64: put the file back")
    return key


def write_secret(path: Path, content: bytes) -> None:
    """Make the file as a whole, for its owner only."""
    new = path.with_name(f".{path.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _make_signer(certificate_file: Path, key_file: Path, sender: str) -> None:
    """A self-signed pair; recipients who should trust it need it by another way first."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"LEERP {sender}")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + CERTIFICATE_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_signs_only(), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
        .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(sender)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_secret(
        key_file,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    write_secret(certificate_file, certificate.public_bytes(serialization.Encoding.PEM))


def _make_openpgp(key_file: Path, sender: str) -> None:
    """A key that GnuPG 2.2 reads too."""
    key = Tsk.generate(
        f"LEERP <{sender}>",
        profile=Profile.RFC4880,
        cipher_suite=CipherSuite.Cv25519,
        validity_seconds=int(CERTIFICATE_LIFE.total_seconds()),
    )
    write_secret(key_file, str(key).encode())


def _signs_only() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
