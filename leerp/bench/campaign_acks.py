"""The rounds of acknowledgements by POST: against a bare application's (R14), and under guesses (F-A4)."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from infra.database import Database
from infra.keys import load_keys
from infra.services.ports import LOOPBACK, Ports
from infra.services.probe import answers
from infra.services.supervisor import Service, Supervisor
from infra.tables import acknowledgement, notification
from leerp.bench.campaign_ground import CampaignGround
from leerp.bench.campaign_relay import round_of
from leerp.bench.ground import Home
from leerp.bench.processes import output_of
from leerp.bench.ratios import Round
from notifications.tokens import make_token
from protocol.errors import ServiceDown

LIFETIME = timedelta(days=1)
GOOD = 1_800
"""Links that are answered while somebody guesses, or just before or after."""
ADVICE = "Run the bench again with --keep FOLDER, and look into the logs there."


@asynccontextmanager
async def bare_application(folder: Path) -> AsyncIterator[int]:
    """The control while the block runs; its port."""
    port = Ports(folder).pick("control")
    async with Supervisor() as supervisor:
        await supervisor.start(
            Service(
                name="control",
                argv=(sys.executable, "-m", "leerp.bench.ack_control", str(port)),
                log=folder / "logs" / "control.log",
                advice=ADVICE,
                ready=lambda: answers(f"{LOOPBACK}:{port}"),
            )
        )
        yield port


async def acknowledge_round(ground: CampaignGround, clients: int, control: int) -> Round:
    """Answers a second of control, subject and control; everybody acknowledges once.

    Raises:
        ServiceDown: a process failed, or an acknowledgement was not recorded.
    """
    async with _console(ground) as (home, port, url):
        paths = _paths(home)
        arguments = (str(clients), url, _file_of(home, paths))
        before = await _rate(control, arguments, len(paths), 204)
        subject = await _rate(port, arguments, len(paths), 303)
        after = await _rate(control, arguments, len(paths), 204)
        _require_recorded(home, len(paths))
    return round_of(subject, (before, after))


async def guessed_round(ground: CampaignGround) -> Round:
    """The 99th percentile of good links' answers in ms: while somebody guesses, and without (F-A4).

    Raises:
        ServiceDown: a guess was answered as a good link, or a good link was not taken.
    """
    async with _console(ground) as (home, port, url):
        paths = _paths(home)[:GOOD]
        client = "leerp.bench.guess_client"
        said = json.loads(await output_of(client, str(port), url, _file_of(home, paths)))
        if said["good"] != {"303": len(paths)} or not said["guessed"].keys() <= {"404", "429"}:
            raise ServiceDown(f"good links and guesses were answered so: {said}. {ADVICE}")
        _require_recorded(home, len(paths))
    before, during, after = (said[part] * 1_000 for part in ("before", "during", "after"))
    return round_of(during, (before, after))


@asynccontextmanager
async def _console(ground: CampaignGround) -> AsyncIterator[tuple[Home, int, str]]:
    port = Ports(ground.folder).pick("console")
    bind = f"{LOOPBACK}:{port}"
    url = f"http://{bind}"
    with ground.home(LEERP_CONSOLE_URL=url, LEERP_CONSOLE_BIND=bind) as home:
        console = home.service("console", "leerp", "console", "--home", str(home.folder))
        async with Supervisor() as supervisor:
            await supervisor.start(replace(console, ready=lambda: answers(bind)))
            yield home, port, url


def _file_of(home: Home, paths: list[str]) -> str:
    file = home.folder / "paths"
    file.write_text("\n".join(paths))
    return str(file)


async def _rate(port: int, arguments: tuple[str, ...], count: int, status: int) -> float:
    said: dict[str, Any] = json.loads(
        await output_of("leerp.bench.ack_client", str(port), *arguments)
    )
    if said["statuses"] != {str(status): count}:
        raise ServiceDown(f"not every one of {count} got {status}: {said['statuses']}. {ADVICE}")
    return float(count / said["seconds"])


def _paths(home: Home) -> list[str]:
    key = load_keys(home.folder / "keys").acknowledgement
    expires = datetime.now(UTC) + LIFETIME
    with closing(Database(home.url)) as database, database.read() as connection:
        rows = connection.execute(select(notification).order_by(notification.c.cursor)).all()
    return [
        "/a/"
        + make_token(
            key,
            notification_id=row.id,
            campaign_id=row.campaign_id,
            recipient_id=row.recipient_id,
            contact=row.contact,
            revision=row.revision,
            expires_at=expires,
        )
        for row in rows
    ]


def _require_recorded(home: Home, count: int) -> None:
    with closing(Database(home.url)) as database, database.read() as connection:
        found = connection.scalar(select(func.count()).select_from(acknowledgement))
    if found != count:
        raise ServiceDown(f"{found} of {count} acknowledgements are in the database")
