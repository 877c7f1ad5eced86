"""The reports of a storm: deterministic, distinct, about 1.2 kB each, with five indicators.

Four fifths belong to campaigns, whose sizes fall as in life: a few are huge, most are small. What a
campaign's reports share is telling (a sample, a host, a page), so that they become clusters; the
largest name victims and criteria that make them detections, the next ones stay large clusters that
are tested again and again. One fifth stands alone.
"""

from __future__ import annotations

import hashlib
import json
import random
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from infra import kafka
from intake.formats.own import NAME
from protocol.parties import SourceGroup

BEGIN = datetime(2026, 3, 2, 6, tzinfo=UTC)
GROUPS = (
    SourceGroup.CSIRT,
    SourceGroup.PRIVATE_SECTOR,
    SourceGroup.PARTNER_AGENCY,
    SourceGroup.LAW_ENFORCEMENT,
    SourceGroup.OTHER,
)
COUNTRIES = ("AT", "BE", "CZ", "DE", "EE", "ES", "FR", "IT", "NL", "PL")
SECTORS = ("health", "energy", "transport", "banking")
FEEDS = 60
IN_CAMPAIGNS = 0.8
REPORTS_OF_A_CAMPAIGN = 100
"""On average."""
REPORTS_OF_A_MAJOR_ATTACK = 50_000
"""In so many reports of the stream one campaign is a major attack."""
VARIANTS, PAGES = 12, 20
PROSE = (
    "The sensor saw the same sequence as in earlier cases: a message with a link, a loader from the"
    " page behind it, then contact with the address named below about every ninety seconds. "
    "Hosts were isolated and images taken; the persons who had opened the page were told. Logs of"
    " the proxy are kept for thirty days."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record for Kafka."""

    topic: str
    partition: int
    body: bytes


class Stream:
    """The storm of ``total`` reports; the same ``seed`` gives the same bytes."""

    def __init__(self, total: int, *, seed: int = 1) -> None:
        self.total = total
        self._seed = seed
        campaigns = max(5, total // REPORTS_OF_A_CAMPAIGN)
        self._majors = max(1, total // REPORTS_OF_A_MAJOR_ATTACK)
        self._shares = list(accumulate(1 / (rank + 1) for rank in range(campaigns)))

    def __iter__(self) -> Iterator[Record]:
        return (self.record(number) for number in range(self.total))

    def record(self, number: int) -> Record:
        """Report ``number``, on the topic and partition that its feed writes to."""
        chance = random.Random(f"{self._seed}/{number}")  # noqa: S311  a play, not a secret
        feed = chance.randrange(FEEDS)
        return Record(
            topic=kafka.topic_of(GROUPS[feed % len(GROUPS)]),
            partition=feed % kafka.PARTITIONS,
            body=json.dumps(self._document(number, feed, chance)).encode(),
        )

    def campaign_of(self, chance: random.Random) -> int | None:
        """The campaign, 0 the largest; None for a report that stands alone."""
        if chance.random() >= IN_CAMPAIGNS:
            return None
        return bisect(self._shares, chance.random() * self._shares[-1])

    def _document(self, number: int, feed: int, chance: random.Random) -> dict[str, Any]:
        campaign = self.campaign_of(chance)
        country = chance.choice(COUNTRIES)
        at = (BEGIN + timedelta(milliseconds=18 * number)).isoformat()
        document: dict[str, Any] = {
            "format": NAME,
            "source_id": f"feed-{feed:02}/{self._seed}/{number:07}",
            "title": f"Suspicious contact of a host, case {number}",
            "description": PROSE,
            "reporter": {"name": f"Sensor network {feed}", "country": country},
            "first_hand": True,
            "times": [{"kind": "observed", "earliest": at, "latest": at}],
            "rsit": "malicious-code:c2-server",
            "indicators": self._indicators(number, campaign, chance),
        }
        if campaign is not None and campaign < self._majors:
            document["affected"] = _victims(number, country, chance.choice(SECTORS))
            document["impact"] = {
                "criteria": ["essential-service-disrupted"],
                "disruption": "observed",
            }
        elif number % 3 == 0:
            document["affected"] = _victims(number, country, "manufacturing")
            document["impact"] = {"criteria": ["attempt-blocked"], "disruption": "none"}
        return document

    def _indicators(
        self, number: int, campaign: int | None, chance: random.Random
    ) -> list[dict[str, str]]:
        own = self._trace("own", number)
        if campaign is None:
            sample, host, page = own, own[:20], own[20:28]
        else:
            sample = self._trace("sample", campaign, chance.randrange(VARIANTS))
            host = self._trace("host", campaign)[:20]
            page = self._trace("page", campaign, chance.randrange(PAGES))[:8]
        # Every other address is on a public warning list, as in life.
        address = f"240.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        if number % 2:
            address = f"fd00::{own[:4]}:{own[4:8]}"
        return [
            {"type": "sha256", "value": sample, "role": "sample"},
            {"type": "domain", "value": f"{host}.invalid", "role": "c2"},
            {"type": "url", "value": f"https://{host}.invalid/{page}", "role": "page"},
            {"type": "ip", "value": address, "role": "victim"},
            {"type": "email", "value": f"{own[:12]}@{own[12:24]}.invalid", "role": "sender"},
        ]

    def _trace(self, *name: object) -> str:
        """64 hex digits."""
        return hashlib.sha256(repr((self._seed, *name)).encode()).hexdigest()


def _victims(number: int, country: str, sector: str) -> list[dict[str, str]]:
    return [
        {"kind": "organisation", "value": f"Organisation {number % 5000}"},
        {"kind": "country", "value": country},
        {"kind": "sector", "value": sector},
    ]
