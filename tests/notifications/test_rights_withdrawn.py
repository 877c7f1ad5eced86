"""A campaign's list is frozen; rights and keys are those of the directory in force when a mail goes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from infra import audit
from infra.database import Database
from infra.settings import DeliverySettings, Settings, SmtpSettings
from infra.tables import notification
from notifications.delivery import Delivery
from notifications.directory import Recipient
from notifications.followups import remind, second_contact
from notifications.grants import PermissionKind
from notifications.notices import NoticeContent
from notifications.permissions import record_permission, revoke_permission
from notifications.smime import unseal
from protocol.errors import Refused
from protocol.markings import Classification, HandlingCode, Marking
from tests.notifications import mailroom
from tests.notifications.hostile import RCPT_OK, Sink, listening
from tests.notifications.mailroom import (
    CAMPAIGN,
    Clock,
    identity,
    make_recipient,
    put_in_force,
    signer,
)
from tests.notifications.samples import NOW, contact, ewn, make_database, recipient
from tests.notifications.test_campaigns import CAMPAIGN as FROZEN
from tests.notifications.test_campaigns import KEY, do_freeze, order, rows

RETRY_AFTER = timedelta(seconds=60)


def frozen(folder: Path, *people: Recipient) -> Database:
    """A warning that the first contact of each has got, and nobody has acknowledged."""
    database = make_database(folder, list(people))
    do_freeze(database, order(ewn(), recipients=tuple(p.id for p in people)))
    with database.write() as connection:
        connection.execute(update(notification).values(state="accepted", attempt=1))
    return database


def follow_up(database: Database) -> list[tuple[str, int, int, str, str]]:
    """Remind, then turn to the second contacts; the rows that this added."""
    before = len(rows(database, FROZEN))
    with database.write() as connection:
        remind(connection, FROZEN, revision=1, message_key=KEY, now=NOW)
        second_contact(connection, FROZEN, message_key=KEY, now=NOW)
    return [
        (r["recipient_id"], r["contact"], r["revision"], r["state"], r["reason"])
        for r in rows(database, FROZEN)[before:]
    ]


@pytest.mark.requirement("R32", "R72")
def test_who_has_left_the_directory_gets_no_reminder_and_no_second_mail(tmp_path: Path) -> None:
    stays, leaves = recipient(id="a-stays"), recipient(id="b-leaves")
    database = frozen(tmp_path, stays, leaves)
    put_in_force(database, [stays])

    added = [row[:4] for row in follow_up(database)]
    assert added == [
        ("a-stays", 0, 1, "queued"),
        ("b-leaves", 0, 1, "held"),
        ("a-stays", 1, 0, "queued"),
    ]
    held = next(row for row in rows(database, FROZEN) if row["state"] == "held")
    assert "no longer in the directory" in held["reason"]


@pytest.mark.requirement("R32", "R72")
def test_a_clearance_that_was_withdrawn_counts_for_reminder_and_second_contact(
    tmp_path: Path,
) -> None:
    database = frozen(tmp_path, recipient(id="a"))
    put_in_force(database, [recipient(id="a", clearance=Classification.PUBLIC)])

    ((_, _, revision, state, reason),) = follow_up(database)
    assert (revision, state) == (1, "held")
    assert "cleared up to PUBLIC" in reason


@pytest.mark.requirement("R72")
def test_a_second_contact_gets_its_key_from_the_directory_in_force(tmp_path: Path) -> None:
    database = frozen(tmp_path, recipient(id="a", contacts=(contact(0), contact(1, key=""))))
    put_in_force(database, [recipient(id="a", contacts=(contact(0), contact(1)))])

    assert ("a", 1, 0, "queued") in [row[:4] for row in follow_up(database)]


@pytest.mark.requirement("R49")
def test_newcomers_of_a_later_directory_are_not_drawn_into_a_frozen_list(tmp_path: Path) -> None:
    database = frozen(tmp_path, recipient(id="a"))
    put_in_force(database, [recipient(id="a"), recipient(id="b")])

    assert {row[0] for row in follow_up(database)} == {"a"}


class Post:
    """A campaign of two mails that the relay puts off once, so that they are tried again."""

    def __init__(self, folder: Path, content: NoticeContent | None = None) -> None:
        self.people = [make_recipient(0), make_recipient(1)]
        self.database = mailroom.make_database(folder, self.people, content)
        self.clock = Clock()
        self.sink = Sink(rcpt=lambda _address, before: RCPT_OK if before else "451 later")

    async def send(self, port: int) -> Any:
        settings = Settings(
            console_url="https://leerp.invalid",
            smtp=SmtpSettings(host="127.0.0.1", port=port, connections=2),
            delivery=DeliverySettings(retry_after=RETRY_AFTER),
        )
        delivery = Delivery(
            self.database, settings, signer=signer(), ack_key=bytes(range(32)), clock=self.clock
        )
        return await delivery.send_range(CAMPAIGN, 0, 2, heartbeat=lambda: None)

    async def send_twice(self, in_force: list[Recipient]) -> Any:
        """The first try is put off; the directory changes; the second try is taken."""
        async with listening(self.sink) as port:
            await self.send(port)
            put_in_force(self.database, in_force)
            self.clock.move(timedelta(hours=1))
            return await self.send(port)


@pytest.mark.asyncio
@pytest.mark.requirement("R32")
async def test_a_mail_to_who_has_left_the_directory_is_held_before_its_body_goes(
    tmp_path: Path,
) -> None:
    post = Post(tmp_path)
    result = await post.send_twice(post.people[:1])

    assert (result.accepted, result.held) == (1, 1)
    assert sorted(post.sink.count()) == ["poc000-0@example.invalid"]
    assert "no longer in the directory" in mailroom.rows(post.database)[1].reason


@pytest.mark.asyncio
@pytest.mark.requirement("R32")
async def test_a_mail_above_a_clearance_that_was_lowered_since_is_held(tmp_path: Path) -> None:
    post = Post(tmp_path)
    lowered = post.people[1].model_copy(update={"clearance": Classification.PUBLIC})
    result = await post.send_twice([post.people[0], lowered])

    assert (result.accepted, result.held) == (1, 1)
    assert "cleared up to PUBLIC" in mailroom.rows(post.database)[1].reason


@pytest.mark.asyncio
@pytest.mark.requirement("R32")
async def test_a_mail_is_made_anew_for_a_key_that_was_replaced_since(tmp_path: Path) -> None:
    post = Post(tmp_path)
    new_key = make_recipient(1, certificate=identity("renewed").certificate_pem())
    result = await post.send_twice([post.people[0], new_key])

    assert result.accepted == 2
    raws = {row.recipient_id: row.raw for row in mailroom.rows(post.database)}
    for who, opens, cannot in (("poc-000", "poc", "renewed"), ("poc-001", "renewed", "poc")):
        right, wrong = identity(opens), identity(cannot)
        assert unseal(raws[who], right.key, right.certificate).subject
        with pytest.raises(Refused):
            unseal(raws[who], wrong.key, wrong.certificate)


@pytest.mark.asyncio
@pytest.mark.requirement("R32")
async def test_what_changes_between_making_and_sending_is_seen_before_the_body_goes(
    tmp_path: Path,
) -> None:
    post = Post(tmp_path)
    new_key = make_recipient(1, certificate=identity("renewed").certificate_pem())
    changed = False

    def at_recipient(address: str, _before: int) -> str:
        nonlocal changed
        if address.startswith("poc001") and not changed:
            changed = True
            put_in_force(post.database, [post.people[0], new_key])
        return RCPT_OK

    post.sink = Sink(rcpt=at_recipient)
    async with listening(post.sink) as port:
        result = await post.send(port)

    assert result.accepted == 2
    renewed = identity("renewed")
    (mail,) = [row for row in mailroom.rows(post.database) if row.recipient_id == "poc-001"]
    assert unseal(mail.raw, renewed.key, renewed.certificate).subject
    assert post.sink.count()["poc001-0@example.invalid"] == 1
    with post.database.read() as connection:
        made_anew = [r for r in audit.export(connection) if r["event"] == "mail_retry_due"]
    assert [list(r["detail"]["notifications"].values()) for r in made_anew] == [
        ["directory-changed"]
    ]


H2 = Marking(handling_codes=frozenset({HandlingCode.H2}))


def permit(post: Post, *recipients: str, **changes: Any) -> int:
    """The provider's word for these recipients of the post, for two hours."""
    values: dict[str, Any] = {
        "incident_id": "INC-1",
        "kind": PermissionKind.H2,
        "provider": "",
        "recipients": recipients,
        "evidence": f"letter to {recipients}",
        "by": "o.two",
        "given_at": NOW - timedelta(hours=1),
        "expires_at": NOW + timedelta(hours=2),
    }
    with post.database.write() as connection:
        return record_permission(connection, **values | changes)


