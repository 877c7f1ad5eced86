"""When a source is not read for a while: too much of it was refused, or its quota is used up.

Pure bookkeeping of what one process has read; ``intake.holds`` keeps what comes of it. A partition
whose newest records are mostly refused is paused instead of filling the quarantine; then a few
records are tried, and it is free again or paused for twice as long. The quota is of a source's own
topic, in records a clock hour. Source: reliability 3 ("Limit like arroyo's DlqLimit"), F-K1, F-K10.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from infra.intake_limits import IntakeSettings

Place = tuple[str, int | None]
"""Topic and partition; None stands for the whole topic."""
Quota = Callable[[str], int | None]
"""Records an hour that a topic may bring; None where nobody has set a limit."""
HOUR = timedelta(hours=1)


class Reason(StrEnum):
    """Why a place is not read."""

    REFUSALS = "refusals"
    QUOTA = "quota"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A place that is not read until ``until``, and the numbers that this rests on."""

    reason: Reason
    since: datetime
    until: datetime
    detail: Mapping[str, int]


@dataclass(slots=True)
class _Track:
    """One partition: its newest batches, and how its last pauses went."""

    batches: deque[tuple[int, int]] = field(default_factory=deque)
    read: int = 0
    refused: int = 0
    under_way: int = 0
    hold: Hold | None = None
    """While it lasts, and then until the trial after it has ended."""
    trial_left: int = 0
    in_a_row: int = 0

    def add(self, read: int, refused: int, enough: int) -> None:
        """Count a batch; forget the oldest that the newest ``enough`` records do not need."""
        self.batches.append((read, refused))
        self.read, self.refused = self.read + read, self.refused + refused
        while self.read - self.batches[0][0] >= enough:
            old, bad = self.batches.popleft()
            self.read, self.refused = self.read - old, self.refused - bad

    def clear(self) -> None:
        self.batches.clear()
        self.read = self.refused = 0


@dataclass(slots=True)
class _Usage:
    """What a topic has brought in an hour: known to all processes, and not yet told to them."""

    hour: datetime
    shared: int = 0
    fresh: int = 0


