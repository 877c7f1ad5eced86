"""What comes off Kafka, and what became of it: accepted with reports, or rejected with a reason."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
from msgspec.structs import replace

from infra.intake_limits import IntakeSettings
from intake.decoding import is_archive, kind_of_media
from intake.formats.base import Delivery, Parsed
from intake.formats.own import NAME as OWN
from intake.formats.own_quick import LEVELS, QuickReport, read_quickly
from intake.formats.registry import parse
from protocol.errors import RejectedReport
from protocol.parties import DetectedBy, SourceGroup
from protocol.report import ReportContent

UNPROCESSABLE = "unprocessable"
"""Reason of a rejection for which a defect of ours is to blame."""
FORMAT_HEADER = "leerp-format"
MEDIA_TYPE_HEADER = "content-type"
DETECTED_BY_HEADER = "leerp-detected-by"


class RawRecord(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
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
    format: str
    contents: tuple[ReportContent, ...]

    def ids(self) -> tuple[str, ...]:
        """The ids of its reports."""
        group, principal = self.record.group, self.record.principal
        return tuple(report_id(group, principal, c.model_dump_json()) for c in self.contents)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A record that can never be accepted as it is."""

    record: RawRecord
    reason: str
    message: str


def read_record(record: RawRecord, limits: IntakeSettings) -> Accepted | Rejected:
    """Translate a record; a function of the record alone, so it may run in any thread or process.

    The outcome holds the record as it may be kept: without what nobody may store.
    A defect of an adapter is logged and rejects the record that showed it: one report never stops
    intake.
    """
    try:
        parsed = _parse(record, limits)
        return Accepted(
            record=_kept(record, parsed.kept), format=parsed.format, contents=parsed.contents
        )
    except RejectedReport as rejected:
        return Rejected(
            record=_kept(record, rejected.kept), reason=rejected.reason, message=str(rejected)
        )
    except Exception as exc:  # noqa: BLE001  whatever an adapter raises over what a stranger sent
        return unprocessable(record, exc)


def quick_report(record: RawRecord, limits: IntakeSettings) -> QuickReport | None:
    """The report of a record that holds one usual report of our own format and nothing else.

    None does not say that anything is wrong: ``read_record`` has the last word.
    """
    body, headers = record.body, record.headers
    declared, media_type = headers.get(FORMAT_HEADER), headers.get(MEDIA_TYPE_HEADER)
    if not body.startswith(b"{") or len(body) > limits.max_record_bytes or is_archive(body):
        return None
    if limits.max_depth < LEVELS or DETECTED_BY_HEADER in headers:
        return None
    if declared != OWN and (declared is not None or kind_of_media(media_type) is not None):
        return None
    quick = read_quickly(body)
    if quick and record.group is SourceGroup.OSINT and quick.fields.detected_by is None:
        return None
    return quick


def unprocessable(record: RawRecord, exc: Exception) -> Rejected:
    """The record that showed a defect of ours, with the defect's class only: no text leaves here."""
    import structlog  # noqa: PLC0415  11 MB that a process which only reads has no other use for

    name = defect_of(exc)
    structlog.get_logger().error(
        "record_unprocessable",
        error=name,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
    )
    return Rejected(
        record=record,
        reason=UNPROCESSABLE,
        message=f"the record could not be processed ({name}): this is a defect of leerp; please"
        " report it, and replay the record once it is mended",
    )


def defect_of(exc: Exception) -> str:
    """The class of what went wrong at first, without its text, which may repeat the report."""
    return type(exc.__cause__ or exc).__name__


def _parse(record: RawRecord, limits: IntakeSettings) -> Parsed:
    detected_by = record.headers.get(DETECTED_BY_HEADER)
    if detected_by is not None and detected_by not in set(DetectedBy):
        raise RejectedReport(
            "bad-header", f"header {DETECTED_BY_HEADER} must be 'primary' or 'secondary'"
        )
    return parse(
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


def report_id(group: SourceGroup, principal: str, content: str) -> str:
    """Id of a report, of its content as JSON: the same from the same sender is the same report."""
    identity = f"{group}\n{principal}\n{content}"
    return f"{group.number}-{hashlib.sha256(identity.encode()).hexdigest()[:24]}"


def _kept(record: RawRecord, body: bytes | None) -> RawRecord:
    return record if body is None else replace(record, body=body)
