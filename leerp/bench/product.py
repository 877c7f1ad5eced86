"""The whole product on the bench: Temporal, a worker and intake with its relay, in one home."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import httpx
from sqlalchemy import func, select
from temporalio.client import Client

from infra.services import temporal
from infra.services.ports import LOOPBACK, PORTS_FILE, Ports
from infra.services.supervisor import Supervisor
from infra.settings import TemporalSettings
from infra.tables import incident, relay
from leerp.bench.gauge import Sample, samples
from leerp.bench.ground import Ground, Home
from leerp.bench.progress import Timeline
from leerp.bench.subject import GAUGE, GAUGE_FILE
from leerp.bench.watch import Memory, Watch, looking_at
from protocol.errors import ServiceDown

REQUESTS = re.compile(r"^service_requests\{(?P<labels>[^}]*)\} (?P<count>\S+)$", re.MULTILINE)
WITHOUT_WORK = (
    *("GetSystemInfo", "DescribeNamespace", "UpdateNamespace", "OperatorListSearchAttributes"),
    *("DescribeTaskQueue", "PollWorkflowTaskQueue", "PollActivityTaskQueue", "PollNexusTaskQueue"),
)
"""Calls that come by the clock or at the start, and not because of a report."""
METRICS_SECONDS = 3.0
"""After which the server's counters show what was called."""
LOOK_EVERY = 0.2
FIRST = 10
"""Records of each partition that a process has settled when it is up and at rest."""
RELAY_SECONDS = 60.0


class Cost(NamedTuple):
    """What Temporal had to do."""

    calls: int
    events: int
    workflows: int


@dataclass(slots=True, kw_only=True)
class Product:
    """A running product; ``memories`` by the name of the process."""

    home: Home
    watch: Watch
    supervisor: Supervisor
    temporal: TemporalSettings
    memories: Mapping[str, Memory]
    cpu_before: dict[str, float] = field(default_factory=dict)
    begun: int = 0

    async def settle(
        self, expected: int, told: Callable[[int], None], *, before: int = 0
    ) -> Timeline:
        """Look until so many records are settled; CPU time is counted from the first batch on.

        Raises:
            ServiceDown: a process ended, or nothing moves.
        """

        def heard(settled: int) -> None:
            if not self.cpu_before:
                self.cpu_before = self._cpu()
                self.begun = settled
            told(settled)

        async with looking_at(self.memories.values()):
            return await self.supervisor.guard(
                self.watch.until_settled(expected, heard, before=before)
            )

    def cpu_per_thousand(self, settled: int) -> dict[str, float]:
        """Seconds of each process for 1,000 reports, between the first batch and now."""
        return {
            name: (spent - self.cpu_before[name]) * 1_000 / max(1, settled - self.begun)
            for name, spent in self._cpu().items()
        }

    async def until_told(self) -> None:
        """Wait until the relay has told every workflow, and the server's counters show it.

        Raises:
            ServiceDown: after a minute of quiet some workflow was still not told.
        """
        try:
            async with asyncio.timeout(RELAY_SECONDS):
                while self._waiting():
                    await asyncio.sleep(LOOK_EVERY)
        except TimeoutError as exc:
            raise ServiceDown(
                f"the relay has not told every workflow within {RELAY_SECONDS:.0f} s: run the bench"
                " again with --keep FOLDER, and look into the logs there"
            ) from exc
        await asyncio.sleep(METRICS_SECONDS)

    async def cost(self) -> Cost:
        """Calls with work in them since the server's start, and events of all incident workflows."""
        calls = await self._calls()
        client = await Client.connect(self.temporal.address, namespace=self.temporal.namespace)
        events = 0
        detected = self.detected()
        for incident_id in detected:
            found = await client.get_workflow_handle(f"incident-{incident_id}").describe()
            events += found.history_length
        return Cost(calls=calls, events=events, workflows=len(detected))

    def detected(self) -> list[str]:
        """Incidents with a workflow."""
        with self.watch.database.read() as connection:
            return list(
                connection.scalars(select(incident.c.id).where(incident.c.status == "detected"))
            )

    def samples(self) -> list[Sample]:
        """What the gauge inside intake has written so far."""
        return samples(self.home.folder / GAUGE_FILE)

    def _cpu(self) -> dict[str, float]:
        for memory in self.memories.values():
            memory.look()
        return {name: memory.cpu for name, memory in self.memories.items()}

    def _waiting(self) -> int:
        with self.watch.database.read() as connection:
            return (
                connection.scalar(
                    select(func.count()).select_from(relay).where(relay.c.done.is_(False))
                )
                or 0
            )

    async def _calls(self) -> int:
        port = json.loads((self.home.folder / PORTS_FILE).read_text())["temporal-metrics"]
        async with httpx.AsyncClient(trust_env=False) as client:
            text = (await client.get(f"http://{LOOPBACK}:{port}/metrics")).text
        calls = 0.0
        for found in REQUESTS.finditer(text):
            labels = dict(re.findall(r'(\w+)="([^"]*)"', found["labels"]))
            if (
                labels["service_name"] == "frontend"
                and labels["namespace"] == self.temporal.namespace
                and labels["operation"] not in WITHOUT_WORK
            ):
                calls += float(found["count"])
        return round(calls)


@asynccontextmanager
async def product(
    ground: Ground, begin_at: Mapping[tuple[str, int], int] | None = None
) -> AsyncIterator[Product]:
    """Everything up, in an own home, with intake going on from ``begin_at``.

    Raises:
        ServiceDown: one of the processes does not start.
    """
    async with ground.home() as home, Supervisor() as supervisor:
        home.furnish(begin_at)
        ports = Ports(home.folder)
        service, settings = temporal.prepare(home.folder, ports, TemporalSettings())
        server = await supervisor.start(service)
        home.environment["LEERP_TEMPORAL__ADDRESS"] = settings.address
        place = str(home.folder)
        worker = await supervisor.start(
            replace(
                home.service("worker", "leerp", "worker", "--home", place),
                ready=lambda: temporal.has_worker(settings),
            )
        )
        with closing(Watch(home.url)) as watch:
            intake = await supervisor.start(
                home.service("intake", "leerp.bench.subject", place, GAUGE)
            )
            yield Product(
                home=home,
                watch=watch,
                supervisor=supervisor,
                temporal=settings,
                memories={
                    "intake": Memory(intake.process.pid),
                    "worker": Memory(worker.process.pid),
                    "temporal": Memory(server.process.pid),
                    "kafka": Memory(ground.broker),
                },
            )
