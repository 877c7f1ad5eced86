"""Voices: the few reports of an indicator or victim that speak for all others that have it.

A hub may stand in 100,000 reports, of which any other report needs to see only some from several
origins, with several texts, of its own time. A key with few reports has them all as voices, so that
nothing is left out; the further ones of a hub are quiet, and step up when a voice is withdrawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from infra.tables_corroboration import quiet, sweep, voice, witness
from intake.witnesses import Witness, among

OF_ONE_ORIGIN = 4
OF_ONE_TEXT = 4
OF_ONE_TIME = 32
"""Voices of a key with the same first and last day."""
OF_ALL = 512

Row = dict[str, Any]


@dataclass(slots=True)
class Voices:
    """The voices of some keys; ``offer`` adds reports, ``save`` writes what was added."""

    by_key: dict[int, list[Row]] = field(default_factory=dict)
    loud: list[Row] = field(default_factory=list)
    others: list[Row] = field(default_factory=list)
    sweeps: set[tuple[int, int]] = field(default_factory=set)
    """Keys with the origin of a new voice, which older reports have not been compared with."""
    _counts: dict[int, Counter[tuple[Any, ...]]] = field(default_factory=dict)

    def offer(self, each: Witness) -> None:
        """Let a report speak for each of its keys where others like it do not yet."""
        for row in _rows(each):
            known = self.by_key.setdefault(row["key"], [])
            if not self._wanted(row):
                self.others.append(row)
                continue
            if len(known) >= OF_ONE_ORIGIN or any(_differ(row, old) for old in known):
                self.sweeps.add((row["key"], row["origin"]))
            known.append(row)
            self._count(row)
            self.loud.append(row)

    def numbers(self, keys: Iterable[int], *, origin: int, most: int = OF_ALL) -> set[int]:
        """Running numbers of reports of other origins that speak for these keys, so many for each."""
        return {
            row["report_seq"]
            for key in keys
            for row in islice(
                (row for row in self.by_key.get(key, []) if row["origin"] != origin), most
            )
        }

    def save(self, connection: Connection) -> None:
        """Write what was offered, and what is to be compared again because of it."""
        for table, rows in ((voice, self.loud), (quiet, self.others)):
            if rows:
                connection.execute(insert(table), rows)
        add_sweeps(connection, self.sweeps)

    def _wanted(self, row: Row) -> bool:
        counts = self._counts.get(row["key"])
        if counts is None:
            counts = self._counts[row["key"]] = Counter()
            for old in self.by_key[row["key"]]:
                counts.update(_kinds(old))
        limits = (OF_ALL, OF_ONE_TIME, OF_ONE_ORIGIN, OF_ONE_TEXT)
        return all(counts[kind] < most for kind, most in zip(_kinds(row), limits, strict=True))

    def _count(self, row: Row) -> None:
        self._counts[row["key"]].update(_kinds(row))


def load_voices(connection: Connection, keys: Collection[int]) -> Voices:
    """The voices of these keys."""
    found = Voices()
    for condition in among(voice.c.key, keys):
        for row in connection.execute(select(voice).where(condition)).mappings():
            found.by_key.setdefault(row["key"], []).append(dict(row))
    return found


def add_sweeps(connection: Connection, wanted: Collection[tuple[int, int]]) -> None:
    """Have the reports of other origins with these keys looked at again, from the first one on."""
    if not wanted:
        return
    known: set[tuple[int, int]] = set()
    for condition in among(sweep.c.key, {key for key, _ in wanted}):
        known |= {
            (row.key, row.origin)
            for row in connection.execute(select(sweep.c.key, sweep.c.origin).where(condition))
        }
        connection.execute(update(sweep).where(condition).values(after=0))
    missing = [{"key": key, "origin": o, "after": 0} for key, o in set(wanted) - known]
    if missing:
        connection.execute(insert(sweep), missing)


def silence(connection: Connection, gone: Sequence[Witness]) -> None:
    """Take withdrawn reports out, and let quiet ones step up in the place of each voice."""
    for each in gone:
        for row in _rows(each):
            if _move(connection, row, voice, None):
                _step_up(connection, row)
            else:
                _move(connection, row, quiet, None)


def _step_up(connection: Connection, left: Row) -> None:
    """Whoever was kept quiet by the one that left: of its origin, its text, or its time."""
    same = (quiet.c.key == left["key"], witness.c.retracted.is_(False))
    for likeness in (
        quiet.c.origin == left["origin"],
        quiet.c.text == left["text"],
        (quiet.c.begin == left["begin"]) & (quiet.c.end == left["end"]),
    ):
        rows = connection.execute(
            select(quiet)
            .join(witness, witness.c.report_seq == quiet.c.report_seq)
            .where(*same, likeness)
            .order_by(quiet.c.report_seq)
            .limit(1)
        ).mappings()
        for row in rows.all():
            _move(connection, dict(row), quiet, voice)
            add_sweeps(connection, {(row["key"], row["origin"])})


def _move(connection: Connection, row: Row, out_of: Table, into: Table | None) -> bool:
    found = connection.execute(
        delete(out_of).where(out_of.c.key == row["key"], out_of.c.report_seq == row["report_seq"])
    )
    if into is not None:
        connection.execute(insert(into), row)
    return bool(found.rowcount)


def _rows(each: Witness) -> list[Row]:
    item = each.item
    return [
        {
            "key": key,
            "report_seq": each.seq,
            "origin": item.origin,
            "text": item.text,
            "begin": item.begin,
            "end": item.end,
        }
        for key in sorted(item.keys)
    ]


def _kinds(row: Row) -> tuple[tuple[Any, ...], ...]:
    time = (row["begin"], row["end"])
    return ((), time, (*time, "origin", row["origin"]), (*time, "text", row["text"]))


def _differ(one: Row, other: Row) -> bool:
    return bool(one["origin"] != other["origin"] and one["text"] != other["text"])
