"""Replies by mail: a signature by the contact's registered key counts, and nothing else does."""

from __future__ import annotations

import random
import subprocess
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from pysequoia import Profile, SignatureMode, Tsk, sign
from sqlalchemy import select

from infra import audit
from infra.database import Database
from infra.tables import acknowledgement
from infra.tables_acknowledgement import answer
from notifications.certificates import Identity
from notifications.directory import Recipient
from notifications.signed_reply import ReplyFate, take_reply
from tests.notifications.mailroom import (
    add_row,
    filled,
    identity,
    make_database,
    make_recipient,
    row_id,
)
from tests.notifications.samples import NOW

BODY = b"Content-Type: text/plain; charset=utf-8\r\n\r\nReceived, we are on it.\r\n"
OURS = f"<{row_id('poc-000')}@ec3.invalid>"


def office(folder: Path, *recipients: Recipient) -> Database:
    return make_database(folder, list(recipients) or [make_recipient(0), make_recipient(1)])


def take(database: Database, raw: bytes) -> ReplyFate:
    with database.write() as connection:
        return take_reply(database, connection, raw, NOW + timedelta(minutes=3)).fate


def acknowledged(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.scalars(select(acknowledgement.c.recipient_id)))


def outside(**headers: str) -> bytes:
    fields = {"From": "poc@example.invalid", "In_Reply_To": OURS, "MIME_Version": "1.0"}
    lines = [f"{k.replace('_', '-')}: {v}\r\n" for k, v in (fields | headers).items() if v]
    return "".join(lines).encode()


