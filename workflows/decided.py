"""What the decisions of an incident say of its drafts: recorded, approved, or still waiting."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from infra import casefile
from infra.casefile import Artefact
from infra.tables_decisions import decision
from protocol.errors import NotFound
from protocol.markings import Marking
from protocol.stages import Gate
from workflows.gatekeeping import LAUNCH_GATES


def recorded_centre(connection: Connection, incident_id: str) -> Artefact:
    """The newest coordination centre that was recorded; a draft of it binds nobody.

    Raises:
        NotFound: none is recorded yet.
    """
    recorded = _digests(connection, incident_id, "%recorded")
    for found in reversed(casefile.all_artefacts(connection, incident_id, "centre")):
        if found.digest in recorded:
            return found
    raise NotFound(
        f"incident {incident_id} has no centre yet: set it up with 'leerp incidents centre'"
    )


def approved_downgrades(connection: Connection, incident_id: str) -> dict[str, Marking]:
    """Report id to the lower marking that two people agreed on; the newest counts."""
    approved = _digests(connection, incident_id, f"{Gate.DOWNGRADE}-approved")
    return {
        found.document["report"]: Marking.model_validate(found.document["marking"])
        for found in casefile.all_artefacts(connection, incident_id, "downgrade")
        if found.digest in approved
    }


def pending_gates(connection: Connection, incident_id: str) -> list[dict[str, Any]]:
    """What waits at the gates for a second person, as the decisions so far tell."""
    rows = connection.execute(
        select(decision)
        .where(decision.c.incident_id == incident_id)
        .order_by(decision.c.at, decision.c.command_id)
    )
    waiting: dict[str, dict[str, Any]] = {}
    for row in rows:
        gate, _, state = row.command.rpartition("-")
        if state == "proposed":
            waiting[gate] = {
                "gate": gate,
                "digest": row.detail["digest"],
                "proposer": row.officer,
                "at": row.at.isoformat(),
            }
        elif state in {"approved", "declined"}:
            waiting.pop(gate, None)
        if state == "approved" and gate in LAUNCH_GATES:
            waiting = {name: each for name, each in waiting.items() if name not in LAUNCH_GATES}
    return list(waiting.values())


def _digests(connection: Connection, incident_id: str, command: str) -> set[str]:
    """Digests of the drafts that commands like this one named."""
    return set(
        connection.scalars(
            select(decision.c.detail["digest"].as_string()).where(
                decision.c.incident_id == incident_id, decision.c.command.like(command)
            )
        )
    )
