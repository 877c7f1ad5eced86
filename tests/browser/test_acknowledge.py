"""The acknowledgement page in a real browser: by keyboard, on a phone, without a script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, ViewportSize, async_playwright

from console.app import create_app, make_server
from infra.database import Database
from infra.services.ports import Ports
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
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_load_state()
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
