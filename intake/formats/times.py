"""Times as formats write them, with the uncertainty that the writing leaves.

Source: domain 6.1, "Time with uncertainty".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from typing import Self

WORLD = timedelta(hours=14)
"""How far local time is from UTC at most; a time without a zone may be off by this much."""
_DAY = timedelta(days=1)
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Reports from before and after these are misread numbers, and their arithmetic may overflow."""
_LEAP_SECOND = 60
_WRITTEN = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})"
    r"(?:[.,](?P<fraction>[0-9]{1,12}))?)?"
    r"\s?(?P<zone>[Zz]|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_MAIL_ZONE = re.compile(r"\+[0-9]{4}|-(?!0000)[0-9]{4}|\b(?:UTC?|GMT|[ECMP][SD]T)\b")
_EPOCH = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The truth lies in [earliest, latest], both UTC."""

    earliest: datetime
    latest: datetime
    tz_known: bool

    @classmethod
    def read(cls, value: object) -> Self | None:
        """Read an ISO 8601 date or time; None if it is none or no plausible one.

        A date is the whole day; without a zone the moment is widened by 14 hours on both sides.
        """
        if not isinstance(value, str) or not (match := _WRITTEN.fullmatch(value.strip())):
            return None
        try:
            start = datetime.fromisoformat(f"{match['date']}T00:00:00+00:00")
            length = _DAY
            if match["hour"]:
                clock, length = _clock(match)
                start += clock
            return cls._between(start, start + length, match["zone"], has_clock=bool(match["hour"]))
        except (ValueError, OverflowError):
            return None

    @classmethod
    def from_epoch(cls, value: object) -> Self | None:
        """Read seconds since 1970 as number or digits; None if absent, zero or implausible."""
        if isinstance(value, bool) or not isinstance(value, int | str):
            return None
        if not _EPOCH.fullmatch(str(value)) or not int(value):
            return None
        try:
            at = datetime.fromtimestamp(int(value), UTC)
        except (ValueError, OverflowError, OSError):
            return None
        return cls(earliest=at, latest=at, tz_known=True) if at < _LATEST else None

    @classmethod
    def from_mail(cls, value: str) -> Self | None:
        """Read a date of RFC 5322; ``-0000`` and no zone leave the zone unknown."""
        try:
            found = parsedate_tz(value)
            if found is None:
                return None
            start = datetime(*found[:6], tzinfo=UTC)
            zone = timedelta(seconds=found[9] or 0)
            if not _MAIL_ZONE.search(value):  # the library takes that for UTC
                return cls._between(start, start, None, has_clock=True)
            if abs(zone) > WORLD:
                return None
            at = start - zone
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        plausible = _EARLIEST <= at < _LATEST
        return cls(earliest=at, latest=at, tz_known=True) if plausible else None

    @classmethod
    def _between(
        cls, start: datetime, end: datetime, zone: str | None, *, has_clock: bool
    ) -> Self | None:
        known = has_clock and zone is not None
        if known and zone is not None:
            offset = _offset(zone)
            start, end = start - offset, end - offset
        else:
            start, end = max(start - WORLD, _EARLIEST), end + WORLD
        if not _EARLIEST <= start <= end < _LATEST:
            return None
        return cls(earliest=start, latest=end, tz_known=known)


def _clock(match: re.Match[str]) -> tuple[timedelta, timedelta]:
    """Time of day and how long the written moment lasts: nothing, or the minute if that is all."""
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    leap = second == _LEAP_SECOND
    datetime(2000, 1, 1, hour, minute, second - leap, tzinfo=UTC)  # raises on 25:61
    micro = int((match["fraction"] or "").ljust(6, "0")[:6])
    length = timedelta() if match["second"] else timedelta(minutes=1)
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micro), length


def _offset(zone: str) -> timedelta:
    if zone in {"Z", "z", "UTC", "GMT"}:
        return timedelta()
    digits = zone.replace(":", "")
    shift = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5]))
    offset = shift if digits[0] == "+" else -shift
    timezone(offset)  # raises on +25:00
    if abs(offset) > WORLD:
        raise ValueError("no zone is more than 14 hours from UTC")
    return offset
