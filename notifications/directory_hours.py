"""When a contact point is staffed: ranges of hours for each day of the week, in its own time zone.

Written as ``mon-fri 08:00-12:00,13:00-17:00; sat 10:00-14:00``; empty is round the clock.
Source: domain 4.4; R25 (24/7 points of contact).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
HOW = "write it as 'mon-fri 08:00-17:00; sat 10:00-14:00', or leave it empty for round the clock"

_DAYS = re.compile(r"(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))?")
_RANGE = re.compile(r"(?P<oh>\d\d):(?P<om>\d\d)-(?P<ch>\d\d):(?P<cm>\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Opening:
    """Open on ``day`` (0 is Monday) from ``opens`` to before ``closes``, in minutes of that day."""

    day: int
    opens: int
    closes: int


def parse_hours(text: str) -> tuple[Opening, ...]:
    """The openings of a week in their order, those that touch made one, nights cut at midnight.

    Raises:
        ValueError: not in the form that is described above; the message says how to write it.
    """
    found = [
        opening
        for part in filter(None, (part.strip() for part in text.casefold().split(";")))
        for opens, closes in _ranges(part)
        for day in _days(part)
        for opening in _of_each_day(day, opens, closes)
    ]
    merged: list[Opening] = []
    for each in sorted(found):
        last = merged[-1] if merged else None
        if last and last.day == each.day and each.opens <= last.closes:
            closes = max(last.closes, each.closes)
            merged[-1] = Opening(day=last.day, opens=last.opens, closes=closes)
        else:
            merged.append(each)
    return tuple(merged)


def write_hours(openings: tuple[Opening, ...]) -> str:
    """The one text for these openings: days that are alike and follow each other stand together."""
    of_day = {
        day: ",".join(f"{_clock(o.opens)}-{_clock(o.closes)}" for o in openings if o.day == day)
        for day in range(len(DAYS))
    }
    parts = []
    for ranges, group in groupby(of_day, key=lambda day: of_day[day]):
        days = list(group)
        if ranges:
            span = DAYS[days[0]] if len(days) == 1 else f"{DAYS[days[0]]}-{DAYS[days[-1]]}"
            parts.append(f"{span} {ranges}")
    return "; ".join(parts)


def canonical_hours(text: str) -> str:
    """The one way to write what ``text`` says.

    Raises:
        ValueError: as ``parse_hours``.
    """
    return write_hours(parse_hours(text))


def is_open(openings: tuple[Opening, ...], zone: ZoneInfo, at: datetime) -> bool:
    """Whether the desk is staffed at the aware time ``at``; always, where no hours are given."""
    if not openings:
        return True
    local = at.astimezone(zone)
    minute = local.hour * 60 + local.minute
    return any(o.day == local.weekday() and o.opens <= minute < o.closes for o in openings)


def _of_each_day(day: int, opens: int, closes: int) -> list[Opening]:
    if closes > opens:
        return [Opening(day=day, opens=opens, closes=closes)]
    evening = Opening(day=day, opens=opens, closes=DAY_MINUTES)
    morning = Opening(day=(day + 1) % len(DAYS), opens=0, closes=closes)
    return [evening, morning] if closes else [evening]


def _days(part: str) -> list[int]:
    named = _DAYS.fullmatch(part.partition(" ")[0])
    if named is None or not {named["first"], named["last"] or named["first"]} <= set(DAYS):
        raise ValueError(f"no day of the week ({', '.join(DAYS)}): {HOW}")
    first, last = DAYS.index(named["first"]), DAYS.index(named["last"] or named["first"])
    length = (last - first) % len(DAYS)
    return [(first + n) % len(DAYS) for n in range(length + 1)]


def _ranges(part: str) -> list[tuple[int, int]]:
    found = []
    for text in part.partition(" ")[2].replace(" ", "").split(","):
        clock = _RANGE.fullmatch(text)
        if clock is None:
            raise ValueError(f"no hours of the day: {HOW}")
        opens = _minutes(clock["oh"], clock["om"])
        closes = _minutes(clock["ch"], clock["cm"])
        if opens in {closes, DAY_MINUTES}:
            raise ValueError("opens and closes at the same time: write 00:00-24:00 for a whole day")
        found.append((opens, closes))
    return found


def _minutes(hours: str, minutes: str) -> int:
    total = int(hours) * 60 + int(minutes)
    if int(minutes) >= 60 or total > DAY_MINUTES:
        raise ValueError(f"no time of the day: {HOW}")
    return total


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
