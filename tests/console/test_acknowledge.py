from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from console.app import create_app, make_server
from infra.database import Database
from infra.tables import acknowledgement, relay
from infra.tables_audit import audit_row
from notifications.tokens import make_token
from tests.notifications.mailroom import CAMPAIGN, Clock, make_database, make_recipient, row_id
from tests.notifications.samples import NOW, ewn

pytestmark = pytest.mark.asyncio
KEY = bytes(range(32))
ORIGIN = "https://leerp.invalid"
BUTTON = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
"""What a browser sends with our form, whose page forbids the referrer."""


def database_of(folder: Path, *, exercise: bool = True, number: int = 2) -> Database:
    recipients = [make_recipient(n, certificate="") for n in range(number)]
    return make_database(folder, recipients, ewn(exercise=exercise))


def link(recipient_id: str = "poc-000", life: timedelta = timedelta(days=7)) -> str:
    token = make_token(
        KEY,
        notification_id=row_id(recipient_id),
        campaign_id=CAMPAIGN,
        recipient_id=recipient_id,
        contact=0,
        revision=0,
        expires_at=NOW + life,
    )
    return f"/a/{token}"


def client(database: Database, clock: Clock | None = None) -> httpx.AsyncClient:
    app = create_app(database, KEY, public_url=ORIGIN, clock=clock or Clock())
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url=ORIGIN, follow_redirects=True
    )


def count(database: Database) -> tuple[int, int, int]:
    """Acknowledgements, audit rows and relay rows: all that an acknowledgement may change."""
    with database.read() as connection:
        one, two, three = (
            connection.scalar(select(func.count()).select_from(table)) or 0
            for table in (acknowledgement, audit_row, relay)
        )
    return one, two, three


async def test_the_page_names_the_notice_and_shows_a_button(tmp_path: Path) -> None:
    async with client(database_of(tmp_path)) as web:
        page = await web.get(link())
    assert page.status_code == 200
    for words in ("Police 0", "INC-1", "Early Warning Notification", "TLP:", "UTC", "<button"):
        assert words in page.text
    assert "LEERP-INC-1-EWN-1" in page.text, "which version, as the mail's subject has it"
    above, _, below = page.text.partition("<form")
    for end in (above, below):
        assert 'role="note">EXERCISE' in end
        assert "TLP:AMBER PAP:RED" in end


async def test_outside_an_exercise_nothing_says_exercise(tmp_path: Path) -> None:
    async with client(database_of(tmp_path, exercise=False)) as web:
        assert "EXERCISE" not in (await web.get(link())).text


async def test_the_page_shows_nothing_of_what_the_notice_says(tmp_path: Path) -> None:
    async with client(database_of(tmp_path)) as web:
        page = await web.get(link())
    assert "Ransom" not in page.text
    assert "bad.example" not in page.text


async def test_no_link_scanner_acknowledges_by_looking(tmp_path: Path) -> None:
    database = database_of(tmp_path, number=50)
    before = count(database)
    async with client(database) as web:
        for number in range(50):
            for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"):
                await web.request(method, link(f"poc-{number:03}"), headers=BUTTON)
    assert count(database) == before


async def test_head_answers_like_get(tmp_path: Path) -> None:
    async with client(database_of(tmp_path)) as web:
        assert (await web.head(link())).status_code == 200


async def test_the_button_acknowledges_and_says_so(tmp_path: Path) -> None:
    database = database_of(tmp_path)
    async with client(database) as web:
        done = await web.post(link(), headers=BUTTON)
    assert done.status_code == 200
    assert "Thank you. Acknowledged at" in done.text
    assert "<button" not in done.text
    assert count(database) == (1, 1, 1)


async def test_a_repeat_shows_the_time_of_the_first(tmp_path: Path) -> None:
    database, clock = database_of(tmp_path), Clock()
    async with client(database, clock) as web:
        await web.post(link(), headers=BUTTON)
        clock.move(timedelta(hours=1))
        again = await web.post(link(), headers=BUTTON)
        looked = await web.get(link())
    for page in (again, looked):
        assert "Already acknowledged at" in page.text
        assert f"{NOW:%H:%M:%S UTC}" in page.text
    assert count(database) == (1, 2, 1)


