from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from infra import audit
from infra.database import Database
from infra.tables import notification
from notifications import followups
from notifications.bounces import (
    MAX_BYTES,
    MAX_FOR_ONE,
    Kind,
    Read,
    notices_of,
    read_notice,
    take_notices,
)
from notifications.envelopes import bounce_address, make_token
from tests.notifications.mailroom import CAMPAIGN, make_database, make_recipient, row_id, rows
from tests.notifications.notices import notice
from tests.notifications.samples import NOW

KEY = bytes(range(32))
ROW = row_id("poc-000")
TOKEN = make_token(KEY, ROW)
VERP = bounce_address("bounces@ec3.example", TOKEN)


def post(folder: Path, state: str = "accepted", number: int = 3) -> Database:
    database = make_database(folder, [make_recipient(n, certificate="") for n in range(number)])
    with database.write() as connection:
        connection.execute(update(notification).values(state=state))
    return database


def take(database: Database, *raws: bytes) -> Read:
    with database.write() as connection:
        return take_notices(connection, [read_notice(raw, KEY) for raw in raws], NOW)


def states(database: Database) -> list[str]:
    return [row.state for row in rows(database)]


@pytest.mark.parametrize("raw", [notice(to=VERP), notice(envid=TOKEN), notice(to=VERP.upper())])
@pytest.mark.parametrize("state", ["accepted", "unknown"])
@pytest.mark.requirement("R33")
def test_a_mail_that_comes_back_is_bounced_with_the_servers_reason(
    tmp_path: Path, raw: bytes, state: str
) -> None:
    database = post(tmp_path, state)
    assert take(database, raw) == Read(bounced=1)
    assert states(database) == ["bounced", state, state]
    assert "5.1.1" in rows(database)[0].reason
    with database.read() as connection:
        counts = followups.counts(connection, CAMPAIGN)
        assert audit.verify(connection).verified
        events = [row["event"] for row in audit.export(connection)]
    assert counts.bounced == 1
    assert events == ["mail_bounced"]


def test_the_same_notice_again_changes_nothing(tmp_path: Path) -> None:
    database = post(tmp_path)
    raw = notice(to=VERP)
    assert take(database, raw, raw) == Read(bounced=1, repeated=1)
    assert take(database, raw) == Read(repeated=1)
    with database.read() as connection:
        assert len(notices_of(connection, [ROW])) == 1
        assert len(list(audit.export(connection))) == 1


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("delayed", Kind.DELAYED),
        ("delivered", Kind.DELIVERED),
        ("relayed", Kind.DELIVERED),
        ("no-such-action", Kind.OTHER),
    ],
)
def test_what_is_no_failure_is_noted_and_changes_no_state(
    tmp_path: Path, action: str, kind: Kind
) -> None:
    database = post(tmp_path)
    take(database, notice(to=VERP, action=action, status="4.4.1"))
    assert states(database) == ["accepted"] * 3
    with database.read() as connection:
        (noted,) = notices_of(connection, [ROW])
    assert noted["kind"] == kind


def test_an_absence_note_to_the_mails_own_address_is_no_bounce(tmp_path: Path) -> None:
    database = post(tmp_path)
    raw = f"To: {VERP}\r\nSubject: Undelivered Mail\r\n\r\nfailed 5.1.1\r\n".encode()
    assert take(database, raw) == Read(other=1)
    assert states(database) == ["accepted"] * 3


@pytest.mark.parametrize("state", ["queued", "sending", "retry_due", "refused", "held", "bounced"])
def test_only_what_a_relay_took_can_come_back(tmp_path: Path, state: str) -> None:
    database = post(tmp_path, state)
    take(database, notice(to=VERP))
    assert states(database) == [state] * 3


def other_token() -> str:
    return make_token(bytes(32), ROW)


@pytest.mark.parametrize(
    "raw",
    [
        notice(),
        notice(to=bounce_address("bounces@ec3.example", other_token())),
        notice(envid=other_token()),
        notice(envid=ROW),
        notice(text=f"{VERP} {TOKEN} {ROW}", reason=TOKEN),
        notice(to=VERP, envid=make_token(KEY, row_id("poc-001"))),
        notice(to=VERP).replace(b"Subject: Und", b"To: " + b"x" * 9 + b"\r\nSubject: Und")[:40],
        b"",
        b"\xff\x00\x80" * 100,
        b"x" * (MAX_BYTES + 10) + notice(to=VERP),
        b"".join(
            b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n)
            for n in range(5_000)
        ),
    ],
)
def test_fm12_what_carries_no_token_of_ours_or_two_changes_nothing(
    tmp_path: Path, raw: bytes
) -> None:
    database = post(tmp_path)
    assert take(database, raw) == Read(foreign=1)
    assert states(database) == ["accepted"] * 3
    with database.read() as connection:
        assert list(audit.export(connection)) == []


@given(raw=st.binary(max_size=400))
def test_no_bytes_make_the_reader_stumble(raw: bytes) -> None:
    assert read_notice(raw, KEY) is None
    read = read_notice(notice(to=VERP) + raw, KEY)
    assert read is not None
    assert read.notification_id == ROW


@given(reason=st.text(max_size=400))
def test_a_servers_words_become_one_printable_line(reason: str) -> None:
    said = "".join(reason.splitlines())
    read = read_notice(
        notice(to=VERP).replace(b"550 5.1.1 no", said.encode("utf-8", "replace")), KEY
    )
    assert read is not None
    assert len(read.reason) <= 300
    assert read.reason.isprintable()


def test_notices_about_one_mail_are_kept_up_to_a_number_but_a_bounce_always_counts(
    tmp_path: Path,
) -> None:
    database = post(tmp_path)
    flood = [notice(to=VERP, action="delayed", text=str(n)) for n in range(MAX_FOR_ONE + 5)]
    assert take(database, *flood) == Read(delayed=MAX_FOR_ONE, repeated=5)
    assert take(database, notice(to=VERP)) == Read(bounced=1)
    assert states(database)[0] == "bounced"


@pytest.mark.requirement("R72")
def test_who_cannot_be_reached_after_all_is_tried_at_the_second_contact(tmp_path: Path) -> None:
    database = make_database(tmp_path, [make_recipient(n) for n in range(2)])
    with database.write() as connection:
        connection.execute(update(notification).values(state="accepted"))
    take(database, notice(to=VERP))
    with database.write() as connection:
        added = followups.second_contact(
            connection, CAMPAIGN, message_key=KEY, now=NOW + timedelta(hours=1)
        )
    assert added.added == 2
    with database.read() as connection:
        assert followups.counts(connection, CAMPAIGN).bounced == 0
