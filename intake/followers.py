"""Rows of the groups of later reports that follow a side: who belongs to them, where they stand."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    delete,
    exists,
    insert,
    literal,
    select,
    update,
)

from infra import audit
from infra.tables import Utc, incident, link_key, report
from infra.tables_regrouping import follower, follower_report, follower_share
from intake.merging import carry_over
from intake.moving import move_reports

CHUNK = 500


def put_reports(connection: Connection, groups: Mapping[str, str]) -> None:
    """Note the group of each report."""
    ids = sorted(groups)
    for start in range(0, len(ids), CHUNK):
        some = ids[start : start + CHUNK]
        connection.execute(delete(follower_report).where(follower_report.c.report_id.in_(some)))
        connection.execute(
            insert(follower_report),
            [{"report_id": each, "follower_id": groups[each]} for each in some],
        )


def open_group(connection: Connection, group: str, side: str, now: datetime) -> None:
    """A group that began with reports which follow a side at once: never a cluster by itself."""
    if connection.scalar(select(incident.c.id).where(incident.c.id == group)):
        return  # it was here before an act was undone
    like_side = select(
        literal(group),
        literal(now, Utc),
        literal("merged"),
        literal(side),
        incident.c.exercise,
        incident.c.profile,
        literal("{}"),
    ).where(incident.c.id == side)
    columns = ["id", "created_at", "status", "merged_into", "exercise", "profile", "claimed"]
    connection.execute(insert(incident).from_select(columns, like_side))


def absorb(connection: Connection, into: Mapping[str, str]) -> None:
    """Groups that are part of another now: their reports are that one's."""
    for group, larger in into.items():
        connection.execute(
            update(follower_report)
            .where(follower_report.c.follower_id == group)
            .values(follower_id=larger)
        )
        for table, column in ((follower, "id"), (follower_share, "follower_id")):
            connection.execute(delete(table).where(table.c[column] == group))


def move(connection: Connection, group: str, side: str, *, through: str, now: datetime) -> None:
    """Let a group stand with ``side``, with all its reports that are stored. Leaves its audit row."""
    _take_in(connection, group)
    known = update(follower).where(follower.c.id == group).values(incident_id=side)
    if connection.execute(known).rowcount == 0:
        connection.execute(insert(follower).values(id=group, incident_id=side))
    carry_over(connection, group, side)
    connection.execute(
        update(incident).where(incident.c.id == group).values(status="merged", merged_into=side)
    )
    reason = {"opens": False, "shared": [], "through": through, "follows": side}
    moved = move_reports(connection, _members(group), side, by="correlation", reason=reason, at=now)
    audit.append(
        connection,
        "incident_follows",
        actor="intake",
        subject=group,
        channel="kafka",
        into=side,
        report=through,
        reports=moved,
    )


def release(connection: Connection, group: str, now: datetime) -> None:
    """Reports that followed a side and are part of incident ``group``, which follows nobody."""
    reason = {"opens": False, "shared": []}
    moved = move_reports(
        connection, _members(group), group, by="correlation", reason=reason, at=now
    )
    connection.execute(delete(follower_report).where(follower_report.c.follower_id == group))
    audit.append(
        connection,
        "incident_follows",
        actor="intake",
        subject=group,
        channel="kafka",
        into=group,
        report="",
        reports=moved,
    )


def put_shares(connection: Connection, group: str, shares: Mapping[tuple[str, int], str]) -> None:
    """Store what a group shares with sides, where that is not known yet."""
    rows = connection.execute(
        select(follower_share.c.incident_id, follower_share.c.key).where(
            follower_share.c.follower_id == group
        )
    )
    known = {(row.incident_id, row.key) for row in rows}
    new = [
        {"follower_id": group, "incident_id": side, "key": key, "report_id": through}
        for (side, key), through in sorted(shares.items())
        if (side, key) not in known
    ]
    if new:
        connection.execute(insert(follower_share), new)


def dissolve(connection: Connection, sides: Collection[str]) -> None:
    """Make the followers of ``sides`` part of them for good, and forget what others share with them.

    The chains of the sides are to be made anew after this.
    """
    for side in sorted(sides):
        groups = select(follower.c.id).where(follower.c.incident_id == side)
        connection.execute(delete(link_key).where(link_key.c.incident_id.in_(groups)))
        for table in (follower_report, follower_share):
            connection.execute(delete(table).where(table.c.follower_id.in_(groups)))
        connection.execute(delete(follower).where(follower.c.incident_id == side))
        connection.execute(delete(follower_share).where(follower_share.c.incident_id == side))


def _take_in(connection: Connection, group: str) -> None:
    """Reports that were in the group's own incident until now."""
    own = select(report.c.id, literal(group)).where(
        report.c.incident_id == group,
        ~exists().where(follower_report.c.report_id == report.c.id),
    )
    connection.execute(insert(follower_report).from_select(["report_id", "follower_id"], own))


def _members(group: str) -> ColumnElement[bool]:
    return report.c.id.in_(
        select(follower_report.c.report_id).where(follower_report.c.follower_id == group)
    )
