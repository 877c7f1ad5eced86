"""The case file, as activities. External system: the database.

Every one of them may be repeated: the key of what it writes comes from the workflow.
"""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, Field
from temporalio import activity

from infra import casefile
from infra.database import Database
from infra.payload import Payload
from protocol.profile import Profile
from protocol.stages import Stage

PROFILE = "profile"
"""Kind of the artefact that keeps the profile an incident started with (R50)."""


class StageEntry(Payload):
    """A stage begins; ``number`` counts the entries of this incident from 0."""

    incident_id: str
    number: int
    stage: Stage
    at: AwareDatetime
    profile: Profile | None = None
    """With the first stage: the profile that the incident keeps."""


class StageOverdue(Payload):
    """A stage's target time passed."""

    incident_id: str
    number: int
    at: AwareDatetime


class Decision(Payload):
    """What a person decided, by the id that the client gave the command."""

    command_id: str
    incident_id: str
    command: str
    officer: str
    organisation: str
    detail: dict[str, Any] = Field(default_factory=dict)


class Ending(Payload):
    """How the incident ended."""

    incident_id: str
    at: AwareDatetime
    outcome: dict[str, Any]


class CaseFileActivities:
    """Short writes to the case file; built once per worker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    def enter_stage(self, entry: StageEntry) -> None:
        """Once per number: a repeat changes nothing."""
        with self._database.write() as connection:
            casefile.enter_stage(connection, entry.incident_id, entry.number, entry.stage, entry.at)
            known = casefile.find_artefact(connection, entry.incident_id, PROFILE)
            if entry.profile is not None and known is None:
                casefile.add_artefact(
                    connection,
                    entry.incident_id,
                    PROFILE,
                    entry.profile.model_dump(mode="json"),
                    by="workflow",
                    channel="workflow",
                )

    @activity.defn
    def mark_overdue(self, overdue: StageOverdue) -> None:
        """At least once: a repeat writes a second audit row and the same mark."""
        with self._database.write() as connection:
            casefile.mark_overdue(connection, overdue.incident_id, overdue.number, overdue.at)

    @activity.defn
    def record_decision(self, decision: Decision) -> None:
        """Once per command id."""
        with self._database.write() as connection:
            casefile.record_decision(connection, **dict(decision))

    @activity.defn
    def end_incident(self, ending: Ending) -> None:
        """Once: a repeat changes nothing."""
        with self._database.write() as connection:
            casefile.end_incident(connection, ending.incident_id, ending.at, ending.outcome)
