"""MISP events out of a feed folder: ``manifest.json`` and ``<uuid>.json``, as MISP writes them.

An event is sent when the manifest names a newer version than was sent, and noted after Kafka has it.
Source: domain 6.6 (MISP core format, feeds).
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select

from infra import audit
from infra.database import Database
from infra.tables_bridges import bridge_event
from intake.bridges.forwarding import BATCH_BYTES, Forwarded, Forwarder, Item
from intake.limits import decode_json
from protocol.errors import Refused, RejectedReport

MANIFEST = "manifest.json"
MOST_BYTES = 200_000_000
"""Of a manifest or an event file, before it is not even read."""
MAX_DEPTH = 64
EVENTS = 50
"""Events that are on their way at a time."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

Tell = Callable[[Forwarded], None]


@dataclass(frozen=True, slots=True)
class _Version:
    """One version of one event: its time in the manifest or the file, and its bytes."""

    uuid: str
    timestamp: int
    body: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass(slots=True)
class Feed:
    """Sends the new and newer events of one folder, the oldest first."""

    folder: Path
    bridge: str
    database: Database
    forwarder: Forwarder
    _told: dict[str, str] = field(default_factory=dict)
    """By event, the trouble with it that was told already."""

    async def run(
        self, tell: Tell, *, stop: asyncio.Event, follow: bool, every: float = 10
    ) -> None:
        """Send what is new since the last run.

        Args:
            tell: hears of each batch. An event that cannot be read or is too large is named once in a
                run, and tried again in the next.
            stop: when set, the batch in hand is finished and nothing more is read.
            follow: look again every ``every`` seconds instead of ending.
            every: seconds.

        Raises:
            Refused: ``no-feed``, there is no manifest that can be read; when following only at first.
                Else as ``Forwarder.forward``.
            ServiceDown: as ``Forwarder.forward``; what Kafka has was noted batch by batch.
        """
        await self._look(self._manifest(), tell, stop)
        while follow and not stop.is_set():
            try:
                await asyncio.wait_for(stop.wait(), every)
            except TimeoutError:
                try:
                    manifest = self._manifest()
                except Refused:  # it is being written; the next look finds it whole
                    continue
                await self._look(manifest, tell, stop)

    async def _look(self, manifest: dict[str, int], tell: Tell, stop: asyncio.Event) -> None:
        sent = self._sent()
        newer = [
            (timestamp, uuid)
            for uuid, timestamp in manifest.items()
            if uuid not in sent or timestamp > sent[uuid][0]
        ]
        refused: list[dict[str, str]] = []
        versions = self._read(sorted(newer), sent, refused)
        for batch in _batches(versions):
            if stop.is_set():
                return
            tell(await self._forward(batch))
        if refused:
            tell(Forwarded(refused=refused))

    async def _forward(self, batch: list[_Version]) -> Forwarded:
        done = await self.forwarder.forward([Item(each.uuid, each.body) for each in batch])
        too_large = {each["place"] for each in done.refused}
        self._note([each for each in batch if each.uuid not in too_large])
        done.refused = [
            each for each in done.refused if self._is_news(each["place"], each["message"])
        ]
        return done

    def _read(
        self,
        newer: Iterable[tuple[int, str]],
        sent: dict[str, tuple[int, str]],
        refused: list[dict[str, str]],
    ) -> Iterator[_Version]:
        """Each event's file, unless it is what was sent already: the manifest may be ahead of it."""
        for timestamp, uuid in newer:
            try:
                version = self._version(uuid, timestamp)
            except (OSError, RejectedReport) as exc:
                why = exc.strerror if isinstance(exc, OSError) else str(exc)
                if self._is_news(uuid, str(why)):
                    message = (
                        f"not sent: {uuid}.json cannot be read: {why}; it is tried again later"
                    )
                    refused.append({"place": uuid, "reason": "unreadable", "message": message})
                continue
            if uuid not in sent or version.sha256 != sent[uuid][1]:
                yield version

    def _version(self, uuid: str, timestamp: int) -> _Version:
        path = self.folder / f"{uuid}.json"
        if path.stat().st_size > MOST_BYTES:
            raise RejectedReport("too-large", f"it has more than {MOST_BYTES:,} bytes")
        body = path.read_bytes()
        document = decode_json(body, max_bytes=MOST_BYTES, max_depth=MAX_DEPTH)
        event = document.get("Event") if isinstance(document, dict) else None
        own = _epoch(event.get("timestamp")) if isinstance(event, dict) else None
        return _Version(uuid, timestamp if own is None else min(own, timestamp), body)

    def _manifest(self) -> dict[str, int]:
        """By UUID, the time of each event's newest version."""
        path = self.folder / MANIFEST
        try:
            manifest = decode_json(path.read_bytes(), max_bytes=MOST_BYTES, max_depth=MAX_DEPTH)
        except OSError as exc:
            raise _no_feed(self.folder, f"{MANIFEST} cannot be read ({exc.strerror})") from exc
        except RejectedReport as exc:
            raise _no_feed(self.folder, f"{MANIFEST}: {exc}") from exc
        if not isinstance(manifest, dict):
            raise _no_feed(self.folder, f"{MANIFEST} is no list of events by their UUIDs")
        return {
            uuid: _epoch(entry.get("timestamp")) or 0
            for uuid, entry in manifest.items()
            if _UUID.fullmatch(uuid) and isinstance(entry, dict)
        }

    def _sent(self) -> dict[str, tuple[int, str]]:
        with self.database.read() as connection:
            rows = connection.execute(
                select(bridge_event).where(bridge_event.c.bridge == self.bridge)
            )
            return {row.event: (row.timestamp, row.sha256) for row in rows}

    def _note(self, versions: list[_Version]) -> None:
        if not versions:
            return
        with self.database.write() as connection:
            connection.execute(
                delete(bridge_event).where(
                    bridge_event.c.bridge == self.bridge,
                    bridge_event.c.event.in_([each.uuid for each in versions]),
                )
            )
            connection.execute(
                insert(bridge_event),
                [
                    {
                        "bridge": self.bridge,
                        "event": each.uuid,
                        "timestamp": each.timestamp,
                        "sha256": each.sha256,
                        "at": datetime.now(UTC),
                    }
                    for each in versions
                ],
            )
            audit.append(
                connection,
                "bridge_forwarded",
                actor="bridge",
                subject=self.bridge,
                published=len(versions),
            )

    def _is_news(self, uuid: str, trouble: str) -> bool:
        news = self._told.get(uuid) != trouble
        self._told[uuid] = trouble
        return news


def _batches(versions: Iterable[_Version]) -> Iterator[list[_Version]]:
    batch: list[_Version] = []
    size = 0
    for version in versions:
        batch.append(version)
        size += len(version.body)
        if len(batch) >= EVENTS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _epoch(value: Any) -> int | None:
    """Seconds, as MISP writes them: a number or its digits."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


def _no_feed(folder: Path, what: str) -> Refused:
    return Refused(
        "no-feed",
        f"{folder} is no MISP feed: {what}: name the folder with {MANIFEST} and the event files",
    )
