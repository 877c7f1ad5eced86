"""The templates of operators as they are kept: in which place, who wanted each, and which is in force.

Source: R1; issue 7, item 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from infra.tables_templates import notice_template
from notifications.directory import Record
from notifications.template_names import OperatorTemplate
from protocol.errors import NotFound
from protocol.stages import NoticeKind


class Act(StrEnum):
    INSTALL = "install"
    REMOVE = "remove"


class State(StrEnum):
    """What the second person said."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DECLINED = "declined"


class Standing(StrEnum):
    """``stale`` is an open one in whose place another came into force meanwhile."""

    IN_FORCE = "in force"
    OPEN = "open"
    STALE = "stale"
    PAST = "past"
    DECLINED = "declined"


class Place(Record):
    """What a template is for. ``organisation`` is empty for all that have none of their own."""

    organisation: str = ""
    kind: NoticeKind
    language: str

    def __str__(self) -> str:
        return f"{self.kind} in {self.language} for {self.organisation or 'all'}"


class Entry(Record):
    """A template, or the removal of one, with who wanted it and who agreed."""

    number: int
    place: Place
    act: Act
    standing: Standing
    at: datetime
    by: str
    settled_by: str | None
    settled_at: datetime | None
    version: int | None
    sha256: str


def entries(connection: Connection, *, history: bool = False) -> list[Entry]:
    """What is in force or waits, the oldest first; with ``history`` all that there ever was."""
    rows = connection.execute(select(notice_template).order_by(notice_template.c.id)).all()
    versions: dict[Place, int] = {}
    for row in rows:
        versions[_place(row)] = max(row.version or 0, versions.get(_place(row), 0))
    found = [_entry(row, versions[_place(row)]) for row in rows]
    shown = {Standing.IN_FORCE, Standing.OPEN, Standing.STALE}
    return [each for each in found if history or each.standing in shown]


def entry(connection: Connection, number: int) -> tuple[Entry, OperatorTemplate]:
    """One of them with its texts, which are empty for a removal.

    Raises:
        NotFound: there is no such number.
    """
    row = _row(connection, number)
    own = OperatorTemplate(text=row.text, html=row.html, number=row.id)
    return _entry(row, newest_in(connection, _place(row))), own


def rows_in(
    connection: Connection, place: Place, *conditions: ColumnElement[bool]
) -> Sequence[Row[Any]]:
    """The rows of one place that meet the conditions."""
    return connection.execute(
        select(notice_template).where(
            notice_template.c.organisation == place.organisation,
            notice_template.c.kind == place.kind,
            notice_template.c.language == place.language,
            *conditions,
        )
    ).all()


def newest_in(connection: Connection, place: Place) -> int:
    """The version that was given last in this place, to a template or its removal; 0 for none."""
    return max((row.version or 0 for row in rows_in(connection, place)), default=0)


def newest(connection: Connection) -> int:
    """The version that was given last; 0 before the first."""
    return connection.scalar(select(func.max(notice_template.c.version))) or 0


def _place(row: Row[Any]) -> Place:
    return Place(organisation=row.organisation, kind=NoticeKind(row.kind), language=row.language)


def _entry(row: Row[Any], in_force: int) -> Entry:
    match State(row.state):
        case State.OPEN:
            standing = Standing.OPEN if row.base == in_force else Standing.STALE
        case State.DECLINED:
            standing = Standing.DECLINED
        case State.CONFIRMED:
            kept = row.version == in_force and row.act == Act.INSTALL
            standing = Standing.IN_FORCE if kept else Standing.PAST
    return Entry(
        number=row.id,
        place=_place(row),
        act=Act(row.act),
        standing=standing,
        at=row.at,
        by=row.by,
        settled_by=row.settled_by,
        settled_at=row.settled_at,
        version=row.version,
        sha256=row.sha256,
    )


def _row(connection: Connection, number: int) -> Row[Any]:
    found = connection.execute(
        select(notice_template).where(notice_template.c.id == number)
    ).one_or_none()
    if found is None:
        raise NotFound(f"no template {number}: see 'leerp templates list --all'")
    return found
