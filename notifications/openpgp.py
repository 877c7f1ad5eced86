"""OpenPGP for contacts who have only that: one message, signed by the centre and encrypted to its key.

The library encrypts to a key whatever its state, so what may be used is decided here first, and it is
given a key with nothing else in it: no key that is revoked or expired, no subkey for other uses.
Source: RFC 3156, RFC 9580; reliability 5.2, F-M11.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Self

from pysequoia import Cert, PySigner, Tsk, encrypt
from pysequoia.packet import Packet, PacketPile, PublicKeyAlgorithm, SignatureType, Tag

from notifications.trust import MIN_RSA_BITS
from protocol.errors import Refused

SEALED_TYPE = "multipart/encrypted"
KNOWN_KEYS = 50_000
RSA = (PublicKeyAlgorithm.RSAEncryptSign, PublicKeyAlgorithm.RSAEncrypt)
_KEYS = (Tag.PublicKey, Tag.PublicSubkey)
_SECRETS = (Tag.SecretKey, Tag.SecretSubkey)
_REVOCATIONS = (SignatureType.KeyRevocation, SignatureType.SubkeyRevocation)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPgpSigner:
    """The centre's own key, which its OpenPGP mails are signed with."""

    key: Tsk = field(repr=False)

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read an armoured or binary secret key without a password.

        One that has expired is taken: it must not keep the others from being warned.

        Raises:
            Refused: there is no secret key that can sign in the file.
        """
        try:
            made = cls(key=Tsk.from_file(str(file)))
            if made.ends is None or made.ends > datetime.now(UTC):
                made.key.signer()
        except RuntimeError as error:
            raise Refused("signer-key", f"{file} must hold an OpenPGP key that can sign") from error
        return made

    def signer(self) -> PySigner:
        """What signs.

        Raises:
            Refused: ``openpgp-signer-expired``.
        """
        try:
            return self.key.signer()
        except RuntimeError as error:
            raise Refused(
                "openpgp-signer-expired",
                "the centre's own OpenPGP key cannot sign any more: see 'leerp doctor'",
            ) from error

    @property
    def ends(self) -> datetime | None:
        """When it expires, or None when it never does."""
        return self.key.extract_certificate().expiration

    @property
    def certificate(self) -> str:
        """What recipients check signatures with, armoured."""
        return str(self.key.extract_certificate())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subkey:
    """A part of a key that can decrypt mail, and its packets."""

    key_id: bytes
    bits: int | None
    """Length of an RSA key; None for others."""
    revoked: bool
    ends: datetime | None
    packets: tuple[Packet, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPgpKey:
    """A contact's key."""

    revoked: bool
    ends: datetime | None
    primary: tuple[Packet, ...]
    """The packets before the first subkey."""
    subkeys: tuple[_Subkey, ...]
    """Those that are meant for encryption."""

    @classmethod
    def read(cls, armoured: str) -> Self:
        """Read a public key.

        Raises:
            Refused: ``openpgp-unreadable``, not one OpenPGP key, or with its secret part.
        """
        try:
            secret = any(p.tag in _SECRETS for p in PacketPile.from_bytes(armoured.encode()))
            found = [] if secret else Cert.split_bytes(armoured.encode())
        except RuntimeError as error:
            raise _unreadable() from error
        if len(found) != 1:
            raise _unreadable()
        parts = _parts(tuple(PacketPile.from_bytes(bytes(found[0]))))
        return cls(
            revoked=found[0].is_revoked,
            ends=found[0].expiration,
            primary=parts[0],
            subkeys=tuple(_subkey(part) for part in parts[1:] if _is_for_encryption(part)),
        )

    def require(self, at: datetime) -> None:
        """Make sure that mail can be encrypted to this key at this moment.

        Raises:
            Refused: ``openpgp-revoked``, ``openpgp-expired``, ``openpgp-no-encryption`` (no subkey
                for it, or none that is in force) or ``openpgp-too-small``.
        """
        if self.revoked:
            raise Refused(
                "openpgp-revoked", "the OpenPGP key was revoked: ask the contact for a new one"
            )
        if self.ends is not None and self.ends <= at:
            raise _expired(self.ends)
        if not self.subkeys or all(subkey.revoked for subkey in self.subkeys):
            raise Refused(
                "openpgp-no-encryption",
                "the OpenPGP key has no subkey in force for encryption: ask the contact for one",
            )
        if not self._usable(at):
            whole = [s for s in self.subkeys if not s.revoked]
            if ends := [s.ends for s in whole if s.ends is not None and s.ends <= at]:
                raise _expired(max(ends))
            raise Refused(
                "openpgp-too-small",
                f"the OpenPGP key is shorter than {MIN_RSA_BITS} bits: ask the contact for another",
            )

    def usable_until(self) -> datetime | None:
        """When nothing can be encrypted to it any more, or None when that never ends."""
        ends = [s.ends for s in self.subkeys if not s.revoked]
        last = None if not ends or None in ends else max(end for end in ends if end is not None)
        both = [end for end in (self.ends, last) if end is not None]
        return min(both, default=None)

    def encrypt(self, data: bytes, signer: OpenPgpSigner, at: datetime) -> bytes:
        """``data`` signed and encrypted, armoured, with CRLF line ends.

        Raises:
            Refused: as ``require`` and ``OpenPgpSigner.signer``.
        """
        self.require(at)
        packets = [*self.primary, *(p for s in self._usable(at) for p in s.packets)]
        made = encrypt(data, [Cert.from_packets(packets)], signer=signer.signer())
        return b"\r\n".join(made.splitlines()) + b"\r\n"

    def _usable(self, at: datetime) -> list[_Subkey]:
        return [
            subkey
            for subkey in self.subkeys
            if not subkey.revoked
            and (subkey.ends is None or at < subkey.ends)
            and (subkey.bits is None or subkey.bits >= MIN_RSA_BITS)
        ]


