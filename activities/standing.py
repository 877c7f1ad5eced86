"""Which reports are in force: what their own sender withdrew or put a newer version in place of.

The end is the same in whatever order a report, its versions and its withdrawal arrive.
Source: domain 6.1, 6.5 to 6.10; issue 5, item 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from infra.originals import documents
from infra.tables import report, retraction
from protocol.parties import ANONYMOUS
from protocol.report import TimeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """By which report, and whether it ``withdraws`` or ``replaces``."""

    by: str
    kind: str


def taken_back(
    connection: Connection, which: ColumnElement[bool]
) -> dict[str, tuple[TakenBack, ...]]:
    """Those of the reports ``which`` that are in force no longer, by id, with who took them back.

    ``which`` is a condition on the table ``report``. Whoever takes back may stand in another
    incident, having nothing but the id in common.
    """
    by = report.alias("by")
    own = retraction.alias("own")
    rows = connection.execute(
        select(
            report.c.id,
            report.c.seq,
            report.c.source_id,
            report.c.principal,
            report.c.evidence,
            retraction.c.kind,
            retraction.c.principal.label("authenticated"),
            own.c.report_id.label("version"),
            by.c.id.label("by_id"),
            by.c.seq.label("by_seq"),
            by.c.source_id.label("by_source_id"),
            by.c.evidence.label("by_evidence"),
        )
        .join(retraction, retraction.c.named.in_((report.c.id, report.c.source_id)))
        .join(by, (by.c.id == retraction.c.report_id) & (by.c.group == report.c.group))
        .outerjoin(
            own,
            (own.c.report_id == report.c.id)
            & (own.c.kind == "replaces")
            & (own.c.named == report.c.source_id),
        )
        .where(which, by.c.id != report.c.id)
        .order_by(by.c.id, retraction.c.kind)
    )
    told = [row for row in rows if _same_sender(row)]
    versions = {number for row in told if _is_version(row) for number in (row.seq, row.by_seq)}
    written = {n: _written(document["times"]) for n, document in documents(connection, versions)}
    found: dict[str, tuple[TakenBack, ...]] = {}
    for row in told:
        if not (_is_version(row) and _later(row, written)):
            entry = TakenBack(by=row.by_id, kind=row.kind)
            found[row.id] = (*found.get(row.id, ()), entry)
    return found


def _same_sender(row: Any) -> bool:
    """Nobody takes back what another has said.

    What came on a source's own topic, that source alone; what came on a topic that all share, whoever
    gives the same name.
    """
    if row.principal != ANONYMOUS:
        return bool(row.authenticated == row.principal)
    return bool(row.by_evidence["origin"] == row.evidence["origin"])


def _is_version(row: Any) -> bool:
    """Whether one of the two is a newer version of the other, under one id."""
    return bool(row.kind == "replaces" and row.source_id == row.by_source_id)


def _later(row: Any, written: Mapping[int, datetime | None]) -> bool:
    """Whether the report is a newer version of the one that replaces what came under its id.

    The times say so that their sender gave; without them, a version is newer than those that were
    here before it, and what is no version is the original and older than any.
    """
    mine, other = written[row.seq], written[row.by_seq]
    if mine and other and mine != other:
        return mine > other
    return row.version is not None and row.seq > row.by_seq


def _written(times: Sequence[Mapping[str, Any]]) -> datetime | None:
    """When the sender wrote the report down, where it says so."""
    return max(
        (
            datetime.fromisoformat(time["latest"])
            for time in times
            if time["kind"] == TimeKind.REPORTED
        ),
        default=None,
    )
