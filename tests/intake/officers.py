"""Officers who regroup reports, and databases in which they may: shared by tests of intake."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event, select

from infra.database import Database
from infra.tables import incident, link_key, report
from infra.tables_regrouping import apart, follower, follower_share, side_key
from intake.links import explain
from intake.regrouping import Regrouping
from intake.undoing import Undoing
from notifications.directory_import import import_directory
from protocol.report import ReportContent
from tests.intake.samples import clusters, profile, read_all, store_of, telling
from tests.workflows import cast

Partition = set[frozenset[str]]
Databases = Callable[[], AbstractContextManager[Database]]
OFFSETS = itertools.count(step=1_000)


def databases_in(folder: Path) -> Databases:
    """Makes databases with officers, fast enough for one an example."""
    numbers = itertools.count()
    made = Database(f"sqlite:///{folder / 'empty.db'}")
    made.migrate()
    import_directory(made, cast.directory(), by="test")
    made.close()

    @contextmanager
    def opened() -> Iterator[Database]:
        path = folder / f"{next(numbers)}.db"
        shutil.copy(folder / "empty.db", path)
        database = Database(f"sqlite:///{path}")
        event.listen(database.engine, "connect", _without_waiting_for_the_disk)
        yield database
        database.close()
        path.unlink()

    return opened


def _without_waiting_for_the_disk(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF").close()


def desk(database: Database, officer: str = cast.DUTY) -> Regrouping:
    return Regrouping(database, profile(), telling, officer=officer, channel="test")


def undoing(database: Database, officer: str = cast.DUTY) -> Undoing:
    return Undoing(desk(database, officer), store_of(database))


def settle(database: Database, *batches: Sequence[ReportContent]) -> Partition:
    """Store the batches one after the other; return what has become one incident."""
    for batch in batches:
        store_of(database).settle(read_all(batch, first=next(OFFSETS)), source="test")
    return clusters(database)


def one_by_one(database: Database, *reports: ReportContent) -> Partition:
    return settle(database, *([each] for each in reports))


def report_ids(database: Database) -> dict[str, str]:
    """By the report's source id."""
    with database.read() as connection:
        rows = connection.execute(select(report.c.source_id, report.c.id))
        return {row.source_id: row.id for row in rows}


def incidents(database: Database) -> dict[str, str]:
    """The incident of each report, by the report's source id."""
    with database.read() as connection:
        rows = connection.execute(select(report.c.source_id, report.c.incident_id))
        return {row.source_id: row.incident_id for row in rows}


def statuses(database: Database) -> dict[str, str]:
    with database.read() as connection:
        return {row.id: row.status for row in connection.execute(select(incident))}


def newest_link(database: Database, name: str) -> dict[str, Any]:
    """The newest row of the report's history."""
    with database.read() as connection:
        entry: dict[str, Any] = explain(connection, report_ids(database)[name])[-1]
        return entry


def state(database: Database) -> dict[str, Any]:
    """All that correlation goes by: memberships, keys, and what is kept apart."""
    with database.read() as connection:

        def rows(query: Any) -> set[tuple[Any, ...]]:
            return {tuple(row) for row in connection.execute(query)}

        return {
            "reports": rows(select(report.c.source_id, report.c.incident_id)),
            "status": rows(
                select(incident.c.id, incident.c.status, incident.c.merged_into).where(
                    incident.c.id.in_(select(report.c.incident_id))
                )
            ),
            **{
                table.name: rows(
                    select(table.c.key, table.c.earliest, table.c.latest, table.c.incident_id)
                )
                for table in (link_key, side_key)
            },
            "apart": rows(
                select(apart.c.incident_id, apart.c.other).where(apart.c.ended_by.is_(None))
            ),
            "followers": rows(select(follower.c.id, follower.c.incident_id)),
            "shares": rows(select(follower_share.c.follower_id, follower_share.c.key)),
        }
