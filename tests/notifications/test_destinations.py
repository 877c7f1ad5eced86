from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from infra import audit
from infra.database import Database
from infra.settings import DeliverySettings
from notifications.destinations import (
    WAITING,
    Course,
    Sign,
    Standing,
    Told,
    after,
    load,
    note,
    pause_of,
    sign_of,
)
from tests.notifications.hostile import RCPT_OK, Sink, listening
from tests.notifications.mailroom import add_row, make_recipient, put_in_force, rows
from tests.notifications.post import Post
from tests.notifications.samples import NOW

SETTINGS = DeliverySettings()
MOST = SETTINGS.destination_concurrency


def told(sign: Sign, begun: timedelta = timedelta(), domain: str = "a.example") -> Told:
    return Told(domain=domain, sign=sign, code="450", begun_at=NOW + begun)


def follow(signs: list[Sign], standing: Standing | None = None) -> Standing:
    standing = standing or Standing(concurrency=MOST)
    for sign in signs:
        standing = after(standing, told(sign), SETTINGS, now=NOW, jitter=1.0)
    return standing


@given(signs=st.lists(st.sampled_from(Sign), max_size=60))
def test_whatever_happens_something_may_go_and_never_more_than_the_most(signs: list[Sign]) -> None:
    standing = follow(signs)
    assert 1 <= standing.concurrency <= MOST


@given(signs=st.lists(st.sampled_from(Sign), max_size=60))
def test_a_destination_that_answers_again_recovers_whatever_was_before(signs: list[Sign]) -> None:
    recovered = follow([Sign.ANSWERED] * MOST, follow(signs))
    assert recovered == Standing(concurrency=MOST)


@pytest.mark.requirement("R33")
def test_fm3_less_is_let_through_when_a_server_asks_and_more_again_as_mails_get_through() -> None:
    halved = follow([Sign.THROTTLED])
    assert halved.concurrency == MOST // 2
    assert follow([Sign.ANSWERED] * 3, halved).concurrency == MOST // 2 + 3


def test_failures_in_a_row_pause_a_destination_each_time_for_longer() -> None:
    first = follow([Sign.FAILED] * SETTINGS.pause_after)
    second = follow([Sign.FAILED], first)
    assert first.next_at == NOW + SETTINGS.retry_after
    assert second.next_at == NOW + 2 * SETTINGS.retry_after
    assert follow([Sign.FAILED] * 30, first).next_at == NOW + SETTINGS.longest_retry
    assert (first.concurrency, follow([Sign.ANSWERED], first).next_at) == (1, None)


def test_mails_that_were_under_way_when_it_was_slowed_do_not_slow_it_again() -> None:
    slowed = follow([Sign.THROTTLED])
    earlier = told(Sign.THROTTLED, begun=timedelta(seconds=-1))
    assert after(slowed, earlier, SETTINGS, now=NOW, jitter=1.0) == slowed


@pytest.mark.parametrize(
    ("code", "accepted", "sign"),
    [
        (250, True, Sign.ANSWERED),
        (550, False, Sign.ANSWERED),
        (451, False, Sign.ANSWERED),
        (421, False, Sign.THROTTLED),
        (450, False, Sign.THROTTLED),
        (452, False, Sign.THROTTLED),
        (0, False, Sign.FAILED),
        (0, True, Sign.ANSWERED),
    ],
)
def test_what_a_reply_says_of_the_destination(code: int, accepted: bool, sign: Sign) -> None:
    assert sign_of(code, accepted=accepted) is sign


@given(attempt=st.integers(1, 1_000))
def test_fm2_who_said_later_is_not_asked_again_within_a_minute(attempt: int) -> None:
    assert pause_of(SETTINGS, attempt, replied=True) >= timedelta(seconds=60)
    assert pause_of(SETTINGS, attempt, replied=False) <= SETTINGS.longest_retry


def courses(connection: Connection, most: int = MOST) -> dict[str, Course]:
    return {domain: standing.course(most) for domain, standing in load(connection).items()}


def test_a_pause_is_written_down_and_audited_and_so_is_its_end(database: Database) -> None:
    bad = [told(Sign.FAILED)] * SETTINGS.pause_after
    with database.write() as connection:
        note(connection, bad, SETTINGS, now=NOW, jitter=1.0)
        note(connection, [told(Sign.THROTTLED, domain="0.example")], SETTINGS, now=NOW, jitter=1.0)
    with database.read() as connection:
        assert courses(connection) == {"a.example": Course.PAUSED, "0.example": Course.SLOWED}
    with database.write() as connection:
        well = [told(Sign.ANSWERED)] * MOST
        note(connection, well, SETTINGS, now=NOW, jitter=1.0)
    with database.read() as connection:
        assert courses(connection) == {"0.example": Course.SLOWED}
        events = [row["event"] for row in audit.export(connection)]
    assert events == ["destination_paused", "destination_tried_again"]


def at(domain: str, number: int) -> dict[str, object]:
    one = make_recipient(number)
    contacts = tuple(
        contact.model_copy(update={"email": f"poc{number:03}-{n}@{domain}"})
        for n, contact in enumerate(one.contacts)
    )
    return {"recipient": one.model_copy(update={"contacts": contacts})}


@pytest.mark.asyncio
@pytest.mark.requirement("R33")
async def test_one_bad_destination_holds_up_no_other_and_is_left_alone_for_a_while(
    tmp_path: Path,
) -> None:
    people = [at("bad.example" if n < 100 else "good.example", n)["recipient"] for n in range(130)]
    post = Post(
        tmp_path,
        130,
        recipients=people,
        delivery={"destination_concurrency": 4, "pause_after": 3},
    )
    sink = Sink(rcpt=lambda to, _: "450 too much" if "bad" in to else RCPT_OK)
    async with listening(sink) as port:
        result = await post.send(port)
        asked = sum(number for to, number in sink.asked.items() if "bad" in to)
        assert (result.accepted, asked < 30) == (30, True)
        assert result.next_due is not None
        assert result.next_due > post.clock()
        waiting = await post.send(port)
        assert sum(n for to, n in sink.asked.items() if "bad" in to) == asked, "it is paused"
        assert waiting.next_due == result.next_due
        with post.database.read() as connection:
            assert courses(connection, most=4) == {"bad.example": Course.PAUSED}
        left = Counter(row.destination for row in rows(post.database) if row.state in WAITING)
        assert left == {"bad.example": 100}
        sink.rcpt = lambda _to, _before: RCPT_OK
        post.clock.move(timedelta(days=1))
        assert (await post.send(port)).accepted == 130
    assert set(sink.count().values()) == {1}
    with post.database.read() as connection:
        assert load(connection) == {}


@pytest.mark.asyncio
async def test_a_mail_goes_by_the_domain_of_the_address_in_force(tmp_path: Path) -> None:
    post, sink = Post(tmp_path, 1), Sink()
    add_row(post.database, 0, "poc-000", contact=1)
    put_in_force(post.database, [at("moved.example", 0)["recipient"]])  # type: ignore[list-item]
    async with listening(sink) as port:
        await post.send(port)
    assert {row.destination for row in rows(post.database)} == {"moved.example"}
    assert all(to.endswith("@moved.example") for to, _ in sink.mails)
