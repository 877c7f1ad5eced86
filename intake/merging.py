"""What officers have done about an incident before it was absorbed goes with its reports."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, exists, insert, literal, select

from infra import audit, casefile
from infra.tables import permission


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
