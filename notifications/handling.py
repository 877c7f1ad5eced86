"""What an officer does with the mails of a campaign that the machine could not settle.

``hold`` keeps mails back that were not sent yet, ``release`` and ``resend`` put them back into the
outbox. Nothing goes past a lock: whoever is put back is decided anew with the rights and keys in force,
and again just before the body. A mail keeps its Message-ID, so a second copy is known as one.
Source: R33; reliability 2.2.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from infra import audit
from infra.tables import notification, relay
from notifications import outbox
from notifications.campaigns import first_row
from notifications.directory import Directory
from notifications.open_recipients import withdrawn
from notifications.outbox import State
from notifications.rows import RowMaker
from protocol.errors import NotFound, Refused
from protocol.parties import Role
from protocol.reasons import stated_reason

HANDLING = frozenset({Role.RELEASE, Role.DUTY_MANAGER})
"""Who may say of a single mail that it goes or stays."""


class Act(StrEnum):
    """What is done with a mail."""

    HOLD = "hold"
    RELEASE = "release"
    RESEND = "resend"


FROM = {
    Act.HOLD: frozenset({State.QUEUED, State.RETRY_DUE, State.UNKNOWN}),
    Act.RELEASE: frozenset({State.HELD}),
    Act.RESEND: frozenset({State.UNKNOWN, State.REFUSED, State.BOUNCED}),
}
"""The states in which a mail must be for it."""
BY_NAME: dict[Act, frozenset[State]] = {
    Act.HOLD: frozenset(),
    Act.RELEASE: frozenset(),
    Act.RESEND: frozenset({State.ACCEPTED}),
}
"""Also, for recipients who are named: a server took the mail, at a wrong address or for nobody to see.

