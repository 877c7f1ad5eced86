"""``leerp bounces`` as typed, and the part of the worker that does the same by itself."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
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
async def test_the_worker_reads_on_after_the_database_was_away(home: Path) -> None:
    with app(home) as opened, capture_logs() as logs:
        token = make_token(opened.keys.acknowledgement, "0" * 32)
        inbox = maildir(home / "inbox", notice(to=bounce_address("bounces@ec3.example", token)))
        _rename(opened, "notification", "away")
        stop = asyncio.Event()
        task = asyncio.create_task(keep_reading(reading(opened, maildir=inbox), stop))
        await until(lambda: sum(log["event"] == "notices_not_read" for log in logs) > 1)
        assert list((inbox / "new").iterdir()), "what was not written down is still new"
        _rename(opened, "away", "notification")
        await until(lambda: any(log["event"] == "notices_read" for log in logs))
        stop.set()
        await task
    away = [log for log in logs if log["event"] == "notices_not_read"]
    assert [log["failures"] for log in away] == list(range(1, len(away) + 1))
    assert {(log["log_level"], log["error"]) for log in away} == {("error", "OperationalError")}
    assert list((inbox / "cur").iterdir())


def _rename(opened: App, name: str, other: str) -> None:
    with opened.database.write() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {other}")


@pytest.mark.asyncio
async def test_a_defect_of_ours_is_not_kept_quiet(home: Path) -> None:
    inbox = maildir(home / "inbox", notice())
    with app(home) as opened:
        defective = replace(reading(opened, maildir=inbox), database=None)  # type: ignore[arg-type]
        with pytest.raises(AttributeError):
            await keep_reading(defective, asyncio.Event())


@pytest.mark.asyncio
async def test_without_an_inbox_the_worker_has_nothing_to_read(home: Path) -> None:
    with app(home) as opened:
        await keep_reading(opened, asyncio.Event())
        assert not opened.settings.delivery.bounces.is_read
