from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from notifications.certificates import self_signed
from notifications.smime import SEALED_HEADERS, Signer, require_usable, seal, unseal
from protocol.errors import Refused
from tests.notifications.mailroom import NOW, identity, signer

INNER = (
    b"Content-Type: text/plain; charset=utf-8\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n"
    b"First line\r\n.dot\r\n\r\nFrom the last\r\n"
)


def sealed_mail(inner: bytes = INNER, by: Signer | None = None) -> bytes:
    body = seal(inner, by or signer(), identity("poc").certificate)
    return b"Subject: outside\r\nMIME-Version: 1.0\r\n" + SEALED_HEADERS + b"\r\n" + body


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


def test_a_certificate_with_an_elliptic_key_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ec")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    with pytest.raises(Refused, match="RSA"):
        require_usable(certificate, NOW)


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


def test_a_certificate_for_other_uses_is_refused() -> None:
    own = self_signed("sign", "sign@example.invalid", now=NOW)
    signs_only = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(own.certificate.subject)
        .issuer_name(own.certificate.subject)
        .public_key(own.key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(signs_only, critical=True)
        .sign(own.key, hashes.SHA256())
    )
    with pytest.raises(Refused, match="not meant for encryption"):
        require_usable(certificate, NOW)
