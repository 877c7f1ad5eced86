"""Limits of intake, apart from the other settings: a process that only reads asks for no more."""

from __future__ import annotations

import os
from datetime import timedelta

from pydantic import BaseModel, Field


class IntakeSettings(BaseModel):
    """Limits of one intake process."""

    max_record_bytes: int = 4_000_000
    max_batch_records: int = 4_000
    """Of one transaction."""
    max_fetch_records: int = 2_000
    """Read together, in one process."""
    max_bytes_in_flight: int = 8_000_000
    """Fetched and not yet settled; beyond that, Kafka waits."""
    readers: int = Field(default_factory=lambda: max(1, min(4, (os.cpu_count() or 1) - 1)))
    """Processes that read records in a storm."""
    reader_memory_bytes: int = 2_000_000_000
    """Address space of one of them."""
    seconds_per_batch: float = 60
    seconds_per_record: float = 10
    max_depth: int = 64
    """Levels of arrays and objects in JSON, and of elements in XML."""
    max_xml_elements: int = 100_000
    max_attribute_length: int = 10_000
    """Characters in one attribute of XML."""
    max_rows: int = 50_000
    """Lines of a CSV or text list."""
    max_columns: int = 200
    max_cell_length: int = 10_000
    """Characters in one cell of a CSV list, or one line of a text list."""
    max_mail_lines: int = 100_000
    max_mail_parts: int = 100
    max_mail_depth: int = 8
    """How deep the parts of a mail may be nested."""
    max_attachment_bytes: int = 3_000_000
    """One part of a mail, decoded."""
    refusal_window: int = 1_000
    """Newest records of a partition over which refusals are counted."""
    refusal_limit: float = 0.5
    """Part of them that may be refused before the partition is paused."""
    refusal_trial: int = 20
    """Records that are tried after a pause, before the partition is free again."""
    refusal_pause: timedelta = timedelta(minutes=1)
    """The first pause; each that follows a failed trial is twice as long."""
    refusal_pause_most: timedelta = timedelta(hours=1)
    min_free_bytes: int = 256 * 1024**2
    """Free on the database's disk, or intake waits; of an SQLite database only."""
    outage_alarm: timedelta = timedelta(seconds=5)
    """How long a batch may wait for the database before it is an alarm."""
    retry_pause: timedelta = timedelta(milliseconds=200)
    """Before the first new attempt after an outage; it doubles, with jitter."""
    retry_pause_most: timedelta = timedelta(seconds=10)
    stall_patience: timedelta = timedelta(seconds=20)
    """How long records may lie in Kafka without one being read before the client is built anew."""
