"""The outbox: what state each mail is in, and the only moves between the states.

::

    queued -> sending -> accepted | refused | held | retry_due | unknown
    retry_due -> sending        unknown -> sending (policy ``resend``) or stays for a person (``hold``)
    accepted, unknown -> bounced (a server further on gave it back; see ``bounces``)

Nobody sends without a claim. Each claim raises the row's ``fence``; whoever comes with an older one
(a process that was stopped and woke up) writes nothing. Claims and leases are the machine's own
business; every outcome leaves an audit row in the same transaction. Source: reliability 2.2, 2.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, and_, bindparam, delete, update

from infra import audit
from infra.bulk import Bulk
from infra.tables import notification
from infra.tables_delivery import mail_bytes

ACTOR = "delivery"


class State(StrEnum):
    """Where a mail is on its way."""

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    RETRY_DUE = "retry_due"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    HELD = "held"
    BOUNCED = "bounced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A part of a campaign: the rows with ``start <= cursor < end``, reminders included."""

    campaign_id: str
    start: int
    end: int

    def rows(self) -> ColumnElement[bool]:
        return and_(
            notification.c.campaign_id == self.campaign_id,
            notification.c.cursor >= self.start,
            notification.c.cursor < self.end,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to send one mail, as long as nobody has claimed it since."""

    id: str
    campaign_id: str
    recipient_id: str
    contact: int
    revision: int
    variant: str
    message_id: str
    fence: int
    attempt: int
    raw: bytes | None
    made_for: str
    """What ``raw`` was made for: its address and keys, as a digest."""
    destination: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a claim.

    ``detail`` is the relay's answer (accepted, refused) or the reason, in words for people;
    ``code`` is what of it goes into the audit trail, which holds no addresses.
    """

    claim: Claim
    state: State
    detail: str
    code: str
    due_at: datetime | None = None


def renew(
    connection: Connection, claims: Sequence[Claim], *, now: datetime, lease: timedelta
) -> None:
    """Keep the claims that are still ours: a relay may take ten minutes to answer (RFC 5321)."""
    _each(connection, _RENEW, claims, b_lease=now + lease)


def store_raw(connection: Connection, built: Sequence[tuple[Claim, bytes, str]]) -> None:
    """Keep the bytes before the first attempt, so that every attempt sends the same ones.

    With each, a digest of what it was made for.
    """
    held = still_ours(connection, [claim for claim, _, _ in built])
    ours = [each for each in built if (each[0].id, each[0].fence) in held]
    if ours:
        connection.execute(_MADE, [{**_key(claim), "b_made": made} for claim, _, made in ours])
        rows = [{"notification_id": claim.id, "raw": raw} for claim, raw, _ in ours]
        Bulk(connection).put(mail_bytes, rows)


def forget_raw(connection: Connection, notification_id: str) -> None:
    """Let the mail be made anew before it is sent again."""
    connection.execute(delete(mail_bytes).where(mail_bytes.c.notification_id == notification_id))


def still_ours(connection: Connection, claims: Sequence[Claim]) -> frozenset[tuple[str, int]]:
    """Id and fence of the rows among these that are being sent, whoever has claimed them last.

    They stay so in this transaction. A claim of which there is not ``(id, fence)`` is not ours any more.
    """
    ids = {claim.id for claim in claims}
    found = Bulk(connection).lock(notification, ("id", "fence", "state"), "id", ids)
    return frozenset((id_, fence) for id_, fence, state in found if state == State.SENDING)


def begin_ours(
    connection: Connection, claims: Sequence[Claim], *, now: datetime, lease: timedelta
) -> None:
    """Write down that the bodies are about to be sent.

    Of claims of which ``still_ours`` has said in this transaction that they are.
    """
    bulk = Bulk(connection)
    until = bulk.time(now + lease)
    rows = [(True, until, claim.id) for claim in claims]
    bulk.update(notification, ("data_started", "lease_until"), ("id",), rows)


def record(connection: Connection, outcomes: Sequence[Outcome], *, now: datetime) -> frozenset[str]:
    """Write outcomes down, with an audit row for each state among them; the ids that were written.

    An outcome that comes with an old fence is left out, and nothing is written for it.
    """
    held = still_ours(connection, [outcome.claim for outcome in outcomes])
    ours = [o for o in outcomes if (o.claim.id, o.claim.fence) in held]
    record_ours(connection, ours, now=now)
    return frozenset(outcome.claim.id for outcome in ours)


def record_ours(connection: Connection, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """The same for outcomes of claims of which ``still_ours`` has said so in this transaction."""
    bulk = Bulk(connection)
    rows = [(*_written(bulk, outcome, now), outcome.claim.id) for outcome in outcomes]
    bulk.update(notification, _OF_OUTCOME, ("id",), rows)
    _audit_outcomes(connection, outcomes)


def release(connection: Connection, claims: Sequence[Claim], *, due_at: datetime) -> None:
    """Give back claims: due again at ``due_at``. One whose body was begun waits for its lease to end."""
    _each(connection, _RELEASE, claims, b_due=due_at)


def _written(bulk: Bulk, outcome: Outcome, now: datetime) -> tuple[Any, ...]:
    """The values of ``_OF_OUTCOME``."""
    accepted = outcome.state is State.ACCEPTED
    return (
        str(outcome.state),
        outcome.detail if accepted or outcome.state is State.REFUSED else "",
        "" if accepted else outcome.detail,
        bulk.time(outcome.due_at) if outcome.due_at is not None else None,
        bulk.time(now) if accepted else None,
        None,
    )


def _key(claim: Claim) -> dict[str, Any]:
    return {"b_id": claim.id, "b_fence": claim.fence}


def _each(
    connection: Connection, statement: Update, claims: Sequence[Claim], **values: Any
) -> None:
    if claims:
        connection.execute(statement, [{**_key(claim), **values} for claim in claims])


def _audit_outcomes(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    groups: dict[tuple[str, State], dict[str, str]] = {}
    for outcome in outcomes:
        key = (outcome.claim.campaign_id, outcome.state)
        groups.setdefault(key, {})[outcome.claim.id] = outcome.code
    for (campaign_id, state), codes in groups.items():
        audit.append(
            connection, f"mail_{state}", actor=ACTOR, subject=campaign_id, notifications=codes
        )


# Made once: what is said for each mail costs more to put into words than to do.
_CLAIMED = update(notification).where(
    notification.c.id == bindparam("b_id"),
    notification.c.fence == bindparam("b_fence"),
    notification.c.state == State.SENDING,
)
_RENEW = _CLAIMED.values(lease_until=bindparam("b_lease"))
_MADE = _CLAIMED.values(made_for=bindparam("b_made"))
_RELEASE = _CLAIMED.where(notification.c.data_started.is_(False)).values(
    state=State.RETRY_DUE, due_at=bindparam("b_due"), lease_until=None
)
_OF_OUTCOME = ("state", "reply", "reason", "due_at", "accepted_at", "lease_until")
