"""What is read of a campaign: its row, its mails, and who has answered.

Source: R33, R72; issue 7, item 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from infra.tables import acknowledgement, campaign, notification
from infra.tables_acknowledgement import settlement
from notifications.directory import Directory, Recipient
from protocol.errors import NotFound


def campaign_row(connection: Connection, campaign_id: str) -> Row[Any]:
    """What was frozen.

    Raises:
        NotFound: no such campaign.
    """
    row = connection.execute(select(campaign).where(campaign.c.id == campaign_id)).one_or_none()
    if row is None:
        raise NotFound(f"no campaign {campaign_id}: see 'leerp campaign list'")
    return row


def mail_rows(connection: Connection, campaign_id: str) -> Sequence[Row[Any]]:
    """The mails of a campaign in the order of its list."""
    return connection.execute(
        select(notification)
        .where(notification.c.campaign_id == campaign_id)
        .order_by(notification.c.cursor)
    ).all()


def known_recipients(connection: Connection, frozen: int) -> dict[str, Recipient]:
    """Recipients by id as the directory has them now, or as it had them when it was frozen."""
    in_force = Directory.load(connection)
    if in_force.version == frozen:
        return in_force.by_id()
    return Directory.load(connection, frozen).by_id() | in_force.by_id()


def acknowledged_at(connection: Connection, campaign_id: str) -> dict[str, datetime]:
    """Who has acknowledged, and when."""
    rows = connection.execute(
        select(acknowledgement.c.recipient_id, acknowledgement.c.at).where(
            acknowledgement.c.campaign_id == campaign_id
        )
    )
    return {row.recipient_id: row.at for row in rows}


def settled_recipients(connection: Connection, campaign_id: str) -> frozenset[str]:
    """Of whom a person said what became of them."""
    return frozenset(
        connection.scalars(
            select(settlement.c.recipient_id).where(settlement.c.campaign_id == campaign_id)
        )
    )
