"""The acknowledgement page under attack: scanners, replays, altered and guessed links, early words.

Figures are those of reliability 4.2, F-A1 to F-A5.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from infra import audit
from infra.tables import notification
from notifications.followups import counts
from notifications.tokens import InvalidToken, read_token
from tests.console.test_acknowledge import BUTTON, KEY, client, count, database_of, link
from tests.faults.scale import LONG, Scale
from tests.notifications.mailroom import CAMPAIGN, Clock
from tests.notifications.samples import NOW
from tests.notifications.test_acknowledgement import mutate

pytestmark = pytest.mark.asyncio


async def test_a_scanner_that_looks_at_every_link_acknowledges_nothing(
    tmp_path: Path, scale: Scale
) -> None:
    """F-A1."""
    links = 10_000 if scale is LONG else 200
    database = database_of(tmp_path, number=links)
    before = count(database)
    async with client(database) as web:
        for number in range(links):
            method = ("GET", "HEAD")[number % 2]
            seen = await web.request(method, f"{link(f'poc-{number:03}')}?note=done&change=1")
            assert seen.status_code == 200
    assert count(database) == before


async def test_a_link_replayed_a_thousand_times_is_one_acknowledgement(
    tmp_path: Path, scale: Scale
) -> None:
    """F-A2, over HTTP, fifty at a time."""
    database = database_of(tmp_path)
    times = 1_000 if scale is LONG else 200
    async with client(database) as web:
        for _ in range(times // 50):
            found = await asyncio.gather(*(web.post(link(), headers=BUTTON) for _ in range(50)))
            assert {answer.status_code for answer in found} == {200}
    with database.read() as connection:
        events = [row["event"] for row in audit.export(connection)]
    assert events.count("notice_acknowledged") == 1
    assert events.count("acknowledgement_repeated") == times - 1
    assert count(database)[2] == 1


def guesses(chance: random.Random) -> Iterator[str]:
    """Links of a guesser: known and unknown ids, right and wrong campaigns, any MAC."""
    tag, known, expiry, _ = link().removeprefix("/a/").split(".")
    while True:
        one = chance.choice([known, secrets.token_hex(16)])
        of = chance.choice([tag, secrets.token_urlsafe(6)])
        yield f"/a/{of}.{one}.{expiry}.{secrets.token_urlsafe(33)}"


async def test_guessing_hits_nothing_and_tells_nothing(tmp_path: Path, scale: Scale) -> None:
    """F-A4: nothing is accepted, and known and unknown ids get the same pages in the same order."""
    database, clock = database_of(tmp_path), Clock()
    chance, pages = random.Random(1), set()
    async with client(database, clock) as web:
        made = guesses(chance)
        for _ in range(1_000_000 if scale is LONG else 300):
            answer = await web.post(next(made), headers=BUTTON)
            pages.add((answer.status_code, answer.text))
        assert {status for status, _ in pages} == {404, 429}
        assert len(pages) == 2
        assert (await web.post(link(), headers=BUTTON)).status_code == 200, (
            "a good link is not held up"
        )
        clock.move(timedelta(minutes=2))
        assert (await web.get("/a/x")).status_code == 404
    assert count(database) == (1, 1, 1)


async def test_no_altered_link_is_taken_for_another(tmp_path: Path, scale: Scale) -> None:
    """F-A3: bits, other recipients' parts, other expiries."""
    database, token = database_of(tmp_path), link().removeprefix("/a/")
    other = link("poc-001").removeprefix("/a/").split(".")
    chance = random.Random(3)
    taken = 0
    with database.read() as connection:
        for _ in range(10_000 if scale is LONG else 1_000):
            parts = token.split(".")
            place = chance.randrange(4)
            parts[place] = other[place]
            mixed = ".".join(parts)
            for altered in {mutate(token, chance), mixed} - {token}:
                # The campaign's tag and the time of expiry are the same for both.
                try:
                    read_token(connection, KEY, altered, NOW)
                    taken += 1
                except InvalidToken:
                    continue
    assert taken == 0


async def test_a_word_that_comes_before_its_mail_was_accepted_is_kept(tmp_path: Path) -> None:
    """F-A5: stored while the mail is still being sent, and counted with it afterwards."""
    database = database_of(tmp_path)
    for early in ("queued", "sending", "unknown"):
        with database.write() as connection:
            connection.execute(update(notification).values(state=early))
        async with client(database) as web:
            assert (await web.post(link(), headers=BUTTON)).status_code == 200
    with database.write() as connection:
        connection.execute(update(notification).values(state="accepted", accepted_at=NOW))
        found = counts(connection, CAMPAIGN)
    assert (found.acknowledged, found.accepted) == (1, 2)
