"""Officers and single mails of a warning: held, released, sent again, on a real worker and relay."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from temporalio.client import Client

from infra.tables import notification
from notifications.handling import Act, Handled, Order
from protocol.errors import NotFound, Refused
from tests.workflows.cast import MANAGER, address
from tests.workflows.house import CHANNEL, House
from tests.workflows.test_campaign import FIRST, RECIPIENTS, to, warning
from workflows.mail_commands import MailCommands

pytestmark = [pytest.mark.asyncio, pytest.mark.temporal, pytest.mark.requirement("R33")]


async def say(
    home: House,
    notice: str,
    act: Act,
    *recipients: str,
    officer: str = MANAGER,
    reason: str = "why",
) -> Handled:
    """An officer's command, as the command line gives it."""

    async def temporal() -> Client:
        return home.env.client

    commands = MailCommands(
        home.database,
        temporal,
        task_queue=home.app.settings.temporal.task_queue,
        message_key=home.app.keys.acknowledgement,
    )
    order = Order(
        act=act, recipients=frozenset(recipients), officer=officer, reason=reason, channel=CHANNEL
    )
    handled = await commands.handle(notice, order)
    if handled.mails and act is not Act.HOLD:
        home.also_replay(f"sending-{notice}")
    return handled


def message_ids(home: House, notice: str, recipient: str) -> set[str]:
    query = select(notification.c.message_id).where(
        notification.c.campaign_id == notice, notification.c.recipient_id == recipient
    )
    return {row.message_id for row in home.rows(query)}


def make_unknown(home: House, notice: str, recipient: str) -> None:
    """As a sender leaves it that died between the body and the relay's answer."""
    with home.database.write() as connection:
        connection.execute(
            update(notification)
            .where(notification.c.campaign_id == notice, notification.c.recipient_id == recipient)
            .values(state="unknown", accepted_at=None)
        )


async def test_a_held_mail_is_released_once_its_locks_are_open(home: House) -> None:
    home.import_directory(without_key="le-poc-fr")
    notice, _ = await warning(home)

    still = await say(home, notice, Act.RELEASE, "le-poc-fr")
    assert still.mails == ()
    assert "no certificate" in still.closed["le-poc-fr"]
    assert home.sink.tries[address("le-poc-fr")] == 0

    home.import_directory()
    released = await say(home, notice, Act.RELEASE, "le-poc-fr", reason="their key has come")
    await home.until(lambda: to(home, notice, FIRST)["le-poc-fr"] == "accepted")
    assert (len(released.mails), released.closed) == (1, {})
    assert home.sink.tries[address("le-poc-fr")] == 1
    assert await home.ended(f"sending-{notice}")
    (_, row) = home.audited("mails_release")
    assert row["actor"] == MANAGER
    assert row["detail"]["reason"] == "their key has come"


async def test_what_nobody_knows_of_is_sent_again_with_the_same_message_id(home: House) -> None:
    notice, _ = await warning(home)
    make_unknown(home, notice, "interpol")
    known = message_ids(home, notice, "interpol")

    await say(home, notice, Act.RESEND, "interpol")
    await home.until(lambda: to(home, notice, FIRST)["interpol"] == "accepted")
    taken = [m for to_, _, m in home.sink.taken if to_ == address("interpol")]
    assert len(taken) == 2
    assert set(taken) == known
    assert len(home.sink.taken) == RECIPIENTS + 1


async def test_who_says_that_nothing_came_is_sent_again_what_a_server_took_and_nobody_else_is(
    home: House,
) -> None:
    notice, _ = await warning(home)
    known = message_ids(home, notice, "interpol")

    again = await say(home, notice, Act.RESEND, "interpol", reason="they say that nothing came")
    await home.until(lambda: to(home, notice, FIRST)["interpol"] == "accepted")
    assert len(again.mails) == 1
    taken = [m for to_, _, m in home.sink.taken if to_ == address("interpol")]
    assert len(taken) == 2
    assert set(taken) == known
    assert len(home.sink.taken) == RECIPIENTS + 1
    with pytest.raises(Refused, match="none to resend"):
        await say(home, notice, Act.RESEND)


async def test_a_mail_that_is_put_off_is_held_and_goes_only_after_its_release(home: House) -> None:
    home.sink.put_off.add(address("interpol"))
    notice, _ = await warning(home)
    held = await say(home, notice, Act.HOLD, "interpol", reason="the address is in doubt")
    tries = home.sink.tries[address("interpol")]
    home.sink.put_off.clear()
    await home.pass_time(timedelta(minutes=10))
    assert len(held.mails) == 1
    assert to(home, notice, FIRST)["interpol"] == "held"
    assert home.sink.tries[address("interpol")] == tries

    await say(home, notice, Act.RELEASE)
    await home.until(lambda: to(home, notice, FIRST)["interpol"] == "accepted")


async def test_a_second_word_reaches_a_sender_that_waits(home: House) -> None:
    home.sink.put_off.add(address("interpol"))
    notice, _ = await warning(home)
    await say(home, notice, Act.HOLD, "interpol")
    await say(home, notice, Act.RELEASE, "interpol")
    await home.until(lambda: to(home, notice, FIRST)["interpol"] == "retry_due")
    make_unknown(home, notice, "le-poc-de")

    await say(home, notice, Act.RESEND, "le-poc-de")
    await home.until(lambda: to(home, notice, FIRST)["le-poc-de"] == "accepted")


@pytest.mark.parametrize(
    ("officer", "recipients", "reason", "refusal"),
    [
        ("nobody", ("interpol",), "why", "unknown-officer"),
        (MANAGER, ("interpol",), " ", "no-reason"),
        (MANAGER, (), "why", "nothing-to-do"),
    ],
)
async def test_what_may_not_be_is_refused_and_noted(
    home: House, officer: str, recipients: tuple[str, ...], reason: str, refusal: str
) -> None:
    notice, _ = await warning(home)
    with pytest.raises(Refused) as refused:
        await say(home, notice, Act.RELEASE, *recipients, officer=officer, reason=reason)
    assert refused.value.reason == refusal
    assert [row["detail"]["reason"] for row in home.audited("command_refused")] == [refusal]
    assert home.audited("mails_release") == []


async def test_a_recipient_that_is_not_in_the_campaign_is_named(home: House) -> None:
    notice, _ = await warning(home)
    with pytest.raises(NotFound, match="le-poc-zz"):
        await say(home, notice, Act.RESEND, "le-poc-zz")
