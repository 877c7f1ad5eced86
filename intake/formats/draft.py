"""A report in the making: collects what an adapter finds and notes what it cannot place.

Nothing that a format says is lost: what has no field, or the wrong form, becomes a warning on the
report, and the raw record is kept anyway. Source: domain 6.1.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import ValidationError

from intake.formats.times import Moment
from protocol.errors import RejectedReport
from protocol.indicators import MAX_LENGTH, guess_type, normalise
from protocol.report import (
    Affected,
    Indicator,
    IndicatorType,
    Relation,
    ReportContent,
    TimeKind,
    TimeWindow,
)

LINE = 1_000
PROSE = 100_000
MOST_INDICATORS = 50_000
_ID = 200
_MAX_WARNINGS = 200
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_MIXED_UP = (
    {IndicatorType.URL, IndicatorType.DOMAIN, IndicatorType.IP},
    {IndicatorType.MD5, IndicatorType.SHA1, IndicatorType.SHA256},
)
"""Kinds that senders take for each other."""
_UNKNOWN_REPORTER = "unknown"


def text_of(value: object) -> str | None:
    """A text or number as clean text; None for everything else.

    Characters that no report may hold are shown as U+FFFD.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return unicodedata.normalize("NFC", _UNWRITABLE.sub("\ufffd", str(value))).strip()


