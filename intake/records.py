"""What comes off Kafka, and what became of it: accepted with reports, or rejected with a reason."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from infra.settings import IntakeSettings
from intake.formats.base import Delivery
from intake.formats.registry import parse
from protocol.errors import RejectedReport
from protocol.parties import DetectedBy, SourceGroup
from protocol.report import IncidentReport, ReportContent

FORMAT_HEADER = "leerp-format"
MEDIA_TYPE_HEADER = "content-type"
DETECTED_BY_HEADER = "leerp-detected-by"
ANONYMOUS = "anonymous"
"""Principal of a broker without authentication."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRecord:
    """One Kafka record, with the group that its topic stands for."""

    topic: str
    partition: int
    offset: int
    group: SourceGroup
    principal: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A record that was understood; one document may hold many reports."""

    record: RawRecord
    reports: tuple[IncidentReport, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A record that can never be accepted as it is."""

    record: RawRecord
    reason: str
    message: str


def read_record(record: RawRecord, limits: IntakeSettings) -> Accepted | Rejected:
    """Translate a record; pure, so it may run in any thread or process."""
    try:
        detected_by = record.headers.get(DETECTED_BY_HEADER)
        if detected_by is not None and detected_by not in set(DetectedBy):
            raise RejectedReport(
                "bad-header", f"header {DETECTED_BY_HEADER} must be 'primary' or 'secondary'"
            )
        parsed = parse(
            record.body,
            Delivery(
                group=record.group,
                declared_format=record.headers.get(FORMAT_HEADER),
                media_type=record.headers.get(MEDIA_TYPE_HEADER),
                detected_by=DetectedBy(detected_by) if detected_by else None,
                received_at=record.received_at,
            ),
            limits,
        )
    except RejectedReport as rejected:
        return Rejected(record=record, reason=rejected.reason, message=str(rejected))
    sha256 = record.sha256
    return Accepted(
        record=record,
        reports=tuple(
            _delivered(content, record, sha256, parsed.format) for content in parsed.contents
        ),
    )


def report_id(group: SourceGroup, principal: str, content: ReportContent) -> str:
    """Id of a report: the same content from the same sender is the same report."""
    identity = f"{group}\n{principal}\n{content.model_dump_json()}"
    return f"{group.number}-{hashlib.sha256(identity.encode()).hexdigest()[:24]}"


def _delivered(
    content: ReportContent, record: RawRecord, sha256: str, format_name: str
) -> IncidentReport:
    return IncidentReport.model_construct(  # every part was validated by the adapter
        **dict(content),
        id=report_id(record.group, record.principal, content),
        group=record.group,
        principal=record.principal,
        received_at=record.received_at,
        format=format_name,
        sha256=sha256,
    )
