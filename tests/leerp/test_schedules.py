"""The schedule of the self-audit on a real server: made once, and brought up to the settings."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client

from infra.services import temporal
from infra.services.ports import Ports
from infra.services.supervisor import Supervisor
from infra.settings import Settings, TemporalSettings, WatchSettings
from leerp.schedules import SELF_AUDIT, ensure_self_audit


@pytest.mark.services
@pytest.mark.asyncio
async def test_every_worker_ensures_it_and_there_is_one(tmp_path: Path) -> None:
    async with Supervisor() as supervisor:
        service, server = temporal.prepare(tmp_path, Ports(tmp_path), TemporalSettings())
        await supervisor.start(service)
        client = await Client.connect(server.address, namespace=server.namespace)
        settings = Settings(home=tmp_path, temporal=server)
        for minutes in (10, 3, 3):
            watch = WatchSettings(every=timedelta(minutes=minutes))
            await ensure_self_audit(client, settings.model_copy(update={"watch": watch}))
        found = await client.get_schedule_handle(SELF_AUDIT).describe()
    (interval,) = found.schedule.spec.intervals
    assert interval.every == timedelta(minutes=3)