def signed(folder: Path, body: bytes = BODY, who: Identity | None = None, *how: str) -> bytes:
    """The body as OpenSSL signs it: a whole MIME entity."""
    own = who or identity("poc")
    (folder / "own.pem").write_text(own.certificate_pem())
    (folder / "own.key").write_bytes(
        own.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (folder / "body").write_bytes(body)
    made = subprocess.run(
        [
            *("openssl", "cms", "-sign", "-binary", "-md", "sha256", "-in", "body"),
            *("-signer", "own.pem", "-inkey", "own.key", "-outform", "SMIME", *how),
        ],
        cwd=folder, capture_output=True, check=True,
    )  # fmt: skip
    return made.stdout.removeprefix(b"MIME-Version: 1.0\n")


@pytest.mark.requirement("R33")
@pytest.mark.parametrize("how", [(), ("-nodetach",), ("-keyopt", "rsa_padding_mode:pss")])
def test_a_reply_signed_with_the_registered_key_acknowledges(
    tmp_path: Path, how: tuple[str, ...]
) -> None:
    database = office(tmp_path)
    assert take(database, outside() + signed(tmp_path, BODY, None, *how)) is ReplyFate.COUNTED
    assert acknowledged(database) == ["poc-000"]
    with database.read() as connection:
        assert connection.scalar(select(answer.c.proof)) == "signed-reply"
        (row,) = list(audit.export(connection))
    assert (row["event"], row["channel"]) == ("notice_acknowledged", "signed-reply")


def test_a_reply_signed_by_openpgp_counts_as_well(tmp_path: Path) -> None:
    key = Tsk.generate("desk@example.invalid", profile=Profile.RFC4880)
    contact = make_recipient(0).contacts[0]
    desk = contact.model_copy(update={"openpgp_key": str(key.extract_certificate())})
    database = office(tmp_path, make_recipient(0).model_copy(update={"contacts": (desk,)}))
    signature = sign(key.signer(), BODY, mode=SignatureMode.DETACHED)
    raw = outside(
        Content_Type='multipart/signed; boundary="b"; protocol="application/pgp-signature"'
    )
    raw += b"\r\n--b\r\n" + BODY + b"\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\n"
    raw += signature.replace(b"\n", b"\r\n") + b"\r\n--b--\r\n"
    assert take(database, raw.replace(b"we are", b"we were")) is ReplyFate.WRONG_SIGNER
    assert take(database, raw.replace(b"\r\n", b"\n")) is ReplyFate.COUNTED


def test_the_same_reply_again_is_a_repeat(tmp_path: Path) -> None:
    database, raw = office(tmp_path), outside() + signed(tmp_path)
    assert [take(database, raw) for _ in range(3)] == [ReplyFate.COUNTED] + [ReplyFate.REPEATED] * 2


@pytest.mark.services
def test_a_reply_counts_once_on_postgresql_too(postgres_url: str, tmp_path: Path) -> None:
    raw = outside() + signed(tmp_path)
    with closing(filled(Database(postgres_url), [make_recipient(0)])) as database:
        assert [take(database, raw) for _ in range(2)] == [ReplyFate.COUNTED, ReplyFate.REPEATED]
        assert acknowledged(database) == ["poc-000"]


def test_a_signed_part_moved_to_another_thread_does_not_count_there(tmp_path: Path) -> None:
    database, entity = office(tmp_path), signed(tmp_path)
    add_row(database, 2, "poc-000", contact=1)
    other = f"<{row_id('poc-000', 1)}@ec3.invalid>"
    assert take(database, outside() + entity) is ReplyFate.COUNTED
    assert take(database, outside(In_Reply_To=other) + entity) is ReplyFate.REUSED


def test_what_is_signed_says_which_mail_is_answered(tmp_path: Path) -> None:
    database = office(tmp_path)
    theirs = f"<{row_id('poc-001')}@ec3.invalid>"
    entity = signed(tmp_path, f"In-Reply-To: {theirs}\r\n".encode() + BODY)
    assert take(database, outside() + entity) is ReplyFate.COUNTED
    assert acknowledged(database) == ["poc-001"]


@pytest.mark.parametrize(
    ("headers", "fate"),
    [
        ({"In_Reply_To": ""}, ReplyFate.STRANGER),
        ({"In_Reply_To": "<nobody@example.invalid>"}, ReplyFate.STRANGER),
        ({"In_Reply_To": "", "References": f"<a@b> {OURS}"}, ReplyFate.COUNTED),
        ({"Auto_Submitted": "auto-replied"}, ReplyFate.AUTOMATIC),
        ({"Precedence": "bulk"}, ReplyFate.AUTOMATIC),
    ],
)
def test_it_must_answer_one_of_our_mails_and_be_written_by_a_person(
    tmp_path: Path, headers: dict[str, str], fate: ReplyFate
) -> None:
    database = office(tmp_path)
    assert take(database, outside(**headers) + signed(tmp_path)) is fate
    assert bool(acknowledged(database)) is (fate is ReplyFate.COUNTED)


def test_another_key_and_no_key_are_noted_and_do_not_count(tmp_path: Path) -> None:
    database = office(tmp_path)
    stranger = outside() + signed(tmp_path, BODY, identity("stranger"))
    assert take(database, stranger) is ReplyFate.WRONG_SIGNER
    assert take(database, outside() + BODY) is ReplyFate.UNSIGNED
    with database.read() as connection:
        trail = list(audit.export(connection))
    assert [row["event"] for row in trail] == ["reply_not_counted"] * 2
    assert [row["detail"]["reason"] for row in trail] == ["wrong-signer", "unsigned"]
    assert acknowledged(database) == []


def test_a_reply_to_another_recipients_mail_does_not_count_for_it(tmp_path: Path) -> None:
    own = make_recipient(0, certificate=identity("other").certificate_pem())
    database = office(tmp_path, own, make_recipient(1))
    assert take(database, outside() + signed(tmp_path)) is ReplyFate.WRONG_SIGNER


def test_an_encrypted_reply_is_not_opened(tmp_path: Path) -> None:
    database = office(tmp_path)
    (tmp_path / "poc.pem").write_text(identity("poc").certificate_pem())
    (tmp_path / "body").write_bytes(BODY)
    made = subprocess.run(
        ["openssl", "cms", "-encrypt", "-aes256", "-in", "body", "-outform", "SMIME", "poc.pem"],
        cwd=tmp_path, capture_output=True, check=True,
    )  # fmt: skip
    assert take(database, outside() + made.stdout) is ReplyFate.UNSIGNED


def test_a_signature_from_before_the_notice_does_not_count(tmp_path: Path) -> None:
    database = office(tmp_path)
    entity = signed(tmp_path)
    with database.write() as connection:
        connection.exec_driver_sql("update campaign set at = '2099-01-01 00:00:00.000000'")
    assert take(database, outside() + entity) is ReplyFate.TOO_OLD


def test_no_altered_reply_counts_and_none_raises(tmp_path: Path) -> None:
    database = office(tmp_path)
    raw, chance = outside() + signed(tmp_path), random.Random(7)
    body = raw.index(b"Received, we")
    for _ in range(300):
        at = chance.randrange(body, body + 20)
        altered = raw[:at] + bytes([raw[at] ^ (1 << chance.randrange(7))]) + raw[at + 1 :]
        assert take(database, altered) is not ReplyFate.COUNTED
    for _ in range(300):
        start = chance.randrange(len(raw))
        take(database, raw[:start] + chance.randbytes(8) + raw[start + 8 :])
        take(database, raw[: chance.randrange(len(raw))])
    assert set(acknowledged(database)) <= {"poc-000"}