@lru_cache(maxsize=KNOWN_KEYS)
def openpgp_key(armoured: str) -> OpenPgpKey:
    """The key in a contact's entry, read once. Raises Refused as ``OpenPgpKey.read``."""
    return OpenPgpKey.read(armoured)


def _parts(packets: Sequence[Packet]) -> list[tuple[Packet, ...]]:
    """The packets of the primary key, then those of each subkey."""
    starts = [n for n, packet in enumerate(packets) if packet.tag in _KEYS]
    return [
        tuple(packets[start:end])
        for start, end in zip(starts, [*starts[1:], len(packets)], strict=True)
    ]


def _binding(part: Sequence[Packet]) -> Packet | None:
    """The newest signature that says what the subkey is for."""
    bindings = [p for p in part if p.signature_type == SignatureType.SubkeyBinding]
    return max(bindings, key=lambda p: p.signature_created or _LONG_AGO, default=None)


def _is_for_encryption(part: Sequence[Packet]) -> bool:
    binding = _binding(part)
    flags = binding.key_flags if binding else None
    return flags is not None and flags.transport_encryption


def _subkey(part: Sequence[Packet]) -> _Subkey:
    key, binding = part[0], _binding(part)
    life = binding.key_validity_period if binding else None
    created = key.key_created
    fingerprint = bytes.fromhex(key.fingerprint or "")
    return _Subkey(
        key_id=fingerprint[-8:] if len(fingerprint) == 20 else fingerprint,
        bits=int.from_bytes(key.body[6:8], "big") if key.key_algorithm in RSA else None,
        revoked=any(p.signature_type in _REVOCATIONS for p in part),
        ends=created + life if created and life else None,
        packets=tuple(part),
    )


def _expired(ended: datetime) -> Refused:
    return Refused(
        "openpgp-expired",
        f"the OpenPGP key expired on {ended:%Y-%m-%d %H:%M} UTC: import a current one",
    )


def _unreadable() -> Refused:
    return Refused(
        "openpgp-unreadable",
        "the OpenPGP key cannot be read: import one public key, as 'gpg --armor --export' writes it",
    )


def seal_openpgp(inner: bytes, signer: OpenPgpSigner, key: OpenPgpKey, at: datetime) -> bytes:
    """``inner`` signed and encrypted as a PGP/MIME entity, its headers included (RFC 3156).

    Raises:
        Refused: as ``OpenPgpKey.require``.
    """
    boundary = secrets.token_hex(16).encode()
    return b"".join(
        (
            b"Content-Type: " + SEALED_TYPE.encode(),
            b'; protocol="application/pgp-encrypted";\r\n boundary="' + boundary + b'"\r\n\r\n--',
            boundary,
            b"\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--",
            boundary,
            (
                b'\r\nContent-Type: application/octet-stream; name="encrypted.asc"\r\n'
                b'Content-Disposition: inline; filename="encrypted.asc"\r\n\r\n'
            ),
            key.encrypt(inner, signer, at),
            b"\r\n--" + boundary + b"--\r\n",
        )
    )
