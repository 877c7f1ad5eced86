"""What happened to one recipient of a campaign, in order: out of tables, and out of the audit trail.

A table whose rows belong to a recipient is told by one line of ``KINDS``. Source: R33, R72; issue 7.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Connection, Table, select

from infra import audit
from infra.tables import acknowledgement, directory_version, recipient
from infra.tables_acknowledgement import answer, call, nudge, settlement
from notifications.campaign_view import CampaignView, Mail, masked


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened. ``detail`` is in words, and holds no address."""

    at: datetime
    event: str
    by: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A table with ``campaign_id`` and ``recipient_id``, and how its rows are told."""

    table: Table
    event: str
    says: tuple[str, ...]
    """Columns whose values are told, with their names."""
    at: str = "at"
    by: str = ""
    """Column with who did it; ``actor`` where it is empty."""
    actor: str = ""
    """Who did each of them; the recipient itself where it is empty."""
    counted_from: Mapping[str, int] | None = None
    """What to add to a column's number before it is told: contacts count from 0 in tables."""


KINDS: tuple[Kind, ...] = (
    Kind(
        table=acknowledgement,
        event="acknowledged",
        says=("contact", "repeats"),
        counted_from={"contact": 1},
    ),
    Kind(
        table=answer,
        event="answered",
        says=("answer", "proof", "contact"),
        counted_from={"contact": 1},
    ),
    Kind(
        table=nudge,
        event="nudged",
        says=("service", "state", "contact"),
        at="begun_at",
        actor="campaign",
        counted_from={"contact": 1},
    ),
    Kind(
        table=call,
        event="called",
        says=("result", "contact", "note"),
        by="by",
        counted_from={"contact": 1},
    ),
    Kind(table=settlement, event="settled", says=("proof", "reason"), by="by"),
)
TOLD_BY_TABLES = frozenset({
    "notice_acknowledged", "notice_answered", "nudges_tried", "recipient_called",
    "recipient_settled",
})  # fmt: skip
"""Events of the audit trail that the rows of ``KINDS`` stand for."""


def timeline(connection: Connection, view: CampaignView, recipient_id: str) -> list[Entry]:
    """Everything that happened to this recipient, the oldest first.

    Raises:
        NotFound: the campaign has no mail to this recipient.
    """
    person = view.person(recipient_id)
    mails = {mail.id: mail for mail in person.mails}
    addresses = Addresses.load(connection, recipient_id)
    entries = [*_of_trail(connection, view.id, recipient_id, mails, addresses)]
    for kind in KINDS:
        entries += _of_table(connection, kind, view.id, recipient_id)
    return sorted(entries, key=lambda entry: entry.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The addresses of a recipient's contacts as they were: what went to a wrong one shows that one."""

    versions: tuple[tuple[datetime, tuple[str, ...]], ...]
    """From when on, and masked, in the order of the directory's versions."""

    @classmethod
    def load(cls, connection: Connection, recipient_id: str) -> Self:
        """Read every version of the directory that has the recipient."""
        rows = connection.execute(
            select(directory_version.c.imported_at, recipient.c.document)
            .join(recipient, recipient.c.version == directory_version.c.version)
            .where(recipient.c.id == recipient_id)
            .order_by(directory_version.c.version)
        )
        return cls(
            versions=tuple(
                (row.imported_at, tuple(masked(c["email"]) for c in row.document["contacts"]))
                for row in rows
            )
        )

    def of(self, mail: Mail, at: datetime) -> str:
        """Where a mail would have gone at that moment."""
        known = [
            contacts[mail.contact]
            for since, contacts in self.versions
            if since <= at and mail.contact < len(contacts)
        ]
        return known[-1] if known else mail.address


def name_of(mail: Mail, address: str) -> str:
    """Which mail it is, for people."""
    what = f"reminder {mail.reminder}" if mail.reminder else "notice"
    return f"{what} to contact {mail.contact + 1} ({address})"


def _of_table(
    connection: Connection, kind: Kind, campaign_id: str, recipient_id: str
) -> Iterator[Entry]:
    columns = kind.table.c
    rows = connection.execute(
        select(kind.table).where(
            columns.campaign_id == campaign_id, columns.recipient_id == recipient_id
        )
    ).mappings()
    first = kind.counted_from or {}
    for row in rows:
        yield Entry(
            at=row[kind.at],
            event=kind.event,
            by=row[kind.by] if kind.by else kind.actor or recipient_id,
            detail=", ".join(
                f"{name} {row[name] + first.get(name, 0) if name in first else row[name]}"
                for name in kind.says
                if row[name] not in (None, "")
            ),
        )


def _of_trail(
    connection: Connection,
    campaign_id: str,
    recipient_id: str,
    mails: Mapping[str, Mail],
    addresses: Addresses,
) -> Iterator[Entry]:
    for row in audit.about(connection, (campaign_id,)):
        if row["event"] in TOLD_BY_TABLES:
            continue
        detail = row.get("detail", {})
        frozen = row["event"] == "campaign_frozen"
        if frozen or _concerns(row, detail, recipient_id, mails):
            at = datetime.fromisoformat(row["at"])
            names = {mail.id: name_of(mail, addresses.of(mail, at)) for mail in mails.values()}
            yield Entry(
                at=at,
                event=row["event"],
                by=row["actor"],
                detail=_words(detail, recipient_id, names, frozen=frozen),
            )


def _concerns(
    row: Mapping[str, Any],
    detail: Mapping[str, Any],
    recipient_id: str,
    mails: Mapping[str, Mail],
) -> bool:
    """Whether an event names the recipient, or one of its mails, anywhere."""
    named: set[str] = {row["actor"]}
    for value in detail.values():
        if isinstance(value, str):
            named.add(value)
        elif isinstance(value, list | dict):
            named.update(each for each in value if isinstance(each, str))
    return recipient_id in named or not named.isdisjoint(mails)


def _words(
    detail: Mapping[str, Any], recipient_id: str, names: Mapping[str, str], *, frozen: bool
) -> str:
    """What an event says of this recipient and its mails: which, and with what code or reason.

    ``names`` are the mails' in words, by id.
    """
    said = []
    if frozen:
        said.append(
            f"one of {detail['recipients']}, by version {detail['directory']} of the directory"
        )
    for key, value in detail.items():
        if not isinstance(value, list | dict):
            continue
        if recipient_id in value:
            said.append(key.replace("_", " "))
        for name in value:
            if isinstance(name, str) and name in names:
                code = f": {value[name]}" if isinstance(value, dict) else ""
                said.append(names[name] + code)
    if reason := detail.get("reason"):
        said.append(str(reason))
    return "; ".join(said)
