from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from notifications.smime import Signer, seal, unseal
from notifications.trust import require_usable
from protocol.errors import Refused
from tests.notifications.mailroom import identity, signer
from tests.notifications.samples import NOW

INNER = (
    b"Content-Type: text/plain; charset=utf-8\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n"
    b"First line\r\n.dot\r\n\r\nFrom the last\r\n"
)


def sealed_mail(inner: bytes = INNER, by: Signer | None = None) -> bytes:
    sealed = seal(inner, by or signer(), identity("poc").certificate)
    return b"Subject: outside\r\nMIME-Version: 1.0\r\n" + sealed


def openssl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["openssl", "cms", *arguments], cwd=folder, capture_output=True, check=False
    )


def write_pair(folder: Path, name: str) -> None:
    (folder / f"{name}.pem").write_text(identity(name).certificate_pem())
    (folder / f"{name}.key").write_bytes(identity(name).key_pem())


def test_openssl_decrypts_and_verifies_what_we_seal(tmp_path: Path) -> None:
    write_pair(tmp_path, "poc")
    write_pair(tmp_path, "ec3")
    (tmp_path / "mail.eml").write_bytes(sealed_mail())
    decrypt = openssl(
        tmp_path, "-decrypt", "-in", "mail.eml", "-recip", "poc.pem", "-inkey", "poc.key",
        "-out", "signed.eml",
    )  # fmt: skip
    assert decrypt.returncode == 0, decrypt.stderr
    verify = openssl(
        tmp_path, "-verify", "-in", "signed.eml", "-CAfile", "ec3.pem", "-out", "inner.eml"
    )
    assert verify.returncode == 0, verify.stderr
    assert (tmp_path / "inner.eml").read_bytes() == INNER


def test_openssl_sees_aes_256_and_our_certificate_chain(tmp_path: Path) -> None:
    write_pair(tmp_path, "poc")
    chained = Signer(
        certificate=signer().certificate, key=signer().key, chain=(identity("ca").certificate,)
    )
    (tmp_path / "mail.eml").write_bytes(sealed_mail(by=chained))
    outer = openssl(tmp_path, "-cmsout", "-print", "-in", "mail.eml")
    assert b"aes-256-cbc" in outer.stdout
    openssl(
        tmp_path, "-decrypt", "-in", "mail.eml", "-recip", "poc.pem", "-inkey", "poc.key",
        "-out", "signed.eml",
    )  # fmt: skip
    inner = openssl(tmp_path, "-cmsout", "-print", "-in", "signed.eml")
    assert b"sha256" in inner.stdout
    assert inner.stdout.count(b"emailAddress=ca@example.invalid") >= 1


def test_openssl_refuses_a_mail_whose_signed_content_was_altered(tmp_path: Path) -> None:
    write_pair(tmp_path, "ec3")
    poc = identity("poc")
    signed = unseal(sealed_mail(), poc.key, poc.certificate).signed
    (tmp_path / "signed.eml").write_bytes(signed.replace(b"First", b"Worst"))
    verify = openssl(tmp_path, "-verify", "-in", "signed.eml", "-CAfile", "ec3.pem")
    assert verify.returncode != 0


def test_the_recipient_gets_back_the_very_bytes_and_the_protected_subject() -> None:
    poc = identity("poc")
    opened = unseal(sealed_mail(), poc.key, poc.certificate)
    assert opened.inner == INNER
    assert opened.subject == "Grüße"


def test_another_recipients_key_opens_nothing() -> None:
    other = identity("other")
    with pytest.raises(Refused):
        unseal(sealed_mail(), other.key, other.certificate)


def test_a_mail_that_is_not_encrypted_is_refused() -> None:
    poc = identity("poc")
    with pytest.raises(Refused):
        unseal(b"Subject: x\r\n\r\nclear", poc.key, poc.certificate)


def test_nothing_of_the_content_stands_in_the_sealed_mail() -> None:
    assert b"First line" not in sealed_mail()


@pytest.mark.parametrize("shift", [timedelta(days=-2), timedelta(days=400)])
def test_a_certificate_outside_its_validity_is_refused(shift: timedelta) -> None:
    with pytest.raises(Refused, match="valid from"):
        require_usable(identity("poc").certificate, NOW + shift)


def test_a_signer_is_read_from_files_with_its_chain(tmp_path: Path) -> None:
    write_pair(tmp_path, "ec3")
    with (tmp_path / "ec3.pem").open("a") as file:
        file.write(identity("ca").certificate_pem())
    loaded = Signer.load(tmp_path / "ec3.pem", tmp_path / "ec3.key")
    assert loaded.certificate == identity("ec3").certificate
    assert loaded.chain == (identity("ca").certificate,)


def test_a_key_that_is_not_the_certificates_is_refused(tmp_path: Path) -> None:
    write_pair(tmp_path, "ec3")
    write_pair(tmp_path, "poc")
    with pytest.raises(Refused, match="is not that of"):
        Signer.load(tmp_path / "ec3.pem", tmp_path / "poc.key")
