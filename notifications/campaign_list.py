"""Campaigns with their counts, without looking at each recipient. Source: R33; issue 7."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from infra.tables import acknowledgement, campaign, notification
from notifications.campaign_rows import campaign_row
from notifications.followups import counts


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
    row = campaign_row(connection, campaign_id)
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


def _standing(connection: Connection, row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "incident": row.incident_id,
        "kind": row.kind,
        "at": row.at.isoformat(),
        "exercise": row.exercise,
        **counts(connection, row.id).model_dump(),
    }
