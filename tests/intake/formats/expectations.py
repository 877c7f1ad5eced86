"""What a public sample file must give: the shape of the tables, and how a written time is read.

The tables beside this one were written from the files, with other means than the code that they
test: by reading, counting and sorting. Source: data/SOURCES.md; domain 6.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from protocol.markings import Tlp

WORLD = timedelta(hours=14)
DATE_LENGTH = len("2017-05-12")


class Stored(NamedTuple):
    """The first report of a file; counts are of different values that the file names."""

    path: str
    format: str
    source_id: str
    """As the file states it; ending in ``*`` where it is made of the content."""
    title: str
    tlp: Tlp
    first: str
    """The first time that the format looks for, as the file writes it; empty if there is none."""
    indicators: int
    hashes: int = 0
    domains: int = 0
    addresses: int = 0
    urls: int = 0
    reports: int = 1


def earliest(written: str) -> tuple[datetime, bool]:
    """The earliest moment that a written time may mean, and whether its zone is known."""
    if len(written) == DATE_LENGTH:
        return datetime.fromisoformat(written).replace(tzinfo=UTC) - WORLD, False
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC) - WORLD, False
    return moment.astimezone(UTC), True
