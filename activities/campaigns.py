"""Campaigns, as activities. External systems: the database and the mail relay.

Sending is at least once: a repeat carries the same Message-ID and the same bytes, and only messages
between the end of DATA and the relay's reply can be doubled (reliability 2.2, 2.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from pydantic import Field
from sqlalchemy import Connection, select
from temporalio import activity

from activities.reassessment import reassessment_notice
from activities.warnings import mechanisms, released
from infra import audit, casefile
from infra.database import Database
from infra.originals import documents_of
from infra.payload import Payload
from infra.tables import report
from notifications import campaigns
from notifications.campaigns import FreezeOrder
from notifications.delivery import Delivery
from notifications.directory import Directory
from notifications.drills import drill_notice
from notifications.notices import BlueprintNotice, OverdueNotice, read_content
from notifications.withdrawal import who_got_it, withdrawal_notice
from protocol.errors import LeerpError, Refused
from protocol.parties import RecipientClass
from protocol.stages import NoticeKind

log = structlog.get_logger()


class DraftRef(Payload):
    """One version of an artefact of the case file, by its digest; the text stays in the database."""

    kind: str
    version: int
    digest: str


class CampaignOrder(Payload):
    """What a campaign is to send, and to whom."""

    campaign_id: str
    incident_id: str
    kind: NoticeKind
    revision: int
    classes: tuple[RecipientClass, ...]
    content: DraftRef | None
    """The approved draft; None for notices that the workflow itself gives rise to."""
    recipients_of: str = ""
    """A campaign whose frozen list is used again, as for the closure (R49)."""
    exercise: bool
    detail: dict[str, Any] = Field(default_factory=dict)


class FrozenCampaign(Payload):
    """The size of the frozen list; the list itself stays in the database."""

    recipients: int
    held: int
    size: int = 0
    """Mails, and the end of the cursor range; 0 where there is one for each recipient."""

    @property
    def end(self) -> int:
        return self.size or self.recipients


class SendOrder(Payload):
    """Send the rows ``start <= cursor < end`` of a campaign."""

    campaign_id: str
    start: int
    end: int


class SendResult(Payload):
    """When the first mail that must wait is due, in seconds from now; None when none must."""

    next_due_seconds: float | None = None


class NextStep(Payload):
    """What a step of the ladder leaves to send: what is due before cursor ``end``."""

    campaign_id: str
    """The campaign itself, or the one about it that goes to the duty manager."""
    end: int


class CampaignRef(Payload):
    """Names a campaign."""

    campaign_id: str


class CampaignActivities:
    """Built once per worker."""

    def __init__(self, database: Database, message_key: bytes, delivery: Delivery) -> None:
        self._database = database
        self._key = message_key
        self._delivery = delivery

    @activity.defn
    def freeze(self, order: CampaignOrder) -> FrozenCampaign:
        """Freeze recipients and content, once for each campaign id.

        Tried again until it works: a class without anybody is put right by a new directory.

        Raises:
            Refused: the draft is not the one that was approved, or a class is left out unexplained;
                the first time, an audit row says so.
        """
        try:
            return self._freeze(order)
        except LeerpError as exc:
            if activity.info().attempt == 1:
                self._audit_hindrance(order, exc)
            raise

    def _audit_hindrance(self, order: CampaignOrder, exc: LeerpError) -> None:
        with self._database.write() as connection:
            audit.append(
                connection,
                "campaign_hindered",
                actor="worker",
                subject=order.campaign_id,
                incident=order.incident_id,
                reason=str(exc)[:500],
            )

    def _freeze(self, order: CampaignOrder) -> FrozenCampaign:
        with self._database.write() as connection:
            content, extra = _content_of(connection, order)
            omissions = extra.get("omissions", {})
            recipients = _recipients_of(connection, order, content, omissions)
            to = _contacts_of(connection, order)
            if recipients == () and not to:
                told = "notifiers_unknown" if order.kind is NoticeKind.OUTCOME else "nobody_to_tell"
                audit.append(connection, told, actor="worker", subject=order.campaign_id)
                return FrozenCampaign(recipients=0, held=0)
            frozen = campaigns.freeze(
                connection,
                FreezeOrder(
                    campaign_id=order.campaign_id,
                    revision=order.revision,
                    content=content,
                    classes=() if recipients or to else order.classes,
                    recipients=recipients or (),
                    contacts=to,
                    omissions=omissions,
                    by="worker",
                ),
                message_key=self._key,
                now=datetime.now(UTC),
                trust=self._delivery.trust(),
            )
        return FrozenCampaign(recipients=frozen.recipients, held=frozen.held, size=frozen.size)

    @activity.defn
    async def send_range(self, order: SendOrder) -> SendResult:
        """Send what is due in a cursor range; at least once, with the same Message-ID and bytes.

        Raises:
            ServiceDown: the relay is away; nothing is lost, the activity is tried again.
        """
        result = await self._delivery.send_range(
            order.campaign_id, order.start, order.end, heartbeat=activity.heartbeat
        )
        log.info(
            "range_sent",
            campaign_id=order.campaign_id,
            accepted=result.accepted,
            refused=result.refused,
            unknown=result.unknown,
            held=result.held,
        )
        if result.next_due is None:
            return SendResult()
        return SendResult(
            next_due_seconds=max(0.0, (result.next_due - datetime.now(UTC)).total_seconds())
        )


def _content_of(connection: Connection, order: CampaignOrder) -> tuple[Any, Mapping[str, Any]]:
    """The notice, and what stands beside it in the draft."""
    if order.content is None and order.kind is NoticeKind.REASSESSMENT:
        return reassessment_notice(
            connection,
            order.incident_id,
            exercise=order.exercise,
            issued_at=datetime.now(UTC),
            **order.detail,
        ), {}
    if order.content is None and order.kind is NoticeKind.DRILL:
        return drill_notice(order.incident_id, issued_at=datetime.now(UTC), **order.detail), {}
    if order.kind is NoticeKind.WITHDRAWAL:
        return withdrawal_notice(connection, order.recipients_of, issued_at=datetime.now(UTC)), {}
    if order.content is None:
        return _overdue_notice(order), {}
    draft = casefile.get_artefact(
        connection, order.incident_id, order.content.kind, order.content.version
    )
    if draft.digest != order.content.digest:
        raise Refused(
            "altered-draft",
            f"{draft.kind} version {draft.version} is not what two people approved: it was altered",
        )
    return released(read_content(draft.document["notice"]), order.kind), draft.document


def _overdue_notice(order: CampaignOrder) -> OverdueNotice:
    now = datetime.now(UTC)
    return OverdueNotice(
        incident_id=order.incident_id,
        exercise=order.exercise,
        issued_at=now,
        matter=f"{order.detail['matter']} of {order.incident_id}",
        due_at=order.detail["due_at"],
        advice=f"see 'leerp incidents show {order.incident_id}' for what is waited for",
    )


def _recipients_of(
    connection: Connection, order: CampaignOrder, content: Any, omissions: Mapping[str, str]
) -> tuple[str, ...] | None:
    """Explicit recipients, or None where the classes decide."""
    nothing_to_send = isinstance(content, BlueprintNotice) and content.is_empty
    if order.kind is NoticeKind.WITHDRAWAL or nothing_to_send:
        return ()
    if order.recipients_of:
        return campaigns.recipients_of(connection, order.recipients_of)
    if order.kind is NoticeKind.OUTCOME:
        return tuple(r.id for r in _notifiers(connection, order.incident_id))
    if order.kind is NoticeKind.BLUEPRINT:
        return mechanisms(connection, order.classes, omissions)
    return None


def _contacts_of(connection: Connection, order: CampaignOrder) -> tuple[tuple[str, int], ...]:
    """Exactly these contacts: for a withdrawal, those that got what is withdrawn."""
    if order.kind is not NoticeKind.WITHDRAWAL:
        return ()
    return who_got_it(connection, order.recipients_of)


def _notifiers(connection: Connection, incident_id: str) -> tuple[Any, ...]:
    """Who of the directory sent a report of this incident (N0)."""
    which = report.c.incident_id == incident_id
    names = set(connection.scalars(select(report.c.principal).where(which)))
    names |= {document["reporter"]["name"] for document in documents_of(connection, which)}
    return Directory.load(connection).by_principals(sorted(names))
