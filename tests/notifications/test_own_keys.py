"""The end of the keys that the centre signs with is said early, and keeps nobody from being warned."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from infra.keys import ensure_keys, write_secret
from infra.settings import Settings, SmimeSettings
from notifications.certificates import Identity, self_signed
from notifications.directory_check import own_findings
from notifications.openpgp import OpenPgpKey, OpenPgpSigner
from notifications.own_keys import CERTIFICATE, OPENPGP, Life, OwnKey, own_keys
from notifications.smime import Signer, sign
from protocol.errors import Refused
from tests.notifications.gnupg import GnuPG, gnupg
from tests.notifications.samples import NOW

pytestmark = pytest.mark.requirement("R31")

DAY = timedelta(days=1)
LIFE = 40 * DAY
EARLY = 30 * DAY
LONG_AGO = "20200101T000000"


@pytest.fixture(scope="module")
def gpg() -> Iterator[GnuPG]:
    with gnupg() as made:
        yield made


@pytest.fixture(scope="module")
def pair() -> Identity:
    return self_signed("ec3", "leerp@ec3.invalid", now=NOW, lifetime=LIFE)


@pytest.fixture
def settings(tmp_path: Path, pair: Identity) -> Settings:
    """A home with a certificate that ends in forty days and an OpenPGP key that ends in three years."""
    made = Settings(home=tmp_path)
    ensure_keys(made.keys, "leerp@ec3.invalid")
    write_secret(made.keys / "signer.pem", pair.certificate_pem().encode())
    write_secret(made.keys / "signer.key", pair.key_pem())
    return made


def keys_of(settings: Settings) -> dict[str, OwnKey]:
    return {key.name: key for key in own_keys(settings.keys)}


@pytest.mark.parametrize(
    ("after", "life"),
    [
        (-DAY, Life.NOT_YET),
        (timedelta(), Life.GOOD),
        (LIFE - EARLY - DAY, Life.GOOD),
        (LIFE - EARLY, Life.EXPIRES_SOON),
        (LIFE - DAY, Life.EXPIRES_SOON),
        (LIFE, Life.EXPIRED),
    ],
)
def test_a_certificate_is_good_ends_soon_and_has_ended(
    settings: Settings, after: timedelta, life: Life
) -> None:
    key = keys_of(settings)[CERTIFICATE]
    assert key.life(NOW + after, EARLY) is life
    said = key.advice(NOW + after, EARLY)
    assert bool(said) == (life is not Life.GOOD)
    assert not said or "signer.pem" in said


def test_how_early_it_is_said_is_a_setting(settings: Settings) -> None:
    assert own_findings(settings, NOW) == []
    earlier = settings.model_copy(update={"smime": SmimeSettings(warn_before=50 * DAY)})
    (found,) = own_findings(earlier, NOW)
    assert (found.problem, found.subject) == ("own-key-expires-soon", "this centre")
    assert "still go out" in found.message


def test_the_first_end_in_a_chain_is_the_end(settings: Settings, pair: Identity) -> None:
    authority = self_signed("authority", "ca@example.invalid", now=NOW, lifetime=5 * DAY)
    chain = pair.certificate_pem() + authority.certificate_pem()
    write_secret(settings.keys / "signer.pem", chain.encode())
    assert keys_of(settings)[CERTIFICATE].ends == authority.certificate.not_valid_after_utc


def test_the_openpgp_key_ends_too(settings: Settings) -> None:
    key = keys_of(settings)[OPENPGP]
    assert key.ends is not None
    assert key.life(NOW, EARLY) is Life.GOOD
    assert key.life(key.ends - DAY, EARLY) is Life.EXPIRES_SOON
    assert "held" in key.advice(key.ends, EARLY)


def test_a_file_that_holds_no_certificate_is_named(settings: Settings) -> None:
    write_secret(settings.keys / "signer.pem", b"no certificate")
    with pytest.raises(Refused, match=r"signer\.pem"):
        keys_of(settings)


def test_mails_are_signed_with_a_certificate_that_has_ended_and_the_reader_sees_it(
    tmp_path: Path,
) -> None:
    """The worst night: a warning with a bad signature is a warning."""
    old = self_signed("ec3", "leerp@ec3.invalid", now=NOW - LIFE, lifetime=DAY)
    certificate, key = tmp_path / "signer.pem", tmp_path / "signer.key"
    certificate.write_text(old.certificate_pem())
    key.write_bytes(old.key_pem())
    raw = sign(b"Content-Type: text/plain\r\n\r\nx\r\n", Signer.load(certificate, key))
    assert message_from_bytes(raw, policy=policy.default).get_content_type() == "multipart/signed"
    mail = tmp_path / "mail.eml"
    mail.write_bytes(raw)
    verify = ["openssl", "cms", "-verify", "-in", str(mail), "-CAfile", str(certificate)]
    strict = subprocess.run(verify, capture_output=True, check=False)
    assert strict.returncode != 0
    assert b"expired" in strict.stderr
    lenient = subprocess.run([*verify, "-no_check_time"], capture_output=True, check=False)
    assert lenient.returncode == 0


def test_an_openpgp_key_that_has_ended_keeps_no_sender_from_starting_and_signs_nothing(
    gpg: GnuPG, settings: Settings, pair: Identity
) -> None:
    file = settings.keys / "openpgp.key"
    write_secret(file, gpg.secret(gpg.make("old", life="1y", at=LONG_AGO)).encode())
    keys = settings.keys
    loaded = Signer.load(keys / "signer.pem", keys / "signer.key", openpgp_file=file)
    assert loaded.certificate == pair.certificate
    assert loaded.openpgp is not None
    desk = OpenPgpKey.read(gpg.public(gpg.make("desk", subkey="cv25519")))
    with pytest.raises(Refused, match="leerp doctor") as refused:
        desk.encrypt(b"x", loaded.openpgp, NOW + timedelta(minutes=5))
    assert refused.value.reason == "openpgp-signer-expired"
    assert keys_of(settings)[OPENPGP].life(NOW, EARLY) is Life.EXPIRED


def test_an_openpgp_key_that_never_could_sign_is_refused(gpg: GnuPG, tmp_path: Path) -> None:
    file = tmp_path / "openpgp.key"
    write_secret(file, gpg.public(gpg.make("public")).encode())
    with pytest.raises(Refused, match="can sign"):
        OpenPgpSigner.load(file)
