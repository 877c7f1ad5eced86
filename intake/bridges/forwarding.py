"""What all bridges share: batches go to Kafka in order, and only then is anything forgotten."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from intake.producer import ReportProducer
from protocol.errors import Refused
from protocol.parties import DetectedBy

BATCH = 500
"""Records that are on their way at a time."""
BATCH_BYTES = 8_000_000


@dataclass(frozen=True, slots=True)
class Item:
    """One record to send, and where it was found, for people."""

    place: str
    body: bytes


@dataclass(slots=True, kw_only=True)
class Forwarded:
    """What became of a batch."""

    published: int = 0
    refused: list[dict[str, str]] = field(default_factory=list)
    """Place, reason and message of what cannot be sent."""
    note: str = ""
    """What a person should know, in words."""


@dataclass(frozen=True, slots=True)
class Forwarder:
    """Sends batches in one format over a connected producer."""

    producer: ReportProducer
    format: str
    detected_by: DetectedBy | None = None

    async def forward(self, items: Sequence[Item]) -> Forwarded:
        """Send all and return when Kafka has them; what is too large is refused and named.

        Raises:
            Refused: ``not-allowed``, ``no-topic`` or ``bad-login``: the same for every record.
            ServiceDown: Kafka does not answer; part of the batch may be there.
        """
        done = Forwarded()
        posted = []
        for item in items:
            try:
                posted.append(
                    await self.producer.post(
                        item.body, format=self.format, detected_by=self.detected_by
                    )
                )
            except Refused as refused:
                if refused.reason != "too-large":
                    raise
                done.refused.append(
                    {"place": item.place, "reason": refused.reason, "message": str(refused)}
                )
        for each in posted:
            await each.receipt()
        done.published = len(posted)
        return done


def bridge_id(kind: str, source: str, destination: str) -> str:
    """Under which a bridge's progress is kept: the same source to another topic is another bridge."""
    return hashlib.sha256(f"{kind}\n{source}\n{destination}".encode()).hexdigest()
