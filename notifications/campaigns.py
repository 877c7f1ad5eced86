"""Freezing a campaign: who gets a notice, in which variant, at which contact, once and for all.

Everything after works on the frozen rows; the directory in force still says which rights and keys
these recipients have by then. A repeat of any of these calls, after a crash or a retry, changes nothing
and answers the same. Source: R23, R24, R33, R49, R72; reliability 2.2, 2.3.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Connection, and_, func, insert, select

from infra import audit
from infra.tables import campaign, notification
from notifications.content import Words
from notifications.directory import Directory, Recipient
from notifications.locks import LockDecision
from notifications.notices import ClosureNotice, NoticeContent
from notifications.outbox import State
from notifications.permissions import load_permissions
from notifications.products import Variant
from notifications.rows import NOBODY, RowMaker
from notifications.template_use import keep
from notifications.trust import PINNED, Trust
from protocol.errors import Refused
from protocol.parties import EXTERNAL_CLASSES, INTERNAL_CLASSES, RecipientClass
from protocol.stages import NoticeKind

_COMPLETE = frozenset({NoticeKind.INITIAL, NoticeKind.EWN})
"""Kinds that must reach every class of R23 and R24, or say why not."""


class _Border(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FreezeOrder(_Border):
    """What to freeze: the notice, and its recipients by class or, as for a closure, by id."""

    campaign_id: str = Field(min_length=1, max_length=80)
    revision: int = Field(ge=1)
    """Which notice of its kind this is for the incident, from 1."""
    content: NoticeContent
    classes: tuple[RecipientClass, ...] = ()
    recipients: tuple[str, ...] = ()
    contacts: tuple[tuple[str, int], ...] = ()
    """Recipients with the number of the contact, where it is these contacts and no other."""
    omissions: Mapping[RecipientClass, Words] = Field(default_factory=dict)
    """Classes that are left out on purpose, each with its reason."""
    by: str
    """The officer who released it, or the process that is bound to send it."""

    @model_validator(mode="after")
    def _by_class_or_by_id(self) -> Self:
        if [bool(self.classes), bool(self.recipients), bool(self.contacts)].count(True) != 1:
            raise ValueError("give either classes, or recipients, or contacts")
        return self


class Frozen(_Border):
    """A frozen campaign. Rows have the cursors 0 to ``size`` - 1."""

    campaign_id: str
    directory_version: int
    recipients: int
    queued: int
    held: int
    size: int
    """Mails: more than recipients where several contacts of one are written to."""


def freeze(
    connection: Connection,
    order: FreezeOrder,
    *,
    message_key: bytes,
    now: datetime,
    trust: Trust = PINNED,
) -> Frozen:
    """Write the campaign and one row for each recipient, in the caller's transaction.

    Recipients stand in the order of class, country and id. Each is tried at its contacts in turn; if
    the locks are closed for all of them, the row is held with the reason. An id that is no longer in
    the directory is held too. A campaign that is already frozen is left as it is.

    Raises:
        NotFound: no directory was imported.
        Refused: ``class-left-out``, a class has nobody in it and no reason is stated for that.
    """
    if (found := _frozen(connection, order.campaign_id)) is not None:
        return found
    directory = Directory.load(connection)
    content = order.content
    maker = RowMaker(
        campaign_id=order.campaign_id,
        product=content.product(),
        permissions=load_permissions(connection, content.incident_id),
        message_key=message_key,
        now=now,
        trust=trust,
    )
    rows = _rows(maker, directory, order)
    connection.execute(
        insert(campaign).values(
            id=order.campaign_id,
            incident_id=content.incident_id,
            kind=content.kind,
            revision=order.revision,
            directory_version=directory.version,
            content=content.model_dump(mode="json"),
            omissions={str(name): reason for name, reason in order.omissions.items()},
            exercise=content.exercise,
            at=now,
        )
    )
    connection.execute(insert(notification), rows)
    maker.log_copies(connection, rows)
    _audit(connection, order, directory.version, rows, keep(connection, order.campaign_id))
    return Frozen(
        campaign_id=order.campaign_id,
        directory_version=directory.version,
        recipients=len({row["recipient_id"] for row in rows}),
        queued=sum(row["state"] == State.QUEUED for row in rows),
        held=sum(row["state"] == State.HELD for row in rows),
        size=len(rows),
    )


def require_everybody(
    directory: Directory,
    kind: NoticeKind,
    classes: Collection[RecipientClass],
    omissions: Mapping[RecipientClass, str],
) -> None:
    """Pass only a notice that reaches every class it must, or says why one is left out (R23, R24).

    Raises:
        Refused: ``class-left-out``, naming each class, or ``nobody`` when all are left out.
    """
    wanted = set(classes) - set(omissions)
    required = set(classes)
    if kind in _COMPLETE:
        required |= INTERNAL_CLASSES | EXTERNAL_CLASSES
    empty = [
        name
        for name in RecipientClass
        if name in required - set(omissions)
        and (name not in wanted or not directory.of_class(name))
    ]
    if empty:
        raise Refused(
            "class-left-out",
            f"nobody of {', '.join(empty)} would be told: add them to the directory, or state for "
            "each of these classes why it is left out (R24)",
        )
    if not any(directory.of_class(name) for name in wanted):
        raise Refused("nobody", "every class is left out: a notice needs somebody to go to")


def recipients_of(connection: Connection, campaign_id: str) -> tuple[str, ...]:
    """Everybody the campaign was frozen for, held ones too, in its order (R49)."""
    ids = connection.scalars(
        select(notification.c.recipient_id)
        .where(notification.c.campaign_id == campaign_id)
        .order_by(notification.c.cursor)
    )
    return tuple(dict.fromkeys(ids))


def _frozen(connection: Connection, campaign_id: str) -> Frozen | None:
    """What an earlier call with this id answered."""
    version = connection.scalar(
        select(campaign.c.directory_version).where(campaign.c.id == campaign_id)
    )
    if version is None:
        return None
    # Delivery holds only what it has claimed; a row held without an attempt was held here.
    held_here = and_(
        notification.c.state == State.HELD,
        notification.c.attempt == 0,
        notification.c.revision == 0,
    )
    total, held, size = connection.execute(
        select(
            func.count(notification.c.recipient_id.distinct()),
            func.count(notification.c.recipient_id.distinct()).filter(held_here),
            func.count(),
        ).where(notification.c.campaign_id == campaign_id)
    ).one()
    return Frozen(
        campaign_id=campaign_id,
        directory_version=version,
        recipients=total,
        queued=total - held,
        held=held,
        size=size,
    )


def _chosen(directory: Directory, order: FreezeOrder) -> list[tuple[str, Recipient | None]]:
    """Ids in their fixed order, with the recipient where the directory still has it."""
    if order.recipients:
        known = [(r.id, r) for r in directory.recipients if r.id in set(order.recipients)]
        gone = sorted(set(order.recipients) - {name for name, _ in known})
        return [*known, *((name, None) for name in gone)]
    require_everybody(directory, order.content.kind, order.classes, order.omissions)
    wanted = set(order.classes) - set(order.omissions)
    return [(r.id, r) for r in directory.recipients if r.recipient_class in wanted]


def _rows(maker: RowMaker, directory: Directory, order: FreezeOrder) -> list[dict[str, Any]]:
    if not order.contacts:
        return [first_row(maker, n, *each) for n, each in enumerate(_chosen(directory, order))]
    known = directory.by_id()
    return [
        maker.row(name, contact, maker.decide(known.get(name), contact), cursor=n, revision=0)
        for n, (name, contact) in enumerate(order.contacts)
    ]


def first_row(
    maker: RowMaker, cursor: int, recipient_id: str, recipient: Recipient | None
) -> dict[str, Any]:
    """To the contact that may get the fullest variant, the earlier one of two alike (R72)."""
    if recipient is None:
        return maker.row(recipient_id, 0, NOBODY, cursor=cursor, revision=0)
    order = list(Variant)
    decisions: list[LockDecision] = []
    for contact in range(len(recipient.contacts)):
        decisions.append(maker.decide(recipient, contact))
        if decisions[-1].allowed and decisions[-1].variant is order[0]:
            break  # nobody may have more
    opened = [(order.index(d.variant), n) for n, d in enumerate(decisions) if d.allowed]
    contact = min(opened)[1] if opened else 0
    return maker.row(recipient_id, contact, decisions[contact], cursor=cursor, revision=0)


def _audit(
    connection: Connection,
    order: FreezeOrder,
    version: int,
    rows: Sequence[Mapping[str, Any]],
    templates: int,
) -> None:
    held = [row["recipient_id"] for row in rows if row["state"] == State.HELD]
    detail: dict[str, Any] = {"templates": templates} if templates else {}
    if isinstance(order.content, ClosureNotice):
        bare = {str(variant) for variant in Variant if order.content.is_bare(variant)}
        # Whose right has lapsed since the initial notice gets the bare fact, and that is recorded.
        detail["bare_fact"] = [
            row["recipient_id"]
            for row in rows
            if row["state"] == State.QUEUED and row["variant"] in bare
        ]
    audit.append(
        connection,
        "campaign_frozen",
        actor=order.by,
        subject=order.campaign_id,
        kind=order.content.kind,
        incident=order.content.incident_id,
        directory=version,
        recipients=len(rows),
        held=held,
        omissions={str(name): reason for name, reason in order.omissions.items()},
        **detail,
    )
