"""Rows of a table of indicators into a report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest

from intake.formats.draft import Draft
from intake.formats.list_columns import Column, Use, is_empty, kind_of_type
from intake.formats.prose import indicators_in, kind_of_word
from intake.formats.times import Moment
from intake.formats.vocabulary import TLP_LABELS
from protocol.indicators import guess_type
from protocol.markings import Tlp
from protocol.report import IndicatorType, TimeKind, TimeWindow

_COMPACT_DATE = re.compile(r"((?:19|20)[0-9]{2})(0[1-9]|1[0-2])([0-3][0-9])")
_EPOCH_LENGTH = 9
_NOBODY = {"other", "others", "various", "multiple"}
_Cells = list[tuple[Column, str]]


@dataclass(frozen=True, slots=True)
class Said:
    """What rows say of the list as a whole."""

    tlp: set[Tlp] = field(default_factory=set)
    names: dict[str, None] = field(default_factory=dict)
    """Of malware and campaigns, in their order."""


class ListRows:
    """Collects what rows say; ``finish`` closes the table."""

    def __init__(self, draft: Draft, columns: tuple[Column | None, ...]) -> None:
        self.said = Said()
        self._draft = draft
        self._columns = columns
        self._observed: list[Moment] = []
        self._reported: list[Moment] = []

    def add(self, row: list[str]) -> None:
        """Take up one row."""
        pairs = zip_longest(self._columns, row[: len(self._columns)], fillvalue="")
        cells: _Cells = [
            (column, cell.strip())
            for column, cell in pairs
            if isinstance(column, Column) and cell is not None and not is_empty(str(cell))
        ]
        if len(row) > len(self._columns):
            self._draft.warn("a row has more cells than the header; they stay in the record only")
        seen = self._seen(cells)
        label = next((cell for column, cell in cells if column.use is Use.TYPE), "")
        confidence = next((cell for column, cell in cells if column.use is Use.CONFIDENCE), "")
        for column, cell in cells:
            match column.use:
                case Use.INDICATOR:
                    self._indicator(column, cell, label, seen, confidence)
                case Use.NAME:
                    self.said.names[self._draft.line(cell, "a name")] = None
                case Use.TLP:
                    self._label(cell)
                case Use.TARGET:
                    self._target(column, cell, seen)
                case Use.REFERENCE:
                    self._draft.reference(cell)
                case _:
                    pass

    def finish(self, unknown: tuple[str, ...]) -> None:
        """Note the times of the whole table, and the columns that nobody knows."""
        for kind, moments in (
            (TimeKind.OBSERVED, self._observed),
            (TimeKind.REPORTED, self._reported),
        ):
            if moments:
                self._draft.times.append(
                    TimeWindow(
                        kind=kind,
                        earliest=min(moment.earliest for moment in moments),
                        latest=max(moment.latest for moment in moments),
                        tz_known=all(moment.tz_known for moment in moments),
                    )
                )
        for name in unknown:
            self._draft.warn(
                self._draft.line(f"column {name[:60]!r} stays in the original record only", "it")
            )

    def _seen(self, cells: _Cells) -> tuple[datetime | None, datetime | None]:
        first = last = None
        for column, cell in cells:
            if column.use not in {Use.FIRST, Use.LAST, Use.REPORTED}:
                continue
            moment = self._moment(column, cell)
            if moment is None:
                self._draft.warn(f"a time in column {column.name} cannot be read")
            elif column.use is Use.REPORTED:
                self._reported.append(moment)
            else:
                self._observed.append(moment)
                if column.use is Use.FIRST:
                    first = moment.earliest
                else:
                    last = moment.latest
        return first, last

    @staticmethod
    def _moment(column: Column, cell: str) -> Moment | None:
        if match := _COMPACT_DATE.fullmatch(cell):  # as MISP's export writes days
            return Moment.read("-".join(match.groups()))
        moment = Moment.read(f"{cell}Z" if column.utc and ":" in cell[-6:] else cell)
        return moment or (Moment.from_epoch(cell) if len(cell) >= _EPOCH_LENGTH else None)

    def _target(
        self, column: Column, cell: str, seen: tuple[datetime | None, datetime | None]
    ) -> None:
        """Where a name or a page leads, or whose users were to be deceived."""
        if kind_of_word(cell) is not None:
            self._indicator(column, cell, "", seen, "")
        elif cell.lower() not in _NOBODY:
            self._draft.affected("organisation", cell)

    def _label(self, cell: str) -> None:
        label = TLP_LABELS.get(cell.lower().removeprefix("tlp:").strip())
        if label is None:
            self._draft.warn("a TLP label is none of TLP 2.0 and is treated as RED")
        self.said.tlp.add(label or Tlp.RED)

    def _indicator(
        self,
        column: Column,
        cell: str,
        label: str,
        seen: tuple[datetime | None, datetime | None],
        confidence: str,
    ) -> None:
        stated = column.kind or kind_of_type(label)
        pairs: list[tuple[IndicatorType | None, str]] = []
        if "\n" in cell:  # many in one cell, or a quotation mark that was never closed
            pairs.extend(indicators_in(cell))
        elif "|" in label:
            halves = zip_longest(label.split("|"), cell.split("|", label.count("|")), fillvalue="")
            pairs = [(kind_of_type(name), half) for name, half in halves if half]
        else:
            pairs = [(stated, cell)]
        for known, value in pairs:
            for kind, part in self._parts(known, value):
                named = label or column.name
                self._draft.indicator(
                    kind,
                    part,
                    role=self._draft.line(named, "a type") if kind is IndicatorType.OTHER else "",
                    first_seen=seen[0],
                    last_seen=seen[1],
                    confidence=confidence,
                )

    def _parts(
        self, stated: IndicatorType | None, value: str
    ) -> Iterator[tuple[IndicatorType, str]]:
        """A cell as one indicator, or as an address and its port."""
        if stated is not None:
            yield stated, value
            return
        host, colon, port = value.rpartition(":")
        if colon and port.isdecimal() and guess_type(value) is IndicatorType.OTHER:
            kind = kind_of_word(host)
            if kind is not None:
                yield kind, host
                yield IndicatorType.PORT, port
                return
        yield kind_of_word(value) or IndicatorType.OTHER, value
