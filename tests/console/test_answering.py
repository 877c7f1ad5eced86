"""The page as people and machines use it: answers, languages, and links that somebody guesses."""

from __future__ import annotations

import secrets
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from console.acknowledge import read_form
from console.guessing import BURST_BY_ADDRESS, BURST_BY_CAMPAIGN, Buckets, Guessing
from infra.database import Database
from infra.tables_acknowledgement import answer
from notifications.answers import Answer
from notifications.reader_words import catalogue, choose_language
from notifications.tokens import make_token
from tests.console.test_acknowledge import BUTTON, KEY, client, count, database_of, link
from tests.notifications.mailroom import (
    CAMPAIGN,
    Clock,
    add_row,
    make_database,
    make_recipient,
    row_id,
)
from tests.notifications.samples import NOW, ewn

pytestmark = pytest.mark.asyncio


def answers(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as connection:
        rows = connection.execute(select(answer).order_by(answer.c.id))
        return [(row.answer, row.person, row.phone) for row in rows]


@pytest.mark.parametrize("said", list(Answer))
async def test_every_answer_of_the_form_is_taken_and_shown(tmp_path: Path, said: Answer) -> None:
    database = database_of(tmp_path)
    form = {"answer": said.value, "person": "Ana Ruiz", "phone": "+34 911 23 45 67"}
    async with client(database) as web:
        done = await web.post(link(), data=form, headers=BUTTON)
        again = await web.get(link())
    assert done.status_code == again.status_code == 200
    assert answers(database) == [(said, "Ana Ruiz", "+34 911 23 45 67")]
    assert count(database)[0] == (said is not Answer.WRONG_ADDRESSEE)
    assert "<button" not in again.text
    assert "Ana Ruiz" not in again.text, "shown in the form only"


async def test_the_answer_can_be_changed_later(tmp_path: Path) -> None:
    database = database_of(tmp_path)
    async with client(database) as web:
        await web.post(link(), data={"answer": "acting", "person": "Ana"}, headers=BUTTON)
        form = await web.get(f"{link()}?change=1")
        await web.post(link(), data={"answer": "need-help"}, headers=BUTTON)
        shown = await web.get(link())
    assert 'value="acting" checked' in form.text
    assert 'value="Ana"' in form.text
    assert "Change the answer" in form.text
    assert "We need help" in shown.text
    assert [said for said, *_ in answers(database)] == ["acting", "need-help"]


async def test_a_name_is_not_shown_to_another_desk(tmp_path: Path) -> None:
    database = database_of(tmp_path)
    add_row(database, 2, "poc-000", contact=1)
    other = "/a/" + make_token(
        KEY,
        notification_id=row_id("poc-000", 1),
        campaign_id=CAMPAIGN,
        recipient_id="poc-000",
        contact=1,
        revision=0,
        expires_at=NOW + timedelta(days=1),
    )
    async with client(database) as web:
        await web.post(link(), data={"person": "Ana Ruiz"}, headers=BUTTON)
        theirs = await web.get(f"{other}?change=1")
        assert "Ana Ruiz" in (await web.get(f"{link()}?change=1")).text
    assert theirs.status_code == 200
    assert "Ana Ruiz" not in theirs.text


async def test_an_acknowledgement_is_not_lost_over_a_wrong_number(tmp_path: Path) -> None:
    database = database_of(tmp_path)
    async with client(database) as web:
        done = await web.post(link(), data={"phone": "call me", "person": "A"}, headers=BUTTON)
    assert count(database)[0] == 1
    assert answers(database) == [("received", "", "")]
    assert "country code" in done.text


@pytest.mark.parametrize("body", [b"answer=nonsense", b"\xff\xfe", b"a=1&" * 20, b"x" * 5_000])
async def test_what_is_no_form_of_ours_changes_nothing(tmp_path: Path, body: bytes) -> None:
    database = database_of(tmp_path)
    async with client(database) as web:
        assert (await web.post(link(), content=body, headers=BUTTON)).status_code == 400
    assert count(database)[0] == 0


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(person=st.text(max_size=120), phone=st.text(max_size=50))
async def test_whatever_is_written_into_the_form_comes_back_as_text_or_not_at_all(
    tmp_path_factory: pytest.TempPathFactory, person: str, phone: str
) -> None:
    person = f'"><script>x</script>{{{{ 7*7 }}}}{person}'.encode("utf-8", "replace").decode()
    phone = phone.encode("utf-8", "replace").decode()
    database = database_of(tmp_path_factory.mktemp("form"))
    async with client(database) as web:
        done = await web.post(link(), data={"person": person, "phone": phone}, headers=BUTTON)
        form = await web.get(f"{link()}?change=1")
    assert done.status_code == form.status_code == 200
    assert count(database)[0] == 1
    assert "<script" not in done.text + form.text


@pytest.mark.parametrize(
    ("read_there", "accepted", "expected"),
    [
        (("en",), "", "en"),
        (("fr", "en"), "", "fr"),
        (("fr", "en"), "en-GB,en;q=0.9,fr;q=0.1", "en"),
        (("fr", "en"), "en;q=0.1,fr;q=0.9", "fr"),
        (("fr",), "de-DE,de", "fr"),
        (("fi",), "de-DE", "de"),
        (("fi",), "fi", "en"),
        ((), "fr-BE;q=nonsense,;;,de;q=0", "en"),
        ((), "", "en"),
    ],
)
async def test_the_language_is_one_that_is_read_there_and_the_browser_asks_for(
    read_there: tuple[str, ...], accepted: str, expected: str
) -> None:
    assert choose_language(read_there, accepted) == expected


@given(header=st.text(max_size=300))
async def test_no_header_of_a_browser_raises(header: str) -> None:
    assert choose_language((), header) in catalogue()


@pytest.mark.parametrize(
    ("language", "words"),
    [("fr", "Accuser réception de cet avis"), ("de", "Empfang dieser Meldung bestätigen")],
)
async def test_the_page_speaks_the_readers_language(
    tmp_path: Path, language: str, words: str
) -> None:
    poc = make_recipient(0, certificate="")
    own = poc.contacts[0].model_copy(update={"languages": (language, "en")})
    reader = poc.model_copy(update={"contacts": (own, *poc.contacts[1:])})
    database = make_database(tmp_path, [reader], ewn())
    async with client(database) as web:
        page = await web.get(link())
        done = await web.post(link(), headers=BUTTON)
        english = await web.get(link(), headers={"Accept-Language": "en"})
        wrong = await web.get("/a/x", headers={"Accept-Language": language})
    assert f'<html lang="{language}">' in page.text
    assert words in page.text
    assert page.headers["Content-Language"] == language
    assert "Already acknowledged" in english.text
    assert "Already" not in done.text
    assert f'<html lang="{language}">' in wrong.text


async def test_every_language_says_everything() -> None:
    keys = {language: set(found) for language, found in catalogue().items()}
    assert len(keys) == 3
    assert len(set(map(frozenset, keys.values()))) == 1


@pytest.mark.parametrize("known", [True, False])
async def test_known_and_unknown_ids_are_limited_alike(tmp_path: Path, known: bool) -> None:
    tag, right, expiry, _ = link().removeprefix("/a/").split(".")
    one = right if known else "f" * 32
    async with client(database_of(tmp_path)) as web:
        statuses = [
            (await web.get(f"/a/{tag}.{one}.{expiry}.{secrets.token_urlsafe(33)}")).status_code
            for _ in range(40)
        ]
    assert statuses == [404] * int(BURST_BY_ADDRESS) + [429] * (40 - int(BURST_BY_ADDRESS))


async def test_a_campaign_is_guarded_against_guessers_from_many_addresses() -> None:
    guessing = Guessing(Clock())
    refused = [guessing.too_often(f"192.0.2.{n}/{n}", "campaign") for n in range(400)]
    assert refused.index(True) == BURST_BY_CAMPAIGN
    assert all(refused[int(BURST_BY_CAMPAIGN) :])
    assert not guessing.too_often("198.51.100.1", "another")


@given(takes=st.lists(st.floats(0, 5), max_size=60))
async def test_a_bucket_never_gives_more_than_its_burst_and_what_flows_in(
    takes: list[float],
) -> None:
    buckets, now, given_out = Buckets(5, 0.5), 0.0, 0
    for wait in takes:
        now += wait
        given_out += buckets.take("one", now)
        assert given_out <= 5 + now * 0.5 + 1e-6


async def test_no_number_of_guessers_fills_the_memory() -> None:
    buckets = Buckets(2, 0.0, most=10)
    for number in range(1_000):
        buckets.take(str(number), 0.0)
    assert len(buckets) == 10


async def test_an_empty_form_is_a_plain_acknowledgement() -> None:
    given_, readable = read_form(b"")
    assert (given_.answer, given_.person, readable) == (Answer.RECEIVED, "", True)
