"""A sender that dies or stands still in the middle of a campaign: F-P1, F-P2, F-P3."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy import update

from infra import audit
from infra.tables import notification
from notifications.delivery import utc_now
from notifications.failpoints import Place
from tests.e2e.support import until
from tests.faults.frozen import freeze
from tests.faults.scale import Scale
from tests.notifications.crashing import senders
from tests.notifications.mailroom import identity, make_recipient, rows
from tests.notifications.post import A_DAY, Post
from tests.notifications.scripted import Relay, relaying

pytestmark = [pytest.mark.asyncio, pytest.mark.requirement("R33")]
CONNECTIONS = 10


def campaign(folder: Path, number: int) -> Post:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "signer.pem").write_text(identity("ec3").certificate_pem())
    (folder / "signer.key").write_bytes(identity("ec3").key_pem())
    people = [make_recipient(n) for n in range(number)]
    return Post(folder, number, recipients=people, smtp={"connections": CONNECTIONS})


@contextmanager
def ended(process: BaseProcess) -> Iterator[BaseProcess]:
    """Gone when the block ends, whatever it was doing."""
    try:
        yield process
    finally:
        process.kill()
        process.join(60)


async def over(process: BaseProcess) -> int | None:
    """How it ended."""
    await until(lambda: not process.is_alive())
    process.join()
    return process.exitcode


def check(post: Post, relay: Relay, *, copies: int) -> None:
    """I3, I5 and I7: each is accepted once, at the relay at least once, and the chain holds."""
    assert {row.state for row in rows(post.database)} == {"accepted"}
    assert len({to for _, to, _ in relay.mails}) == post.number
    assert len({body for _, _, body in relay.mails}) == post.number, "a copy is the same bytes"
    assert len(relay.mails) - post.number <= copies
    with post.database.read() as connection:
        assert audit.verify(connection).verified


async def test_fp1_a_sender_killed_anywhere_loses_nothing_and_doubles_what_was_under_way(
    tmp_path: Path, scale: Scale, seed: int
) -> None:
    number = scale.campaign
    post, relay, chance = campaign(tmp_path, number), Relay(), random.Random(seed)
    async with relaying(relay) as port:
        start = senders(tmp_path, port, number, CONNECTIONS)
        for _ in range(scale.kills):
            _end_leases(post)
            goal = len(relay.mails) + chance.randint(1, max(1, (number - 20) // scale.kills))
            relay.held, relay.held_from = asyncio.Event(), goal + CONNECTIONS
            with ended(start()) as doomed:
                await until(lambda goal=goal: len(relay.mails) >= goal)  # type: ignore[misc]
                assert doomed.is_alive(), "killed too late to prove anything"
            relay.held.set()
        post.clock.move(A_DAY)
        assert (await post.send(port)).accepted == number
    check(post, relay, copies=CONNECTIONS * scale.kills)


COPIES: dict[Place, int] = {
    "after_claim": 0,
    "after_data_started": CONNECTIONS - 1,
    "after_body": CONNECTIONS,
    "after_250": CONNECTIONS,
    "after_commit": CONNECTIONS - 1,
}
"""How many copies there may be: who dies here has none of its own, but the other connections may."""


@pytest.mark.parametrize("place", COPIES)
async def test_fp2_a_sender_that_dies_at_a_named_place_leaves_what_is_to_be_expected(
    tmp_path: Path, scale: Scale, place: Place
) -> None:
    for repetition in range(scale.crashes):
        folder = tmp_path / f"{place}-{repetition}"
        post, relay = campaign(folder, 30), Relay()
        async with relaying(relay) as port:
            turn = 1 if place == "after_claim" else 1 + repetition % 15
            process = senders(folder, port, 30, CONNECTIONS)(f"{place}:{turn}")
            with ended(process):
                assert await over(process) == -signal.SIGKILL
            _check_left_behind(post, relay, place)
            post.clock.move(A_DAY)
            assert (await post.send(port)).accepted == 30
        check(post, relay, copies=COPIES[place])


def _check_left_behind(post: Post, relay: Relay, place: Place) -> None:
    """What the database says of each mail fits what the relay has of it."""
    at_relay = {to for _, to, _ in relay.mails}
    left = rows(post.database)
    begun = [row for row in left if row.state == "sending" and row.data_started]
    assert len(begun) <= CONNECTIONS
    for row in left:
        address = f"RCPT TO:<poc{row.cursor:03}-0@example.invalid>"
        if row.state == "accepted":
            assert address in at_relay
        elif not row.data_started:
            assert address not in at_relay, "what was not begun is not at the relay"
    if place == "after_claim":
        assert not begun
        assert not at_relay
    if place in {"after_body", "after_250"}:
        assert begun
    if place == "after_commit":
        assert any(row.state == "accepted" for row in left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a sender with one connection leaves of the mail that it dies at."""

    state: str
    begun: bool
    copies: tuple[int, ...] = (0,)
    """How many there may be more than one, once it was sent again."""