The notice itself and no reminder, and only where nothing of theirs is in a state of ``FROM``.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What an officer wants done, with which mails, and why."""

    act: Act
    recipients: frozenset[str]
    """Ids; empty for all of the campaign that are in a state for it."""
    officer: str
    reason: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """What came of it: mails by id, and by recipient why one stays held."""

    campaign_id: str
    mails: tuple[str, ...]
    closed: dict[str, str] = field(default_factory=dict)
    size: int
    """Rows of the campaign: the end of its cursor range."""


def handle(connection: Connection, maker: RowMaker, order: Order) -> Handled:
    """Do it with every mail that is in a state for it, with one audit row.

    Raises:
        Refused: ``no-reason``; ``withdrawn``; ``nothing-to-do``, no mail is in such a state, naming which
            it may be.
        NotFound: a named recipient has no mail in this campaign.
    """
    if not order.reason.strip():
        raise Refused("no-reason", f"say with --reason why you {order.act} these mails")
    if order.act is not Act.HOLD:
        refuse_withdrawn(connection, maker.campaign_id)
    rows = _rows(connection, maker.campaign_id, order)
    if order.act is Act.HOLD:
        closed: dict[str, str] = {}
        _hold(connection, rows, order)
        done = rows
    else:
        done, closed = _put_back(connection, maker, rows)
    mails = tuple(row["id"] for row in done)
    audit.append(
        connection,
        f"mails_{order.act}",
        actor=order.officer,
        subject=maker.campaign_id,
        channel=order.channel,
        reason=order.reason,
        notifications=list(mails),
        still_held=sorted(closed),
    )
    size = _size(connection, maker.campaign_id)
    return Handled(campaign_id=maker.campaign_id, mails=mails, closed=closed, size=size)


def add(
    connection: Connection,
    maker: RowMaker,
    recipient_id: str,
    *,
    officer: str,
    reason: str,
    channel: str,
) -> Handled:
    """Add a recipient of the directory in force to a campaign that is under way.

    The locks are tried as at the freeze; where they are closed the mail is held, with the reason.

    Raises:
        Refused: ``no-reason`` or ``bad-reason``; ``withdrawn``; ``already-in``.
        NotFound: the directory has no such recipient.
    """
    why = stated_reason(reason, missing="say with --reason why this recipient is added")
    refuse_withdrawn(connection, maker.campaign_id)
    recipient = Directory.load(connection).by_id().get(recipient_id)
    if recipient is None:
        raise NotFound(
            f"no recipient {recipient_id!r} in the directory: see 'leerp directory show', or import "
            "a directory that has it"
        )
    mine = notification.c.campaign_id == maker.campaign_id
    if recipient_id in set(connection.scalars(select(notification.c.recipient_id).where(mine))):
        raise Refused(
            "already-in", f"{recipient_id} is in {maker.campaign_id}: use 'leerp campaign resend'"
        )
    size = _size(connection, maker.campaign_id)
    row = first_row(maker, size, recipient_id, recipient)
    connection.execute(insert(notification).values(row))
    connection.execute(insert(relay).values(kind="campaign", target=maker.campaign_id, done=False))
    held = row["state"] == State.HELD
    audit.append(
        connection,
        "recipient_added",
        actor=officer,
        subject=maker.campaign_id,
        channel=channel,
        recipient=recipient_id,
        notifications=[row["id"]],
        reason=why,
        held=held,
    )
    return Handled(
        campaign_id=maker.campaign_id,
        mails=() if held else (row["id"],),
        closed={recipient_id: row["reason"]} if held else {},
        size=size + 1,
    )


def refuse_withdrawn(connection: Connection, campaign_id: str) -> None:
    """Pass only a campaign that still stands.

    Raises:
        Refused: ``withdrawn``.
    """
    if withdrawn(connection, campaign_id):
        raise Refused("withdrawn", f"{campaign_id} was withdrawn: nothing of it goes out any more")


def _size(connection: Connection, campaign_id: str) -> int:
    """The next cursor."""
    newest = connection.scalar(
        select(func.max(notification.c.cursor)).where(notification.c.campaign_id == campaign_id)
    )
    return 0 if newest is None else newest + 1


def _rows(connection: Connection, campaign_id: str, order: Order) -> Sequence[RowMapping]:
    mine = notification.c.campaign_id == campaign_id
    known = set(connection.scalars(select(notification.c.recipient_id).where(mine)))
    if strangers := sorted(order.recipients - known):
        raise NotFound(
            f"{campaign_id} has no mail to {', '.join(strangers)}: see 'leerp campaign show "
            f"{campaign_id}'"
        )
    wanted = order.recipients or known
    taken = FROM[order.act] | (BY_NAME[order.act] if order.recipients else frozenset())
    rows = connection.execute(
        select(notification)
        .where(mine, notification.c.state.in_(taken))
        .order_by(notification.c.cursor)
        .with_for_update()
    ).mappings()
    found = [row for row in rows if row["recipient_id"] in wanted]
    troubled = {row["recipient_id"] for row in found if row["state"] in FROM[order.act]}
    found = [
        row
        for row in found
        if row["state"] in FROM[order.act]
        or (row["recipient_id"] not in troubled and not row["revision"])
    ]
    if not found:
        states = " or ".join(sorted(taken))
        raise Refused("nothing-to-do", f"no such mail is {states}, so there is none to {order.act}")
    return found


def _hold(connection: Connection, rows: Collection[RowMapping], order: Order) -> None:
    for row in rows:
        _change(
            connection,
            row,
            state=State.HELD,
            reason=f"held by {order.officer}: {order.reason}",
            due_at=None,
        )


def _put_back(
    connection: Connection, maker: RowMaker, rows: Collection[RowMapping]
) -> tuple[list[RowMapping], dict[str, str]]:
    """Queue those whose locks are open by now; the others stay where they are, with the reason."""
    recipients = Directory.load(connection).by_id()
    done: list[RowMapping] = []
    closed: dict[str, str] = {}
    for row in rows:
        decision = maker.decide(recipients.get(row["recipient_id"]), row["contact"])
        if not decision.allowed:
            closed[row["recipient_id"]] = "; ".join(decision.reasons)
            _change(connection, row, reason=closed[row["recipient_id"]])
            continue
        if decision.variant != row["variant"]:
            outbox.forget_raw(connection, row["id"])
        _change(
            connection,
            row,
            state=State.QUEUED,
            reason="",
            variant=decision.variant,
            due_at=maker.now,
        )
        done.append(row)
        copy = {**row, "state": State.QUEUED, "variant": decision.variant}
        maker.log_copies(connection, [copy])
    return done, closed


def _change(connection: Connection, row: RowMapping, **values: Any) -> None:
    connection.execute(
        update(notification)
        .where(notification.c.id == row["id"], notification.c.state == row["state"])
        .values(values)
    )
