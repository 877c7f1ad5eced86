"""Whatever a recipient's software can do, openssl opens what we make for it and sees what we say."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from notifications.enveloping import ContentCipher, KeyTransport, SmimeProfile, envelop
from tests.notifications.authorities import Authority, Box, rsa_key

TEXT = b"First line\r\n.\r\n\x00\xff" * 3_000
PROFILES = [SmimeProfile(content=c, transport=t) for c in ContentCipher for t in KeyTransport]


@cache
def box(kind: str) -> Box:
    curves = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
    key = rsa_key() if kind == "RSA" else ec.generate_private_key(curves[kind])
    return Authority().mailbox(key)


def openssl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["openssl", "cms", "-inform", "DER", "-in", "sealed.der", *arguments],
        cwd=folder,
        capture_output=True,
        check=False,
    )


def opened(folder: Path, sealed: bytes, by: Box) -> bytes | None:
    by.write(folder, "desk")
    (folder / "sealed.der").write_bytes(sealed)
    done = openssl(folder, "-decrypt", "-binary", "-recip", "desk.pem", "-inkey", "desk.key")
    return done.stdout if done.returncode == 0 else None


@pytest.mark.requirement("R32")
@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: f"{p.content} {p.transport}")
@pytest.mark.parametrize("kind", ["RSA", "P-256", "P-384", "P-521"])
def test_openssl_opens_every_kind(tmp_path: Path, kind: str, profile: SmimeProfile) -> None:
    desk = box(kind)
    assert opened(tmp_path, envelop(TEXT, desk.certificate, profile), desk) == TEXT


@pytest.mark.parametrize(
    ("kind", "profile", "signs"),
    [
        ("RSA", PROFILES[0], (b"aes-256-cbc", b"rsaEncryption")),
        ("RSA", PROFILES[1], (b"aes-256-cbc", b"rsaesOaep", b"sha256")),
        ("RSA", PROFILES[3], (b"aes-256-gcm", b"rsaesOaep", b"authEnvelopedData")),
        ("P-256", PROFILES[0], (b"aes-256-cbc", b"stdDH-sha256kdf", b"aes256-wrap")),
        ("P-256", PROFILES[2], (b"aes-256-gcm", b"stdDH-sha256kdf", b"authEnvelopedData")),
    ],
)
def test_the_choice_is_what_stands_in_the_message(
    tmp_path: Path, kind: str, profile: SmimeProfile, signs: tuple[bytes, ...]
) -> None:
    sealed = envelop(TEXT, box(kind).certificate, profile)
    (tmp_path / "sealed.der").write_bytes(sealed)
    shown = openssl(tmp_path, "-cmsout", "-print").stdout
    assert [sign for sign in signs if sign not in shown] == []


@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: f"{p.content} {p.transport}")
@pytest.mark.parametrize("kind", ["RSA", "P-256"])
def test_nobody_else_opens_it_and_no_two_are_alike(
    tmp_path: Path, kind: str, profile: SmimeProfile
) -> None:
    desk = box(kind)
    other = Authority().mailbox(rsa_key() if kind == "RSA" else None)
    one, two = (envelop(TEXT, desk.certificate, profile) for _ in range(2))
    assert opened(tmp_path, one, other) != TEXT
    assert one[-200:] != two[-200:]


@pytest.mark.parametrize("kind", ["RSA", "P-256"])
def test_an_altered_gcm_text_opens_for_nobody(tmp_path: Path, kind: str) -> None:
    sealed = bytearray(envelop(TEXT, box(kind).certificate, PROFILES[2]))
    sealed[len(sealed) // 2] ^= 1
    assert opened(tmp_path, bytes(sealed), box(kind)) is None


def test_the_word_for_the_audit_follows_the_key() -> None:
    oaep = SmimeProfile(content=ContentCipher.GCM, transport=KeyTransport.OAEP)
    assert oaep.word(box("RSA").certificate) == "smime-aes256-gcm-rsa-oaep"
    assert oaep.word(box("P-384").certificate) == "smime-aes256-gcm-ecdh"
    assert SmimeProfile().word(box("RSA").certificate) == "smime-aes256-cbc-rsa-pkcs1"
    assert isinstance(box("RSA").key, rsa.RSAPrivateKey)
