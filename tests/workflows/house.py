"""The house that a workflow test runs in: worker, database, mail relay, and a clock to be turned.

Everything of it is real but the clock: the activities, the database, SMTP, the relay of words to the
workflows, the encryption of payloads. On the way out every history is replayed.
"""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from sqlalchemy import Row, Select, func, select
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import WorkflowExecutionStatus, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker

from infra import audit
from infra.bootstrap import App
from infra.codec import EncryptionCodec, data_converter
from infra.database import Database
from infra.keys import Keys
from infra.services import artefacts
from infra.services.temporal import SEARCH_ATTRIBUTES
from infra.settings import Settings
from infra.tables import campaign, incident, notification
from intake.records import RawRecord
from intake.relay import Relay
from intake.settled import Settled
from intake.sheaf import bound
from intake.store import Store
from leerp.worker import WORKFLOWS, activities
from notifications.acknowledgement import acknowledge
from notifications.directory_import import import_directory
from notifications.directory_proposals import confirm
from notifications.tokens import make_token
from tests.notifications.standing import confirm_partners
from tests.workflows import cast
from tests.workflows.sink import Sink, listening
from workflows.commands import Commands
from workflows.drafting import Drafting
from workflows.messages import IncidentStatus
from workflows.sandbox import SANDBOX

T = TypeVar("T")

NAMESPACE = "default"
CODEC = EncryptionCodec(active="test", keys={"test": bytes(range(32))}, namespace=NAMESPACE)
"""With a key that everybody knows, so that the recorded histories can be read."""
CONVERTER = data_converter(CODEC)
CHANNEL = "test"
PATIENCE_S = 90.0
LOOK_EVERY_S = 0.02
SKIPPED_WITHIN_S = 2.0
THREADS = 8
RETRY_AFTER = timedelta(seconds=0.5)


