"""What is written down while mails are under way, in groups: bodies that begin, and what became of mails.

All ranges that a process sends share one queue. It is written in the order in which it was filled, so that
a connection's next body does not begin before what became of its last mail is on disk: what a crash can
double is what is under way on the connections (F-P1). Source: reliability 1.5c, 2.2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import compress
from random import SystemRandom

from sqlalchemy import Connection

from infra.database import Database
from infra.group_commit import GroupCommit
from infra.settings import DeliverySettings
from notifications import destinations, failpoints, outbox
from notifications.destinations import Sign, Told, sign_of
from notifications.outbox import Claim, Outcome, State
from notifications.parcels import Packer, Parcel
from notifications.submission import Submitted
from notifications.traffic import Traffic

JITTER = SystemRandom()
MOST_JITTER = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """The request to be allowed to send a body now."""

    parcel: Parcel
    packer: Packer


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of one mail, and what that tells of its destination."""

    outcome: Outcome
    told: Told


def jitter() -> float:
    """At least 1, so that nothing comes too early."""
    return JITTER.uniform(1.0, MOST_JITTER)


class Marks:
    """One for each process that sends."""

    def __init__(
        self,
        database: Database,
        settings: DeliverySettings,
        traffic: Traffic,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._traffic = traffic
        self._clock = clock
        self._commits: GroupCommit[Begin | Ended, bool] = GroupCommit(database, self._apply)

    async def may_begin(self, parcel: Parcel, packer: Packer) -> bool:
        """Whether the body may be sent now; then that it begins is written down."""
        may = await self._commits.submit(Begin(parcel=parcel, packer=packer))
        if may:
            failpoints.reach("after_data_started")
        return may

    def record(
        self, parcel: Parcel, submitted: Submitted, begun_at: datetime
    ) -> asyncio.Future[bool]:
        """Write down what became of a mail; whether it still was ours, once that is done."""
        claim, now = parcel.claim, self._clock()
        due_at = None
        if submitted.state in (State.RETRY_DUE, State.UNKNOWN):
            pause = destinations.pause_of(
                self._settings, claim.attempt, replied=submitted.code != 0
            )
            due_at = now + pause * jitter()
        code = str(submitted.code) if submitted.code else _reason_code(submitted.state)
        outcome = Outcome(
            claim=claim, state=submitted.state, detail=submitted.text, code=code, due_at=due_at
        )
        accepted = submitted.state in (State.ACCEPTED, State.HELD)
        sign = sign_of(submitted.code, accepted=accepted)
        told = Told(domain=claim.destination, sign=sign, code=code, begun_at=begun_at)
        recorded = self._commits.submit(Ended(outcome=outcome, told=told))
        recorded.add_done_callback(lambda _: failpoints.reach("after_commit"))
        return recorded

    def _apply(self, connection: Connection, items: Sequence[Begin | Ended]) -> list[bool]:
        """One group: outcomes are recorded; bodies are let go whose locks are open and claims hold."""
        now = self._clock()
        claims = [_claim(item) for item in items]
        held = outbox.still_ours(connection, claims)
        may = [(claim.id, claim.fence) in held for claim in claims]
        ours = list(compress(items, may))
        ended = [item for item in ours if isinstance(item, Ended)]
        begins = [item for item in ours if isinstance(item, Begin)]
        closed = _closed(connection, begins, now)
        outcomes = [*(item.outcome for item in ended), *closed.values()]
        outbox.record_ours(connection, outcomes, now=now)
        let_go = [claim for item in begins if (claim := item.parcel.claim).id not in closed]
        outbox.begin_ours(connection, let_go, now=now, lease=self._settings.lease)
        self._learn(connection, [item.told for item in items if isinstance(item, Ended)], now)
        return [
            is_ours and claim.id not in closed for is_ours, claim in zip(may, claims, strict=True)
        ]

    def _learn(self, connection: Connection, signs: Sequence[Told], now: datetime) -> None:
        """A mail that got through to a destination without trouble is no news."""
        news = [
            told
            for told in signs
            if told.domain
            and (told.sign is not Sign.ANSWERED or self._traffic.is_troubled(told.domain))
        ]
        if news:
            standings = destinations.note(
                connection, news, self._settings, now=now, jitter=jitter()
            )
            self._traffic.learn(standings)


def _claim(item: Begin | Ended) -> Claim:
    return item.parcel.claim if isinstance(item, Begin) else item.outcome.claim


def _closed(connection: Connection, begins: Sequence[Begin], now: datetime) -> dict[str, Outcome]:
    """What may not go after all, by the id of its row."""
    by_packer: dict[int, tuple[Packer, list[Parcel]]] = {}
    for begin in begins:
        by_packer.setdefault(id(begin.packer), (begin.packer, []))[1].append(begin.parcel)
    return {
        outcome.claim.id: outcome
        for packer, parcels in by_packer.values()
        for outcome in packer.closed(connection, parcels, now)
    }


def _reason_code(state: State) -> str:
    return "no-requiretls" if state is State.HELD else "connection-lost"
