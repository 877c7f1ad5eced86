"""Records that were read, bound together for the writer.

What the writer compares stands apart; bodies and documents, which it only keeps, are in blocks as the
database has them. Packed where they were read, they pass through the writer's process as they are:
that is most of the bytes, and much of the work. Source: docs/decisions/013.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import msgspec
from msgspec.structs import replace

from infra.packing import Packed, blocks_of, items_in
from infra.stored import MEDIA_TYPE_LENGTH, Body, Original, pack_item
from intake.preparing import Ready
from intake.records import MEDIA_TYPE_HEADER, RawRecord

Read = tuple[RawRecord, Ready]
"""A record, and what became of it when it was read."""
_body = msgspec.msgpack.Decoder(Body).decode
_original = msgspec.msgpack.Decoder(Original).decode


class Answer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What becomes of some records, on its way from the process that read them."""

    readies: list[Ready]
    """In the order of the records; their originals are below."""
    bodies: list[Packed]
    """Of the records that were accepted, in their order."""
    originals: list[Packed]
    """Of all reports, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheaf:
    """Records with what became of them; those that were accepted have no body here."""

    reads: Sequence[Read]
    bodies: Sequence[Packed]
    originals: Sequence[Packed]


def answer(records: Iterable[RawRecord], readies: Sequence[Ready]) -> Answer:
    """Pack what the writer only keeps."""
    accepted = [each for each in zip(records, readies, strict=True) if not each[1].reason]
    return Answer(
        [replace(each, originals=[]) if each.originals else each for each in readies],
        blocks_of(pack_item(body_of(kept_of(*each))) for each in accepted),
        blocks_of(pack_item(original) for each in readies for original in each.originals),
    )


def combined(answers: Sequence[Answer]) -> Answer:
    """Several about records that follow each other as one."""
    return Answer(
        [each for one in answers for each in one.readies],
        [each for one in answers for each in one.bodies],
        [each for one in answers for each in one.originals],
    )


def sheaf(records: Sequence[RawRecord], answered: Answer) -> Sheaf:
    """The records with their answer."""
    return Sheaf(
        reads=[
            (record if ready.reason else replace(record, body=b""), ready)
            for record, ready in zip(records, answered.readies, strict=True)
        ],
        bodies=answered.bodies,
        originals=answered.originals,
    )


def bound(reads: Sequence[Read]) -> Sheaf:
    """What was read in this process."""
    records = [record for record, _ in reads]
    return sheaf(records, answer(records, [ready for _, ready in reads]))


def joined(sheaves: Sequence[Sheaf]) -> Sheaf:
    """Several as one, in their order."""
    if len(sheaves) == 1:
        return sheaves[0]
    return Sheaf(
        reads=[each for one in sheaves for each in one.reads],
        bodies=[each for one in sheaves for each in one.bodies],
        originals=[each for one in sheaves for each in one.originals],
    )


def apart(whole: Sheaf) -> Iterator[Read]:
    """Each record by itself, with its body and its originals."""
    bodies = (_body(item) for block in whole.bodies for item in items_in(block.data))
    originals = (_original(item) for block in whole.originals for item in items_in(block.data))
    for record, ready in whole.reads:
        if ready.reason:
            yield record, ready
            continue
        body = next(bodies)
        yield (
            replace(record, body=body.content),
            replace(ready, kept=None, originals=list(islice(originals, len(ready.reports)))),
        )


def kept_of(record: RawRecord, ready: Ready) -> RawRecord:
    """The record as it may be kept."""
    return record if ready.kept is None else replace(record, body=ready.kept)


def body_of(record: RawRecord) -> Body:
    """What is kept of the record beside its place."""
    media_type = record.headers.get(MEDIA_TYPE_HEADER, "application/octet-stream")
    return Body(media_type[:MEDIA_TYPE_LENGTH], record.body)
