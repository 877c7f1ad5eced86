"""The relay: tells workflows that rows of theirs changed, never what is in them.

Word for one workflow is gathered: at most once a second, and less often while the changes go on, so
that 200,000 reports are some dozens of signals. Each word may be doubled, late or lost without harm:
it says "up to", and rows stay undone until their word is out. Source: design section 3, reliability 3.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import func, select, update
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from infra.bootstrap import App
from infra.tables import incident, relay
from intake.late import take_up_late
from intake.store import OUTAGES, open_store
from notifications.open_recipients import numbers
from protocol.profile import Profile
from workflows.answering import Answering
from workflows.campaign import Campaign
from workflows.incident import Incident
from workflows.messages import Acknowledged, AnsweringInput, Changed, IncidentInput

log = structlog.get_logger()

POLL_SECONDS = 0.2
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
GROWTH = 1.6


@dataclass(slots=True)
class Pace:
    """When a target may be told again; the pause grows while it keeps changing."""

    pause: float = FIRST_PAUSE
    last: float = float("-inf")

    def due(self, now: float) -> bool:
        return now - self.last >= self.pause

    def told(self, now: float) -> None:
        busy = now - self.last < 2 * self.pause
        self.pause = min(self.pause * GROWTH, LONGEST_PAUSE) if busy else FIRST_PAUSE
        self.last = now

    def rested(self, now: float) -> bool:
        """Whether the target was quiet for so long that a new pace does as well."""
        return now - self.last > LONGEST_PAUSE


class Relay:
    """Carries the rows of the table ``relay`` to Temporal."""

    def __init__(self, app: App, client: Client, profile: Profile) -> None:
        self._app = app
        self._client = client
        self._profile = profile
        self._store = open_store(app)
        self.paces: dict[tuple[str, str], Pace] = {}
        """By kind and target, of those told of late."""

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until told to stop; a server or database that is away is tried again, rows wait."""
        while not stop.is_set():
            try:
                await self.relay_once(asyncio.get_running_loop().time())
            except OUTAGES as exc:
                log.warning("relay_waits_for_database", error=type(exc).__name__)
            try:
                await asyncio.wait_for(stop.wait(), POLL_SECONDS)
            except TimeoutError:
                continue

    async def relay_once(self, now: float) -> int:
        """Tell every workflow whose turn it is; return how many were told.

        Rows of a workflow that cannot be told wait and hold up no other.
        """
        told = 0
        for kind, target, up_to in await asyncio.to_thread(self._waiting):
            pace = self.paces.setdefault((kind, target), Pace())
            if not pace.due(now):
                continue
            try:
                await self._tell(kind, target, up_to)
            except RPCError as exc:
                if exc.status is RPCStatusCode.INVALID_ARGUMENT:
                    # For good, such as at the limit of signals: a person must look.
                    log.error("workflow_takes_no_words", kind=kind, target=target)  # noqa: TRY400
                    pace.told(now)
                    continue
                log.warning("relay_waits", kind=kind, target=target, status=exc.status.name)
                if exc.status is RPCStatusCode.UNAVAILABLE:
                    break  # nobody is there: asking for each one would only take long
                continue
            await asyncio.to_thread(self._done, kind, target, up_to)
            pace.told(now)
            told += 1
        self.paces = {t: pace for t, pace in self.paces.items() if not pace.rested(now)}
        return told

    def _waiting(self) -> list[tuple[str, str, int]]:
        with self._app.database.read() as connection:
            rows = connection.execute(
                select(relay.c.kind, relay.c.target, func.max(relay.c.seq))
                .where(relay.c.done.is_(False))
                .group_by(relay.c.kind, relay.c.target)
            )
            return [(kind, target, up_to) for kind, target, up_to in rows]

    def _done(self, kind: str, target: str, up_to: int) -> None:
        with self._app.database.write() as connection:
            connection.execute(
                update(relay)
                .where(relay.c.kind == kind, relay.c.target == target, relay.c.seq <= up_to)
                .values(done=True)
            )

    async def _tell(self, kind: str, target: str, up_to: int) -> None:
        if kind == "incident":
            await self._tell_incident(target, up_to)
        elif kind == "answer":
            await self._tell_answering(target)
        else:
            await self._tell_campaign(target, up_to)

    async def _tell_incident(self, incident_id: str, up_to: int) -> None:
        status, exercise = await asyncio.to_thread(self._incident, incident_id)
        if status == "ended":  # never told: what its workflow hears while it ends is lost
            await self._take_up_late(incident_id)
            return
        try:
            await self._client.start_workflow(
                Incident.run,
                IncidentInput(
                    incident_id=incident_id,
                    profile=self._profile,
                    exercise=exercise,
                    renew_after=self._app.settings.temporal.renew_after_events,
                ),
                id=f"incident-{incident_id}",
                task_queue=self._app.settings.temporal.task_queue,
                # Running: the signal is added. Ended: refused, never a second run.
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                start_signal="changed",
                start_signal_args=[Changed(up_to=up_to)],
            )
        except WorkflowAlreadyStartedError:
            handle = self._client.get_workflow_handle(f"incident-{incident_id}")
            await self._take_up_late(incident_id, (await handle.describe()).close_time)

    async def _take_up_late(self, incident_id: str, closed_at: datetime | None = None) -> None:
        log.info("incident_already_ended", incident_id=incident_id)
        await asyncio.to_thread(
            take_up_late, self._app.database, self._store, incident_id, closed_at=closed_at
        )

    async def _tell_campaign(self, campaign_id: str, up_to: int) -> None:
        word = await asyncio.to_thread(self._standing, campaign_id, up_to)
        handle = self._client.get_workflow_handle(f"campaign-{campaign_id}")
        try:
            await handle.signal(Campaign.acknowledged, word)
        except RPCError as exc:
            if exc.status is not RPCStatusCode.NOT_FOUND:
                raise
            log.info("campaign_already_ended", campaign_id=campaign_id)

    async def _tell_answering(self, campaign_id: str) -> None:
        await self._client.start_workflow(
            Answering.run,
            AnsweringInput(campaign_id=campaign_id),
            id=f"answering-{campaign_id}",
            task_queue=self._app.settings.temporal.task_queue,
            start_signal="more",
        )

    def _standing(self, campaign_id: str, up_to: int) -> Acknowledged:
        with self._app.database.read() as connection:
            settled, recipients = numbers(connection, campaign_id)
        return Acknowledged(count=settled, recipients=recipients, number=up_to)

    def _incident(self, incident_id: str) -> tuple[str, bool]:
        """Its status, and whether it is an exercise."""
        with self._app.database.read() as connection:
            row = connection.execute(
                select(incident.c.status, incident.c.exercise).where(incident.c.id == incident_id)
            ).one()
            return row.status, row.exercise
