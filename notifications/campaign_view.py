"""How a campaign stands, for people: by mail, by country, and what happened to one recipient's mails.

Source: R33, R72; issue 7.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from infra import audit
from infra.tables import acknowledgement, campaign, notification
from notifications.directory import Directory
from notifications.followups import counts
from notifications.outbox import State
from protocol.errors import NotFound

ATTENTION = (
    *(State.UNKNOWN, State.HELD, State.BOUNCED, State.REFUSED),
    *(State.RETRY_DUE, State.SENDING, State.QUEUED),
)
"""What a person must look at comes first; what was accepted comes last."""
NO_COUNTRY = "-"


def campaigns(connection: Connection, incident_id: str | None = None) -> list[dict[str, Any]]:
    """Every campaign with its counts, the newest first; of one incident, or of all."""
    query = select(campaign).order_by(campaign.c.at.desc(), campaign.c.id)
    if incident_id is not None:
        query = query.where(campaign.c.incident_id == incident_id)
    return [_standing(connection, row) for row in connection.execute(query).all()]


def campaign_of(connection: Connection, campaign_id: str) -> dict[str, Any]:
    """One campaign with its counts.

    Raises:
        NotFound: no such campaign.
    """
    row = connection.execute(select(campaign).where(campaign.c.id == campaign_id)).one_or_none()
    if row is None:
        raise NotFound(f"no campaign {campaign_id}: see 'leerp campaign list'")
    return {**_standing(connection, row), "directory": row.directory_version}


def mail_rows(connection: Connection, campaign_id: str) -> Sequence[Row[Any]]:
    """The mails of a campaign in the order of its list, each with when it was acknowledged."""
    return connection.execute(
        select(notification, acknowledgement.c.at.label("acknowledged_at"))
        .outerjoin(
            acknowledgement,
            (acknowledgement.c.campaign_id == notification.c.campaign_id)
            & (acknowledgement.c.recipient_id == notification.c.recipient_id),
        )
        .where(notification.c.campaign_id == campaign_id)
        .order_by(notification.c.cursor)
    ).all()


def mails_of(connection: Connection, campaign_id: str) -> list[dict[str, Any]]:
    """Each mail, those first that a person must look at; who it is for by the directory in force."""
    known = Directory.load(connection).by_id()
    mails = []
    for row in mail_rows(connection, campaign_id):
        recipient = known.get(row.recipient_id)
        mails.append(
            {
                "recipient": row.recipient_id,
                "organisation": recipient.organisation if recipient else "",
                "country": (recipient.country if recipient else None) or NO_COUNTRY,
                "contact": row.contact + 1,
                "reminder": row.revision,
                "variant": row.variant,
                "state": row.state,
                "attempts": row.attempt,
                "reason": row.reason or row.reply,
                "due_at": _iso(row.due_at),
                "accepted_at": _iso(row.accepted_at),
                "acknowledged_at": _iso(row.acknowledged_at),
            }
        )
    order = {state: place for place, state in enumerate(ATTENTION)}
    return sorted(mails, key=lambda mail: order.get(State(mail["state"]), len(order)))


def by_country(mails: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each country: its recipients, those with a mail accepted, those who acknowledged."""
    groups: dict[str, dict[str, set[str]]] = {}
    for mail in mails:
        group = groups.setdefault(
            mail["country"], {"recipients": set(), "accepted": set(), "acknowledged": set()}
        )
        group["recipients"].add(mail["recipient"])
        if mail["state"] == State.ACCEPTED:
            group["accepted"].add(mail["recipient"])
        if mail["acknowledged_at"]:
            group["acknowledged"].add(mail["recipient"])
    rows = []
    for country, group in sorted(groups.items()):
        numbers = {name: len(names) for name, names in group.items()}
        silent = group["accepted"] - group["acknowledged"]
        rows.append({"country": country, **numbers, "silent": len(silent)})
    return rows


def timeline_of(
    connection: Connection, campaign_id: str, recipient_id: str
) -> list[dict[str, Any]]:
    """Everything the audit trail has on the mails of one recipient, in its order.

    Raises:
        NotFound: the campaign has no mail to this recipient.
    """
    mine = set(
        connection.scalars(
            select(notification.c.id).where(
                notification.c.campaign_id == campaign_id,
                notification.c.recipient_id == recipient_id,
            )
        )
    )
    if not mine:
        raise NotFound(
            f"{campaign_id} has no mail to {recipient_id}: see 'leerp campaign show {campaign_id}'"
        )
    return list(_events(connection, campaign_id, recipient_id, mine))


def _events(
    connection: Connection, campaign_id: str, recipient_id: str, mine: set[str]
) -> Iterator[dict[str, Any]]:
    for row in audit.export(connection):
        if row.get("subject") != campaign_id:
            continue
        detail = row.get("detail", {})
        named = detail.get("notifications", ())
        if row["event"] == "campaign_frozen" or row["actor"] == recipient_id or mine & set(named):
            codes = named if isinstance(named, dict) else {}
            said = Counter(str(codes[name]) for name in mine & set(codes))
            yield {
                "at": row["at"],
                "event": row["event"],
                "by": row["actor"],
                "detail": ", ".join(sorted(said)) or str(detail.get("reason", "")),
            }


def _standing(connection: Connection, row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "incident": row.incident_id,
        "kind": row.kind,
        "at": row.at.isoformat(),
        "exercise": row.exercise,
        **counts(connection, row.id).model_dump(),
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