class Brakes:
    """Decides which places are read. Times are aware UTC and never go back."""

    def __init__(self, rules: IntakeSettings, quota: Quota) -> None:
        self._rules = rules
        self._quota = quota
        self._tracks: dict[tuple[str, int], _Track] = {}
        self._usages: dict[str, _Usage] = {}
        self._spent: dict[str, Hold] = {}

    def grant(self, topic: str, partition: int, available: int, now: datetime) -> int:
        """How many of the records at hand may be taken; those must come back by ``note``."""
        if self._is_held(topic, partition, now):
            return 0
        track = self._track(topic, partition)
        granted = min(available, self._room(track))
        if (quota := self._quota(topic)) is not None:
            granted = min(granted, max(0, quota - self._used(topic, now)))
        if track.hold is not None:  # its pause is over: a trial
            granted = min(granted, track.trial_left)
            track.trial_left -= granted
        track.under_way += granted
        return granted

    def note(self, topic: str, partition: int, *, read: int, refused: int, now: datetime) -> None:
        """Count records that were settled, ``refused`` of them into quarantine."""
        track = self._track(topic, partition)
        track.under_way = max(0, track.under_way - read)
        self._note_usage(topic, read, now)
        if track.hold is not None and now < track.hold.until:
            return  # read before the pause began
        on_trial = track.hold is not None
        enough = self._rules.refusal_trial if on_trial else self._rules.refusal_window
        track.add(read, refused, enough)
        limit = self._rules.refusal_limit * max(track.read, enough)
        if track.refused > limit:
            self._hold(track, now)
        elif on_trial and track.read >= enough:
            track.clear()
            track.hold, track.in_a_row = None, 0

    def held(self, now: datetime) -> Mapping[Place, Hold]:
        """The places that are paused now, and why."""
        found: dict[Place, Hold] = {
            place: track.hold
            for place, track in self._tracks.items()
            if track.hold is not None and now < track.hold.until
        }
        found.update({(t, None): hold for t, hold in self._spent.items() if now < hold.until})
        return found

    def closed(self, topic: str, partition: int, now: datetime) -> bool:
        """Whether nothing may be taken of the partition now: held, or what was taken is judged first."""
        if self._is_held(topic, partition, now):
            return True
        track = self._tracks.get((topic, partition))
        if track is None:
            return False
        return self._room(track) == 0 or (track.hold is not None and track.trial_left == 0)

    def restore(self, place: Place, hold: Hold) -> None:
        """Take over a hold that is in force, from another process or an earlier run."""
        topic, partition = place
        if partition is None:
            self._spent[topic] = hold
        else:
            track = self._track(topic, partition)
            track.hold, track.trial_left = hold, self._rules.refusal_trial
            track.in_a_row = max(1, hold.detail.get("in_a_row", 1))

    def release(self, place: Place) -> None:
        """Read the place again at once, as if nothing had been: an officer's word."""
        topic, partition = place
        if partition is None:
            self._spent.pop(topic, None)
            self._usages.pop(topic, None)
        else:
            self._tracks.pop((topic, partition), None)

    def forget(self, partitions: Collection[tuple[str, int]]) -> None:
        """Forget partitions that another process reads now, or this one from their position again."""
        for partition in partitions:
            self._tracks.pop(partition, None)

    def untold_usage(self) -> dict[tuple[str, datetime], int]:
        """What topics with a quota brought that the other processes do not know of, by hour."""
        return {(t, usage.hour): usage.fresh for t, usage in self._usages.items() if usage.fresh}

    def told_usage(self, told: Mapping[tuple[str, datetime], int]) -> None:
        """So much of it was added to what all know."""
        for (topic, hour), records in told.items():
            usage = self._usages.get(topic)
            if usage is not None and usage.hour == hour:
                usage.shared, usage.fresh = usage.shared + records, usage.fresh - records

    def learn_usage(self, topic: str, hour: datetime, shared: int, now: datetime) -> None:
        """What all processes together have read of a topic in an hour."""
        usage = self._usages.setdefault(topic, _Usage(hour))
        if usage.hour == hour:
            usage.shared = shared
            self._check_quota(topic, usage, now)

    def _room(self, track: _Track) -> int:
        """How many more may be under way: any number of a partition whose window is full and good.

        Of any other no more than a window, so that a broken source is noticed before it is swallowed.
        """
        rules = self._rules
        good = track.refused <= rules.refusal_limit / 2 * track.read
        if track.read >= rules.refusal_window and good:
            return sys.maxsize
        return max(0, rules.refusal_window - track.under_way)

    def _track(self, topic: str, partition: int) -> _Track:
        return self._tracks.setdefault((topic, partition), _Track())

    def _is_held(self, topic: str, partition: int, now: datetime) -> bool:
        spent = self._spent.get(topic)
        track = self._tracks.get((topic, partition))
        holds = (spent, track.hold if track else None)
        return any(hold is not None and now < hold.until for hold in holds)

    def _used(self, topic: str, now: datetime) -> int:
        usage = self._usages.get(topic)
        counted = usage.shared + usage.fresh if usage and usage.hour == hour_of(now) else 0
        under_way = sum(track.under_way for (t, _), track in self._tracks.items() if t == topic)
        return counted + under_way

    def _note_usage(self, topic: str, read: int, now: datetime) -> None:
        if self._quota(topic) is None:
            return
        usage = self._usages.setdefault(topic, _Usage(hour_of(now)))
        if usage.hour != hour_of(now):
            usage.hour, usage.shared, usage.fresh = hour_of(now), 0, 0
        usage.fresh += read
        self._check_quota(topic, usage, now)

    def _check_quota(self, topic: str, usage: _Usage, now: datetime) -> None:
        quota, used = self._quota(topic), usage.shared + usage.fresh
        spent = self._spent.get(topic)
        if quota is None or used < quota or (spent is not None and now < spent.until):
            return
        self._spent[topic] = Hold(
            reason=Reason.QUOTA,
            since=now,
            until=usage.hour + HOUR,
            detail={"read": used, "quota": quota},
        )

    def _hold(self, track: _Track, now: datetime) -> None:
        rules = self._rules
        track.in_a_row += 1
        pause = min(
            rules.refusal_pause * 2 ** min(track.in_a_row - 1, 30), rules.refusal_pause_most
        )
        track.hold = Hold(
            reason=Reason.REFUSALS,
            since=now,
            until=now + pause,
            detail={"read": track.read, "refused": track.refused, "in_a_row": track.in_a_row},
        )
        track.trial_left = rules.refusal_trial
        track.clear()


def no_quota(_topic: str) -> int | None:
    """No topic has a quota."""
    return None


def hour_of(moment: datetime) -> datetime:
    """The beginning of its clock hour."""
    return moment.replace(minute=0, second=0, microsecond=0)
