"""How often somebody may try links that are not valid: buckets that refill.

A good link is never counted or refused, so that nobody who guesses from behind the same gateway can
silence a point of contact; 256 bits keep the links, the limit keeps the machine and its trail free
(F-A4). Bad links are counted by the address they come from and by the campaign they claim to be of:
neither tells whether there is such a campaign.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

BURST_BY_ADDRESS, BURST_BY_CAMPAIGN = 30.0, 300.0
PER_SECOND_BY_ADDRESS, PER_SECOND_BY_CAMPAIGN = 0.5, 5.0
MOST_BUCKETS = 50_000


@dataclass(slots=True)
class Bucket:
    """What is left, as of ``at`` in Unix seconds."""

    left: float
    at: float


class Buckets:
    """One bucket for each name; those that were used longest ago are forgotten when there are too many."""

    def __init__(self, burst: float, per_second: float, *, most: int = MOST_BUCKETS) -> None:
        self._burst, self._per_second, self._most = burst, per_second, most
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, name: str, now: float) -> bool:
        """Take one from the bucket; False when it is empty."""
        bucket = self._buckets.setdefault(name, Bucket(self._burst, now))
        self._buckets.move_to_end(name)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        passed = max(0.0, now - bucket.at)
        bucket.left = min(self._burst, bucket.left + passed * self._per_second)
        bucket.at = now
        if bucket.left < 1.0:
            return False
        bucket.left -= 1.0
        return True


class Guessing:
    """Counts links that are not valid."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._addresses = Buckets(BURST_BY_ADDRESS, PER_SECOND_BY_ADDRESS)
        self._campaigns = Buckets(BURST_BY_CAMPAIGN, PER_SECOND_BY_CAMPAIGN)

    def too_often(self, address: str, tag: str) -> bool:
        """Count a link that was not valid, claiming the campaign of ``tag``; whether it is too many."""
        now = self._clock().timestamp()
        by_address = self._addresses.take(address, now)
        by_campaign = self._campaigns.take(tag, now)
        return not (by_address and by_campaign)
