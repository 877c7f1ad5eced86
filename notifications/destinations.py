"""How it goes at each destination, the recipients' domains: what is let through there, and when.

::

    open -> slowed (a server asks for less) -> open (as mails get through again)
    open, slowed -> paused (failures in a row) -> slowed (its time is over: one mail tries) -> open

A server that says 421, 450 or 452 halves what may be under way to its domain; each mail that gets
through adds one. Failures in a row pause it, each time for twice as long. What stands in the database
holds for every sender; one bad destination is no other's trouble. Source: reliability 2.2, F-M1 to F-M3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, insert, select, update

from infra import audit
from infra.settings import DeliverySettings
from infra.tables import notification
from infra.tables_delivery import destination
from notifications.directory import Recipient

ACTOR = "delivery"
THROTTLING = frozenset({421, 450, 452})
WAITING = ("queued", "retry_due")


class Course(StrEnum):
    """How it goes at a destination."""

    OPEN = "open"
    SLOWED = "slowed"
    PAUSED = "paused"


class Sign(StrEnum):
    """What one mail told of its destination."""

    ANSWERED = "answered"
    THROTTLED = "throttled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one destination stands. ``failures`` is in a row."""

    concurrency: int
    failures: int = 0
    slowed_at: datetime | None = None
    next_at: datetime | None = None
    reason: str = ""

    def course(self, most: int) -> Course:
        if self.next_at is not None:
            return Course.PAUSED
        return Course.OPEN if self.concurrency >= most else Course.SLOWED


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One mail's sign, with the code that it was told by and when that mail's turn began."""

    domain: str
    sign: Sign
    code: str
    begun_at: datetime


def domain_of(address: str) -> str:
    """The destination of an address."""
    return address.rpartition("@")[2].lower()


def sign_of(code: int, *, accepted: bool) -> Sign:
    """What a relay's reply, or 0 for a lost connection, says of the destination.

    A refusal is an answer too, and so is greylisting (451): the mail waits, the destination need not.
    """
    if code in THROTTLING:
        return Sign.THROTTLED
    return Sign.ANSWERED if accepted or code else Sign.FAILED


def after(
    standing: Standing, told: Told, settings: DeliverySettings, *, now: datetime, jitter: float
) -> Standing:
    """How the destination stands after one more sign; ``jitter`` from 1.0 makes pauses longer."""
    most = settings.destination_concurrency
    if told.sign is Sign.ANSWERED:
        wider = min(standing.concurrency + 1, most)
        return Standing(concurrency=wider, reason="" if wider == most else standing.reason)
    if standing.slowed_at is not None and told.begun_at < standing.slowed_at:
        return standing  # was under way when the others were told to slow down
    failures = standing.failures + 1
    slower = replace(
        standing,
        concurrency=max(1, standing.concurrency // 2),
        failures=failures,
        slowed_at=now,
        reason=told.code,
    )
    if failures < settings.pause_after:
        return slower
    doubled = settings.retry_after * 2.0 ** min(failures - settings.pause_after, 20)
    longest = max(settings.retry_after, settings.longest_retry)
    return replace(slower, concurrency=1, next_at=now + min(doubled, longest) * jitter)


def load(connection: Connection) -> dict[str, Standing]:
    """The destinations where not all goes well; any other is open."""
    rows = connection.execute(select(destination).where(destination.c.state != Course.OPEN))
    return {row.domain: _standing(row) for row in rows}


def note(
    connection: Connection,
    signs: Sequence[Told],
    settings: DeliverySettings,
    *,
    now: datetime,
    jitter: float,
) -> dict[str, Standing]:
    """Write down what mails told, with an audit row for each pause and its end; the new standings."""
    names = {told.domain for told in signs}
    known = {
        row.domain: row
        for row in connection.execute(
            select(destination).where(destination.c.domain.in_(names)).with_for_update()
        )
    }
    most = settings.destination_concurrency
    standings: dict[str, Standing] = {}
    for told in signs:
        before = standings.get(told.domain)
        if before is None:
            row = known.get(told.domain)
            before = Standing(concurrency=most) if row is None else _standing(row)
        standings[told.domain] = after(before, told, settings, now=now, jitter=jitter)
    for domain, standing in standings.items():
        row = known.get(domain)
        course = standing.course(most)
        _write(connection, domain, standing, course, is_new=row is None)
        _audit(connection, domain, Course(row.state) if row else Course.OPEN, course, standing)
    return standings


def name_destinations(
    connection: Connection, rows: ColumnElement[bool], recipients: Mapping[str, Recipient]
) -> None:
    """Give the mails of ``rows`` that wait the domain of the address in force."""
    found = connection.execute(
        select(
            notification.c.id,
            notification.c.recipient_id,
            notification.c.contact,
            notification.c.destination,
        ).where(rows, notification.c.state.in_((*WAITING, "unknown")))
    )
    changed = []
    for row in found:
        recipient = recipients.get(row.recipient_id)
        if recipient is not None and row.contact < len(recipient.contacts):
            domain = domain_of(recipient.contacts[row.contact].email)
            if domain != row.destination:
                changed.append({"b_id": row.id, "b_domain": domain})
    if changed:
        connection.execute(
            update(notification)
            .where(notification.c.id == bindparam("b_id"))
            .values(destination=bindparam("b_domain")),
            changed,
        )


def pause_of(settings: DeliverySettings, attempt: int, *, replied: bool) -> timedelta:
    """Before the next attempt of one mail, without jitter: doubling.

    A server that said 'later' (greylisting) is not asked again too early.
    """
    first = settings.retry_after if replied else settings.first_retry
    longest = max(first, settings.longest_retry)
    return min(first * float(2 ** min(attempt - 1, 20)), longest)


def _standing(row: Any) -> Standing:
    return Standing(
        concurrency=row.concurrency,
        failures=row.failures,
        slowed_at=row.slowed_at,
        next_at=row.next_at,
        reason=row.reason,
    )


def _write(
    connection: Connection,
    domain: str,
    standing: Standing,
    course: Course,
    *,
    is_new: bool,
) -> None:
    values = {
        "state": course,
        "concurrency": standing.concurrency,
        "failures": standing.failures,
        "slowed_at": standing.slowed_at,
        "next_at": standing.next_at,
        "reason": standing.reason,
    }
    if is_new:
        connection.execute(insert(destination).values(domain=domain, **values))
    else:
        connection.execute(update(destination).where(destination.c.domain == domain).values(values))


def _audit(
    connection: Connection, domain: str, before: Course, now: Course, standing: Standing
) -> None:
    paused = Course.PAUSED
    if (before is paused) == (now is paused):
        return
    audit.append(
        connection,
        "destination_paused" if now is paused else "destination_tried_again",
        actor=ACTOR,
        subject=domain,
        failures=standing.failures,
        until=standing.next_at,
        reason=standing.reason,
    )
