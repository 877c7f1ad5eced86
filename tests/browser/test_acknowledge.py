"""The acknowledgement page in a real browser: by keyboard, on a phone, without a script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, ViewportSize, async_playwright
from sqlalchemy import select

from console.app import create_app, make_server
from infra.database import Database
from infra.services.ports import Ports
from infra.tables_acknowledgement import answer
from notifications.reader_words import catalogue
from tests.console.test_acknowledge import KEY, count, database_of, link
from tests.notifications.mailroom import Clock

pytestmark = [pytest.mark.asyncio, pytest.mark.services]

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PHONE = ViewportSize(width=360, height=640)


@asynccontextmanager
async def served(database: Database, folder: Path) -> AsyncIterator[str]:
    """The application on a real port of loopback; its address."""
    port = Ports(folder).pick("console")
    address = f"http://127.0.0.1:{port}"
    server = make_server(
        create_app(database, KEY, public_url=address, clock=Clock()), "127.0.0.1", port
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield address
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium, without a network beyond loopback."""
    async with async_playwright() as play:
        opened = await play.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        try:
            yield opened
        finally:
            await opened.close()


async def complaining(page: Page) -> list[str]:
    """What the page's console complains of from now on, such as a breach of its own policy."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    page.on("console", listen)
    return complaints


@pytest.mark.requirement("R33")
async def test_a_point_of_contact_acknowledges_by_keyboard_and_sees_it_confirmed(
    tmp_path: Path,
) -> None:
    database = database_of(tmp_path)
    async with served(database, tmp_path) as address, browser() as chromium:
        page = await chromium.new_page(java_script_enabled=False)
        complaints = await complaining(page)
        await page.goto(address + link())
        assert count(database)[0] == 0, "looking is not acknowledging"
        await page.keyboard.press("Tab")  # to the answer that is set
        await page.keyboard.press("Enter")
        await page.wait_for_url("**note=done")
        confirmed = await page.inner_text("body")

        assert count(database)[0] == 1
        assert "acknowledged" in confirmed.lower()
        assert "EXERCISE" in confirmed
        await page.goto(address + link())
        assert "already acknowledged" in (await page.inner_text("body")).lower()
        assert complaints == []


async def test_the_page_fits_a_phone_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    database = database_of(tmp_path)
    async with served(database, tmp_path) as address, browser() as chromium:
        page = await chromium.new_page(viewport=PHONE)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(address + link())
        width = await page.evaluate("document.documentElement.scrollWidth")
        button = await page.locator("button").bounding_box()

    assert width <= PHONE["width"]
    assert button is not None
    assert button["height"] >= 40
    assert all(url.startswith(address) for url in asked)


async def test_a_page_of_another_site_cannot_acknowledge_for_the_reader(tmp_path: Path) -> None:
    database = database_of(tmp_path)
    async with served(database, tmp_path) as address, browser() as chromium:
        page = await chromium.new_page()
        await page.goto("data:text/html,<p>elsewhere</p>")
        await page.set_content(
            f'<form method="post" action="{address + link()}"><button>win</button></form>'
        )
        await page.click("button")
        await page.wait_for_load_state()

    assert count(database)[0] == 0


@pytest.mark.parametrize("language", ["en", "fr", "de"])
async def test_an_answer_with_a_contact_is_given_on_a_phone_without_scripts(
    tmp_path: Path, language: str
) -> None:
    database = database_of(tmp_path)
    say = catalogue()[language]
    async with served(database, tmp_path) as address, browser() as chromium:
        page = await chromium.new_page(
            viewport=PHONE, java_script_enabled=False, locale=language, has_touch=True
        )
        await page.goto(address + link())
        # The contact reads English; a browser in another language is not followed.
        await page.get_by_text(catalogue()["en"]["answer_need-help"], exact=True).tap()
        await page.locator("summary").tap()
        await page.locator("input[name=person]").fill("Ana Ruiz")
        await page.locator("input[name=phone]").fill("+34 911 23 45 67")
        await page.screenshot(path=tmp_path / "form.png", full_page=True)
        await page.get_by_role("button").click()
        await page.wait_for_url("**note=done")
        await page.screenshot(path=tmp_path / "done.png", full_page=True)
        shown = await page.inner_text("main")
        await page.goto(f"{address}/a/x")
        wrong = await page.inner_text("main")
        await page.goto(f"{address + link()}?change=1")
        small = await page.locator("label.choice").evaluate_all("found => found.length")
        boxes = [await each.bounding_box() for each in await page.locator("label.choice").all()]

    with database.read() as connection:
        row = connection.execute(select(answer)).one()
    assert (row.answer, row.person, row.phone) == ("need-help", "Ana Ruiz", "+34 911 23 45 67")
    assert "duty manager is told at once" in shown
    assert say["invalid_title"] in wrong
    assert small == 4
    assert all(box is not None and box["height"] >= 44 for box in boxes)


async def test_the_form_is_spoken_for_with_names_and_roles(tmp_path: Path) -> None:
    database = database_of(tmp_path)
    async with served(database, tmp_path) as address, browser() as chromium:
        page = await chromium.new_page(viewport=PHONE)
        await page.goto(f"{address + link()}?change=1")
        for answer_ in ("Received", "Acting", "We need help", "Wrong addressee"):
            assert await page.get_by_role("radio", name=answer_).count() == 1
        await page.locator("summary").click()
        for label in ("Name", "Telephone, with country code"):
            assert await page.get_by_label(label).is_visible()
        width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
