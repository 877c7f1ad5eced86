"""20,000 reports and 300 recipients: what Temporal holds stays small and says nothing in clear."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import func, select
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    ListWorkflowExecutionsRequest,
)
from temporalio.client import Client

from infra import audit
from infra.bootstrap import App, app
from infra.tables import report
from leerp.demo.journal import Journal
from leerp.demo.officers import Officers
from leerp.up import own_processes
from notifications.campaigns import recipients_of
from notifications.directory_import import import_directory
from notifications.followups import counts
from tests.conftest import running
from tests.e2e.support import (
    SECRET_NAME,
    SECRET_TITLE,
    SHARED_HASH,
    acknowledge_all,
    directory,
    numbered_report,
    publish,
    running_task,
    until,
)
from tests.notifications.standing import confirm_partners

pytestmark = [pytest.mark.asyncio, pytest.mark.services, pytest.mark.timeout(420)]

REPORTS = 20_000
RECIPIENTS = 300
EVENT_LIMIT = 500
SECRETS = (SECRET_TITLE, SECRET_NAME, SHARED_HASH, "test.invalid", "Organisation", "Hospital")


@pytest.mark.requirement("R3", "R33", "R49")
async def test_histories_stay_small_and_hold_no_text_whatever_the_number_of_reports_and_recipients(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    async with running(home, processes=own_processes, clock_factor=10.0):
        with app(home) as opened:
            import_directory(opened.database, directory(RECIPIENTS), by="test")
            confirm_partners(opened.database)
            client = await opened.temporal()
            all_reported = asyncio.Event()
            officers = Officers(opened, client, Journal())
            async with running_task(officers.respond(all_reported)) as response:
                bodies = [numbered_report("big", number) for number in range(REPORTS)]
                for start in range(0, REPORTS, 1_000):
                    await publish(opened.settings, bodies[start : start + 1_000])
                await until(lambda: _stored(opened) == REPORTS)
                all_reported.set()
                async with running_task(acknowledge_all(opened)):
                    incident = await asyncio.wait_for(response, 240)
            histories = await _raw_histories(client, opened.settings.temporal.namespace)
            assert_small_and_silent(opened, incident, histories)


def assert_small_and_silent(
    opened: App, incident: str, histories: dict[str, tuple[int, bytes]]
) -> None:
    assert f"incident-{incident}" in histories
    assert sum(events for events, _ in histories.values()) < EVENT_LIMIT
    for name, (_, raw) in histories.items():
        for secret in SECRETS:
            assert secret.encode() not in raw, f"{secret!r} stands in the history of {name}"
            assert secret not in name
    with opened.database.read() as connection:
        initial = recipients_of(connection, f"{incident}.initial.1")
        warned = counts(connection, f"{incident}.ewn.1")
        assert len(initial) == RECIPIENTS
        assert recipients_of(connection, f"{incident}.closure.1") == initial
        assert warned.accepted == warned.acknowledged == RECIPIENTS
        assert audit.verify(connection).verified


def _stored(opened: App) -> int:
    with opened.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(report)) or 0


async def _raw_histories(client: Client, namespace: str) -> dict[str, tuple[int, bytes]]:
    """Workflow id to number of events and the bytes that the server gives, as an outsider sees them."""
    listed = await client.workflow_service.list_workflow_executions(
        ListWorkflowExecutionsRequest(namespace=namespace, page_size=200)
    )
    found: dict[str, tuple[int, bytes]] = {}
    for info in listed.executions:
        execution = WorkflowExecution(
            workflow_id=info.execution.workflow_id, run_id=info.execution.run_id
        )
        events, raw, token = 0, info.SerializeToString(), b""
        while True:
            page = await client.workflow_service.get_workflow_execution_history(
                GetWorkflowExecutionHistoryRequest(
                    namespace=namespace, execution=execution, next_page_token=token
                )
            )
            events += len(page.history.events)
            raw += page.history.SerializeToString()
            token = page.next_page_token
            if not token:
                break
        found[info.execution.workflow_id] = (events, raw)
    return found
