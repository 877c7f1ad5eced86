"""Who of a campaign has not been heard of, with the mails that went out and who may be tried next.

Source: R33, R72; reliability 2.2.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, Connection, RowMapping, func, select, union

from infra.tables import acknowledgement, campaign, notification
from infra.tables import recipient as recipient_table
from infra.tables_acknowledgement import answer, settlement, withdrawal
from notifications.answers import Answer
from notifications.directory import Directory, Recipient
from notifications.locks import LockDecision
from notifications.outbox import State
from notifications.rows import RowMaker
from protocol.parties import RecipientClass

EVERY_CLASS = frozenset(RecipientClass)


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A recipient that is not settled, with its rows in the order of their cursors."""

    id: str
    rows: Sequence[RowMapping]
    recipient: Recipient | None
    """As the directory in force has it."""
    misdirected: frozenset[int]
    """Contacts that said they are the wrong ones."""

    @property
    def tried(self) -> list[int]:
        return sorted({row["contact"] for row in self.rows})

    @property
    def reached(self) -> int | None:
        """The contact that was reached last, leaving out those that are the wrong ones."""
        accepted = [
            row["contact"]
            for row in self.rows
            if row["state"] == State.ACCEPTED and row["contact"] not in self.misdirected
        ]
        return max(accepted, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCampaign:
    """A frozen campaign, read for a follow-up."""

    maker: RowMaker
    recipients: dict[str, Recipient]
    """As the directory in force has them."""
    open: tuple[Open, ...]
    """In the order of the frozen list; nobody once the campaign is withdrawn."""
    size: int
    """Rows so far: the next cursor."""


def settled(connection: Connection, campaign_id: str) -> set[str]:
    """Recipients that acknowledged, or of whom a person said what became of them."""
    return set(connection.scalars(_settled(campaign_id)))


def numbers(connection: Connection, campaign_id: str) -> tuple[int, int]:
    """How many recipients are settled, and how many there are."""
    done = select(func.count()).select_from(_settled(campaign_id).subquery())
    everybody = select(func.count(notification.c.recipient_id.distinct())).where(
        notification.c.campaign_id == campaign_id
    )
    return connection.scalar(done) or 0, connection.scalar(everybody) or 0


def _settled(campaign_id: str) -> CompoundSelect[Any]:
    return union(
        *(
            select(table.c.recipient_id).where(table.c.campaign_id == campaign_id)
            for table in (acknowledgement, settlement)
        )
    )


def withdrawn(connection: Connection, campaign_id: str) -> bool:
    """Whether two people have withdrawn this campaign."""
    at = connection.scalar(
        select(withdrawal.c.approved_at).where(withdrawal.c.campaign_id == campaign_id)
    )
    return at is not None


def read_open(
    connection: Connection,
    campaign_id: str,
    *,
    message_key: bytes,
    now: datetime,
    classes: Collection[RecipientClass] = EVERY_CLASS,
) -> OpenCampaign:
    """The recipients of these classes that are not settled.

    Raises:
        NotFound: no such campaign.
    """
    maker = RowMaker.of(connection, campaign_id, message_key=message_key, now=now)
    rows = _rows(connection, campaign_id)
    recipients = Directory.load(connection).by_id()
    known = _classes(connection, campaign_id, recipients.values())
    over = withdrawn(connection, campaign_id)
    left = () if over else rows.keys() - settled(connection, campaign_id)
    wrong = _misdirected(connection, campaign_id)
    return OpenCampaign(
        maker=maker,
        recipients=recipients,
        open=tuple(
            Open(
                id=name,
                rows=theirs,
                recipient=recipients.get(name),
                misdirected=frozenset(wrong.get(name, ())),
            )
            for name, theirs in rows.items()
            # Of whom no directory knows the class, nothing is left undone.
            if name in left and (name not in known or known[name] in classes)
        ),
        size=sum(map(len, rows.values())),
    )


def next_contact(read: OpenCampaign, each: Open) -> tuple[int, LockDecision] | None:
    """Whom to try next: of the contacts not yet tried whose locks are open, one that is staffed now.

    Among those, one that is there round the clock goes before the others; then their order counts. If
    nobody is there, the first in order gets it all the same.
    """
    found = []
    for number, contact in enumerate(each.recipient.contacts if each.recipient else ()):
        decision = read.maker.decide(each.recipient, number)
        if number not in each.tried and decision.allowed:
            staffed = contact.is_open_at(read.maker.now)
            found.append(((not staffed, bool(contact.hours), number), decision))
    if not found:
        return None
    (*_, number), decision = min(found, key=lambda candidate: candidate[0])
    return number, decision


def _rows(connection: Connection, campaign_id: str) -> dict[str, list[RowMapping]]:
    grouped: dict[str, list[RowMapping]] = {}
    for row in connection.execute(
        select(
            notification.c.recipient_id,
            notification.c.contact,
            notification.c.revision,
            notification.c.state,
            notification.c.cursor,
        )
        .where(notification.c.campaign_id == campaign_id)
        .order_by(notification.c.cursor)
    ).mappings():
        grouped.setdefault(row["recipient_id"], []).append(row)
    return grouped


def _classes(
    connection: Connection, campaign_id: str, recipients: Iterable[Recipient]
) -> dict[str, RecipientClass]:
    """By the directory in force; for who has left it, by the one that the campaign was made with."""
    frozen = connection.execute(
        select(recipient_table.c.id, recipient_table.c["class"])
        .join(campaign, campaign.c.directory_version == recipient_table.c.version)
        .where(campaign.c.id == campaign_id)
    )
    known = {name: RecipientClass(of_class) for name, of_class in frozen}
    return known | {each.id: each.recipient_class for each in recipients}


def _misdirected(connection: Connection, campaign_id: str) -> dict[str, set[int]]:
    """By recipient, the contacts whose newest word is that they are the wrong ones."""
    newest: dict[tuple[str, int], str] = {}
    for row in connection.execute(
        select(answer.c.recipient_id, answer.c.contact, answer.c.answer)
        .where(answer.c.campaign_id == campaign_id)
        .order_by(answer.c.id)
    ):
        newest[row.recipient_id, row.contact] = row.answer
    found: dict[str, set[int]] = {}
    for (name, contact), said in newest.items():
        if said == Answer.WRONG_ADDRESSEE:
            found.setdefault(name, set()).add(contact)
    return found
