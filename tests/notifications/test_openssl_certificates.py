"""Certificates as openssl makes them, of kinds that are rare: used properly, or named before a campaign."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from infra.settings import SmimeSettings
from notifications.directory import Directory
from notifications.directory_check import check
from notifications.enveloping import ContentCipher, KeyTransport, SmimeProfile
from notifications.smime import EVERYBODY, Signer, seal
from notifications.trust import PINNED
from notifications.trust_folders import TrustFolders
from protocol.errors import Refused
from tests.notifications.mailroom import signer
from tests.notifications.samples import contact, recipient

pytestmark = pytest.mark.requirement("R31", "R25")

SOON = datetime.now(UTC) + timedelta(minutes=5)
INNER = b"Content-Type: text/plain\r\n\r\nhello\r\n"
RARE = SmimeProfile(content=ContentCipher.GCM, transport=KeyTransport.OAEP)
PSS = ("-sigopt", "rsa_padding_mode:pss")
CONFIG = """\
[req]
distinguished_name=name
prompt=no
[name]
CN=Desk
[mail]
basicConstraints=CA:FALSE
extendedKeyUsage=emailProtection
[authority]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
[ca]
default_ca=one
[one]
database=index.txt
default_md=sha256
default_crl_days=30
"""
RSA, P256 = ("RSA", "rsa_keygen_bits:2048"), ("EC", "ec_paramgen_curve:P-256")
USABLE = {"rsa signed with rsa-pss": RSA, "p256 signed with rsa-pss": P256}
UNUSABLE = {
    "rsa-pss": ("RSA-PSS", "rsa_keygen_bits:2048"),
    "x25519": ("X25519", ""),
    "x448": ("X448", ""),
    "ed25519": ("ED25519", ""),
    "secp256k1": ("EC", "ec_paramgen_curve:secp256k1"),
    "brainpool": ("EC", "ec_paramgen_curve:brainpoolP256r1"),
    "a curve that our library does not know": ("EC", "ec_paramgen_curve:secp160r2"),
}
Issue = Callable[[tuple[str, str]], Path]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority that signs with RSA-PSS, its revocation list too."""
    made = tmp_path_factory.mktemp("openssl")
    (made / "openssl.cnf").write_text(CONFIG)
    (made / "index.txt").write_text("")
    openssl(
        made, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
        "-config", "openssl.cnf", "-extensions", "authority", "-days", "400", *PSS,
    )  # fmt: skip
    openssl(
        made, "ca", "-gencrl", "-config", "openssl.cnf", "-keyfile", "ca.key", "-cert", "ca.pem",
        "-out", "ca.crl", *PSS,
    )  # fmt: skip
    openssl(made, "genpkey", "-algorithm", "RSA", "-out", "any.key")
    openssl(made, "req", "-new", "-key", "any.key", "-config", "openssl.cnf", "-out", "any.csr")
    return made


@pytest.fixture
def issue(folder: Path) -> Issue:
    """Makes a key of a kind, and a certificate for it that the authority has signed."""

    def made(kind: tuple[str, str]) -> Path:
        algorithm, option = kind
        options = ("-pkeyopt", option) if option else ()
        openssl(folder, "genpkey", "-algorithm", algorithm, *options, "-out", "desk.key")
        openssl(folder, "pkey", "-in", "desk.key", "-pubout", "-out", "desk.pub")
        openssl(
            folder, "x509", "-req", "-in", "any.csr", "-force_pubkey", "desk.pub", "-CA", "ca.pem",
            "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "openssl.cnf", "-extensions", "mail",
            "-days", "300", "-out", "desk.pem", *PSS,
        )  # fmt: skip
        return folder / "desk.pem"

    return made


def openssl(folder: Path, *arguments: str) -> bytes:
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=True)
    return done.stdout


def problems(pem: str) -> list[str]:
    """What the directory check says of a contact with this certificate."""
    desks = (contact(0).model_copy(update={"certificate": pem}), contact(1))
    directory = Directory(version=1, recipients=(recipient(id="here", contacts=desks),))
    return [
        f"{each.problem}: {each.message}"
        for each in check(directory, SOON)
        if each.subject == "here" and each.contact == 0
    ]


@pytest.mark.parametrize("profile", [EVERYBODY, RARE], ids=["cbc", "gcm"])
@pytest.mark.parametrize("kind", USABLE.values(), ids=USABLE)
def test_what_is_signed_with_rsa_pss_is_used_and_openssl_opens_the_mail(
    folder: Path, issue: Issue, kind: tuple[str, str], profile: SmimeProfile
) -> None:
    file = issue(kind)
    assert problems(file.read_text()) == []
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    (folder / "mail.eml").write_bytes(seal(INNER, signer(), certificate, profile))
    opened = openssl(
        folder, "cms", "-decrypt", "-in", "mail.eml", "-recip", "desk.pem", "-inkey", "desk.key"
    )
    assert b"hello" in opened


def test_a_path_and_a_revocation_list_that_are_signed_with_rsa_pss_count(
    tmp_path: Path, folder: Path, issue: Issue
) -> None:
    for name, content in (("trust", "ca.pem"), ("lists", "ca.crl")):
        (tmp_path / name).mkdir()
        (tmp_path / name / content).write_bytes((folder / content).read_bytes())
    settings = SmimeSettings(trust_folder=tmp_path / "trust", crl_folder=tmp_path / "lists")
    certificate = x509.load_pem_x509_certificate(issue(RSA).read_bytes())
    TrustFolders(settings).current().require(certificate, SOON)
    (tmp_path / "lists" / "ca.crl").unlink()
    with pytest.raises(Refused) as refused:
        TrustFolders(settings).current().require(certificate, SOON)
    assert refused.value.reason == "no-revocation-list"


@pytest.mark.parametrize("kind", UNUSABLE.values(), ids=UNUSABLE)
def test_a_key_that_no_mail_can_be_encrypted_to_is_named_by_the_directory_check(
    issue: Issue, kind: tuple[str, str]
) -> None:
    pem = issue(kind).read_text()
    (said,) = problems(pem)
    assert said.startswith("certificate-key: ")
    assert "ask for" in said
    with pytest.raises(Refused) as refused:
        PINNED.require(x509.load_pem_x509_certificate(pem.encode()), SOON)
    assert refused.value.reason == "certificate-key"


def test_a_key_for_rsa_pss_alone_is_not_what_the_centre_signs_with(
    folder: Path, issue: Issue
) -> None:
    file = issue(UNUSABLE["rsa-pss"])
    with pytest.raises(Refused, match="RSA-PSS") as refused:
        Signer.load(file, folder / "desk.key")
    assert refused.value.reason == "signer-key"
