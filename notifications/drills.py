"""Drills of the directory: what a test call says, and how everybody answered.

A drill is a campaign without an incident: its own id stands where that of an incident would.
Source: R25, R72; domain 4.4.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row, select

from infra.tables import acknowledgement, campaign
from notifications.campaign_rows import mail_rows
from notifications.directory import Directory, Recipient, Record
from notifications.directory_check import broken_keys
from notifications.notices import DrillNotice
from notifications.outbox import State
from protocol.errors import NotFound
from protocol.parties import RecipientClass
from protocol.stages import NoticeKind


class Answered(Record):
    """How one organisation did in a drill."""

    recipient: str
    organisation: str
    recipient_class: RecipientClass | None
    country: str | None
    delivered: bool
    """A relay has taken a mail for it."""
    answered: bool
    seconds: float | None
    """From the start of the drill to the answer."""
    answered_by: str
    """The contact that answered, as mailbox and not as person; empty while there is none."""
    tried: tuple[str, ...]
    """The contacts that a mail was made for, each with what became of it."""
    keys: tuple[str, ...]
    """Keys of the contacts that were tried which could not be used."""


class DrillReport(Record):
    """How a drill went, or stands."""

    drill: str
    exercise: bool
    campaign: str
    started_at: datetime
    directory: int
    reason: str
    recipients: int
    answered: int
    silent: tuple[str, ...]
    """Who did not answer, in the order of the list."""
    undelivered: tuple[str, ...]
    """Those for whom no relay has taken a mail."""
    keys_failed: tuple[str, ...]
    median_seconds: float | None
    slowest_seconds: float | None
    empty_classes: tuple[RecipientClass, ...]
    """Classes of the directory that nobody is in, so that nobody could be called."""
    organisations: tuple[Answered, ...]


def campaign_id_of(drill: str) -> str:
    """The campaign that carries the drill."""
    return f"{drill}.{NoticeKind.DRILL}.1"


def drill_notice(
    drill: str, *, issued_at: datetime, reason: str, answer_within: float
) -> DrillNotice:
    """What a test call says; it is always marked as an exercise. ``answer_within`` is in seconds."""
    return DrillNotice(
        incident_id=drill,
        exercise=True,
        issued_at=issued_at,
        reason=reason,
        answer_by=issued_at + timedelta(seconds=answer_within),
    )


def drills(connection: Connection) -> list[DrillReport]:
    """Every drill, the newest first."""
    query = select(campaign).where(campaign.c.kind == NoticeKind.DRILL)
    rows = connection.execute(query.order_by(campaign.c.at.desc(), campaign.c.id)).all()
    return [_report(connection, row) for row in rows]


def drill_report(connection: Connection, drill: str) -> DrillReport:
    """Who answered a drill, how long it took, who did not, and which keys failed.

    Raises:
        NotFound: no such drill, or its list is not frozen yet.
    """
    row = connection.execute(
        select(campaign).where(
            campaign.c.id == campaign_id_of(drill), campaign.c.kind == NoticeKind.DRILL
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"no drill {drill!r} has begun: see 'leerp directory drill list'")
    return _report(connection, row)


def _report(connection: Connection, row: Row[Any]) -> DrillReport:
    directory = Directory.load(connection, row.directory_version)
    organisations = _organisations(connection, row, directory)
    took = [each.seconds for each in organisations if each.seconds is not None]
    return DrillReport(
        drill=row.incident_id,
        exercise=row.exercise,
        campaign=row.id,
        started_at=row.at,
        directory=row.directory_version,
        reason=row.content["reason"],
        recipients=len(organisations),
        answered=len(took),
        silent=tuple(each.recipient for each in organisations if not each.answered),
        undelivered=tuple(each.recipient for each in organisations if not each.delivered),
        keys_failed=tuple(each.recipient for each in organisations if each.keys),
        median_seconds=median(took) if took else None,
        slowest_seconds=max(took, default=None),
        empty_classes=tuple(name for name in RecipientClass if not directory.of_class(name)),
        organisations=organisations,
    )


def _organisations(
    connection: Connection, row: Row[Any], directory: Directory
) -> tuple[Answered, ...]:
    known = directory.by_id()
    answers = {
        answer.recipient_id: answer
        for answer in connection.execute(
            select(acknowledgement).where(acknowledgement.c.campaign_id == row.id)
        )
    }
    mails: dict[str, list[Row[Any]]] = {}
    for mail in mail_rows(connection, row.id):
        mails.setdefault(mail.recipient_id, []).append(mail)
    return tuple(
        _answered(row, known.get(name), theirs, answers.get(name)) for name, theirs in mails.items()
    )


def _answered(
    row: Row[Any], recipient: Recipient | None, mails: list[Row[Any]], answer: Row[Any] | None
) -> Answered:
    states = {mail.contact: mail.state for mail in mails if mail.revision == 0}
    return Answered(
        recipient=mails[0].recipient_id,
        organisation=recipient.organisation if recipient else "",
        recipient_class=recipient.recipient_class if recipient else None,
        country=recipient.country if recipient else None,
        delivered=any(mail.state == State.ACCEPTED for mail in mails),
        answered=answer is not None,
        seconds=(answer.at - row.at).total_seconds() if answer is not None else None,
        answered_by=_name(recipient, answer.contact) if answer is not None else "",
        tried=tuple(f"{_name(recipient, number)}: {state}" for number, state in states.items()),
        keys=tuple(
            f"{_name(recipient, number)}: {message}"
            for number in states
            for _, message in _broken(recipient, number, row.at)
        ),
    )


def _broken(recipient: Recipient | None, number: int, at: datetime) -> list[tuple[str, str]]:
    if recipient is None or number >= len(recipient.contacts):
        return []
    return list(broken_keys(recipient.contacts[number], at))


def _name(recipient: Recipient | None, number: int) -> str:
    known = recipient is not None and number < len(recipient.contacts)
    return recipient.contacts[number].name if recipient and known else f"contact {number + 1}"
