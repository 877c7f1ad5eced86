"""Which incidents officers keep apart: pairs, each made and ended by an act."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update

from infra.tables_regrouping import apart


def keep_apart(connection: Connection, act: int, one: str, other: str) -> None:
    """Set a pair apart, unless it is already."""
    if other in partners(connection, one):
        return
    connection.execute(
        insert(apart),
        [
            {"incident_id": one, "other": other, "made_by": act},
            {"incident_id": other, "other": one, "made_by": act},
        ],
    )


def partners(connection: Connection, incident_id: str) -> set[str]:
    """All that the incident is kept apart from."""
    rows = connection.scalars(
        select(apart.c.other).where(apart.c.incident_id == incident_id, apart.c.ended_by.is_(None))
    )
    return set(rows)


def hand_over(connection: Connection, act: int, source: str, target: str) -> None:
    """What ``source`` was kept apart from is kept apart from ``target``, which took it in."""
    others = partners(connection, source) - {target}
    for either in (apart.c.incident_id, apart.c.other):
        connection.execute(
            update(apart).where(either == source, apart.c.ended_by.is_(None)).values(ended_by=act)
        )
    for other in sorted(others):
        keep_apart(connection, act, target, other)


def take_back(connection: Connection, act: int) -> None:
    """Make the pairs as they were before the act."""
    connection.execute(delete(apart).where(apart.c.made_by == act))
    connection.execute(update(apart).where(apart.c.ended_by == act).values(ended_by=None))