@dataclass
class House:
    """One home with a worker of its own on the shared clock."""

    env: WorkflowEnvironment
    app: App
    sink: Sink
    relay: Relay
    _relayed: float = 0.0
    _by_hand: list[str] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return self.app.database

    # What comes in

    async def receive(self, *records: RawRecord) -> str:
        """Store reports as intake does and pass the word on; return the incident of the first."""
        store = Store(
            self.database, self.app.settings.profile(), exercise=True, telling=lambda _: True
        )
        preparer = store.preparer(self.app.settings.intake)
        reads = [(record, preparer.read(record)) for record in records]
        assert not any(ready.reason for _, ready in reads)
        settled = Settled()
        with self.database.write() as connection:
            store.save_reports(connection, bound(reads), settled)
        await self.pass_word()
        (found,) = settled.incidents
        return found

    async def pass_word(self) -> None:
        """Let the relay tell workflows what changed, however short ago it told them last."""
        self._relayed += 1_000.0
        await self.relay.relay_once(self._relayed)

    async def acknowledge(self, campaign_id: str, *recipients: str, word: bool = True) -> None:
        """Use the links in the mails of these recipients, of all if none is named."""
        rows = self.rows(select(notification).where(notification.c.campaign_id == campaign_id))
        wanted = {r.recipient_id: r for r in rows if not recipients or r.recipient_id in recipients}
        now = datetime.now(UTC)
        for row in wanted.values():
            acknowledge(self.database, self.app.keys.acknowledgement, self.token(row), now)
        if word:
            await self.pass_word()

    def token(self, row: Row[Any]) -> str:
        """What stands in the link of this mail."""
        return make_token(
            self.app.keys.acknowledgement,
            notification_id=row.id,
            campaign_id=row.campaign_id,
            recipient_id=row.recipient_id,
            contact=row.contact,
            revision=row.revision,
            expires_at=datetime.now(UTC) + timedelta(days=1),
        )

    def import_directory(self, **changes: Any) -> None:
        """A new directory comes into force, by two people; ``changes`` as for ``cast.directory``."""
        result = import_directory(self.database, cast.directory(**changes), by=cast.MANAGER)
        if result.proposal is not None:
            confirm(self.database, result.proposal, by=cast.DUTY, checked_by="called them back")
        confirm_partners(self.database)

    # Who acts

    def officer(self, officer: str) -> Commands:
        return Commands(self.database, self.env.client, officer=officer, channel=CHANNEL)

    def drafting(self, officer: str) -> Drafting:
        profile = self.app.settings.profile()
        return Drafting(self.database, profile, exercise=True, officer=officer, channel=CHANNEL)

    # What time does

    async def pass_time(self, length: timedelta) -> None:
        """Turn the clock on by so much; whatever falls due meanwhile is done.

        Raises:
            TimeoutError, RPCError: the clock is stuck; see ``skips_time``.
        """
        async with asyncio.timeout(PATIENCE_S):
            await self.env.sleep(length)

    async def pass_time_until(self, condition: Callable[[], bool]) -> None:
        """Turn the clock on second by second, since sending looks at our own clock too."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await self.pass_time(timedelta(seconds=1))

    # What is to be seen

    async def status(self, incident_id: str) -> IncidentStatus:
        return await self.officer("anybody").status(incident_id)

    async def when(
        self, incident_id: str, condition: Callable[[IncidentStatus], bool]
    ) -> IncidentStatus:
        """The first status that fulfils the condition."""

        async def look() -> IncidentStatus | None:
            seen = await self.status(incident_id)
            return seen if condition(seen) else None

        return await until(look)

    async def until_sent(self, campaign_id: str) -> None:
        """Wait until the campaign is frozen and each of its mails has been tried."""

        def tried() -> bool:
            states = set(self.mails(campaign_id).values())
            return bool(states) and not {"queued", "sending"} & states

        await self.until(tried)

    async def until_ended(self, incident_id: str) -> None:
        query = select(incident.c.status).where(incident.c.id == incident_id)
        await self.until(lambda: self.rows(query)[0].status == "ended")

    async def ended(self, workflow_id: str) -> bool:
        """Wait until the workflow has ended; say whether it ended well."""
        handle = self.env.client.get_workflow_handle(workflow_id)

        async def closed() -> WorkflowExecutionStatus | None:
            status = (await handle.describe()).status
            return None if status is WorkflowExecutionStatus.RUNNING else status

        return await until(closed) is WorkflowExecutionStatus.COMPLETED

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something in the database or the sink."""

        async def look() -> bool:
            return condition()

        await until(look)

    def rows(self, query: Select[Any]) -> list[Row[Any]]:
        with self.database.read() as connection:
            return list(connection.execute(query))

    def campaigns(self, incident_id: str) -> list[str]:
        """Notices that were frozen, without the incident's id: ``ewn.1``."""
        query = select(campaign.c.id).where(campaign.c.incident_id == incident_id)
        ids = self.rows(query.order_by(campaign.c.at, campaign.c.id))
        return [row.id.removeprefix(f"{incident_id}.") for row in ids]

    def recipients(self, campaign_id: str) -> set[str]:
        query = select(notification.c.recipient_id).where(notification.c.campaign_id == campaign_id)
        return {row.recipient_id for row in self.rows(query)}

    def mails(self, campaign_id: str) -> dict[tuple[str, int, int], str]:
        """State of each mail by recipient, contact and number of the reminder."""
        query = select(notification).where(notification.c.campaign_id == campaign_id)
        return {(r.recipient_id, r.contact, r.revision): r.state for r in self.rows(query)}

    def audited(self, event: str) -> list[dict[str, Any]]:
        with self.database.read() as connection:
            return [row for row in audit.export(connection) if row["event"] == event]

    def count(self, query: Select[Any]) -> int:
        with self.database.read() as connection:
            return connection.scalar(select(func.count()).select_from(query.subquery())) or 0

    # On the way out

    async def histories(self) -> list[WorkflowHistory]:
        """Of every incident and campaign of this home, children included."""
        started = self.rows(
            select(incident.c.id).where(incident.c.status.in_(("detected", "ended")))
        )
        waiting = [*(f"incident-{row.id}" for row in started), *self._by_hand]
        histories = []
        while waiting:
            name, _, run = waiting.pop(0).partition("@")
            handle = self.env.client.get_workflow_handle(name, run_id=run or None)
            found = await handle.fetch_history()
            histories.append(found)
            begun = found.events[0].workflow_execution_started_event_attributes
            if begun.continued_execution_run_id:
                waiting.append(f"{name}@{begun.continued_execution_run_id}")
            for event in found.events:
                child = event.child_workflow_execution_started_event_attributes
                if child.workflow_execution.workflow_id:
                    waiting.append(child.workflow_execution.workflow_id)
        return histories

    async def leave(self) -> None:
        """Replay everything; end what still runs, children first."""
        histories = await self.histories()
        replayer = Replayer(workflows=WORKFLOWS, workflow_runner=SANDBOX, data_converter=CONVERTER)
        for history in histories:
            await replayer.replay_workflow(history)
        for history in reversed(histories):
            await _terminate(self.env.client.get_workflow_handle(history.workflow_id))

    def also_replay(self, workflow_id: str) -> None:
        """A workflow that the test itself has started."""
        self._by_hand.append(workflow_id)


