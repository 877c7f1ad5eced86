"""Points in time as people type them: an ISO 8601 time, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import typer

_AGO = re.compile(r"(\d{1,5})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def moment(text: str) -> datetime:
    """``30m``, ``2h`` or ``7d`` ago, or a time; one without a zone is UTC.

    Raises:
        BadParameter: it is neither.
    """
    if ago := _AGO.fullmatch(text):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(text)
    except ValueError as exc:
        raise typer.BadParameter(
            f"{text!r} is no time: write 2h, 7d or 2026-11-21T08:00:00Z"
        ) from exc
    return found if found.tzinfo else found.replace(tzinfo=UTC)
