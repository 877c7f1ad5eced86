"""An incident is absorbed by another: its reports go there, and what officers have done about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Connection, String, bindparam, exists, insert, literal, select

from infra import audit, casefile
from infra.bulk import Bulk
from infra.tables import Utc, artefact, incident, link, permission, report
from infra.tables_permissions import (
    life_override,
    life_override_end,
    permission_revocation,
    permission_scope,
)

_HISTORY = insert(link).from_select(
    ["report_id", "incident_id", "at", "by", "reason"],
    select(
        report.c.id,
        bindparam("to", type_=String),
        bindparam("moved_at", type_=Utc),
        literal("correlation"),
        bindparam("reason", type_=JSON),
    ).where(report.c.incident_id == bindparam("was")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """An incident was absorbed, because of a report that shares indicators with both."""

    into: str
    report_id: str
    shared: tuple[str, ...]
    """In words."""


def absorb(connection: Connection, merges: Mapping[str, Merge], now: datetime) -> None:
    """Move what is stored of incidents to those that absorb them.

    ``merges`` is by the incident that is absorbed, each of which is stored. The history of each
    report says why it moved. An absorbed incident's own file stays where it is; its findings and
    permissions count for the other too, its overrides do not. Its chains of link keys go on naming
    it: who it became is on its row.
    """
    if not merges:
        return
    bulk = Bulk(connection)
    become = [("merged", merge.into, was) for was, merge in merges.items()]
    bulk.update(incident, ("status", "merged_into"), ("id",), become)
    connection.execute(
        _HISTORY,
        [
            {
                "was": was,
                "to": merge.into,
                "moved_at": now,
                "reason": {
                    "opens": False,
                    "shared": list(merge.shared),
                    "through": merge.report_id,
                    "merged": was,
                },
            }
            for was, merge in merges.items()
        ],
    )
    moved = [(merge.into, was) for was, merge in merges.items()]
    bulk.update(report, ("incident_id",), ("incident_id",), moved)
    for was in sorted(_with_work_of_officers(connection, merges.keys())):
        carry_over(connection, was, merges[was].into)
    audit.append_all(
        connection,
        "incident_merged",
        [
            {"subject": was, "detail": {"into": merge.into, "report": merge.report_id}}
            for was, merge in merges.items()
        ],
        actor="intake",
        channel="kafka",
    )


def _with_work_of_officers(connection: Connection, incidents: Collection[str]) -> set[str]:
    bulk = Bulk(connection)
    found: set[str] = set()
    for table in (artefact, permission, life_override):
        asked = bulk.among(table.c.incident_id, incidents)
        found |= set(connection.scalars(select(table.c.incident_id).where(asked).distinct()))
    return found


def carry_over(
    connection: Connection,
    absorbed: str,
    into: str,
    *,
    actor: str = "intake",
    channel: str = "kafka",
) -> None:
    """Add the findings and permissions of an absorbed incident to the one that absorbed it.

    What the absorbed incident's own file holds stays there, and so does an override for a threat to
    life: two officers must look at the new incident first. Leaves audit rows, with ``actor`` as the
    one who joined them.
    """
    _carry_findings(connection, absorbed, into, channel)
    _carry_permissions(connection, absorbed, into, actor, channel)
    _leave_overrides(connection, absorbed, into, actor, channel)


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
    """Those that nobody revoked, each with its own scope, unless they were carried over before."""
    kept = [column for column in permission.c if column.name not in {"id", "incident_id"}]
    own = permission.alias("own")
    same = ("kind", "provider", "by", "given_at")
    known = exists().where(
        own.c.incident_id == into, *(own.c[name] == permission.c[name] for name in same)
    )
    revoked = exists().where(permission_revocation.c.permission_id == permission.c.id)
    given = connection.execute(
        select(permission.c.id, *kept, permission_scope)
        .outerjoin(permission_scope, permission_scope.c.permission_id == permission.c.id)
        .where(permission.c.incident_id == absorbed, ~known, ~revoked)
        .order_by(permission.c.id)
    ).all()
    for row in given:
        values = {column.name: row._mapping[column] for column in kept}  # noqa: SLF001
        number = connection.scalar(
            insert(permission).returning(permission.c.id).values(incident_id=into, **values)
        )
        if row.permission_id is not None:
            connection.execute(
                insert(permission_scope).values(
                    permission_id=number,
                    items=row._mapping[permission_scope.c["items"]],  # noqa: SLF001
                    purposes=row.purposes,
                )
            )
    if given:
        audit.append(
            connection,
            "permissions_carried_over",
            actor=actor,
            subject=into,
            channel=channel,
            merged=absorbed,
            permissions=len(given),
        )


def _leave_overrides(
    connection: Connection, absorbed: str, into: str, actor: str, channel: str
) -> None:
    """Write down that those nobody ended open nothing for the other incident."""
    ended = select(life_override_end.c.override_id)
    left = connection.scalars(
        select(life_override.c.id)
        .where(life_override.c.incident_id == absorbed, life_override.c.id.not_in(ended))
        .order_by(life_override.c.id)
    ).all()
    if left:
        audit.append(
            connection,
            "overrides_left_behind",
            actor=actor,
            subject=into,
            channel=channel,
            merged=absorbed,
            overrides=list(left),
        )
