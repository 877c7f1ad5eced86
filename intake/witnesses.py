"""What corroboration keeps of each report: read from the reports, and written as rows."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, or_, select

from activities.standing import taken_back
from classification.corroboration import Item, item_of
from infra.originals import ORIGINALS
from infra.tables import report, retraction
from infra.tables_corroboration import witness
from intake.link_keys import Telling
from protocol.grades import InformationAccuracy
from protocol.profile import CorrelationRules
from protocol.report import IncidentReport

CHUNK = 500
"""Values in one condition."""
_OWN_GRADE = (InformationAccuracy.UNCORROBORATED, InformationAccuracy.CORROBORATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A report as corroboration sees it, with its running number."""

    seq: int
    item: Item
    awaits: bool
    """Whether its grade rests on nobody bearing it out: digit 4 from intake, unless that changes."""

    def row(self) -> dict[str, Any]:
        """As a row of the table ``witness``."""
        item = self.item
        return {
            "report_seq": self.seq,
            "report_id": item.report_id,
            "origin": item.origin,
            "creator": item.creator,
            "text": item.text,
            "listing": item.listing,
            "sketch": _packed("I", item.sketch),
            "names": _packed("q", item.names),
            "stated": _packed("q", item.stated),
            "about": _packed("q", item.keys),
            "begin": item.begin,
            "end": item.end,
            "retracted": item.retracted,
            "awaits": self.awaits,
        }


def read_new(
    connection: Connection,
    after: int,
    limit: int,
    rules: CorrelationRules,
    telling: Telling,
) -> list[Witness]:
    """The next reports after the running number ``after``, in the order of their arrival."""
    rows = connection.execute(
        select(report.c.seq, report.c.information_grade)
        .where(report.c.seq > after)
        .order_by(report.c.seq)
        .limit(limit)
    )
    digits = {row.seq: row.information_grade for row in rows}
    found = []
    for seq, original in ORIGINALS.read(connection, digits):
        item = item_of(IncidentReport.model_validate_json(original.document), rules, telling)
        awaits = digits[seq] in _OWN_GRADE and bool(item.keys)
        found.append(Witness(seq=seq, item=item, awaits=awaits))
    gone = taken_back(connection, report.c.seq.in_([each.seq for each in found])) if found else {}
    return [
        replace(each, item=replace(each.item, retracted=True))
        if each.item.report_id in gone
        else each
        for each in found
    ]


def newly_withdrawn(connection: Connection, new: Sequence[Witness]) -> list[Witness]:
    """Those kept already that count no longer, since one of the ``new`` reports takes them back."""
    names: set[str] = set()
    for ids in _chunks([each.item.report_id for each in new]):
        names |= set(
            connection.scalars(select(retraction.c.named).where(retraction.c.report_id.in_(ids)))
        )
    found: list[Witness] = []
    for some in _chunks(sorted(names)):
        named = or_(report.c.id.in_(some), report.c.source_id.in_(some))
        gone = taken_back(connection, named & (report.c.seq < new[0].seq))
        for ids in _chunks(sorted(gone)):
            numbers = connection.scalars(select(report.c.seq).where(report.c.id.in_(ids))).all()
            found += [each for each in load(connection, numbers) if not each.item.retracted]
    return list({each.seq: each for each in found}.values())


def load(connection: Connection, numbers: Collection[int]) -> list[Witness]:
    """Those of these running numbers that are kept."""
    return [
        _witness_of(row)
        for some in _chunks(sorted(numbers))
        for row in connection.execute(select(witness).where(witness.c.report_seq.in_(some)))
    ]


def _witness_of(row: Any) -> Witness:
    return Witness(
        seq=row.report_seq,
        awaits=row.awaits,
        item=Item(
            report_id=row.report_id,
            origin=row.origin,
            creator=row.creator,
            text=row.text,
            listing=row.listing,
            sketch=_unpacked("I", row.sketch),
            names=_unpacked("q", row.names),
            stated=_unpacked("q", row.stated),
            keys=_unpacked("q", row.about),
            begin=row.begin,
            end=row.end,
            retracted=row.retracted,
        ),
    )


def _packed(kind: str, numbers: Iterable[int]) -> bytes:
    return array(kind, sorted(numbers)).tobytes()


def _unpacked(kind: str, packed: bytes) -> frozenset[int]:
    numbers = array(kind)
    numbers.frombytes(packed)
    return frozenset(numbers)


def among(column: Column[Any], values: Collection[Any]) -> Iterator[ColumnElement[bool]]:
    """Conditions that together cover ``values``, each of a size that every database takes."""
    return (column.in_(some) for some in _chunks(sorted(values)))


def _chunks(values: Sequence[Any] | Iterable[Any]) -> Iterator[list[Any]]:
    listed = list(values)
    return (listed[start : start + CHUNK] for start in range(0, len(listed), CHUNK))