@asynccontextmanager
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """The time-skipping server. Its clock is one for all, so it is used by one test at a time."""
    artefacts.ensure(Console(quiet=True), kafka=False, temporal=False, tests=True)
    env = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(artefacts.test_server().path / "test-server"),
        test_server_startup_timeout=timedelta(seconds=60),
        data_converter=CONVERTER,
    )
    async with env:
        await env.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=NAMESPACE,
                search_attributes={
                    name: IndexedValueType.Value(f"INDEXED_VALUE_TYPE_{kind.upper()}")
                    for name, kind in SEARCH_ATTRIBUTES.items()
                },
            )
        )
        yield env


async def skips_time(env: WorkflowEnvironment) -> bool:
    """Whether the clock can still be turned on when nothing runs any more.

    The test server cannot digest a child that ends after its parent, nor a workflow that is ended while
    an activity of it runs: its clock stays locked then and goes no faster than ours.
    """
    try:
        async with asyncio.timeout(SKIPPED_WITHIN_S):
            await env.sleep(timedelta(hours=1))
    except (TimeoutError, RPCError):
        return False
    return True


def make_template(folder: Path) -> Path:
    """A database with everybody in it, to be copied for each house."""
    path = folder / "leerp.db"
    made = Database(f"sqlite:///{path}")
    made.migrate()
    import_directory(made, cast.directory(), by="test")
    confirm_partners(made)
    made.close()
    return path


@asynccontextmanager
async def house(
    env: WorkflowEnvironment,
    folder: Path,
    template: Path,
    keys: Keys,
    *,
    retry_after: timedelta = RETRY_AFTER,
    renew_after: int = 4_000,
) -> AsyncIterator[House]:
    """A house in ``folder``; a mail relay that says 'later' is asked again ``retry_after`` that."""
    shutil.copy(template, folder / "leerp.db")
    async with listening() as sink:
        settings = Settings.model_validate(
            {
                "home": folder,
                "exercise": True,
                "console_url": "http://127.0.0.1:1",
                "smtp": {"host": "127.0.0.1", "port": sink.port, "connections": 2},
                "temporal": {
                    "namespace": NAMESPACE,
                    "task_queue": f"q-{uuid.uuid4()}",
                    "renew_after_events": renew_after,
                },
                "delivery": {"retry_after": retry_after},
            }
        )
        database = Database(settings.database_url)
        app = App(settings=settings, database=database, keys=keys)
        made = House(env, app, sink, Relay(app, env.client, settings.profile()))
        with ThreadPoolExecutor(THREADS) as threads:
            async with Worker(
                env.client,
                task_queue=settings.temporal.task_queue,
                workflows=WORKFLOWS,
                activities=activities(app),  # type: ignore[arg-type] # bound methods of any shape
                activity_executor=threads,
                workflow_runner=SANDBOX,
            ):
                yield made
                sink.let_go()
                await made.leave()
        database.close()


async def until(look: Callable[[], Awaitable[T | None]]) -> T:
    """Look until there is something to see, or fail after a while."""
    async with asyncio.timeout(PATIENCE_S):
        while not (seen := await look()):
            await asyncio.sleep(LOOK_EVERY_S)
    return seen


async def _terminate(handle: Any) -> None:
    try:
        await handle.terminate("the test is over")
    except RPCError as exc:
        if exc.status is not RPCStatusCode.NOT_FOUND:
            raise