async def test_fifty_posts_at_once_are_one_acknowledgement(tmp_path: Path) -> None:
    database = database_of(tmp_path)
    async with client(database) as web:
        answers = await asyncio.gather(*(web.post(link(), headers=BUTTON) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert sum("Thank you" in answer.text for answer in answers) == 1
    assert count(database) == (1, 50, 1)


async def test_a_wrong_link_among_good_ones_spoils_only_itself(tmp_path: Path) -> None:
    database = database_of(tmp_path)
    async with client(database) as web:
        good, bad, other = await asyncio.gather(
            *(web.post(path, headers=BUTTON) for path in (link(), "/a/x", link("poc-001")))
        )
    assert (good.status_code, bad.status_code, other.status_code) == (200, 404, 200)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_every_wrong_or_expired_link_gets_the_same_page_with_advice(
    tmp_path: Path, method: str
) -> None:
    wrong = [link()[:-1] + "!", link("poc-001")[:40], "/a/x", link(life=timedelta())]
    async with client(database_of(tmp_path)) as web:
        pages = [await web.request(method, path, headers=BUTTON) for path in wrong]
    assert {page.status_code for page in pages} == {404}
    assert len({page.text for page in pages}) == 1
    assert "newest mail" in pages[0].text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.invalid"},
        {"Origin": "https://leerp.invalid.evil.invalid"},
        {"Origin": "http://leerp.invalid"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://other.invalid"},
        {"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.invalid"},
        {"Sec-Fetch-Site": "none", "Origin": "null"},
    ],
)
async def test_a_post_from_elsewhere_changes_nothing(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    database = database_of(tmp_path)
    before = count(database)
    async with client(database) as web:
        answer = await web.post(link(), headers=headers)
    assert answer.status_code == 403
    assert "press the button" in answer.text
    assert count(database) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": ORIGIN},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": ORIGIN},
    ],
)
async def test_a_post_from_the_page_itself_is_taken(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    async with client(database_of(tmp_path)) as web:
        assert (await web.post(link(), headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "path",
    [link(), "/a/x", "/healthz", "/static/leerp.css", "/nothing"],
    ids=["link", "no link", "health", "style", "nothing"],
)
async def test_every_answer_carries_the_headers_that_keep_the_token_in(
    tmp_path: Path, path: str
) -> None:
    async with client(database_of(tmp_path)) as web:
        answer = await web.get(path)
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


async def test_the_page_needs_no_script_and_nothing_from_elsewhere(tmp_path: Path) -> None:
    async with client(database_of(tmp_path)) as web:
        page = await web.get(link())
        css = await web.get("/static/leerp.css")
    assert "<script" not in page.text
    linked = re.findall(r'(?:href|src|action)="([^"]*)"', page.text)
    assert linked == ["/static/leerp.css", link()]
    assert "style=" not in page.text
    assert css.headers["Content-Type"].startswith("text/css")
    assert '<html lang="en">' in page.text
    assert 'name="viewport"' in page.text


async def test_hostile_names_are_shown_as_text(tmp_path: Path) -> None:
    hostile = make_recipient(0, certificate="").model_copy(
        update={"organisation": '<script>alert(1)</script>"{{ 7*7 }}'}
    )
    database = make_database(tmp_path, [hostile], ewn())
    async with client(database) as web:
        page = await web.get(link())
    assert "<script>" not in page.text
    assert "{{ 7*7 }}" in page.text


async def test_health_is_told(tmp_path: Path) -> None:
    async with client(database_of(tmp_path)) as web:
        assert (await web.get("/healthz")).json() == {"status": "ok"}


@asynccontextmanager
async def served(database: Database) -> AsyncIterator[str]:
    server = make_server(
        create_app(database, KEY, public_url=ORIGIN, clock=Clock()), "127.0.0.1", 0
    )
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


async def test_a_real_server_acknowledges_and_logs_no_token(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    database = database_of(tmp_path)
    async with (
        served(database) as base,
        httpx.AsyncClient(base_url=base, follow_redirects=True, timeout=60) as web,
    ):
        for own in ("httpx", "httpcore"):  # the test's own client
            caplog.set_level(logging.WARNING, logger=own)
        shown = await web.get(link())
        done = await web.post(link(), headers=BUTTON)
        missed = await web.get("/a/wrong-token-1234")
    assert (shown.status_code, done.status_code, missed.status_code) == (200, 200, 404)
    assert "server" not in done.headers
    written = "".join(capfd.readouterr()) + caplog.text
    assert link().removeprefix("/a/") not in written
    assert "wrong-token-1234" not in written
    assert count(database) == (1, 1, 1)
