"""What the tests of bridges share: events of IntelMQ, MISP feeds, and a bridge's destination."""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.kafka import topic_of
from infra.settings import KafkaSettings
from intake.bridges.forwarding import Forwarded
from protocol.parties import SourceGroup
from tests.intake.topics import lying_in

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


def event(name: str, **changes: Any) -> bytes:
    """An event as IntelMQ writes it, on one line."""
    fields = {
        "event_hash": hashlib.sha256(name.encode()).hexdigest(),
        "feed.name": "a feed",
        "feed.provider": "a provider",
        "classification.type": "infected-system",
        "time.source": "2026-11-20T10:00:00+00:00",
        "time.observation": "2026-11-20T10:05:00+00:00",
        "source.ip": "198.51.100.7",
        "comment": name,
    }
    return json.dumps(fields | changes).encode()


def misp_uuid(number: int) -> str:
    return str(uuid.UUID(int=number + (4 << 76) + (8 << 60)))


def misp_event(number: int, timestamp: int, info: str = "An event") -> dict[str, Any]:
    return {
        "Event": {
            "uuid": misp_uuid(number),
            "info": info,
            "date": "2026-11-20",
            "timestamp": str(timestamp),
            "Orgc": {"name": "CERT of nowhere"},
            "Attribute": [{"type": "ip-dst", "value": f"198.51.100.{number}", "to_ids": True}],
        }
    }


def write_feed(
    folder: Path, versions: dict[int, int], *, manifest_only: Iterable[int] = ()
) -> None:
    """A feed with these events in these versions; of some the manifest alone is new."""
    folder.mkdir(exist_ok=True)
    for number, timestamp in versions.items():
        if number not in manifest_only:
            path = folder / f"{misp_uuid(number)}.json"
            path.write_text(json.dumps(misp_event(number, timestamp, f"Version {timestamp}")))
    manifest = {
        misp_uuid(number): {"info": "An event", "date": "2026-11-20", "timestamp": timestamp}
        for number, timestamp in versions.items()
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "hashes.csv").write_text("d41d8cd98f00b204e9800998ecf8427e,x\n")


@dataclass(slots=True)
class Told:
    """What a bridge told."""

    published: int = 0
    refused: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __call__(self, done: Forwarded) -> None:
        self.published += done.published
        self.refused += done.refused
        self.notes += [done.note] if done.note else []


@dataclass(frozen=True, slots=True)
class Destination:
    """A topic, of which what lies there before is passed over."""

    settings: KafkaSettings
    group: SourceGroup
    before: int

    @classmethod
    async def fresh(cls, settings: KafkaSettings, group: SourceGroup) -> Destination:
        return cls(settings, group, len(await lying_in(settings, topic_of(group))))

    async def came(self) -> list[Any]:
        """What came since, in the order in which Kafka took it."""
        found = await lying_in(self.settings, topic_of(self.group))
        found.sort(key=lambda each: (each.timestamp, each.partition, each.offset))
        return found[self.before :]

    async def values(self) -> list[bytes]:
        """What came since, sorted."""
        return sorted(each.value for each in await self.came())


def unstopped() -> asyncio.Event:
    return asyncio.Event()
