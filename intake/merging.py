"""An incident is absorbed by another: its reports go there, and what officers have done about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Connection, exists, insert, literal, select, update

from infra import audit, casefile
from infra.tables import Utc, incident, link, permission, report


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """An incident was absorbed, because of a report that shares indicators with both."""

    into: str
    report_id: str
    shared: tuple[str, ...]
    """In words."""


def absorb(connection: Connection, absorbed: str, into: str, now: datetime, merge: Merge) -> None:
    """Move what is stored of an incident to ``into``, and note it in the history of each report.

    The absorbed incident's own file stays where it is; its findings and permissions count for the other
    too. Its chains of link keys go on naming it: who it became is on its row.
    """
    stored = connection.execute(
        update(incident).where(incident.c.id == absorbed).values(status="merged", merged_into=into)
    )
    if stored.rowcount == 0:
        return  # opened and absorbed in one batch
    reason = {
        "opens": False,
        "shared": list(merge.shared),
        "through": merge.report_id,
        "merged": absorbed,
    }
    moved = select(
        report.c.id, literal(into), literal(now, Utc), literal("correlation"), literal(reason, JSON)
    ).where(report.c.incident_id == absorbed)
    connection.execute(
        insert(link).from_select(["report_id", "incident_id", "at", "by", "reason"], moved)
    )
    connection.execute(
        update(report).where(report.c.incident_id == absorbed).values(incident_id=into)
    )
    carry_over(connection, absorbed, into)
    audit.append(
        connection,
        "incident_merged",
        actor="intake",
        subject=absorbed,
        channel="kafka",
        into=into,
        report=merge.report_id,
    )


def carry_over(
    connection: Connection,
    absorbed: str,
    into: str,
    *,
    actor: str = "intake",
    channel: str = "kafka",
) -> None:
    """Add the findings and permissions of an absorbed incident to the one that absorbed it.

    What the absorbed incident's own file holds stays there. Leaves audit rows, with ``actor`` as the
    one who joined them.
    """
    _carry_findings(connection, absorbed, into, channel)
    _carry_permissions(connection, absorbed, into, actor, channel)


def _carry_findings(connection: Connection, absorbed: str, into: str, channel: str) -> None:
    given = casefile.find_artefact(connection, absorbed, "findings")
    if given is None:
        return
    own = casefile.find_artefact(connection, into, "findings")
    joined = _joined(own.document, given.document) if own else given.document
    if own is None or joined != own.document:
        casefile.add_artefact(connection, into, "findings", joined, by=given.by, channel=channel)


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


def _carry_permissions(
    connection: Connection, absorbed: str, into: str, actor: str, channel: str
) -> None:
    kept = [column for column in permission.c if column.name not in {"id", "incident_id"}]
    own = permission.alias("own")
    same = ("kind", "provider", "by", "given_at")
    known = exists().where(
        own.c.incident_id == into, *(own.c[name] == permission.c[name] for name in same)
    )
    given = (
        select(literal(into), *kept)
        .where(permission.c.incident_id == absorbed, ~known)
        .order_by(permission.c.id)
    )
    added = connection.execute(
        insert(permission).from_select(["incident_id", *(column.name for column in kept)], given)
    )
    if added.rowcount:
        audit.append(
            connection,
            "permissions_carried_over",
            actor=actor,
            subject=into,
            channel=channel,
            merged=absorbed,
            permissions=added.rowcount,
        )
