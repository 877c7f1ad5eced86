"""What all kinds of draft share: who makes them, when they may be made, where they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from infra import casefile
from infra.casefile import Artefact
from infra.database import Database
from notifications.campaigns import require_everybody
from notifications.content import ContactPoint
from notifications.directory import Directory
from protocol.parties import RecipientClass
from protocol.profile import Profile
from protocol.stages import NoticeKind
from workflows.open_incident import opened_by


class CaseDrafts:
    """The case file as one officer writes drafts to it."""

    def __init__(
        self, database: Database, profile: Profile, *, exercise: bool, officer: str, channel: str
    ) -> None:
        self._database = database
        self._profile = profile
        self._exercise = exercise
        self._officer = officer
        self._channel = channel

    def _open(self, incident_id: str, command: str) -> AbstractContextManager[Connection]:
        return opened_by(self._database, self._officer, self._channel, incident_id, command)

    def _common(self, incident_id: str) -> dict[str, Any]:
        return {"incident_id": incident_id, "exercise": self._exercise, "issued_at": now()}

    def _reach_everybody(
        self,
        connection: Connection,
        kind: NoticeKind,
        omissions: Mapping[RecipientClass, str],
    ) -> None:
        """What waits at a gate must be able to go out: look already now whether it could."""
        classes = self._profile.notices[kind].classes
        require_everybody(Directory.load(connection), kind, classes, omissions)

    def _add(
        self, connection: Connection, incident_id: str, kind: str, document: Mapping[str, Any]
    ) -> Artefact:
        return casefile.add_artefact(
            connection, incident_id, kind, document, by=self._officer, channel=self._channel
        )


def points_of(centre: Artefact) -> tuple[ContactPoint, ...]:
    """Where a centre is reached."""
    return tuple(ContactPoint.model_validate(p) for p in centre.document["contact_points"])


def now() -> datetime:
    return datetime.now(UTC)
