"""One pass over a range of the outbox: a feeder claims and builds, senders send, a keeper renews.

Building and storing overlap with sending: while what became of a mail is being written down, its
connection already asks the relay for the next one, so that neither the relay nor the disk stands idle
(reliability 1.5c).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any, TypeVar

import structlog

from infra.database import Database
from infra.settings import Settings
from notifications import claiming, destinations, envelopes, failpoints, outbox
from notifications.connections import Connections
from notifications.marks import Marks, jitter
from notifications.outbox import Claim, Outcome, Range
from notifications.parcels import Packer, Parcel
from notifications.protection import audit_protection
from notifications.submission import Submission
from notifications.template_use import note_unfit
from notifications.traffic import Traffic
from protocol.errors import ServiceDown

log = structlog.get_logger()

CLAIM_SIZE = 50
ROOM = 5
"""How many times what may be under way to a destination is made ready for it."""
HEARTBEAT_S = 5.0
STOP_GRACE_S = 20.0
"""How long a mail that is under way may take to get its answer once we are told to stop."""
T = TypeVar("T")


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
        traffic: Traffic,
        marks: Marks,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._rows = rows
        self._packer = packer
        self._clock = clock
        self._lease = settings.delivery.lease
        self._first_retry = settings.delivery.first_retry
        self._resend = settings.delivery.unknown_policy == "resend"
        self._connections = connections
        self._traffic = traffic
        self._marks = marks
        self._shelf = traffic.open_shelf()
        self._in_hand: dict[str, Claim] = {}
        self._in_hand_there: Counter[str] = Counter()
        self._busy: set[asyncio.Task[Any]] = set()
        """With a mail under way."""
        self._recordings: set[asyncio.Future[bool]] = set()
        self._stopping = False

    async def to_end(self, heartbeat: Callable[[], None]) -> None:
        """Raises ServiceDown when no sender can get a connection; see ``Delivery.send_range``."""
        try:
            async with self._connections.kept_open(), asyncio.TaskGroup() as group:
                keeper = group.create_task(self._keep(heartbeat))
                try:
                    async with asyncio.TaskGroup() as work:
                        work.create_task(self._feed())
                        for _ in range(len(self._connections)):
                            work.create_task(self._whole(self._send_all(), mails_only=True))
                finally:
                    keeper.cancel()
        except* ServiceDown as down:
            raise ServiceDown(_first_message(down)) from down
        finally:
            self._traffic.close_shelf(self._shelf)
            await self._whole(self._give_back())

    async def _feed(self) -> None:
        while True:
            while self._shelf.at_hand >= CLAIM_SIZE:
                await self._shelf.change()
            under_way = len(self._in_hand)
            taken = await self._whole(self._claim())
            if not taken and not under_way:
                break
            if taken < CLAIM_SIZE:  # as many as there is room for; some may come back as due
                enough = max(0, len(self._in_hand) - CLAIM_SIZE // 2)
                while len(self._in_hand) > enough:
                    await self._shelf.change()
        self._shelf.complete()

    async def _claim(self) -> int:
        """Claim what is due and make its bytes; how many rows were taken, poison included."""
        claims = await asyncio.to_thread(self._claim_rows)
        for claim in claims:
            self._in_hand[claim.id] = claim
            self._in_hand_there[claim.destination] += 1
        if claims:
            failpoints.reach("after_claim")
            parcels, poison = await asyncio.to_thread(self._pack, claims)
            self._shelf.put(parcels)
            for outcome in poison:
                log.warning("mail_held", notification=outcome.claim.id, reason=outcome.code)
                self._settled(outcome.claim)
        return len(claims)

    def _claim_rows(self) -> list[Claim]:
        now = self._clock()
        with self._database.write() as connection:
            claiming.expire_leases(connection, self._rows, now)
            self._traffic.refresh(destinations.load(connection))
            return claiming.claim(
                connection,
                self._rows,
                limit=CLAIM_SIZE,
                now=now,
                lease=self._lease,
                resend_unknown=self._resend,
                room=self._room,
            )

    def _room(self, domain: str) -> int:
        """How many more to claim for a destination, so that it does not fill what we hold ready."""
        return ROOM * self._traffic.limit(domain) - self._in_hand_there[domain]

    def _pack(self, claims: Sequence[Claim]) -> tuple[list[Parcel], list[Outcome]]:
        now = self._clock()
        with self._database.read() as connection:
            parcels, poison = self._packer.pack(connection, claims, now)
        made = [p for p in parcels if p.raw is not p.claim.raw]
        if made or poison:
            with self._database.write() as connection:
                outbox.store_raw(connection, [(p.claim, p.raw, p.made_for) for p in made])
                audit_protection(connection, self._rows.campaign_id, made, actor=outbox.ACTOR)
                unfit = [p.unfit for p in made]
                note_unfit(self._database, connection, self._rows.campaign_id, unfit)
                outbox.record(connection, poison, now=now)
        return parcels, poison

    async def _send_all(self) -> None:
        """Mail after mail; while what became of one is written down, the relay is asked for the next."""
        last: asyncio.Future[bool] | None = None
        while not self._stopping and (parcel := await self._shelf.take()) is not None:
            recording: asyncio.Future[bool] | None = None
            try:
                submission = await self._connections.take()
                try:
                    recording = await self._send(submission, parcel)
                finally:
                    self._connections.give_back(submission)
            finally:
                self._traffic.is_back(parcel.claim.destination)
            await _over(last)
            last = recording
        await _over(last)

    async def _send(self, submission: Submission, parcel: Parcel) -> asyncio.Future[bool] | None:
        """Send one mail; what became of it is written down when the future that this returns is done."""
        begun_at = self._clock()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  for the types

        async def may_send() -> bool:
            return not self._stopping and await self._marks.may_begin(parcel, self._packer)

        letter = envelopes.Letter(
            to=parcel.to,
            raw=parcel.raw,
            token=envelopes.make_token(self._packer.ack_key, parcel.claim.id),
            requiretls=parcel.contact.requiretls,
        )
        self._busy.add(task)
        try:
            submitted = await submission.submit(letter, may_send)
        finally:
            self._busy.discard(task)
        if submitted is None:
            if not self._stopping:  # else it stays in hand, to be given back
                self._settled(parcel.claim)
            return None
        recording = self._marks.record(parcel, submitted, begun_at)
        self._recordings.add(recording)

        def written(_: object) -> None:
            self._recordings.discard(recording)
            if recording.cancelled() or recording.exception() is not None:
                return  # whoever waits for it hears of it; the mail stays in hand
            if not recording.result():
                log.warning("mail_claim_lost", notification=parcel.claim.id, state=submitted.state)
            self._settled(parcel.claim)

        recording.add_done_callback(written)
        return recording

    def _settled(self, claim: Claim) -> None:
        if self._in_hand.pop(claim.id, None) is not None:
            self._in_hand_there[claim.destination] -= 1
        self._shelf.stir()

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

    async def _whole(self, coroutine: Coroutine[Any, Any, T], *, mails_only: bool = False) -> T:
        """Run to the end, also when we are cancelled meanwhile; then pass the cancellation on.

        Of what sends mail after mail, the mail that is under way is what is not cut off.
        """
        task = asyncio.create_task(coroutine)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._stopping = True
            if mails_only and task not in self._busy:
                task.cancel()
            await asyncio.wait([task], timeout=STOP_GRACE_S)
            task.cancel()
            raise

    async def _give_back(self) -> None:
        """What is in hand and not begun is due again; what was begun waits for its lease to end."""
        if self._recordings:
            await asyncio.wait(self._recordings, timeout=STOP_GRACE_S)
        claims = list(self._in_hand.values())
        if claims:
            await asyncio.to_thread(self._release, claims)

    def _release(self, claims: Sequence[Claim]) -> None:
        now = self._clock()
        with self._database.write() as connection:
            outbox.release(connection, claims, due_at=now + self._first_retry * jitter())


async def _over(recording: asyncio.Future[bool] | None) -> None:
    """Once it is written down; it goes on to be when we are cancelled meanwhile."""
    if recording is not None:
        await asyncio.shield(recording)


def _first_message(group: BaseExceptionGroup[ServiceDown]) -> str:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)
