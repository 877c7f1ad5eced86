"""The acts by which officers regrouped reports, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from infra.tables_regrouping import regrouping, regrouping_move
from protocol.errors import NotFound


class Kind(StrEnum):
    """What an officer did."""

    MERGE = "merge"
    SPLIT = "split"
    DETACH = "detach"
    ATTACH = "attach"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act: reports went from ``source`` to ``target``."""

    id: int
    kind: Kind
    officer: str
    at: datetime
    reason: str
    source: str
    target: str
    source_status: str
    """Right after the act, as ``target_status``."""
    target_status: str
    last_link: int
    """The newest row of history before the act."""
    last_report: int
    """The newest report before the act."""
    reports: int
    """So many were moved."""
    undone_by: str | None
    undone_at: datetime | None
    undone_reason: str | None

    @property
    def emptied(self) -> bool:
        """Whether nothing was left of ``source``."""
        return self.source_status == "merged"


def find_act(connection: Connection, act_id: int) -> Act:
    """The act with this id.

    Raises:
        NotFound: there is none.
    """
    row = connection.execute(_acts().where(regrouping.c.id == act_id)).one_or_none()
    if row is None:
        raise NotFound(f"no act {act_id}: see 'leerp triage acts'")
    return _act(row)


def list_acts(
    connection: Connection, *, incident_id: str | None = None, limit: int | None = None
) -> list[Act]:
    """The newest acts, of one incident or of all, the newest first."""
    query = _acts().order_by(regrouping.c.id.desc()).limit(limit)
    if incident_id is not None:
        query = query.where(_touches(incident_id))
    return [_act(row) for row in connection.execute(query)]


def standing_after(connection: Connection, act: Act) -> list[int]:
    """Later acts on the same incidents that were not undone, the newest first."""
    rows = connection.scalars(
        select(regrouping.c.id)
        .where(
            regrouping.c.id > act.id,
            regrouping.c.undone_at.is_(None),
            or_(_touches(act.source), _touches(act.target)),
        )
        .order_by(regrouping.c.id.desc())
    )
    return list(rows)


def moved_reports(connection: Connection, act: Act) -> list[str]:
    """Ids of the reports that the act moved."""
    rows = connection.scalars(
        select(regrouping_move.c.report_id)
        .where(regrouping_move.c.act == act.id)
        .order_by(regrouping_move.c.report_id)
    )
    return list(rows)


def _acts() -> Any:
    size = (
        select(func.count())
        .where(regrouping_move.c.act == regrouping.c.id)
        .scalar_subquery()
        .label("reports")
    )
    return select(regrouping, size)


def _touches(incident_id: str) -> ColumnElement[bool]:
    return or_(regrouping.c.source == incident_id, regrouping.c.target == incident_id)


def _act(row: Row[Any]) -> Act:
    values = dict(row._mapping)  # noqa: SLF001 (documented accessor of Row)
    return Act(**{**values, "kind": Kind(values["kind"])})
