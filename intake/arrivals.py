"""What came off Kafka, as records of ours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from infra import kafka
from intake.fetching import Unreadable
from intake.preparing import Ready
from intake.records import RawRecord
from protocol.parties import ANONYMOUS

HEADER_LENGTH = 200
LOG_APPEND_TIME = 1
"""Kafka's number for times that the broker gives."""
_UNREADABLE = (
    "the name of a header is not UTF-8, in this record or in one before it that its sender put into"
    " the same batch, so that it cannot be read; its body is in Kafka only"
)


def arrived(record: Any) -> RawRecord:
    """A record of aiokafka, or the place of one that it cannot decode, with nothing in it."""
    unreadable = isinstance(record, Unreadable)
    return RawRecord(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        group=kafka.group_of(record.topic),
        principal=kafka.source_of(record.topic) or ANONYMOUS,
        headers={} if unreadable else _headers(record),
        body=b"" if unreadable else record.value or b"",
        received_at=datetime.now(UTC) if unreadable else _received_at(record),
    )


def unreadable(record: RawRecord) -> Ready:
    """What becomes of a record that aiokafka cannot decode."""
    return Ready(record.sha256, "", [], "bad-header", _UNREADABLE)


def _headers(record: Any) -> dict[str, str]:
    return {
        _text(name): _text(value.decode("utf-8", "replace"))
        for name, value in record.headers
        if value is not None
    }


def _text(header: str) -> str:
    """Short, and without NUL, which PostgreSQL does not take."""
    return header[:HEADER_LENGTH].replace("\x00", "\ufffd")


def _received_at(record: Any) -> datetime:
    """When the broker took it; where the topic keeps the sender's time, which may be any, now."""
    if record.timestamp_type == LOG_APPEND_TIME:
        return datetime.fromtimestamp(record.timestamp / 1000, UTC)
    return datetime.now(UTC)