def items(value: object) -> list[Any]:
    """``value`` as a list: itself, nothing for None, or the one thing it is."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def identifier(value: object, field: str) -> str:
    """The sender's id of the report.

    Raises:
        RejectedReport: ``no-id`` or ``bad-id``.
    """
    text = text_of(value)
    if not text:
        raise RejectedReport("no-id", f"the report has no id: field {field} is missing or empty")
    if len(text) > _ID or "\ufffd" in text or "\n" in text:
        raise RejectedReport("bad-id", f"field {field} is not one line of up to {_ID} characters")
    return text


def check_count(indicators: int) -> None:
    """Refuse a report that would not fit into one transaction.

    Raises:
        RejectedReport: ``too-many-indicators``.
    """
    if indicators > MOST_INDICATORS:
        raise RejectedReport(
            "too-many-indicators",
            f"the report names more than {MOST_INDICATORS} indicators; split it",
        )


class Draft:
    """Mutable while an adapter reads; ``content`` closes it."""

    def __init__(self) -> None:
        self.times: list[TimeWindow] = []
        self._indicators: dict[tuple[IndicatorType, str], Indicator] = {}
        self._said: set[tuple[IndicatorType, str]] = set()
        """Indicators as they were written: to bring one into its normal form takes a while."""
        self._affected: dict[Affected, None] = {}
        self._relations: dict[Relation, None] = {}
        self._references: dict[str, None] = {}
        self._warnings: Counter[str] = Counter()
        self._unreadable_time = ""

    @property
    def indicator_count(self) -> int:
        """Different indicators so far."""
        return len(self._indicators)

    def warn(self, text: str) -> None:
        """Note something for whoever reads the report; the same note is counted, not repeated."""
        self._warnings[text] += 1

    def line(self, value: object, field: str) -> str:
        """``value`` as a short text, empty if there is none."""
        return self._text(value, field, LINE).strip()

    def prose(self, value: object, field: str) -> str:
        """``value`` as a long text, empty if there is none."""
        return self._text(value, field, PROSE)

    def _text(self, value: object, field: str, limit: int) -> str:
        if value is None:
            return ""
        text = text_of(value)
        if text is None:
            self.warn(f"{field} is not a text and is left out")
            return ""
        if "\ufffd" in text and "\ufffd" not in str(value):
            self.warn(f"{field} held control characters")
        if len(text) > limit:
            self.warn(f"{field} is cut to {limit} characters")
        return text[:limit]

    def title(self, candidates: list[tuple[object, str]], otherwise: str) -> str:
        """The first candidate that says something, on one line."""
        for value, field in candidates:
            if title := " ".join(self.line(value, field).split()):
                return title
        self.warn("the report has no title of its own")
        return otherwise

    def reporter_name(self, *candidates: object) -> str:
        """The first candidate that is a name."""
        for value in candidates:
            if name := self.line(value, "the reporter's name"):
                return name
        self.warn("the report does not say who reports")
        return _UNKNOWN_REPORTER

    def time(self, kind: TimeKind, value: object, field: str, *, until: object = None) -> bool:
        """Add a time, or the span from ``value`` to ``until``; False if there is none to read."""
        start = self.moment(value, field)
        if start is None:
            return False
        end = self.moment(until, field) or start
        if end.latest < start.earliest:
            self.warn(f"{field} ends before it begins; only the beginning is used")
            end = start
        self.times.append(
            TimeWindow(
                kind=kind,
                earliest=start.earliest,
                latest=max(start.latest, end.latest),
                tz_known=start.tz_known and end.tz_known,
            )
        )
        return True

    def moment(self, value: object, field: str) -> Moment | None:
        """Read a time; an unreadable one becomes a warning."""
        if value is None or value == "":
            return None
        moment = Moment.read(value)
        if moment is None:
            self._unreadable_time = field
            self.warn(f"{field} is not a date or time that can be read")
        return moment

    def indicator(
        self,
        kind: IndicatorType,
        value: object,
        *,
        role: str = "",
        first_seen: datetime | None = None,
        last_seen: datetime | None = None,
        confidence: str = "",
    ) -> None:
        """Add an indicator in its normal form; one that has none is kept as ``other``."""
        text = text_of(value)
        if not text:
            self.warn("an indicator without a value is left out")
            return
        if (kind, text) in self._said:
            return
        self._said.add((kind, text))
        kind, normal = self._normal(kind, text)
        if (kind, normal) in self._indicators:
            return
        check_count(len(self._indicators) + 1)
        if first_seen and last_seen and last_seen < first_seen:
            first_seen, last_seen = last_seen, first_seen
        self._indicators[kind, normal] = Indicator(
            type=kind,
            value=normal,
            role=role[:LINE],
            first_seen=first_seen,
            last_seen=last_seen,
            confidence_raw=confidence[:LINE],
        )

    def _normal(self, kind: IndicatorType, text: str) -> tuple[IndicatorType, str]:
        """The normal form; of another kind if it plainly is one, else as it stands."""
        try:
            return kind, normalise(kind, text)
        except ValueError as error:
            actual = guess_type(text)
            if any({kind, actual} <= family for family in _MIXED_UP):
                self.warn(f"an indicator given as {kind} is taken as {actual}")
                return actual, normalise(actual, text)
            self.warn(f"an indicator is kept as it stands and links to nothing: {error}")
            return IndicatorType.OTHER, text[:MAX_LENGTH].strip()

    def affected(
        self,
        kind: Literal["organisation", "sector", "country", "service", "person"],
        value: object,
        *,
        role: Literal["victim", "source", "intermediate"] = "victim",
        derived: bool = False,
    ) -> None:
        """Add somebody or something concerned."""
        if name := self.line(value, f"an affected {kind}"):
            self._affected[Affected(kind=kind, value=name, role=role, derived=derived)] = None

    def unplaced(self, names: Iterable[str]) -> None:
        """Note fields that no place in a report is for; they stay in the original record."""
        if found := sorted(names):
            shown = ", ".join(name[:40] for name in found[:10])
            self.warn(
                self.line(f"{len(found)} fields stay in the original record only: {shown}", "it")
            )

    def relation(
        self, kind: Literal["same-incident", "replaces", "related", "withdraws"], value: object
    ) -> None:
        """Add a stated relation."""
        if name := self.line(value, "the id of a related report"):
            self._relations[Relation(kind=kind, id=name)] = None

    def reference(self, value: object) -> None:
        """Add a reference, such as a link or a CVE id."""
        if text := self.line(value, "a reference"):
            self._references[text] = None

    def content(self, **fields: Any) -> ReportContent:
        """Close the draft.

        Raises:
            RejectedReport: ``no-time`` or ``bad-time`` without one readable time, ``invalid-field``
                if a field breaks the schema.
        """
        if not self.times:
            if self._unreadable_time:
                raise RejectedReport(
                    "bad-time", f"no time can be read: {self._unreadable_time} is no date or time"
                )
            raise RejectedReport("no-time", "the report does not say when anything happened")
        try:
            return ReportContent(
                times=tuple(self.times),
                indicators=tuple(self._indicators.values()),
                affected=tuple(self._affected),
                relations=tuple(self._relations),
                references=tuple(self._references),
                warnings=self._noted(),
                **fields,
            )
        except ValidationError as error:
            path = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise RejectedReport("invalid-field", f"{path} breaks the report's schema") from None

    def _noted(self) -> tuple[str, ...]:
        texts = [
            (f"{text} ({count} times)" if count > 1 else text)[:LINE]
            for text, count in self._warnings.items()
        ]
        if len(texts) > _MAX_WARNINGS:
            more = len(texts) - _MAX_WARNINGS
            texts[_MAX_WARNINGS:] = [f"and {more} further kinds of warning"]
        return tuple(texts)
