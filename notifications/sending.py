"""One pass over a range of the outbox: a feeder claims and builds, senders send, a keeper renews.

Building and storing overlap with sending, and marks are committed in groups of whatever waits, so that
neither the relay nor the disk stands idle (reliability 1.5c).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection

from infra.database import Database
from infra.group_commit import GroupCommit
from infra.settings import Settings
from notifications import outbox
from notifications.connections import Connections
from notifications.outbox import Claim, Outcome, Range, State
from notifications.parcels import Packer, Parcel
from notifications.protection import audit_protection
from notifications.submission import Submission, Submitted
from protocol.errors import ServiceDown

log = structlog.get_logger()

CLAIM_SIZE = 50
HEARTBEAT_S = 5.0
STOP_GRACE_S = 20.0
"""How long a mail that is under way may take to get its answer once we are told to stop."""
FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=15)
JITTER = SystemRandom()
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """The request to be allowed to send a body now."""

    parcel: Parcel


class SendingRun:
    """Sends all that is due in ``rows`` and ends. Made for one use."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        rows: Range,
        packer: Packer,
        *,
        connections: Connections,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._settings = settings
        self._rows = rows
        self._packer = packer
        self._clock = clock
        self._lease = settings.delivery.lease
        self._resend = settings.delivery.unknown_policy == "resend"
        self._ready: deque[Parcel] = deque()
        self._in_hand: dict[str, Claim] = {}
        self._stir = asyncio.Condition()
        self._fed = False
        self._stopping = False
        self._connections = connections
        self._commits: GroupCommit[Begin | Outcome, bool] = GroupCommit(database, self._apply)

    async def to_end(self, heartbeat: Callable[[], None]) -> None:
        """Raises ServiceDown when no sender can get a connection; see ``Delivery.send_range``."""
        try:
            async with self._connections.kept_open(), asyncio.TaskGroup() as group:
                keeper = group.create_task(self._keep(heartbeat))
                try:
                    async with asyncio.TaskGroup() as work:
                        work.create_task(self._feed())
                        for _ in range(len(self._connections)):
                            work.create_task(self._send_all())
                finally:
                    keeper.cancel()
        except* ServiceDown as down:
            raise ServiceDown(_first_message(down)) from down
        finally:
            await self._whole(self._give_back())

    async def _feed(self) -> None:
        while not self._fed:
            async with self._stir:
                await self._stir.wait_for(lambda: len(self._ready) < CLAIM_SIZE)
                under_way = len(self._in_hand)
            taken = await self._whole(self._claim())
            async with self._stir:
                self._fed = not taken and not under_way
                self._stir.notify_all()
                if not taken and under_way:  # what is under way may come back as due
                    await self._fewer_than(under_way)

    async def _fewer_than(self, under_way: int) -> None:
        await self._stir.wait_for(lambda: len(self._in_hand) < under_way)

    async def _claim(self) -> int:
        """Claim what is due and make its bytes; how many rows were taken, poison included."""
        claims = await asyncio.to_thread(self._claim_rows)
        self._in_hand.update((claim.id, claim) for claim in claims)
        if claims:
            parcels, poison = await asyncio.to_thread(self._pack, claims)
            self._ready.extend(parcels)
            for outcome in poison:
                log.warning("mail_held", notification=outcome.claim.id, reason=outcome.code)
                del self._in_hand[outcome.claim.id]
        return len(claims)

    def _claim_rows(self) -> list[Claim]:
        now = self._clock()
        with self._database.write() as connection:
            outbox.expire_leases(connection, self._rows, now)
            return outbox.claim(
                connection,
                self._rows,
                limit=CLAIM_SIZE,
                now=now,
                lease=self._lease,
                resend_unknown=self._resend,
            )

    def _pack(self, claims: Sequence[Claim]) -> tuple[list[Parcel], list[Outcome]]:
        now = self._clock()
        with self._database.read() as connection:
            parcels, poison = self._packer.pack(connection, claims, now)
        with self._database.write() as connection:
            outbox.store_raw(connection, [(parcel.claim, parcel.raw) for parcel in parcels])
            audit_protection(connection, self._rows.campaign_id, parcels, actor=outbox.ACTOR)
            outbox.record(connection, poison, now=now)
        return parcels, poison

    async def _send_all(self) -> None:
        while (parcel := await self._next()) is not None:
            async with self._connections.lent() as submission:
                await self._whole(self._send(submission, parcel))

    async def _next(self) -> Parcel | None:
        async with self._stir:
            await self._stir.wait_for(lambda: bool(self._ready) or self._fed)
            parcel = self._ready.popleft() if self._ready else None
            self._stir.notify_all()
            return parcel

    async def _send(self, submission: Submission, parcel: Parcel) -> None:
        async def may_send() -> bool:
            return not self._stopping and await self._commits.submit(Begin(parcel=parcel))

        submitted = await submission.submit(parcel.to, parcel.raw, may_send)
        if submitted is not None:
            recorded = await self._commits.submit(self._outcome(parcel.claim, submitted))
            if not recorded:
                log.warning("mail_claim_lost", notification=parcel.claim.id, state=submitted.state)
        elif self._stopping:
            return  # stays in hand, to be given back
        async with self._stir:
            self._in_hand.pop(parcel.claim.id, None)
            self._stir.notify_all()

    def _outcome(self, claim: Claim, submitted: Submitted) -> Outcome:
        due_at = None
        if submitted.state in (State.RETRY_DUE, State.UNKNOWN):
            due_at = self._clock() + self._pause(claim.attempt, replied=submitted.code != 0)
        return Outcome(
            claim=claim,
            state=submitted.state,
            detail=submitted.text,
            code=str(submitted.code) if submitted.code else "connection-lost",
            due_at=due_at,
        )

    def _pause(self, attempt: int, *, replied: bool) -> timedelta:
        """Doubling with jitter. A relay that said 'later' (greylisting) is not asked again too early."""
        first = self._settings.delivery.retry_after if replied else FIRST_RETRY
        longest = max(first, LONGEST_RETRY)
        doubled = min(first * float(2 ** min(attempt - 1, 20)), longest)
        return doubled * JITTER.uniform(1.0, 1.2)

    def _apply(self, connection: Connection, items: Sequence[Begin | Outcome]) -> list[bool]:
        """One group: outcomes are recorded; bodies are let go whose locks are open and claims hold."""
        now = self._clock()
        begins = [item.parcel for item in items if isinstance(item, Begin)]
        closed = self._packer.closed(connection, begins, now)
        outcomes = [item for item in items if isinstance(item, Outcome)]
        recorded = outbox.record(connection, [*outcomes, *closed], now=now)
        held = {outcome.claim.id for outcome in closed}
        may_go = [parcel.claim for parcel in begins if parcel.claim.id not in held]
        begun = outbox.begin_data(connection, may_go, now=now, lease=self._lease)
        return [
            item.parcel.claim.id in begun if isinstance(item, Begin) else item.claim.id in recorded
            for item in items
        ]

    async def _keep(self, heartbeat: Callable[[], None]) -> None:
        while True:
            heartbeat()
            await asyncio.sleep(min(HEARTBEAT_S, self._lease.total_seconds() / 3))
            claims = list(self._in_hand.values())
            if claims:
                await asyncio.to_thread(self._renew, claims)

    def _renew(self, claims: Sequence[Claim]) -> None:
        with self._database.write() as connection:
            outbox.renew(connection, claims, now=self._clock(), lease=self._lease)

    async def _whole(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run to the end, also when we are cancelled meanwhile; then pass the cancellation on."""
        task = asyncio.create_task(coroutine)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._stopping = True
            await asyncio.wait([task], timeout=STOP_GRACE_S)
            task.cancel()
            raise

    async def _give_back(self) -> None:
        """What is in hand and not begun is due again; what was begun waits for its lease to end."""
        claims = list(self._in_hand.values())
        if claims:
            await asyncio.to_thread(self._release, claims)

    def _release(self, claims: Sequence[Claim]) -> None:
        now = self._clock()
        with self._database.write() as connection:
            outbox.release(connection, claims, due_at=now + FIRST_RETRY * JITTER.uniform(1.0, 1.2))


def _first_message(group: BaseExceptionGroup[ServiceDown]) -> str:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)
