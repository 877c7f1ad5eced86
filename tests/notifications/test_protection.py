"""How each contact's mail is protected, and that nothing goes out unprotected for a bad key (F-M11)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from infra import audit
from infra.database import Database
from infra.settings import Settings, SmimeSettings
from notifications.claiming import claim
from notifications.directory import Contact, Recipient, key_problem
from notifications.directory import Directory as DirectoryVersion
from notifications.directory_check import check
from notifications.enveloping import ContentCipher, KeyTransport, SmimeProfile
from notifications.mail import Envelope, build
from notifications.openpgp import OpenPgpSigner
from notifications.outbox import Outcome, Range
from notifications.parcels import Packer, Parcel, recheck_locks
from notifications.protection import audit_protection, made_for, usable_until
from notifications.rendering import Rendered
from notifications.smime import Signer
from notifications.trust import PINNED
from notifications.trust_folders import TrustFolders
from protocol.errors import Refused
from protocol.markings import Classification, Marking
from tests.notifications.authorities import Authority, Box, rsa_key, usage
from tests.notifications.gnupg import GnuPG, gnupg
from tests.notifications.mailroom import (
    CAMPAIGN,
    identity,
    make_database,
    make_recipient,
    put_in_force,
    signer,
)
from tests.notifications.samples import NOW

LATER = NOW + timedelta(minutes=5)
TEXT = "Ransom notes were seen in three hospitals.\n"
GCM = SmimeProfile(content=ContentCipher.GCM, transport=KeyTransport.OAEP)


def fields(profile: SmimeProfile) -> dict[str, Any]:
    """The profile as fields of a contact."""
    return {"smime_content": profile.content, "smime_transport": profile.transport}


@pytest.fixture(scope="module")
def gpg() -> Iterator[GnuPG]:
    with gnupg() as made:
        yield made


@pytest.fixture(scope="module")
def both(gpg: GnuPG, tmp_path_factory: pytest.TempPathFactory) -> Signer:
    """The centre with both of its keys."""
    from infra.keys import ensure_keys  # noqa: PLC0415

    keys = ensure_keys(tmp_path_factory.mktemp("keys"), "leerp@ec3.invalid")
    openpgp = OpenPgpSigner.load(keys.openpgp_file)
    gpg.trust(openpgp.certificate)
    return replace(signer(), openpgp=openpgp)


@pytest.fixture(scope="module")
def pgp_key(gpg: GnuPG) -> str:
    return gpg.public(gpg.make("desk", subkey="cv25519"))


def contact(**changes: object) -> Contact:
    return make_recipient(0, certificate="").contacts[0].model_copy(update=changes)


def mail_to(
    to: Contact, by: Signer, *, marking: Marking | None = None, subject: str = "EWN 1: worm"
) -> bytes:
    envelope = Envelope(
        notification_id="0" * 32,
        message_id="<abc@ec3.invalid>",
        sender="leerp@ec3.invalid",
        to=to.email,
        date=LATER,
        exercise=True,
        reference="LEERP-2026-0001-EWN-1",
    )
    rendered = Rendered(subject=subject, text=TEXT, html=f"<p>{TEXT}</p>")
    return build(rendered, envelope, marking=marking or Marking(), contact=to, signer=by)


def parse(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def openssl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["openssl", "cms", *arguments], cwd=folder, capture_output=True, check=False
    )


def verified(folder: Path, raw: bytes, box: Box, centre: Signer) -> EmailMessage:
    """What the contact reads after openssl has decrypted the mail and checked who signed it."""
    box.write(folder, "desk")
    Box(certificate=centre.certificate, key=centre.key).write(folder, "centre")
    (folder / "mail.eml").write_bytes(raw)
    opened = openssl(
        folder, "-decrypt", "-in", "mail.eml", "-recip", "desk.pem", "-inkey", "desk.key",
        "-out", "signed.eml",
    )  # fmt: skip
    assert opened.returncode == 0, opened.stderr
    checked = openssl(
        folder, "-verify", "-in", "signed.eml", "-CAfile", "centre.pem", "-purpose", "any",
        "-out", "inner.eml",
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    return parse((folder / "inner.eml").read_bytes())


@pytest.mark.requirement("R32")
@pytest.mark.parametrize("profile", [SmimeProfile(), GCM])
@pytest.mark.parametrize("elliptic", [False, True])
def test_each_kind_of_certificate_gets_a_mail_that_openssl_opens_and_verifies(
    tmp_path: Path, profile: SmimeProfile, *, elliptic: bool
) -> None:
    box = Authority().mailbox(None if elliptic else rsa_key())
    raw = mail_to(
        contact(
            certificate=box.pem(), smime_content=profile.content, smime_transport=profile.transport
        ),
        signer(),
    )

    inside = verified(tmp_path, raw, box, signer())

    gcm = profile.content is ContentCipher.GCM
    outer = parse(raw)
    assert outer["Content-Type"].params["smime-type"] == (
        "authEnveloped-data" if gcm else "enveloped-data"
    )
    assert inside["Subject"] == "EXERCISE - EWN 1: worm"
    text = inside.get_body(("plain",))
    assert text is not None
    assert text.get_content().splitlines() == TEXT.splitlines()


def test_the_centre_may_sign_with_an_elliptic_key(tmp_path: Path) -> None:
    chain = Authority("EC3")
    centre = chain.mailbox(may=usage(digital_signature=True))
    centre.write(tmp_path, "own")
    (tmp_path / "own.pem").write_text(centre.pem() + chain.pem().decode())
    loaded = Signer.load(tmp_path / "own.pem", tmp_path / "own.key")
    box = Authority().mailbox(rsa_key())
    (tmp_path / "mail.eml").write_bytes(mail_to(contact(certificate=box.pem()), loaded))
    (tmp_path / "root.pem").write_bytes(chain.pem())
    box.write(tmp_path, "desk")

    openssl(
        tmp_path, "-decrypt", "-in", "mail.eml", "-recip", "desk.pem", "-inkey", "desk.key",
        "-out", "signed.eml",
    )  # fmt: skip
    checked = openssl(tmp_path, "-verify", "-in", "signed.eml", "-CAfile", "root.pem")

    assert checked.returncode == 0, checked.stderr
    assert TEXT.split(maxsplit=1)[0].encode() not in (tmp_path / "mail.eml").read_bytes()


def test_a_key_on_another_curve_or_too_short_signs_nothing(tmp_path: Path) -> None:
    for name, key in (("p384", ec.generate_private_key(ec.SECP384R1())), ("short", rsa_key(1024))):
        Authority().mailbox(key).write(tmp_path, name)
        with pytest.raises(Refused, match="P-256"):
            Signer.load(tmp_path / f"{name}.pem", tmp_path / f"{name}.key")


@pytest.mark.requirement("R32")
def test_who_has_only_openpgp_reads_a_pgp_mime_mail_with_the_same_headers(
    gpg: GnuPG, both: Signer, pgp_key: str
) -> None:
    raw = mail_to(contact(openpgp_key=pgp_key), both)
    outer = parse(raw)
    assert outer.get_content_type() == "multipart/encrypted"
    assert outer["Content-Type"].params["protocol"] == "application/pgp-encrypted"
    assert outer["Subject"] == "EXERCISE - TLP:AMBER - LEERP notice LEERP-2026-0001-EWN-1"
    version, sealed = outer.iter_parts()
    assert version.get_content_type() == "application/pgp-encrypted"
    assert version.get_payload(decode=True) == b"Version: 1\r\n"

    read = gpg.read(sealed.get_content())

    assert read.decrypted
    assert read.signed
    inside = parse(read.text)
    assert inside["Subject"] == "EXERCISE - EWN 1: worm"
    assert inside["Content-Type"].params["hp"] == "cipher"
    shown = [str(value).split(": ", 1) for value in inside.get_all("HP-Outer", [])]
    assert [name for name, _ in shown] == ["From", "To", "Date", "Subject", "Message-ID"]
    assert all(outer[name] == value for name, value in shown)
    text = inside.get_body(("plain",))
    assert text is not None
    assert text.get_content().splitlines() == TEXT.splitlines()


def test_smime_is_preferred_where_there_are_both(both: Signer, pgp_key: str) -> None:
    box = Authority().mailbox()
    raw = mail_to(contact(certificate=box.pem(), openpgp_key=pgp_key), both)
    assert parse(raw).get_content_type() == "application/pkcs7-mime"


def test_a_certificate_that_cannot_be_used_is_not_passed_over_for_the_openpgp_key(
    both: Signer, pgp_key: str
) -> None:
    old = Authority().mailbox(until=NOW - timedelta(days=1))
    with pytest.raises(Refused, match="valid from"):
        mail_to(contact(certificate=old.pem(), openpgp_key=pgp_key), both)


def test_without_the_centres_own_openpgp_key_nothing_is_sent_to_who_has_only_that(
    pgp_key: str,
) -> None:
    with pytest.raises(Refused, match="no OpenPGP key to sign with"):
        mail_to(contact(openpgp_key=pgp_key), signer())


def test_openpgp_keys_that_may_not_be_used_hold_unless_the_notice_is_public(
    gpg: GnuPG, both: Signer
) -> None:
    revoked = gpg.make("gone", subkey="cv25519")
    gpg.revoke(revoked)
    for armoured in (gpg.public(revoked), gpg.public(gpg.make("signs"))):
        to = contact(openpgp_key=armoured)
        with pytest.raises(Refused):
            mail_to(to, both)
        public = mail_to(to, both, marking=Marking(classification=Classification.PUBLIC))
        assert parse(public).get_content_type() == "multipart/signed"


def test_stored_bytes_are_used_again_only_for_the_same_address_and_key(
    gpg: GnuPG, pgp_key: str
) -> None:
    box = Authority().mailbox()
    contacts = (
        contact(),
        contact(openpgp_key=pgp_key),
        contact(openpgp_key=gpg.public(gpg.make("newer", subkey="cv25519"))),
        contact(openpgp_key=pgp_key, email="new@example.invalid"),
        contact(openpgp_key=pgp_key, certificate=box.pem()),
        contact(certificate=box.pem()),
        contact(certificate=box.pem(), **fields(GCM)),
        contact(certificate=Authority().mailbox().pem()),
    )
    assert len({made_for(each) for each in contacts}) == len(contacts)
    renamed = contact(certificate=box.pem()).model_copy(update={"name": "Night desk"})
    assert made_for(renamed) == made_for(contacts[5])


def test_an_unreadable_openpgp_key_never_enters_the_directory(gpg: GnuPG) -> None:
    for key in ("garbage", gpg.secret(gpg.make("leaky", subkey="cv25519"))):
        with pytest.raises(ValueError, match=r"OpenPGP certificate|private key"):
            Contact(name="Desk", email="desk@example.invalid", openpgp_key=key)


def test_the_check_of_the_directory_says_the_same_as_the_building_of_mail(
    gpg: GnuPG, tmp_path: Path
) -> None:
    soon = gpg.public(gpg.make("soon", subkey="cv25519", life="20d"))
    box = Authority().mailbox()
    (tmp_path / "trust").mkdir()
    trust = TrustFolders(SmimeSettings(trust_folder=tmp_path / "trust")).current()
    one = make_recipient(0).model_copy(
        update={"contacts": (contact(openpgp_key=soon), contact(certificate=box.pem()))}
    )
    directory = DirectoryVersion(version=1, recipients=(one,))

    found = {
        f.contact: f.problem
        for f in check(directory, LATER, trust=trust)
        if f.subject == one.id and f.problem != "shared-address"
    }

    assert found == {0: "openpgp-expires-soon", 1: "issuer-unknown"}
    assert key_problem(one.contacts[1], LATER, PINNED) is None
    assert usable_until(contact()) is None
    assert usable_until(one.contacts[1]) == box.certificate.not_valid_after_utc


def packed(
    database: Database, by: Signer, settings: Settings, number: int
) -> tuple[list[Parcel], list[Outcome], Packer]:
    with database.write() as connection:
        packer = Packer.load(
            connection,
            CAMPAIGN,
            settings=settings,
            signer=by,
            trust=TrustFolders(settings.smime),
            ack_key=b"k" * 32,
            recheck=recheck_locks,
        )
        claims = claim(
            connection,
            Range(campaign_id=CAMPAIGN, start=0, end=number),
            limit=number,
            now=LATER,
            lease=timedelta(minutes=5),
            resend_unknown=True,
        )
        parcels, poison = packer.pack(connection, claims, LATER)
        audit_protection(connection, CAMPAIGN, parcels, actor="delivery")
    return parcels, poison, packer


def with_key(number: int, **keys: object) -> Recipient:
    one = make_recipient(number, certificate="")
    return one.model_copy(
        update={"contacts": tuple(c.model_copy(update=keys) for c in one.contacts)}
    )


@pytest.mark.requirement("R32")
def test_fm10_fm11_every_bad_key_is_held_with_its_reason_and_everybody_else_gets_the_mail(
    tmp_path: Path, gpg: GnuPG, both: Signer, pgp_key: str
) -> None:
    revoked = gpg.make("taken-back", subkey="cv25519")
    gpg.revoke(revoked)
    authority = Authority()
    bad: dict[str, dict[str, object]] = {
        "certificate-expired": {"certificate": authority.mailbox(until=NOW).pem()},
        "certificate-key": {"certificate": authority.mailbox(rsa_key(1024)).pem()},
        "certificate-usage": {
            "certificate": authority.mailbox(rsa_key(), may=usage(digital_signature=True)).pem()
        },
        "openpgp-revoked": {"openpgp_key": gpg.public(revoked)},
        "openpgp-no-encryption": {"openpgp_key": gpg.public(gpg.make("only-signs"))},
        "no-key": {},
    }
    good: dict[str, dict[str, object]] = {
        "smime-aes256-cbc-rsa-pkcs1": {"certificate": identity("poc").certificate_pem()},
        "smime-aes256-gcm-rsa-oaep": {
            "certificate": authority.mailbox(rsa_key()).pem(),
            **fields(GCM),
        },
        "smime-aes256-cbc-ecdh": {"certificate": authority.mailbox().pem()},
        "openpgp": {"openpgp_key": pgp_key},
    }
    keys = [*bad.values(), *good.values()] * 3
    database = make_database(tmp_path, [with_key(n, **each) for n, each in enumerate(keys)])
    settings = Settings(home=tmp_path, console_url="https://leerp.example.invalid")

    parcels, poison, _ = packed(database, both, settings, len(keys))

    assert sorted(outcome.code for outcome in poison) == sorted([*bad] * 3)
    assert sorted(parcel.protection for parcel in parcels) == sorted([*good] * 3)
    assert all(b"triggered" not in parcel.raw for parcel in parcels)
    with database.read() as connection:
        rows = list(audit.export(connection))
    (detail,) = (row["detail"] for row in rows if row["event"] == "mail_protected")
    assert detail["notifications"] == {p.claim.id: p.protection for p in parcels}
    assert "@" not in str(detail)
    database.close()


@pytest.mark.requirement("R32")
def test_a_key_that_is_revoked_between_building_and_sending_stops_the_mail(tmp_path: Path) -> None:
    authority = Authority()
    box, other = authority.mailbox(), authority.mailbox()
    for name, content in (
        ("trust/a.pem", authority.pem()),
        ("crl/a.crl", authority.revocation_list()),
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(content)
    settings = Settings(
        home=tmp_path,
        smime=SmimeSettings(trust_folder=tmp_path / "trust", crl_folder=tmp_path / "crl"),
    )
    people = [with_key(0, certificate=box.pem()), with_key(1, certificate=other.pem())]
    database = make_database(tmp_path, people)
    parcels, poison, packer = packed(database, signer(), settings, 2)
    assert (len(parcels), poison) == (2, [])

    (tmp_path / "crl/a.crl").write_bytes(authority.revocation_list(box.certificate))
    with database.read() as connection:
        (closed,) = packer.closed(connection, parcels, LATER)

    assert closed.claim.recipient_id == "poc-000"
    assert "was revoked on" in closed.detail

    put_in_force(database, [with_key(0, certificate=authority.mailbox().pem()), people[1]])
    with database.read() as connection:
        (closed,) = packer.closed(connection, parcels, LATER)
    assert closed.code == "directory-changed"
    database.close()
