"""The ground on which faults happen: real broker, real processes, a database for each test."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import TopicPartition
from sqlalchemy import func, insert, select

from infra import audit, endpoints, kafka
from infra.bootstrap import App
from infra.database import Database
from infra.intake_limits import IntakeSettings
from infra.keys import load_keys
from infra.services import child, temporal
from infra.settings import KafkaSettings, Settings
from infra.tables import consumer_offset, quarantine, report
from intake.brakes import Quota, no_quota
from intake.consumer import run_intake
from intake.holds import list_holds
from intake.status import told
from protocol.errors import ServiceDown
from protocol.parties import SourceGroup
from tests.e2e.support import process, publish, until
from tests.faults.storm import Storm, incidents_of
from tests.infra.processes import has_ended
from tests.intake.samples import clusters

READY_SECONDS = 60


@dataclass
class Victim:
    """A service that this test process has started: found, killed, frozen, and started again."""

    mark: str
    """Stands in its command line, with the home."""
    home: Path
    answers: Callable[[], Awaitable[object]]
    _argv: list[str] = field(default_factory=list)
    _again: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def pid(self) -> int:
        (pid,) = self._pids()
        return pid

    def _pids(self) -> list[int]:
        """None when it has ended; then its command line is known from before."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            line = " ".join(argv := _argv_of(folder))
            if self.mark in line and str(self.home) in line and "child.py" not in line:
                self._argv = argv
                found.append(int(folder.name))
        return found

    def kill(self) -> None:
        """SIGKILL, and gone."""
        pid = self.pid()
        os.kill(pid, signal.SIGKILL)
        assert has_ended(pid)
        for one in self._again:
            one.poll()

    async def start(self) -> None:
        """Start it with the same command line, and wait until it answers."""
        self._spawn()
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                await self.answers()
            except ServiceDown:
                assert time.monotonic() < deadline, f"{self.mark} does not come back"
                await asyncio.sleep(0.1)
            else:
                return

    async def revive(self) -> None:
        """Start it again if it has ended by itself, as who looks after it would."""
        if not self._pids():
            await self.start()

    def _spawn(self) -> None:
        with (self.home / "logs" / f"again-{self.mark}.log").open("ab") as out:
            self._again.append(
                subprocess.Popen(
                    child.dying_with_us(*self._argv),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                )
            )

    def put_away(self) -> None:
        """End what ``start`` has started."""
        for one in self._again:
            if one.poll() is None:
                one.terminate()
                one.wait(30)


@dataclass(frozen=True, slots=True)
class Services:
    """Broker and Temporal server that the tests of faults share."""

    settings: Settings
    broker: Victim
    temporal: Victim


def services_of(settings: Settings) -> Services:
    """Those that run for this home."""
    return Services(
        settings=settings,
        broker=Victim("kafka.Kafka", settings.home, lambda: kafka.existing_topics(settings.kafka)),
        temporal=Victim("start-dev", settings.home, lambda: temporal.check(settings.temporal)),
    )


