"""What we seal with OpenPGP, GnuPG opens and finds signed; keys that may not be used are not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pysequoia import CipherSuite, Profile, Tsk

from infra.keys import ensure_keys
from notifications.openpgp import OpenPgpKey, OpenPgpSigner, seal_openpgp
from protocol.errors import Refused
from tests.notifications.gnupg import GnuPG, gnupg
from tests.notifications.samples import NOW

INNER = "Content-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n.\r\nFrom here\r\n".encode()
LATER = NOW + timedelta(minutes=5)
"""gpg and the tests need not agree on the second."""


@pytest.fixture(scope="module")
def gpg() -> Iterator[GnuPG]:
    with gnupg() as made:
        yield made


@pytest.fixture(scope="module")
def signer(gpg: GnuPG, tmp_path_factory: pytest.TempPathFactory) -> OpenPgpSigner:
    keys = ensure_keys(tmp_path_factory.mktemp("keys"), "leerp@ec3.invalid")
    made = OpenPgpSigner.load(keys.openpgp_file)
    gpg.trust(made.certificate)
    return made


def reason(key: OpenPgpKey, shift: timedelta = timedelta(minutes=5)) -> str:
    with pytest.raises(Refused) as refused:
        key.require(NOW + shift)
    return refused.value.reason


@pytest.mark.parametrize("subkey", ["cv25519", "rsa2048", "nistp256"])
def test_gpg_opens_it_and_finds_the_signature_of_the_centre(
    gpg: GnuPG, signer: OpenPgpSigner, subkey: str
) -> None:
    key = OpenPgpKey.read(gpg.public(gpg.make(f"desk-{subkey}", subkey=subkey)))
    sealed = key.encrypt(INNER, signer, LATER)

    read = gpg.read(sealed)

    assert read.text == INNER
    assert read.decrypted
    assert read.signed
    own = signer.key.extract_certificate().fingerprint.upper()
    assert own in read.status


def test_each_line_ends_with_carriage_return_and_line_feed(
    gpg: GnuPG, signer: OpenPgpSigner
) -> None:
    key = OpenPgpKey.read(gpg.public(gpg.make("lines", subkey="cv25519")))
    entity = seal_openpgp(INNER, signer, key, LATER)
    assert entity.count(b"\n") == entity.count(b"\r\n") == entity.count(b"\r")
    assert max(map(len, entity.split(b"\r\n"))) <= 998
    assert "Grüße".encode() not in entity


def test_a_key_that_has_expired_is_not_used(gpg: GnuPG, signer: OpenPgpSigner) -> None:
    key = OpenPgpKey.read(gpg.public(gpg.make("short", subkey="cv25519", life="10d")))
    key.require(LATER)
    assert reason(key, timedelta(days=11)) == "openpgp-expired"
    ends = key.usable_until()
    assert ends is not None
    assert abs(ends - NOW - timedelta(days=10)) < timedelta(days=1)
    with pytest.raises(Refused, match="expired on"):
        key.encrypt(INNER, signer, NOW + timedelta(days=11))


def test_a_subkey_that_ends_before_its_key_ends_the_mail(gpg: GnuPG) -> None:
    made = gpg.make("sub", life="2y")
    gpg.add(made, "cv25519", "10d")
    key = OpenPgpKey.read(gpg.public(made))
    key.require(LATER)
    assert reason(key, timedelta(days=11)) == "openpgp-expired"


def test_a_revoked_key_is_not_used(gpg: GnuPG, signer: OpenPgpSigner) -> None:
    made = gpg.make("revoked", subkey="cv25519")
    gpg.revoke(made)
    key = OpenPgpKey.read(gpg.public(made))
    assert reason(key) == "openpgp-revoked"
    with pytest.raises(Refused, match="revoked"):
        key.encrypt(INNER, signer, LATER)


def test_a_key_that_only_signs_is_not_used(gpg: GnuPG) -> None:
    key = OpenPgpKey.read(gpg.public(gpg.make("signs")))
    assert reason(key) == "openpgp-no-encryption"


def test_a_subkey_that_is_too_short_is_not_used(gpg: GnuPG) -> None:
    key = OpenPgpKey.read(gpg.public(gpg.make("small", subkey="rsa1024")))
    assert reason(key) == "openpgp-too-small"


def test_a_key_with_its_secret_part_or_none_at_all_is_not_read(gpg: GnuPG) -> None:
    made = gpg.make("secret", subkey="cv25519")
    two = gpg.public(made) + gpg.public(gpg.make("second", subkey="cv25519"))
    for bad in (gpg.secret(made), "garbage", "", two):
        with pytest.raises(Refused, match="cannot be read"):
            OpenPgpKey.read(bad)


def test_a_file_without_a_key_that_signs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    key = Tsk.generate("a", profile=Profile.RFC4880, cipher_suite=CipherSuite.Cv25519)
    (tmp_path / "public").write_text(str(key.extract_certificate()))
    for name in ("empty", "public", "missing"):
        with pytest.raises(Refused, match="OpenPGP key that can sign"):
            OpenPgpSigner.load(tmp_path / name)
