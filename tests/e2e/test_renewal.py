"""A long incident goes on in new runs and nobody notices: no stage, notice or decision twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from infra import audit
from infra.bootstrap import app
from infra.tables import campaign, stage_log
from infra.tables_decisions import decision
from leerp.demo.journal import Journal
from leerp.demo.officers import Officers
from leerp.up import own_processes
from notifications.campaigns import recipients_of
from notifications.directory_import import import_directory
from protocol.stages import Stage
from tests.conftest import running
from tests.e2e.support import acknowledge_all, directory, numbered_report, publish, running_task
from tests.notifications.standing import confirm_partners

pytestmark = [pytest.mark.asyncio, pytest.mark.services, pytest.mark.timeout(300)]

FEW_EVENTS = 40
"""After which a run renews itself: several times in one incident."""


@pytest.mark.requirement("R3", "R16", "R49")
async def test_an_incident_of_many_runs_passes_each_stage_and_sends_each_notice_once(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    renewing = {"renew_after_events": FEW_EVENTS}
    async with running(home, processes=own_processes, clock_factor=10.0, temporal=renewing):
        with app(home) as opened:
            import_directory(opened.database, directory(12), by="test")
            confirm_partners(opened.database)
            client = await opened.temporal()
            all_reported = asyncio.Event()
            officers = Officers(opened, client, Journal())
            async with running_task(officers.respond(all_reported)) as response:
                await publish(opened.settings, [numbered_report("long", n) for n in range(5)])
                all_reported.set()
                async with running_task(acknowledge_all(opened)):
                    incident = await asyncio.wait_for(response, 200)
            runs = [
                found
                async for found in client.list_workflows(f"WorkflowId = 'incident-{incident}'")
            ]
            with opened.database.read() as connection:
                stages = list(
                    connection.scalars(select(stage_log.c.stage).order_by(stage_log.c.number))
                )
                notices = set(connection.scalars(select(campaign.c.id)))
                commands = list(connection.scalars(select(decision.c.command)))
                initial = recipients_of(connection, f"{incident}.initial.1")
                closure = recipients_of(connection, f"{incident}.closure.1")
                assert audit.verify(connection).verified

    assert len(runs) >= 3
    assert stages == [str(stage) for stage in Stage]
    assert {
        f"{incident}.{kind}.1" for kind in ("initial", "ewn", "invitation", "plan", "closure")
    } <= notices
    assert closure == initial
    for gate in ("launch", "ewn-release", "plan-adoption", "closure"):
        assert commands.count(f"{gate}-approved") == 1
