"""What every format adapter takes and gives.

Source: domain 6.1; design section 3; R4, R5.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from protocol.parties import DetectedBy, SourceGroup
from protocol.report import ReportContent


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


class Adapter(Protocol):
    """One format."""

    def recognises(self, document: Any) -> bool:
        """Whether the decoded document looks like this format."""

    def read(self, document: Any) -> tuple[ReportContent, ...]:
        """Translate a document that was recognised.

        Raises:
            RejectedReport: it breaks a rule of its format that no report can do without.
        """
