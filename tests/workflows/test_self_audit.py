"""The self-audit as Temporal runs it: notices go out once, and a sign of life only when all is well."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import update

from activities.self_audit import AuditOutcome
from infra.tables import notification
from tests.workflows.cast import MANAGER_DESK, address
from tests.workflows.conftest import Houses
from tests.workflows.house import House
from tests.workflows.test_campaign import warning
from workflows.self_audit import SelfAudit

pytestmark = [pytest.mark.asyncio, pytest.mark.temporal]


@asynccontextmanager
async def listener() -> AsyncIterator[tuple[str, list[bytes]]]:
    """Somebody outside who waits for a sign of life: the address, and what was asked for."""
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0])
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/alive", heard


async def go_round(home: House) -> AuditOutcome:
    name = f"self-audit-{uuid.uuid4()}"
    done = await home.env.client.execute_workflow(
        SelfAudit.run, id=name, task_queue=home.app.settings.temporal.task_queue
    )
    home.also_replay(name)
    return done


@pytest.mark.requirement("R33")
async def test_a_sign_of_life_is_given_only_when_all_is_well_and_a_finding_is_mailed_once(
    houses: Houses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listener() as (url, heard):
        monkeypatch.setenv("LEERP_WATCH__PING_URL", url)
        async with houses.built(tmp_path) as home:
            notice, _ = await warning(home)
            assert (await go_round(home)).findings == 0
            assert heard == [b"GET /alive HTTP/1.1"]

            with home.database.write() as connection:
                connection.execute(
                    update(notification)
                    .where(
                        notification.c.campaign_id == notice,
                        notification.c.recipient_id == "interpol",
                    )
                    .values(state="refused")
                )
            first = await go_round(home)
            assert [step.campaign_id for step in first.notices] == [f"{notice}.audit.1"]
            await home.until_sent(f"{notice}.audit.1")
            assert home.recipients(f"{notice}.audit.1") == {MANAGER_DESK}
            again = await go_round(home)
            assert (again.findings, again.notices) == (first.findings, ())
            assert len(heard) == 1
            to_manager = [to for to, _, _ in home.sink.taken if to == address(MANAGER_DESK)]
            assert len(to_manager) == 1
