"""A certificate is used only while path, use, dates and revocation lists all speak for it (F-M11)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from infra.settings import SmimeSettings
from notifications.trust import PINNED, Trust
from notifications.trust_folders import TrustFolders
from protocol.errors import Refused
from tests.notifications.authorities import Authority, Box, rsa_key, usage
from tests.notifications.mailroom import identity
from tests.notifications.samples import NOW

DAY = timedelta(days=1)


@dataclass
class Office:
    """A root, an authority under it, and the folders that a deployment trusts them by."""

    folder: Path
    root: Authority = field(default_factory=Authority)

    def __post_init__(self) -> None:
        self.middle = Authority("Middle", under=self.root)
        for name in ("trust", "between", "lists"):
            (self.folder / name).mkdir()
        self.put("trust/root.pem", self.root.pem())
        self.put("between/middle.pem", self.middle.pem())
        self.put("lists/root.crl", self.root.revocation_list())
        self.put("lists/middle.crl", self.middle.revocation_list())
        self.folders = TrustFolders(
            SmimeSettings(
                trust_folder=self.folder / "trust",
                intermediate_folder=self.folder / "between",
                crl_folder=self.folder / "lists",
            )
        )

    def put(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)

    @property
    def trust(self) -> Trust:
        return self.folders.current()


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def reason(trust: Trust, box: Box, shift: timedelta = timedelta()) -> str:
    with pytest.raises(Refused) as refused:
        trust.require(box.certificate, NOW + shift)
    return refused.value.reason


def test_a_certificate_that_leads_to_a_trusted_authority_is_used(office: Office) -> None:
    office.trust.require(office.middle.mailbox().certificate, NOW)
    office.trust.require(office.middle.mailbox(rsa_key()).certificate, NOW)
    office.trust.require(office.root.mailbox().certificate, NOW)


def test_without_authorities_in_the_settings_the_directory_is_taken_at_its_word() -> None:
    assert TrustFolders(SmimeSettings()).current() is PINNED
    PINNED.require(identity("poc").certificate, NOW)


@pytest.mark.requirement("R32")
def test_one_by_an_authority_that_nobody_trusts_is_held(office: Office) -> None:
    stranger = Authority("Root")  # the same name, another key
    assert reason(office.trust, Authority("Nobody").mailbox()) == "issuer-unknown"
    assert reason(office.trust, stranger.mailbox()) in {"issuer-unknown", "certificate-path"}
    own = Box(certificate=identity("poc").certificate, key=identity("poc").key)
    assert reason(office.trust, own) == "issuer-unknown"


def test_a_revoked_one_is_held_from_the_moment_its_list_is_there(office: Office) -> None:
    box = office.middle.mailbox()
    office.trust.require(box.certificate, NOW)

    office.put("lists/middle.crl", office.middle.revocation_list(box.certificate))

    assert reason(office.trust, box) == "certificate-revoked"


def test_one_whose_issuer_was_revoked_is_held(office: Office) -> None:
    office.put("lists/root.crl", office.root.revocation_list(office.middle.certificate))
    assert reason(office.trust, office.middle.mailbox()) == "certificate-revoked"


def test_an_old_revocation_list_is_as_good_as_none(office: Office) -> None:
    old = office.middle.revocation_list(until=NOW - DAY)
    office.put("lists/middle.crl", old)
    with pytest.raises(Refused, match=r"ended on .* LEERP_SMIME__CRL_FOLDER") as refused:
        office.trust.require(office.middle.mailbox().certificate, NOW)
    assert refused.value.reason == "revocation-list-expired"


def test_a_list_that_ends_while_we_run_ends_what_it_has_allowed(office: Office) -> None:
    until = NOW + timedelta(minutes=10)
    office.put("lists/middle.crl", office.middle.revocation_list(until=until))
    box, trust = office.middle.mailbox(), office.trust

    trust.require(box.certificate, NOW)

    assert reason(trust, box, timedelta(minutes=11)) == "revocation-list-expired"


@pytest.mark.parametrize("name", ["root", "middle"])
def test_without_a_list_for_each_authority_nothing_is_sent(office: Office, name: str) -> None:
    (office.folder / f"lists/{name}.crl").unlink()
    assert reason(office.trust, office.middle.mailbox()) == "no-revocation-list"


def test_a_list_that_somebody_else_has_signed_says_nothing(office: Office) -> None:
    forger = Authority("Middle")
    office.put("lists/middle.crl", forger.revocation_list())
    assert reason(office.trust, office.middle.mailbox()) == "no-revocation-list"


def test_an_expired_authority_between_carries_nobody(office: Office) -> None:
    late = Authority("Middle", under=office.root, until=NOW - DAY)
    office.put("between/middle.pem", late.pem())
    office.put("lists/middle.crl", late.revocation_list())
    assert reason(office.trust, late.mailbox()) == "issuer-expired"


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (lambda a: a.mailbox(until=NOW - DAY), "certificate-expired"),
        (lambda a: a.mailbox(since=NOW + DAY), "certificate-expired"),
        (lambda a: a.mailbox(rsa_key(1024)), "certificate-key"),
        (lambda a: a.mailbox(ec.generate_private_key(ec.SECP256K1())), "certificate-key"),
        (lambda a: a.mailbox(rsa_key(), may=usage(digital_signature=True)), "certificate-usage"),
        (lambda a: a.mailbox(may=usage(key_encipherment=True)), "certificate-usage"),
        (lambda a: a.mailbox(purpose=ExtendedKeyUsageOID.SERVER_AUTH), "certificate-usage"),
        (lambda a: Box(certificate=a.certificate, key=a.key), "certificate-usage"),
    ],
)
def test_what_a_certificate_itself_says_counts_however_it_is_trusted(
    office: Office, box: object, expected: str
) -> None:
    assert callable(box)
    made = box(office.middle)
    assert reason(office.trust, made) == reason(PINNED, made) == expected


def test_an_empty_folder_of_authorities_trusts_nobody(tmp_path: Path) -> None:
    folders = TrustFolders(SmimeSettings(trust_folder=tmp_path))
    assert reason(folders.current(), Authority().mailbox()) == "issuer-unknown"
    gone = TrustFolders(SmimeSettings(trust_folder=tmp_path / "gone"))
    assert reason(gone.current(), Authority().mailbox()) == "issuer-unknown"


def test_a_broken_file_opens_nothing_and_stops_nobody_else(office: Office) -> None:
    office.put("lists/broken.crl", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")
    office.put("trust/notes.txt", b"these are the roots")
    office.trust.require(office.middle.mailbox().certificate, NOW)

    office.put("lists/middle.crl", b"garbage")

    assert reason(office.trust, office.middle.mailbox()) == "no-revocation-list"


def test_a_path_is_looked_into_once_and_not_for_each_mail(office: Office) -> None:
    box, trust = office.middle.mailbox(), office.trust
    trust.require(box.certificate, NOW)
    (office.folder / "lists/middle.crl").unlink()  # nobody looks: this is the trust of before

    for minute in range(59):
        trust.require(box.certificate, NOW + timedelta(minutes=minute))

    assert reason(office.trust, box) == "no-revocation-list"


def test_it_can_be_asked_from_within_an_event_loop(office: Office) -> None:
    async def ask() -> None:
        office.trust.require(office.middle.mailbox().certificate, NOW)

    asyncio.run(ask())
    assert office.trust is office.folders.current()
