"""The embedded Temporal: real starts and stops."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.operatorservice.v1 import RemoveSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from infra.services import temporal as embedded
from infra.services.ports import PORTS_FILE, Ports
from infra.services.supervisor import Supervisor
from infra.settings import TemporalSettings
from protocol.errors import ServiceDown

pytestmark = [pytest.mark.services, pytest.mark.asyncio]


@workflow.defn(name="Waits")
class Waits:
    """Runs until somebody lets it go."""

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


async def client_of(settings: TemporalSettings) -> Client:
    return await Client.connect(settings.address, namespace=settings.namespace)


async def retention(client: Client, namespace: str) -> timedelta:
    described = await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=namespace)
    )
    return described.config.workflow_execution_retention_ttl.ToTimedelta()


async def test_workflows_and_settings_outlive_a_restart_on_another_port(tmp_path: Path) -> None:
    service, first = embedded.prepare(tmp_path, Ports(tmp_path), TemporalSettings())
    async with Supervisor() as supervisor:
        await supervisor.start(service)
        client = await client_of(first)
        assert await retention(client, "leerp") == timedelta(days=30)
        await client.start_workflow(
            Waits.run,
            id="incident-1",
            task_queue="leerp",
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(SearchAttributeKey.for_keyword("LeerpStage"), "detection"),
                    SearchAttributePair(SearchAttributeKey.for_keyword("LeerpClass"), "C4"),
                    SearchAttributePair(SearchAttributeKey.for_bool("LeerpExercise"), True),
                ]
            ),
        )

    (tmp_path / PORTS_FILE).unlink()
    service, second = embedded.prepare(tmp_path, Ports(tmp_path), TemporalSettings())
    async with Supervisor() as supervisor:
        await supervisor.start(service)
        client = await client_of(second)
        described = await client.get_workflow_handle("incident-1").describe()
        assert second.address != first.address
        assert described.status is WorkflowExecutionStatus.RUNNING
        assert await retention(client, "leerp") == timedelta(days=30)


async def test_a_worker_is_seen_by_the_readiness_check(tmp_path: Path) -> None:
    service, settings = embedded.prepare(tmp_path, Ports(tmp_path), TemporalSettings())
    async with Supervisor() as supervisor:
        await supervisor.start(service)
        assert not await embedded.has_worker(settings)
        worker = Worker(
            await client_of(settings),
            task_queue=settings.task_queue,
            workflows=[Waits],
            workflow_runner=UnsandboxedWorkflowRunner(),
        )
        async with worker, asyncio.timeout(90):
            while not await embedded.has_worker(settings):
                assert worker.is_running


async def test_what_a_server_lacks_is_named_with_the_command_that_adds_it(
    tmp_path: Path,
) -> None:
    service, settings = embedded.prepare(tmp_path, Ports(tmp_path), TemporalSettings())
    async with Supervisor() as supervisor:
        await supervisor.start(service)
        elsewhere = settings.model_copy(update={"namespace": "elsewhere"})
        with pytest.raises(ServiceDown, match="namespace create --retention 30d"):
            await embedded.check(elsewhere)
        client = await client_of(settings)
        await client.operator_service.remove_search_attributes(
            RemoveSearchAttributesRequest(
                namespace=settings.namespace, search_attributes=["LeerpClass"]
            )
        )
        with pytest.raises(ServiceDown, match=r"search-attribute create .* --name LeerpClass"):
            await embedded.check(settings)


async def test_without_the_command_the_way_to_get_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ServiceDown, match="make setup"):
        embedded.prepare(tmp_path, Ports(tmp_path), TemporalSettings())
