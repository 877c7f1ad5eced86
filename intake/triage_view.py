"""What each cluster under triage could be, worked out again only where something changed.

The class of a cluster is a function of its reports, of what takes them back and of what officers
state; a mark of these says whether the one that is kept still holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from activities.evidence import load_evidence_of
from classification.findings import Findings
from classification.possible import possible
from infra.database import Database
from infra.tables import artefact, incident, report, retraction
from infra.tables_regrouping import triage_view
from protocol.profile import Profile

CHUNK = 500
KEEPER = 2
"""Number of the lock under which what is kept is written."""


def views(database: Database, profile: Profile) -> dict[str, dict[str, Any]]:
    """By cluster under triage: ``class``, ``impact``, ``reach``, ``countries``, ``sectors``,
    ``sources`` (how many reporters) and ``groups`` (source groups)."""
    with database.read() as connection:
        marks = _marks(connection, profile)
        kept = {
            row.incident_id: row
            for row in connection.execute(select(triage_view))
            if row.incident_id in marks
        }
        changed = [i for i, mark in marks.items() if i not in kept or kept[i].mark != mark]
        made = _make(connection, changed, profile)
    if changed:
        _keep(database, made, marks)
    return {i: made[i] if i in made else kept[i].view for i in marks}


def _marks(connection: Connection, profile: Profile) -> dict[str, str]:
    """What each cluster's view is made from, in short."""
    clusters = select(incident.c.id).where(incident.c.status == "triage")
    reports = connection.execute(
        select(
            report.c.incident_id,
            func.count(),
            func.max(report.c.seq),
            func.sum(report.c.seq),
        )
        .where(report.c.incident_id.in_(clusters))
        .group_by(report.c.incident_id)
    ).all()
    newest_findings = connection.execute(
        select(artefact.c.incident_id, func.max(artefact.c.version).label("version"))
        .where(artefact.c.kind == "findings", artefact.c.incident_id.in_(clusters))
        .group_by(artefact.c.incident_id)
    )
    stated = {row.incident_id: row.version for row in newest_findings}
    taken_back: dict[str, int] = {}
    for name in (report.c.id, report.c.source_id):
        for incident_id, times in connection.execute(
            select(report.c.incident_id, func.count())
            .select_from(retraction.join(report, retraction.c.named == name))
            .where(report.c.incident_id.in_(clusters))
            .group_by(report.c.incident_id)
        ):
            taken_back[incident_id] = taken_back.get(incident_id, 0) + times
    return {
        incident_id: f"{profile.name} {number} {newest} {total} {stated.get(incident_id, 0)} "
        f"{taken_back.get(incident_id, 0)}"
        for incident_id, number, newest, total in reports
    }


def _make(
    connection: Connection, changed: Sequence[str], profile: Profile
) -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    for some in _chunks(changed):
        evidence = load_evidence_of(connection, some)
        groups = _groups(connection, some)
        findings = _findings(connection, some)
        for incident_id in some:
            items = evidence[incident_id]
            could_be = possible(items, findings.get(incident_id, Findings()), profile)
            made[incident_id] = {
                "class": could_be.threat_class.value,
                "impact": could_be.impact.value,
                "reach": could_be.reach.value,
                "countries": list(could_be.countries),
                "sectors": list(could_be.sectors),
                "sources": len({item.origin for item in items}),
                "groups": groups[incident_id],
            }
    return made


def _groups(connection: Connection, some: Collection[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    rows = connection.execute(
        select(report.c.incident_id, report.c.group)
        .where(report.c.incident_id.in_(some))
        .distinct()
        .order_by(report.c.incident_id, report.c.group)
    )
    for incident_id, group in rows:
        found.setdefault(incident_id, []).append(group)
    return found


def _findings(connection: Connection, some: Collection[str]) -> dict[str, Findings]:
    """The newest version of each."""
    rows = connection.execute(
        select(artefact.c.incident_id, artefact.c.document)
        .where(artefact.c.kind == "findings", artefact.c.incident_id.in_(some))
        .order_by(artefact.c.version)
    )
    return {incident_id: Findings.model_validate(document) for incident_id, document in rows}


def _keep(
    database: Database, made: Mapping[str, Mapping[str, Any]], marks: Mapping[str, str]
) -> None:
    with database.write() as connection:
        database.serialise(connection, KEEPER)
        for some in _chunks(list(made)):
            connection.execute(delete(triage_view).where(triage_view.c.incident_id.in_(some)))
            connection.execute(
                insert(triage_view),
                [{"incident_id": i, "mark": marks[i], "view": made[i]} for i in some],
            )


def _chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
