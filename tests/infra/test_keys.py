"""Keys are made once, kept from others, and their absence is explained."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from pysequoia import Cert, Tsk

from infra.keys import (
    ACKNOWLEDGEMENT_FILE,
    CODEC_FILE,
    OPENPGP_FILE,
    OPENPGP_PUBLIC_FILE,
    SIGNER_CERTIFICATE_FILE,
    SIGNER_KEY_FILE,
    ensure_keys,
    load_keys,
)
from protocol.errors import ServiceDown

SENDER = "leerp@ec3.invalid"
FILES = [
    CODEC_FILE,
    ACKNOWLEDGEMENT_FILE,
    SIGNER_CERTIFICATE_FILE,
    SIGNER_KEY_FILE,
    OPENPGP_FILE,
]


def test_missing_keys_are_made_and_load_again(tmp_path: Path) -> None:
    made = ensure_keys(tmp_path / "keys", SENDER)
    loaded = load_keys(tmp_path / "keys")

    assert loaded.codec == made.codec
    assert loaded.codec_active in loaded.codec
    assert loaded.acknowledgement == made.acknowledgement
    assert {len(key) for key in (*loaded.codec.values(), loaded.acknowledgement)} == {32}


def test_keys_are_never_replaced(tmp_path: Path) -> None:
    ensure_keys(tmp_path, SENDER)
    before = {name: (tmp_path / name).read_bytes() for name in FILES}

    ensure_keys(tmp_path, "somebody.else@ec3.invalid")

    assert {name: (tmp_path / name).read_bytes() for name in FILES} == before


def test_two_homes_share_no_key(tmp_path: Path) -> None:
    one, other = (ensure_keys(tmp_path / name, SENDER) for name in ("one", "other"))

    assert one.acknowledgement != other.acknowledgement
    assert not set(one.codec.values()) & set(other.codec.values())


def test_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    ensure_keys(tmp_path / "keys", SENDER)

    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == sorted(
        [*FILES, OPENPGP_PUBLIC_FILE]
    )
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()} == {0o600}


def test_the_certificate_is_for_signing_mail_of_the_sender(tmp_path: Path) -> None:
    keys = ensure_keys(tmp_path, SENDER)

    certificate = x509.load_pem_x509_certificate(keys.signer_certificate_file.read_bytes())
    key = serialization.load_pem_private_key(keys.signer_key_file.read_bytes(), password=None)
    extensions = certificate.extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 2048
    assert key.public_key() == certificate.public_key()
    assert names.get_values_for_type(x509.RFC822Name) == [SENDER]
    assert ExtendedKeyUsageOID.EMAIL_PROTECTION in set(
        extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    )
    assert certificate.not_valid_before_utc < datetime.now(UTC) < certificate.not_valid_after_utc


def test_an_added_codec_key_becomes_active_and_the_old_one_stays(tmp_path: Path) -> None:
    old = ensure_keys(tmp_path, SENDER)
    other = ensure_keys(tmp_path / "other", SENDER)
    document = json.loads((tmp_path / CODEC_FILE).read_text())
    added = json.loads((tmp_path / "other" / CODEC_FILE).read_text())
    document = {"active": added["active"], "keys": {**document["keys"], **added["keys"]}}
    (tmp_path / CODEC_FILE).write_text(json.dumps(document))

    new = load_keys(tmp_path)

    assert new.codec_active == other.codec_active
    assert new.codec[old.codec_active] == old.codec[old.codec_active]


@pytest.mark.parametrize("name", FILES)
def test_a_missing_key_is_named(tmp_path: Path, name: str) -> None:
    ensure_keys(tmp_path, SENDER)
    (tmp_path / name).unlink()

    with pytest.raises(ServiceDown, match=name):
        load_keys(tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, name: str) -> None:
    ensure_keys(tmp_path, SENDER)
    (tmp_path / name).chmod(0o640)

    with pytest.raises(ServiceDown, match=f"chmod 600 .*{name}"):
        load_keys(tmp_path)


@pytest.mark.parametrize("name", [SIGNER_CERTIFICATE_FILE, SIGNER_KEY_FILE])
def test_half_a_signing_pair_is_not_silently_replaced(tmp_path: Path, name: str) -> None:
    ensure_keys(tmp_path, SENDER)
    (tmp_path / name).unlink()

    with pytest.raises(ServiceDown, match=f"has lost its {name}"):
        ensure_keys(tmp_path, SENDER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"active": "a", "keys": []}',
        '{"active": "a", "keys": {}}',
        '{"active": "a", "keys": {"a": "short"}}',
        '{"active": "a", "keys": {"a": "AAAA"}}',
    ],
)
def test_a_damaged_codec_file_is_named(tmp_path: Path, text: str) -> None:
    ensure_keys(tmp_path, SENDER)
    (tmp_path / CODEC_FILE).write_text(text)

    with pytest.raises(ServiceDown, match=CODEC_FILE):
        load_keys(tmp_path)


def test_keys_do_not_show_in_a_log(tmp_path: Path) -> None:
    keys = ensure_keys(tmp_path, SENDER)

    assert str(keys.acknowledgement) not in repr(keys)


def test_the_public_part_of_the_openpgp_key_lies_beside_it_for_recipients(tmp_path: Path) -> None:
    keys = ensure_keys(tmp_path, SENDER)
    public = Cert.from_file(str(tmp_path / OPENPGP_PUBLIC_FILE))

    assert b"PRIVATE" not in (tmp_path / OPENPGP_PUBLIC_FILE).read_bytes()
    assert (
        public.fingerprint
        == Tsk.from_file(str(keys.openpgp_file)).extract_certificate().fingerprint
    )
    assert [str(user) for user in public.user_ids] == [f"LEERP <{SENDER}>"]

    (tmp_path / OPENPGP_PUBLIC_FILE).unlink()
    ensure_keys(tmp_path, SENDER)
    assert Cert.from_file(str(tmp_path / OPENPGP_PUBLIC_FILE)).fingerprint == public.fingerprint
