"""IntelMQ's events out of the file of its file output bot: JSON lines that grow, rotate, are cut short.

Only whole lines are sent. The position is kept after Kafka has them, with inode and beginning of the
file, by which a rotated, truncated or replaced file is known. Source: domain 6.7.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import delete, insert, select

from infra import audit
from infra.database import Database
from infra.tables_bridges import bridge_file
from intake.bridges.forwarding import BATCH, BATCH_BYTES, Forwarded, Forwarder, Item
from intake.bridges.rotation import Identity, unread
from protocol.errors import Refused

LOOK_SECONDS = 0.5
HEAD = 1_024
"""Bytes at the beginning by which a file is known again."""

_ANEW = "the file was cut short or written anew: it is read from its beginning"
_GONE = (
    "the file that was read before is gone, so that its last lines may not have been sent: rotate"
    " without packing at once (delaycompress)"
)
Tell = Callable[[Forwarded], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far which file was sent."""

    identity: Identity
    offset: int = 0
    head: str = ""
    head_size: int = 0


@dataclass(slots=True)
class _Chunk:
    """Whole lines, those too long for a record, and where the next one begins."""

    end: int
    items: list[Item] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class EventFile:
    """Sends the lines of one file, and of those it was rotated to, in order."""

    path: Path
    bridge: str
    database: Database
    forwarder: Forwarder
    max_line: int

    async def run(self, tell: Tell, *, stop: asyncio.Event, follow: bool) -> None:
        """Send what was written since the last run.

        Args:
            tell: hears of each batch, and in words of what waits or may be missing.
            stop: when set, the batch in hand is finished and nothing more is read.
            follow: wait for further lines instead of ending with the file.

        Raises:
            Refused: ``unreadable``; else as ``Forwarder.forward``.
            ServiceDown: as ``Forwarder.forward``; the position is where Kafka's answers end.
        """
        while not stop.is_set():
            try:
                left = await self._read_on(tell, stop)
            except OSError as exc:
                raise Refused("unreadable", f"cannot read {self.path}: {exc.strerror}") from exc
            if not follow:
                if left:
                    tell(Forwarded(note=f"the last line has no end yet, its {left} bytes wait"))
                return
            try:
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue

    async def _read_on(self, tell: Tell, stop: asyncio.Event) -> int:
        """Send what is there now; how many bytes of an unfinished line are left."""
        known = self._load()
        files = unread(self.path, known.identity if known else None)
        left = 0
        for path in files:
            with path.open("rb") as file:
                known = self._load()
                if known is None:  # from now on it is found again, whatever it is renamed to
                    self._save(file, 0, Forwarded())
                start = _start(file, known, first=path == files[0])
                left = await self._send(file, *start, tell, stop, last=path == files[-1])
        return left

    async def _send(
        self, file: BinaryIO, start: int, note: str, tell: Tell, stop: asyncio.Event, *, last: bool
    ) -> int:
        while not stop.is_set():
            chunk = self._lines(file, start, last=last)
            if chunk.end == start:
                break
            done = await self.forwarder.forward(chunk.items)
            done.refused += chunk.refused
            done.note, note = note, ""
            self._save(file, chunk.end, done)
            start = chunk.end
            tell(done)
        return os.fstat(file.fileno()).st_size - start

    def _lines(self, file: BinaryIO, start: int, *, last: bool) -> _Chunk:
        """The next lines; without an end only in a file that was rotated, to which nobody writes."""
        chunk, size = _Chunk(start), 0
        file.seek(start)
        while len(chunk.items) < BATCH and size < BATCH_BYTES:
            line = file.readline(self.max_line + 2)
            whole = line
            while whole and not whole.endswith(b"\n") and len(whole) > self.max_line:
                whole = file.readline(
                    BATCH_BYTES
                )  # the rest of a line that is too long for a record
            if not line or (last and not whole.endswith(b"\n")):
                break
            body = line.strip()
            place = f"{self.path.name}, byte {chunk.end}"
            if len(body) > self.max_line:
                message = (
                    f"not sent: the line has more than the {self.max_line:,} bytes of a record"
                )
                chunk.refused.append({"place": place, "reason": "too-large", "message": message})
            elif body:
                chunk.items.append(Item(place, body))
                size += len(body)
            chunk.end = file.tell()
        return chunk

    def _load(self) -> Position | None:
        with self.database.read() as connection:
            row = connection.execute(
                select(bridge_file).where(bridge_file.c.bridge == self.bridge)
            ).one_or_none()
        if row is None:
            return None
        return Position(
            identity=Identity(row.device, row.inode),
            offset=row.offset,
            head=row.head,
            head_size=row.head_size,
        )

    def _save(self, file: BinaryIO, offset: int, done: Forwarded) -> None:
        identity = Identity.of(os.fstat(file.fileno()))
        head_size = min(HEAD, offset)
        with self.database.write() as connection:
            connection.execute(delete(bridge_file).where(bridge_file.c.bridge == self.bridge))
            connection.execute(
                insert(bridge_file).values(
                    bridge=self.bridge,
                    device=identity.device,
                    inode=identity.inode,
                    offset=offset,
                    head=_head(file, head_size),
                    head_size=head_size,
                    at=datetime.now(UTC),
                )
            )
            if done.published or done.refused:
                audit.append(
                    connection,
                    "bridge_forwarded",
                    actor="bridge",
                    subject=self.bridge,
                    published=done.published,
                    refused=len(done.refused),
                )


def _start(file: BinaryIO, known: Position | None, *, first: bool) -> tuple[int, str]:
    """Where to begin in the file, and in words what may be missing."""
    status = os.fstat(file.fileno())
    if known is None:
        return 0, ""
    if Identity.of(status) != known.identity:
        return 0, _GONE if first else ""
    if status.st_size < known.offset or _head(file, known.head_size) != known.head:
        return 0, _ANEW
    return known.offset, ""


def _head(file: BinaryIO, size: int) -> str:
    file.seek(0)
    return hashlib.sha256(file.read(size)).hexdigest()
