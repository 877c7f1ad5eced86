"""``leerp bounces`` as typed, and the part of the worker that does the same by itself."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from infra.bootstrap import App, app
from infra.settings import BounceSettings
from leerp.bounces import keep_reading
from notifications.envelopes import bounce_address, make_token
from tests.e2e.support import until
from tests.leerp.typed import DONE, DOWN, Run
from tests.notifications.notices import maildir, notice

pytestmark = pytest.mark.requirement("R33")


def test_what_came_back_is_counted(home: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = maildir(home / "inbox", notice(), notice(text="another"))
    monkeypatch.setenv("LEERP_DELIVERY__BOUNCES__MAILDIR", str(inbox))
    said = run("bounces", "read", "--json")
    assert said.code == DONE
    assert json.loads(said.out)["foreign"] == 2
    assert json.loads(run("bounces", "read", "--json").out)["foreign"] == 0


def test_without_an_inbox_it_is_said_how_to_name_one(run: Run) -> None:
    said = run("bounces", "read")
    assert said.code == DOWN
    assert "LEERP_DELIVERY__BOUNCES__MAILDIR" in said.err


def reading(opened: App, **bounces: object) -> App:
    delivery = opened.settings.delivery.model_copy(
        update={"bounces": BounceSettings.model_validate({"every": "PT0.05S", **bounces})}
    )
    settings = opened.settings.model_copy(update={"delivery": delivery})
    return App(settings=settings, database=opened.database, keys=opened.keys)


@pytest.mark.asyncio
async def test_the_worker_reads_on_after_the_inbox_was_away(home: Path) -> None:
    inbox = home / "inbox"
    with app(home) as opened, capture_logs() as logs:
        stop = asyncio.Event()
        task = asyncio.create_task(keep_reading(reading(opened, maildir=inbox), stop))
        await until(lambda: any(log["event"] == "inbox_away" for log in logs))
        token = make_token(bytes(32), "0" * 32)
        maildir(inbox, notice(to=bounce_address("bounces@ec3.example", token)))
        await until(lambda: list((inbox / "cur").iterdir()))
        stop.set()
        await task
    assert [log["foreign"] for log in logs if log["event"] == "notices_read"] == [1]


@pytest.mark.asyncio
async def test_without_an_inbox_the_worker_has_nothing_to_read(home: Path) -> None:
    with app(home) as opened:
        await keep_reading(opened, asyncio.Event())
        assert not opened.settings.delivery.bounces.is_read
