"""The self-audit and its sign of life, for ``leerp doctor``: when they were last, and how they went."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from infra.database import Database
from infra.settings import Settings
from infra.tables_watch import watch_round
from leerp.doctor_rows import Row, State

MISSED = 3
"""Rounds after which the audit counts as stopped."""


def watch_rows(settings: Settings) -> Iterator[Row]:
    """A row for the last round, and one for the sign of life where one is asked for."""
    if not (settings.database or (settings.home / "leerp.db").exists()):
        return
    database = Database(settings.database_url)
    try:
        with database.read() as connection:
            row = connection.execute(select(watch_round)).one_or_none()
    except SQLAlchemyError:  # said by the row of the database itself
        return
    finally:
        database.close()
    if row is None:
        return
    yield _round(settings, row.at, row.findings)
    if settings.watch.ping_url:
        yield _signal(row.signalled_at, row.signal_error, findings=row.findings)


def _round(settings: Settings, at: datetime, findings: int) -> Row:
    stopped = datetime.now(UTC) - at > MISSED * settings.watch.every
    advice = ""
    if findings:
        advice = "see 'leerp campaign audit' for what does not add up"
    elif stopped:
        advice = "no round since: see that 'leerp up' runs, and look into logs/worker.log"
    return Row(
        part="self-audit",
        state=State.WARN if advice else State.OK,
        version=f"{findings} finding(s) at {at:%Y-%m-%d %H:%M:%S} UTC",
        advice=advice,
    )


def _signal(at: datetime | None, error: str, *, findings: int) -> Row:
    last = f"heard at {at:%Y-%m-%d %H:%M:%S} UTC" if at else "never heard"
    advice = ""
    if error:
        advice = f"{error}: check LEERP_WATCH__PING_URL and the way to it"
    elif findings:
        advice = "kept back while the self-audit finds something"
    return Row(
        part="sign of life",
        state=State.WARN if advice or not at else State.OK,
        version=last,
        advice=advice,
    )
