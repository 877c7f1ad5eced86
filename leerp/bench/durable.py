"""The durable write alone (R2): ``Store.settle`` of prepared batches, against one table of the bytes.

``python -m leerp.bench.durable HOME BEFORE AFTER REPORTS``: ``HOME`` is furnished and empty, the other
two are URLs of databases with the control's tables. Reading and translating is done before and not
measured. Writes reports a second of the control before, the subject and the control after, as JSON
to standard output. Source: reliability 1.6.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from infra import kafka
from infra.bootstrap import app
from intake.records import RawRecord
from intake.sheaf import bound
from intake.store import open_store
from leerp.bench.kept import kept_in
from leerp.bench.stream import Record, Stream
from leerp.intake import tune_for_storms
from protocol.parties import ANONYMOUS

BATCH = 1_000
"""Records of a transaction of the control."""


def control(url: str, stream: Stream) -> float:
    """Reports a second into one table, 1,000 a transaction."""
    spent, place = 0.0, 0
    with closing(kept_in(url)) as kept:
        for batch in _batches(stream, BATCH):
            place += len(batch)
            begun = time.perf_counter()
            rows = [(hashlib.sha256(record.body).digest(), record.body) for record in batch]
            kept.keep(rows, {("bench", 0): place})
            spent += time.perf_counter() - begun
    return stream.total / spent


def subject(home: Path, stream: Stream) -> float:
    """Reports a second through ``settle``, in the batches of a storm, as the intake process runs."""
    spent = 0.0
    with app(home) as opened:
        store = open_store(opened)
        preparer = store.preparer(opened.settings.intake)
        offsets = itertools.count()
        tune_for_storms()
        for batch in _batches(stream, opened.settings.intake.max_batch_records):
            records = [_raw(record, next(offsets)) for record in batch]
            prepared = bound([(record, preparer.read(record)) for record in records])
            begun = time.perf_counter()
            store.settle_sheaf(prepared, source="bench")
            spent += time.perf_counter() - begun
    return stream.total / spent


def _batches(stream: Iterable[Record], size: int) -> Iterator[list[Record]]:
    records = iter(stream)
    while batch := list(itertools.islice(records, size)):
        yield batch


def _raw(record: Record, offset: int) -> RawRecord:
    return RawRecord(
        topic=record.topic,
        partition=record.partition,
        offset=offset,
        group=kafka.group_of(record.topic),
        principal=ANONYMOUS,
        headers={},
        body=record.body,
        received_at=datetime.now(UTC),
    )


def main(home: Path, before: str, after: str, reports: int) -> None:
    """Run one round: control, subject, control, of the same bytes."""
    stream = Stream(reports)
    json.dump([control(before, stream), subject(home, stream), control(after, stream)], sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
