"""What would go to whom if the newest draft of a notice were released now.

Source: R31 to R33, R49; domain 4.4.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from infra import casefile
from infra.tables import campaign
from notifications.campaigns import recipients_of
from notifications.directory import Directory, Recipient
from notifications.notices import NoticeContent, read_content
from protocol.errors import NotFound, Refused
from protocol.profile import Profile
from protocol.stages import NoticeKind

DRAFTS = {
    NoticeKind.INITIAL: "centre",
    NoticeKind.EWN: "ewn",
    NoticeKind.INVITATION: "invitation",
    NoticeKind.PLAN: "plan",
    NoticeKind.CLOSURE: "closure",
}
"""Notices that begin as a draft of the case file, with its kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A draft as it would go out, with everybody it is meant for, by the directory in force."""

    draft: str
    """Kind and version in the case file, such as ``ewn/2``."""
    content: NoticeContent
    recipients: tuple[Recipient, ...]


def release_of(
    connection: Connection, incident_id: str, kind: NoticeKind, profile: Profile
) -> Release:
    """The newest draft of a notice.

    Raises:
        NotFound: nothing of the kind is drafted, or there is no directory.
        Refused: ``no-draft``, such a notice does not begin as a draft.
    """
    if kind not in DRAFTS:
        raise Refused("no-draft", f"{kind} is not drafted: one of {', '.join(DRAFTS)}")
    found = casefile.find_artefact(connection, incident_id, DRAFTS[kind])
    if found is None:
        raise NotFound(
            f"{incident_id} has no draft of kind {DRAFTS[kind]} yet: see 'leerp incidents show "
            f"{incident_id}' for what comes next"
        )
    directory = Directory.load(connection)
    told = _told_before(connection, incident_id) if kind is NoticeKind.CLOSURE else None
    wanted = set(profile.notices[kind].classes) - set(found.document.get("omissions", {}))
    return Release(
        draft=f"{found.kind}/{found.version}",
        content=read_content(found.document["notice"]),
        recipients=tuple(
            each
            for each in directory.recipients
            if (each.recipient_class in wanted if told is None else each.id in told)
        ),
    )


def _told_before(connection: Connection, incident_id: str) -> set[str] | None:
    """Who got the initial notice, and so gets the closure (R49)."""
    first = connection.scalar(
        select(campaign.c.id)
        .where(campaign.c.incident_id == incident_id, campaign.c.kind == NoticeKind.INITIAL)
        .order_by(campaign.c.revision)
        .limit(1)
    )
    return None if first is None else set(recipients_of(connection, first))