@dataclass(frozen=True, slots=True)
class Ground:
    """A home with an empty database; its intake begins where the topics end now."""

    settings: Settings
    database: Database
    begun_at: int
    """Where all partitions together were then."""

    def intake(self) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """An intake process of its own."""
        return process(self.settings, "intake")

    @asynccontextmanager
    async def intake_here(self, quota: Quota = no_quota) -> AsyncIterator[None]:
        """Intake in this process, which starts at once, on this ground's own connections."""
        app = App(
            settings=self.settings, database=self.database, keys=load_keys(self.settings.keys)
        )
        stop = asyncio.Event()
        task = asyncio.create_task(run_intake(app, stop, quota))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(task, READY_SECONDS)

    async def publish(
        self, bodies: Sequence[bytes], group: SourceGroup = SourceGroup.CSIRT
    ) -> None:
        """Publish on one topic and wait for the broker to have all."""
        await publish(self.settings, list(bodies), group)

    def refused(self) -> Counter[str]:
        """Records in quarantine by reason."""
        with self.database.read() as connection:
            return Counter(connection.scalars(select(quarantine.c.reason)))

    async def committed(self) -> list[int]:
        """What Kafka was told of each partition; nothing where it never was."""
        group = self.settings.kafka.group_id
        async with kafka.consumer(self.settings.kafka, group_id=group) as consumer:
            places = [
                TopicPartition(topic, number)
                for topic in kafka.TOPICS.values()
                for number in range(kafka.PARTITIONS)
            ]
            consumer.assign(places)
            return [await consumer.committed(place) or 0 for place in places]

    def reached(self) -> int:
        """Where the database is in all partitions together."""
        with self.database.read() as connection:
            return connection.scalar(select(func.sum(consumer_offset.c.next))) or 0

    def settled(self) -> int:
        """Records that have been settled since the ground was made."""
        return self.reached() - self.begun_at

    async def until_settled(self, records: int, *, seconds: float = 90) -> None:
        await until(lambda: self.settled() >= records, seconds=seconds)

    def state(self) -> str:
        """What the intake processes of this home tell, the worst of it."""
        states = {str(said["state"]) for said in told(self.settings.home).values()} - {"ok"}
        return ", ".join(sorted(states))

    def held(self) -> list[str]:
        with self.database.read() as connection:
            return [row["place"] for row in list_holds(connection)]

    async def check(self, storm: Storm, folder: Path, *, seed: int = 0) -> None:
        """I1: all is stored once or refused once; I2: incidents follow from the set; I7: the chain."""
        await self.check_once(storm)
        assert clusters(self.database) == incidents_of(storm.bodies, folder, seed)

    async def check_once(self, storm: Storm) -> None:
        """I1 and I7."""
        with self.database.read() as connection:
            names = Counter(connection.scalars(select(report.c.source_id)))
            repeats = connection.scalar(select(func.sum(report.c.duplicates))) or 0
            places = Counter(
                (row.topic, row.partition, row.offset)
                for row in connection.execute(select(quarantine))
            )
            chain = audit.verify(connection)
            positions = {
                (row.topic, row.partition): row.next
                for row in connection.execute(select(consumer_offset))
            }
        assert set(names) == storm.names
        assert set(names.values()) == {1}
        assert repeats == len(storm.bodies) - len(storm.names) - storm.refused
        assert (len(places), places.total()) == (storm.refused, storm.refused)
        assert chain.verified, chain.reason
        assert positions == await ends_of(self.settings.kafka)


async def ground_at(services: Services, folder: Path, name: str, **intake: object) -> Ground:
    """A home of its own for one test, on the shared services."""
    home = folder / "home"
    (home / "logs").mkdir(parents=True)
    shutil.copytree(services.settings.keys, home / "keys")
    settings = services.settings.model_copy(
        update={
            "home": home,
            "kafka": services.settings.kafka.model_copy(
                update={"group_id": f"leerp-intake-{name}"}
            ),
            "intake": IntakeSettings.model_validate(intake),
        }
    )
    return await _begin(settings)


async def ground_on(database: str, like: Ground) -> Ground:
    """The same home on another database."""
    settings = like.settings.model_copy(update={"database": database})
    return await _begin(settings)


async def _begin(settings: Settings) -> Ground:
    endpoints.write(settings.home, endpoints.describe(settings, None))
    database = Database(settings.database_url)
    database.migrate()
    ends = await ends_of(settings.kafka)
    rows = [{"topic": t, "partition": n, "next": end} for (t, n), end in ends.items()]
    with database.write() as connection:
        connection.execute(insert(consumer_offset), rows)
    return Ground(settings, database, sum(ends.values()))


async def ends_of(settings: KafkaSettings) -> dict[tuple[str, int], int]:
    """Where the topics end now."""
    async with kafka.consumer(settings) as consumer:
        places = [
            TopicPartition(topic, number)
            for topic in kafka.TOPICS.values()
            for number in range(kafka.PARTITIONS)
        ]
        found = await consumer.end_offsets(places)
    return {(place.topic, place.partition): end for place, end in found.items()}


def memory(pid: int) -> dict[str, int]:
    """Bytes of memory that the process holds (``VmRSS``) and has held at most (``VmHWM``)."""
    found = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in {"VmRSS", "VmHWM"}:
            found[name] = int(rest.split()[0]) * 1024
    return found


def forget_peak(pid: int) -> None:
    """Let ``VmHWM`` begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _argv_of(folder: Path) -> list[str]:
    try:
        text = (folder / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [part.decode(errors="replace") for part in text.split(b"\0")[:-1]]
