"""An incident is absorbed by another: its reports go there, and what officers have done about it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Connection, insert, literal, select, update

from infra import audit, casefile
from infra.tables import Utc, incident, link, permission, report


def absorb(
    connection: Connection,
    absorbed: str,
    into: str,
    now: datetime,
    *,
    through: str,
    shared: Collection[str],
) -> None:
    """Move what is stored of an incident to ``into``, and note it in the history of each report.

    ``through`` is the report that connects the two, by the indicators ``shared``, in words. The
    absorbed incident's own file stays where it is; its findings and permissions count for the other
    too. Its chains of link keys go on naming it: who it became is on its row.
    """
    stored = connection.execute(
        update(incident).where(incident.c.id == absorbed).values(status="merged", merged_into=into)
    )
    if stored.rowcount == 0:
        return  # opened and absorbed in one batch
    reason = {"opens": False, "shared": list(shared), "through": through, "merged": absorbed}
    moved = select(
        report.c.id, literal(into), literal(now, Utc), literal("correlation"), literal(reason, JSON)
    ).where(report.c.incident_id == absorbed)
    connection.execute(
        insert(link).from_select(["report_id", "incident_id", "at", "by", "reason"], moved)
    )
    connection.execute(
        update(report).where(report.c.incident_id == absorbed).values(incident_id=into)
    )
    _carry_findings(connection, absorbed, into)
    _carry_permissions(connection, absorbed, into)
    audit.append(
        connection,
        "incident_merged",
        actor="intake",
        subject=absorbed,
        channel="kafka",
        into=into,
        report=through,
    )


def _carry_findings(connection: Connection, absorbed: str, into: str) -> None:
    given = casefile.find_artefact(connection, absorbed, "findings")
    if given is None:
        return
    own = casefile.find_artefact(connection, into, "findings")
    joined = _joined(own.document, given.document) if own else given.document
    if own is None or joined != own.document:
        casefile.add_artefact(connection, into, "findings", joined, by=given.by, channel="kafka")


def _joined(own: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Lists one after the other, each statement once; single values of ``own`` come first."""
    joined = dict(own)
    for name, value in given.items():
        mine = joined.get(name)
        if isinstance(value, list):
            said = mine or []
            joined[name] = [*said, *(each for each in value if each not in said)]
        elif mine is None:
            joined[name] = value
    return joined


def _carry_permissions(connection: Connection, absorbed: str, into: str) -> None:
    kept = [column for column in permission.c if column.name not in {"id", "incident_id"}]
    given = (
        select(literal(into), *kept)
        .where(permission.c.incident_id == absorbed)
        .order_by(permission.c.id)
    )
    added = connection.execute(
        insert(permission).from_select(["incident_id", *(column.name for column in kept)], given)
    )
    if added.rowcount:
        audit.append(
            connection,
            "permissions_carried_over",
            actor="intake",
            subject=into,
            channel="kafka",
            merged=absorbed,
            permissions=added.rowcount,
        )
