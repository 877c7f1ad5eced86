"""The case file of an incident: artefacts in versions, decisions, stages. Only ever added to.

Each function works in the caller's transaction and leaves its audit row there (R1).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from infra import audit
from infra.tables import artefact, incident, relay, stage_log
from infra.tables_decisions import decision
from protocol.errors import NotFound
from protocol.stages import Stage


def digest_of(document: Any) -> str:
    """SHA-256 over the document's canonical JSON, 64 hex digits."""
    canonical = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """One version of a document of the case: assessment, centre, ewn, plan, ..."""

    incident_id: str
    kind: str
    version: int
    at: datetime
    by: str
    document: dict[str, Any]

    @property
    def digest(self) -> str:
        return digest_of(self.document)


def add_artefact(
    connection: Connection,
    incident_id: str,
    kind: str,
    document: Mapping[str, Any],
    *,
    by: str,
    channel: str,
) -> Artefact:
    """Store the next version and return it."""
    newest = connection.scalar(
        select(func.max(artefact.c.version)).where(
            artefact.c.incident_id == incident_id, artefact.c.kind == kind
        )
    )
    made = Artefact(
        incident_id=incident_id,
        kind=kind,
        version=(newest or 0) + 1,
        at=datetime.now(UTC),
        by=by,
        document=dict(document),
    )
    connection.execute(
        insert(artefact).values(
            incident_id=incident_id,
            kind=kind,
            version=made.version,
            at=made.at,
            by=by,
            document=made.document,
        )
    )
    audit.append(
        connection,
        f"{kind.replace('-', '_')}_recorded",
        actor=by,
        subject=incident_id,
        channel=channel,
        version=made.version,
        digest=made.digest,
    )
    return made


def find_artefact(
    connection: Connection, incident_id: str, kind: str, version: int | None = None
) -> Artefact | None:
    """A version of an artefact, the newest when none is named."""
    query = select(artefact).where(artefact.c.incident_id == incident_id, artefact.c.kind == kind)
    if version is not None:
        query = query.where(artefact.c.version == version)
    row = connection.execute(query.order_by(artefact.c.version.desc()).limit(1)).one_or_none()
    return Artefact(**row._mapping) if row else None  # noqa: SLF001 (documented accessor of Row)


def get_artefact(
    connection: Connection, incident_id: str, kind: str, version: int | None = None
) -> Artefact:
    """As ``find_artefact``.

    Raises:
        NotFound: there is none yet.
    """
    found = find_artefact(connection, incident_id, kind, version)
    if found is None:
        wanted = f" version {version}" if version else ""
        raise NotFound(f"incident {incident_id} has no {kind}{wanted} yet")
    return found


def all_artefacts(connection: Connection, incident_id: str, kind: str) -> list[Artefact]:
    """Every version of a kind, oldest first."""
    rows = connection.execute(
        select(artefact)
        .where(artefact.c.incident_id == incident_id, artefact.c.kind == kind)
        .order_by(artefact.c.version)
    )
    return [Artefact(**row._mapping) for row in rows]  # noqa: SLF001


def record_decision(
    connection: Connection,
    *,
    command_id: str,
    incident_id: str,
    command: str,
    officer: str,
    organisation: str,
    detail: Mapping[str, Any],
) -> None:
    """Store what a person decided, once for each command id of the incident."""
    known = connection.scalar(
        select(decision.c.command_id).where(
            decision.c.incident_id == incident_id, decision.c.command_id == command_id
        )
    )
    if known:
        return
    connection.execute(
        insert(decision).values(
            command_id=command_id,
            incident_id=incident_id,
            command=command,
            officer=officer,
            organisation=organisation,
            at=datetime.now(UTC),
            detail=dict(detail),
        )
    )
    audit.append(
        connection,
        "decision_recorded",
        actor=officer,
        subject=incident_id,
        channel="workflow",
        command=command,
        command_id=command_id,
        detail=dict(detail),
    )


def mark_detected(
    connection: Connection, incident_id: str, *, by: str, channel: str, reason: str
) -> None:
    """Turn a cluster into a detection; the relay starts its workflow."""
    connection.execute(
        update(incident)
        .where(incident.c.id == incident_id)
        .values(status="detected", detected_at=datetime.now(UTC))
    )
    audit.append(
        connection,
        "incident_detected",
        actor=by,
        subject=incident_id,
        channel=channel,
        reason=reason,
    )


def enter_stage(
    connection: Connection, incident_id: str, number: int, stage: Stage, at: datetime
) -> None:
    """Leave the stage before and enter ``stage`` at the workflow's time; a repeat changes nothing."""
    known = connection.scalar(
        select(stage_log.c.number).where(
            stage_log.c.incident_id == incident_id, stage_log.c.number == number
        )
    )
    if known is not None:
        return
    _leave(connection, incident_id, at)
    connection.execute(
        insert(stage_log).values(incident_id=incident_id, number=number, stage=stage, entered=at)
    )
    connection.execute(update(incident).where(incident.c.id == incident_id).values(stage=stage))
    audit.append(connection, "stage_entered", actor="workflow", subject=incident_id, stage=stage)


def end_incident(
    connection: Connection, incident_id: str, at: datetime, outcome: Mapping[str, Any]
) -> None:
    """Leave the last stage and mark the incident as ended; a repeat changes nothing.

    The relay is told, since a report may have come in while the workflow was ending.
    """
    status = connection.scalar(select(incident.c.status).where(incident.c.id == incident_id))
    if status == "ended":
        return
    _leave(connection, incident_id, at)
    connection.execute(update(incident).where(incident.c.id == incident_id).values(status="ended"))
    audit.append(
        connection,
        "incident_ended",
        actor="workflow",
        subject=incident_id,
        outcome=dict(outcome),
    )
    tell(connection, "incident", incident_id)


def mark_overdue(connection: Connection, incident_id: str, number: int, at: datetime) -> None:
    """Note that a stage passed its target time (R33, silence is an alarm)."""
    connection.execute(
        update(stage_log)
        .where(stage_log.c.incident_id == incident_id, stage_log.c.number == number)
        .values(overdue_at=at)
    )
    audit.append(
        connection, "stage_overdue", actor="workflow", subject=incident_id, stage_number=number
    )


def _leave(connection: Connection, incident_id: str, at: datetime) -> None:
    connection.execute(
        update(stage_log)
        .where(stage_log.c.incident_id == incident_id, stage_log.c.left.is_(None))
        .values(left=at)
    )


def tell(connection: Connection, kind: str, target: str) -> None:
    """Queue word for a workflow that something of its own changed (the relay carries it)."""
    connection.execute(insert(relay).values(kind=kind, target=target, done=False))