ALONE: dict[Place, Left] = {
    "after_claim": Left(state="sending", begun=False),
    "after_data_started": Left(state="sending", begun=True),
    "after_body": Left(state="sending", begun=True, copies=(0, 1)),
    "after_250": Left(state="sending", begun=True, copies=(1,)),
    "after_commit": Left(state="accepted", begun=True),
}
FEW = 4


@pytest.mark.parametrize("place", ALONE)
async def test_fp2_with_one_connection_the_state_is_exact(
    tmp_path: Path, scale: Scale, place: Place
) -> None:
    for repetition in range(scale.crashes):
        turn = 1 if place == "after_claim" else 1 + repetition % FEW
        again = await _dies_alone(tmp_path / f"{place}-{repetition}", place, turn)
        assert again in ALONE[place].copies


async def _dies_alone(folder: Path, place: Place, turn: int) -> int:
    """How many mails there are more than once in the end."""
    post, relay, expected = campaign(folder, FEW), Relay(), ALONE[place]
    async with relaying(relay) as port:
        process = senders(folder, port, FEW, 1)(f"{place}:{turn}")
        with ended(process):
            assert await over(process) == -signal.SIGKILL
        left = [(row.state, row.data_started) for row in rows(post.database)]
        before, at, behind = left[: turn - 1], left[turn - 1], left[turn:]
        assert set(before) <= {("accepted", True)}
        assert at == (expected.state, expected.begun)
        if place == "after_commit" and behind:  # whose body may be allowed, but is not sent yet
            assert behind.pop(0)[0] == "sending"
        assert set(behind) <= {("sending", False)}
        unknown = sum(state == "sending" and begun for state, begun in left)
        post.policy = "hold"
        post.clock.move(A_DAY)
        result = await post.send(port)
        assert (result.unknown, result.accepted) == (unknown, FEW - unknown)
        post.policy = "resend"
        post.clock.move(A_DAY)
        assert (await post.send(port)).accepted == FEW
    check(post, relay, copies=max(expected.copies))
    return len(relay.mails) - FEW


async def test_fp3_a_sender_that_stood_still_past_its_lease_writes_nothing_when_it_wakes(
    tmp_path: Path,
) -> None:
    post, relay = campaign(tmp_path, 30), Relay(held=asyncio.Event())
    assert relay.held is not None
    async with relaying(relay) as port:
        with ended(senders(tmp_path, port, 30, CONNECTIONS)()) as frozen:
            assert frozen.pid is not None
            await until(lambda: len(relay.mails) == CONNECTIONS)
            await asyncio.to_thread(freeze, frozen.pid, post.database)
            relay.held.set()
            post.clock = utc_now
            post.settings = {"first_retry": timedelta(), "lease": timedelta(seconds=60)}
            _end_leases(post)
            assert (await post.send(port)).accepted == 30
            written = [tuple(row) for row in rows(post.database)]
            os.kill(frozen.pid, signal.SIGCONT)
            assert await over(frozen) == 0
        assert [tuple(row) for row in rows(post.database)] == written
    check(post, relay, copies=CONNECTIONS)


def _end_leases(post: Post) -> None:
    """As when a sender has been dead for long."""
    with post.database.write() as connection:
        connection.execute(
            update(notification)
            .where(notification.c.lease_until.is_not(None))
            .values(lease_until=utc_now() - timedelta(hours=1))
        )
