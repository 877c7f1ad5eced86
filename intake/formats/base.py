"""What every format adapter takes and gives.

Source: domain 6.1; design section 3; R4, R5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from protocol.errors import RejectedReport
from protocol.parties import DetectedBy, SourceGroup
from protocol.report import ReportContent, TimeKind, TimeWindow

MOST_REPORTS = 1_000
"""Reports in one record."""

UNDATED = TimeWindow(
    kind=TimeKind.REPORTED,
    earliest=datetime(1970, 1, 1, tzinfo=UTC),
    latest=datetime(2199, 12, 31, tzinfo=UTC),
    tz_known=False,
)
"""Stands for the time of arrival, in formats that may come without any time.

The id of a report does not depend on when it arrived, so that the same list sent twice is one report.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What is known of a record from its delivery, never from the record itself."""

    group: SourceGroup
    declared_format: str | None
    media_type: str | None
    detected_by: DetectedBy | None
    """For group 1: how EC3 came to know, as its own collector says (R5)."""
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """The reports of one record, in the order of the record, and the format they came in."""

    contents: tuple[ReportContent, ...]
    format: str
    kept: bytes | None = None
    """What to keep of the record where the record itself may not be kept."""


class Adapter(Protocol):
    """One format."""

    def recognises(self, document: Any) -> bool:
        """Whether the decoded document looks like this format."""

    def read(self, document: Any) -> tuple[ReportContent, ...]:
        """Translate a document that was recognised.

        Raises:
            RejectedReport: it breaks a rule of its format that no report can do without.
        """


def in_turn(
    documents: list[Any], read: Callable[[Any], ReportContent]
) -> tuple[ReportContent, ...]:
    """Read each document of a record; a refusal says which one it is for.

    Raises:
        RejectedReport: ``too-many-reports``, or what ``read`` refuses.
    """
    if len(documents) > MOST_REPORTS:
        raise RejectedReport(
            "too-many-reports",
            f"the record holds {len(documents)} reports; at most {MOST_REPORTS} are accepted",
        )
    contents = []
    for number, document in enumerate(documents, start=1):
        try:
            contents.append(read(document))
        except RejectedReport as refused:
            if len(documents) == 1:
                raise
            raise RejectedReport(
                refused.reason, f"report {number} of {len(documents)}: {refused}"
            ) from None
    return tuple(contents)
