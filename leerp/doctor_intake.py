"""What holds intake up, for ``leerp doctor``: said by its processes, and by the holds in force."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

from infra.database import Database
from infra.settings import Settings
from intake.holds import list_holds
from intake.status import told
from leerp.doctor_rows import Row, State


def intake_rows(settings: Settings) -> Iterator[Row]:
    """A row for each intake process that runs, and one for each place that is held."""
    for pid, said in told(settings.home).items():
        at_work = said["state"] == "ok"
        yield Row(
            part=f"intake (process {pid})",
            state=State.OK if at_work else State.WARN,
            version="" if at_work else f"{said['state']} since {said['since']}",
            advice=said["advice"],
        )
    if settings.database or (settings.home / "leerp.db").exists():
        yield from _held(settings)


def _held(settings: Settings) -> Iterator[Row]:
    database = Database(settings.database_url)
    try:
        with database.read() as connection:
            holds = list_holds(connection)
    except SQLAlchemyError:  # said by the row of the database itself
        return
    finally:
        database.close()
    for hold in holds:
        yield Row(
            part=f"source {hold['place']}",
            state=State.WARN,
            version=f"paused until {hold['until']:%Y-%m-%d %H:%M:%S} UTC",
            advice=f"{hold['why']}: {hold['what_to_do']}",
        )
