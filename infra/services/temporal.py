"""Temporal's development server on loopback, with its state in ``HOME/temporal.db``.

SQLite with a write-ahead log and full synchronisation keeps what was confirmed over a power cut.
The four dynamic settings lift a throttle that a server with one shard puts on itself. Source:
design 5.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    GetSystemInfoRequest,
    UpdateNamespaceRequest,
)
from temporalio.service import ConnectConfig, RPCError, RPCStatusCode, ServiceClient

from infra.codec import tls_config
from infra.services import artefacts
from infra.services.ports import LOOPBACK, Ports
from infra.services.probe import answers
from infra.services.supervisor import Service
from infra.settings import TemporalSettings
from protocol.errors import ServiceDown

RETENTION = timedelta(days=30)
"""How long a closed workflow still refuses a second one of its id."""

SEARCH_ATTRIBUTES = {"LeerpStage": "Keyword", "LeerpClass": "Keyword", "LeerpExercise": "Bool"}

DYNAMIC_CONFIG = {
    "matching.numTaskqueueReadPartitions": 1,
    "matching.numTaskqueueWritePartitions": 1,
    "history.transferProcessorMaxPollRPS": 2000,
    "history.timerProcessorMaxPollRPS": 2000,
}
ADVICE = (
    "Look into that file. A full disk is the usual reason, or a 'temporal' command that is too old;"
    " 'leerp doctor' checks both. Then run the same command again: workflows go on where they were."
)
RPC_TIMEOUT = timedelta(seconds=10)


def prepare(
    home: Path, ports: Ports, settings: TemporalSettings
) -> tuple[Service, TemporalSettings]:
    """Say what to start and where it will be.

    Raises:
        ServiceDown: no Temporal on PATH or in the cache.
    """
    command = artefacts.temporal_command()
    if command is None:
        raise ServiceDown(
            f"Temporal is neither on PATH nor in the cache {artefacts.cache()}: run 'make setup',"
            " or name a server that runs elsewhere in LEERP_TEMPORAL__ADDRESS"
        )
    port = ports.pick("temporal")
    settings = settings.model_copy(update={"address": f"{LOOPBACK}:{port}"})
    options = [
        *("--ip", LOOPBACK, "--port", str(port), "--headless"),
        *("--http-port", str(ports.pick("temporal-http"))),
        *("--metrics-port", str(ports.pick("temporal-metrics"))),
        *("--db-filename", str(home / "temporal.db"), "--namespace", settings.namespace),
        *("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=full"),
        *("--log-level", "warn", "--disable-config-file", "--disable-config-env"),
    ]
    for key, number in DYNAMIC_CONFIG.items():
        options += ["--dynamic-config-value", f"{key}={number}"]
    for name, kind in SEARCH_ATTRIBUTES.items():
        options += ["--search-attribute", f"{name}={kind}"]
    service = Service(
        name="Temporal",
        argv=(str(command), "server", "start-dev", *options),
        log=home / "logs" / "temporal.log",
        advice=ADVICE,
        ready=lambda: _is_ready(settings),
    )
    return service, settings


async def check(settings: TemporalSettings) -> str:
    """Make sure that the server knows our namespace and search attributes; return its version.

    Raises:
        ServiceDown: it does not answer, or lacks one of them; the message has the command that adds
        it.
    """
    client = await _connect(settings)
    try:
        system = await client.workflow_service.get_system_info(
            GetSystemInfoRequest(), timeout=RPC_TIMEOUT
        )
        await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=settings.namespace), timeout=RPC_TIMEOUT
        )
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=settings.namespace), timeout=RPC_TIMEOUT
        )
    except RPCError as exc:
        if exc.status is not RPCStatusCode.NOT_FOUND:
            raise ServiceDown(f"Temporal at {settings.address} refused us: {exc.message}") from exc
        raise ServiceDown(
            f"Temporal at {settings.address} has no namespace {settings.namespace!r}: temporal"
            f" operator namespace create --retention {RETENTION.days}d"
            f" --address {settings.address} --namespace {settings.namespace}"
        ) from exc
    for name, kind in SEARCH_ATTRIBUTES.items():
        if name not in known.custom_attributes:
            raise ServiceDown(
                f"Temporal at {settings.address} lacks the search attribute {name}: temporal"
                f" operator search-attribute create --address {settings.address}"
                f" --namespace {settings.namespace} --name {name} --type {kind}"
            )
    return system.server_version


async def has_worker(settings: TemporalSettings) -> bool:
    """Whether a worker of ours asks for workflow tasks.

    Raises:
        ServiceDown: the server does not answer.
    """
    client = await _connect(settings)
    try:
        queue = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=settings.namespace,
                task_queue=TaskQueue(name=settings.task_queue),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            ),
            timeout=RPC_TIMEOUT,
        )
    except RPCError as exc:
        raise ServiceDown(f"Temporal at {settings.address} refused us: {exc.message}") from exc
    return bool(queue.pollers)


async def _is_ready(settings: TemporalSettings) -> bool:
    if not await answers(settings.address):
        return False
    try:
        await _keep_closed_workflows(settings)
        await check(settings)
    except (ServiceDown, RPCError):
        return False
    return True


async def _keep_closed_workflows(settings: TemporalSettings) -> None:
    """Set the retention; the server would forget closed workflows after a day."""
    client = await _connect(settings)
    retention = Duration()
    retention.FromTimedelta(RETENTION)
    await client.workflow_service.update_namespace(
        UpdateNamespaceRequest(
            namespace=settings.namespace,
            config=NamespaceConfig(workflow_execution_retention_ttl=retention),
        ),
        timeout=RPC_TIMEOUT,
    )


async def _connect(settings: TemporalSettings) -> ServiceClient:
    try:
        return await asyncio.wait_for(
            ServiceClient.connect(
                ConnectConfig(target_host=settings.address, tls=tls_config(settings))
            ),
            RPC_TIMEOUT.total_seconds(),
        )
    except (RuntimeError, TimeoutError) as exc:
        raise ServiceDown(
            f"Temporal does not answer at {settings.address}: is it running?"
        ) from exc
