"""What a released warning becomes: the warning itself, or its hook for the Union's mechanisms.

Source: R29 to R34; domain 5.3.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from notifications.directory import Directory
from notifications.ewn import EarlyWarning
from notifications.ewn_quality import check_ewn, require
from notifications.notices import NoticeContent, blueprint_of
from protocol.parties import RecipientClass
from protocol.stages import NoticeKind


def released(content: NoticeContent, kind: NoticeKind) -> NoticeContent:
    """The content of a campaign of this kind; for a warning the quality gate is asked a last time.

    Raises:
        Refused: ``ewn-incomplete``.
    """
    if not isinstance(content, EarlyWarning):
        return content
    require(check_ewn(content))
    return blueprint_of(content) if kind is NoticeKind.BLUEPRINT else content


def mechanisms(
    connection: Connection, classes: Collection[RecipientClass], omissions: Mapping[str, str]
) -> tuple[str, ...]:
    """Ids of who gets the hook; whom the warning leaves out on purpose is left out here too."""
    directory = Directory.load(connection)
    return tuple(
        recipient.id
        for name in classes
        if name not in omissions
        for recipient in directory.of_class(name)
    )