@pytest.mark.asyncio
@pytest.mark.requirement("R32")
async def test_a_permission_that_is_revoked_in_mid_campaign_holds_what_has_not_left(
    tmp_path: Path,
) -> None:
    post = Post(tmp_path, mailroom.make_content(marking=H2))
    permit(post, "poc-000")
    second = permit(post, "poc-001")
    async with listening(post.sink) as port:
        await post.send(port)
        with post.database.write() as connection:
            revoke_permission(connection, second, by="o.one", reason="withdrawn", now=NOW)
        post.clock.move(timedelta(hours=1))
        result = await post.send(port)

    assert (result.accepted, result.held) == (1, 1)
    assert sorted(post.sink.count()) == ["poc000-0@example.invalid"]
    assert "H2" in mailroom.rows(post.database)[1].reason


@pytest.mark.asyncio
@pytest.mark.requirement("R32")
async def test_a_permission_that_expires_in_mid_campaign_holds_what_has_not_left(
    tmp_path: Path,
) -> None:
    post = Post(tmp_path, mailroom.make_content(marking=H2))
    permit(post, "poc-000")
    permit(post, "poc-001", expires_at=NOW + timedelta(minutes=59))
    result = await post.send_twice(post.people)

    assert (result.accepted, result.held) == (1, 1)
    assert sorted(post.sink.count()) == ["poc000-0@example.invalid"]


@pytest.mark.asyncio
@pytest.mark.requirement("R32")
async def test_a_revocation_between_making_and_sending_is_seen_before_the_body_goes(
    tmp_path: Path,
) -> None:
    post = Post(tmp_path, mailroom.make_content(marking=H2))
    permit(post, "poc-000")
    second = permit(post, "poc-001")
    revoked = False

    def at_recipient(address: str, _before: int) -> str:
        nonlocal revoked
        if address.startswith("poc001") and not revoked:
            revoked = True
            with post.database.write() as connection:
                revoke_permission(connection, second, by="o.one", reason="withdrawn", now=NOW)
        return RCPT_OK

    post.sink = Sink(rcpt=at_recipient)
    async with listening(post.sink) as port:
        result = await post.send(port)

    assert (result.accepted, result.held) == (1, 1)
    assert post.sink.count()["poc001-0@example.invalid"] == 0
