"""Notices a Kafka client that lives and reads nothing.

aiokafka can stay so after a restart of the broker, without an error (aiokafka issues 703, 712, 847,
1154): assigned, with records waiting, nothing fetched. Only building it anew helps. A broker that
does not answer is no stall: one waits for it. Source: reliability 1.3, F-P8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Partition = tuple[str, int]


class Stalled(Exception):
    """The client reads nothing though it could; build a new one."""


@dataclass(slots=True)
class Watchdog:
    """Holds a client to its progress. Times are seconds of one steady clock."""

    patience: float
    started: float
    _moved: dict[Partition, tuple[int, float]] = field(default_factory=dict)
    """Where each partition was, and since when it has not moved while records waited."""
    _assigned: float = field(init=False)

    def __post_init__(self) -> None:
        self._assigned = self.started

    def look(
        self,
        now: float,
        *,
        positions: Mapping[Partition, int],
        ends: Mapping[Partition, int],
        reading: bool = True,
    ) -> None:
        """Judge the client by where it is and where the broker says that the records end.

        Call it only when the broker has just answered. ``positions`` are the next offsets to fetch of
        the partitions that are assigned and not paused; ``reading`` is False where nothing at all is
        assigned.

        Raises:
            Stalled: records have waited for longer than the patience, and none was fetched; or
                nothing has been assigned for twice as long.
        """
        if reading:
            self._assigned = now
        elif now - self._assigned > 2 * self.patience:
            raise Stalled("the group has given this process nothing to read")
        moved = {}
        for partition, position in positions.items():
            was, since = self._moved.get(partition, (position, now))
            waiting = position < ends.get(partition, 0)
            moved[partition] = (position, since if waiting and was == position else now)
        self._moved = moved
        stuck = [p for p, (_, since) in moved.items() if now - since > self.patience]
        if stuck:
            names = ", ".join(f"{topic}/{partition}" for topic, partition in sorted(stuck)[:3])
            raise Stalled(f"nothing was fetched of {names} for more than {self.patience:.0f} s")

    def outage(self, now: float) -> None:
        """The broker does not answer: what has not moved since is not the client's fault."""
        self._assigned = now
        self._moved = {p: (position, now) for p, (position, _) in self._moved.items()}
