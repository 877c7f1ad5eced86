"""The chains of link keys of one incident, made anew from what its reports say.

Intake makes them report by report; after an officer's act they are made from the reports that are
left, which comes to the same. Source: design section 3.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, delete, select

from infra.bulk import Bulk
from infra.originals import documents_of
from infra.tables import incident, link_key, report
from infra.tables_regrouping import apart, follower, side_key
from intake.correlation import MICROSECOND
from intake.link_keys import Linker, Telling
from intake.preparing import microseconds
from protocol.profile import CorrelationRules
from protocol.report import IncidentReport

Stretch = tuple[int, int]
"""Microseconds since 1970."""


def chains(stretches: Iterable[Stretch], window: int) -> list[Stretch]:
    """Join stretches of time of which one begins at most ``window`` after the ones before ended."""
    joined: list[Stretch] = []
    for earliest, latest in sorted(stretches):
        if joined and earliest - window <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], latest)
        else:
            joined.append((earliest, latest))
    return joined


def rebuild_keys(
    connection: Connection,
    incident_id: str,
    rules: CorrelationRules,
    telling: Telling,
    *,
    without: Collection[str] = (),
) -> None:
    """Make the incident's chains from its reports, except those ``without``.

    Where it is kept apart from others, these are also the keys by which later reports find it.
    """
    linker = Linker(rules, telling)
    seen: dict[int, list[Stretch]] = {}
    for document in documents_of(connection, report.c.incident_id == incident_id):
        if document["id"] in without:
            continue
        content = IncidentReport.model_validate(document)
        earliest, latest = map(microseconds, content.window())
        for key in linker.keys(content):
            seen.setdefault(key, []).append((earliest, latest))
    rows = [
        (key, earliest, incident_id, latest)
        for key, stretches in seen.items()
        for earliest, latest in chains(stretches, rules.window // MICROSECOND)
    ]
    bulk = Bulk(connection)
    names = _names_of(connection, incident_id)
    connection.execute(delete(link_key).where(bulk.among(link_key.c.incident_id, names)))
    connection.execute(delete(side_key).where(side_key.c.incident_id == incident_id))
    tables = [link_key, side_key] if is_side(connection, incident_id) else [link_key]
    for table in tables:
        bulk.insert(table, ("key", "earliest", "incident_id", "latest"), rows)


def _names_of(connection: Connection, incident_id: str) -> set[str]:
    """Under which chains of the incident may stand: itself, and those that it absorbed.

    Groups that only follow it keep their own.
    """
    names, asked = {incident_id}, {incident_id}
    bulk = Bulk(connection)
    while asked:
        absorbed = set(
            connection.scalars(
                select(incident.c.id).where(
                    bulk.among(incident.c.merged_into, asked),
                    incident.c.id.not_in(select(follower.c.id)),
                )
            )
        )
        asked = absorbed - names
        names |= absorbed
    return names


def is_side(connection: Connection, incident_id: str) -> bool:
    """Whether officers keep the incident apart from any other."""
    found = connection.scalar(
        select(apart.c.made_by)
        .where(apart.c.incident_id == incident_id, apart.c.ended_by.is_(None))
        .limit(1)
    )
    return found is not None
