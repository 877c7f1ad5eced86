"""One round of the self-audit: every open campaign is checked, and what is found is told once.

A campaign is open for as long as the links in its mails may be used. Source: issue 7.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, func, insert, select, update

from infra import audit
from infra.database import Database
from infra.settings import Settings
from infra.tables import campaign, notification
from infra.tables_watch import finding, watch_round
from notifications.campaign_view import UNDER_WAY
from notifications.campaigns import FreezeOrder, Frozen, freeze
from notifications.notices import OverdueNotice
from notifications.own_keys import CERTIFICATE, Life, OwnKey, own_keys
from notifications.self_audit import Finding, Problem, audit_campaign
from protocol.errors import LeerpError
from protocol.parties import RecipientClass
from protocol.stages import NoticeKind

log = structlog.get_logger()

ACTOR = "self-audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """How a round ended: what is wrong now, and the notices that are to be sent because of it."""

    campaigns: int
    findings: tuple[Finding, ...]
    notices: tuple[Frozen, ...]


def open_campaigns(connection: Connection, settings: Settings, now: datetime) -> list[str]:
    """Ids of the campaigns that may still be acknowledged, the oldest first."""
    return list(
        connection.scalars(
            select(campaign.c.id)
            .where(campaign.c.at > now - settings.delivery.link_lifetime)
            .order_by(campaign.c.at, campaign.c.id)
        )
    )


def findings_of(
    connection: Connection, settings: Settings, ids: Sequence[str], now: datetime
) -> list[Finding]:
    """What does not add up in these campaigns, and which are signed with a key that has ended.

    Raises:
        Refused: a key of the centre's cannot be read.
        NotFound: one of them does not exist.
    """
    notices = {str(kind): rules for kind, rules in settings.profile().notices.items()}
    ended = [
        key
        for key in own_keys(settings.keys)
        if key.name == CERTIFICATE and key.life(now, timedelta()) is Life.EXPIRED
    ]
    return [found for name in ids for found in _signed_too_late(connection, name, ended, now)] + [
        found
        for name in ids
        for found in audit_campaign(
            connection,
            name,
            now=now,
            notices=notices,
            resends_unknown=settings.delivery.unknown_policy == "resend",
        )
    ]


def _signed_too_late(
    connection: Connection, campaign_id: str, ended: Sequence[OwnKey], now: datetime
) -> Iterator[Finding]:
    """Certificates of the centre's that ended before all mails of this campaign were sent."""
    for key in ended:
        late = notification.c.state.in_(UNDER_WAY) | (notification.c.accepted_at >= key.ends)
        mails = connection.scalar(
            select(func.count()).where(notification.c.campaign_id == campaign_id, late)
        )
        if mails:
            yield Finding(
                campaign_id=campaign_id,
                problem=Problem.SIGNATURE,
                subject=key.name,
                message=key.advice(now, timedelta()),
            )


def go_round(database: Database, settings: Settings, *, message_key: bytes, now: datetime) -> Round:
    """Check all open campaigns, write down what was found, and freeze a notice of what is new."""
    with database.read() as connection:
        ids = open_campaigns(connection, settings, now)
        found = findings_of(connection, settings, ids, now)
    with database.write() as connection:
        for campaign_id in ids:
            mine = [each for each in found if each.campaign_id == campaign_id]
            _write_down(connection, campaign_id, mine, now)
        _end_round(connection, ids, found, now)
    frozen = []
    for campaign_id in ids:
        try:
            with database.write() as connection:
                frozen += _tell(connection, campaign_id, message_key, now)
        except LeerpError as error:  # such as a directory without a duty manager: tried again
            log.exception(
                "self_audit_nobody_to_tell", campaign_id=campaign_id, error=type(error).__name__
            )
    return Round(campaigns=len(ids), findings=tuple(found), notices=tuple(frozen))


def note_signal(database: Database, error: str, now: datetime) -> None:
    """Write down how the sign of life went; ``error`` is empty when it was heard."""
    values = {"signal_error": error} | ({} if error else {"signalled_at": now})
    with database.write() as connection:
        connection.execute(update(watch_round).where(watch_round.c.id == 1).values(values))


def _write_down(
    connection: Connection, campaign_id: str, found: Sequence[Finding], now: datetime
) -> None:
    """Add what is new. What a campaign was found with once stays known, so that it is told once."""
    known = {
        (row.problem, row.subject)
        for row in connection.execute(
            select(finding.c.problem, finding.c.subject).where(finding.c.campaign_id == campaign_id)
        )
    }
    fresh = {(each.problem, each.subject): each for each in found}
    fresh = {key: each for key, each in fresh.items() if key not in known}
    if not fresh:
        return
    connection.execute(
        insert(finding),
        [
            {
                "campaign_id": campaign_id,
                "problem": each.problem,
                "subject": each.subject,
                "found_at": now,
                "message": each.message,
                "notice": "",
            }
            for each in fresh.values()
        ],
    )
    problems = sorted({each.problem for each in fresh.values()})
    log.error("self_audit_found", campaign_id=campaign_id, problems=problems, number=len(fresh))
    audit.append(
        connection,
        "self_audit_found",
        actor=ACTOR,
        subject=campaign_id,
        problems=problems,
        subjects=sorted(each.subject for each in fresh.values()),
    )


def _tell(
    connection: Connection, campaign_id: str, message_key: bytes, now: datetime
) -> list[Frozen]:
    """Freeze a notice to the duty manager of what nobody was told of yet.

    None about notices to the duty manager: that would be the same mail again. The sign of life stays
    away instead.
    """
    row = connection.execute(select(campaign).where(campaign.c.id == campaign_id)).one()
    untold = (finding.c.campaign_id == campaign_id) & (finding.c.notice == "")
    found = connection.execute(
        select(finding).where(untold).order_by(finding.c.problem, finding.c.subject)
    ).all()
    if not found or row.kind == NoticeKind.OVERDUE:
        return []
    number = 1 + (
        connection.scalar(
            select(func.count(finding.c.notice.distinct())).where(
                finding.c.campaign_id == campaign_id, finding.c.notice != ""
            )
        )
        or 0
    )
    about = f"{campaign_id}.audit.{number}"
    content = OverdueNotice(
        incident_id=row.incident_id,
        exercise=row.exercise,
        issued_at=now,
        matter=f"self-audit of campaign {campaign_id}",
        due_at=now,
        detail=tuple(each.message for each in found),
        advice=f"see 'leerp campaign audit {campaign_id}' and 'leerp campaign show {campaign_id}'",
    )
    order = FreezeOrder(
        campaign_id=about,
        revision=number,
        content=content,
        classes=(RecipientClass.DUTY_MANAGER,),
        by=ACTOR,
    )
    frozen = freeze(connection, order, message_key=message_key, now=now)
    connection.execute(update(finding).where(untold).values(notice=about))
    return [frozen]


def _end_round(
    connection: Connection, ids: Sequence[str], found: Sequence[Finding], now: datetime
) -> None:
    values = {"at": now, "campaigns": len(ids), "findings": len(found)}
    changed = connection.execute(update(watch_round).where(watch_round.c.id == 1).values(values))
    if not changed.rowcount:
        connection.execute(insert(watch_round).values(id=1, signal_error="", **values))
