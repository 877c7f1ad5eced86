"""Brakes: a source that is mostly refused is paused, and so is one that has used up its quota."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.intake_limits import IntakeSettings
from intake.brakes import Brakes, Hold, Reason, hour_of

RULES = IntakeSettings(
    refusal_window=100,
    refusal_limit=0.5,
    refusal_trial=10,
    refusal_pause=timedelta(seconds=60),
    refusal_pause_most=timedelta(seconds=200),
)
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
TOPIC = "leerp.intake.csirt.v1.acme"
MINUTE = timedelta(minutes=1)


def no_quota(_topic: str) -> None:
    return None


def feed(brakes: Brakes, read: int, refused: int, now: datetime, partition: int = 0) -> int:
    """Read what may be read of ``read`` records, of which so many are refused; how many were."""
    granted = brakes.grant(TOPIC, partition, read, now)
    brakes.note(TOPIC, partition, read=granted, refused=min(refused, granted), now=now)
    return granted


def test_a_partition_is_paused_when_more_than_the_limit_of_its_newest_records_was_refused() -> None:
    brakes = Brakes(RULES, no_quota)
    for _ in range(5):
        assert feed(brakes, 20, 10, NOON) == 20
    assert not brakes.held(NOON)
    feed(brakes, 20, 11, NOON)
    hold = brakes.held(NOON)[TOPIC, 0]
    assert (hold.reason, hold.until) == (Reason.REFUSALS, NOON + MINUTE)
    assert brakes.grant(TOPIC, 0, 20, NOON) == 0
    assert brakes.closed(TOPIC, 0, NOON)
    assert brakes.grant(TOPIC, 1, 20, NOON) == 20, "another partition goes on"


@given(
    batches=st.lists(
        st.integers(1, 200).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n // 2))),
        max_size=60,
    )
)
def test_a_source_never_refused_more_than_the_limit_is_never_paused(
    batches: list[tuple[int, int]],
) -> None:
    brakes = Brakes(RULES, no_quota)
    for read, refused in batches:
        left, bad = read, refused
        while left:  # a window at a time
            part = brakes.grant(TOPIC, 0, left, NOON)
            assert part
            share = bad * part // left
            brakes.note(TOPIC, 0, read=part, refused=share, now=NOON)
            left, bad = left - part, bad - share
    assert not brakes.held(NOON)


def test_a_few_bad_records_at_the_very_beginning_pause_nothing() -> None:
    brakes = Brakes(RULES, no_quota)
    feed(brakes, 50, 50, NOON)
    assert not brakes.held(NOON)
    feed(brakes, 1, 1, NOON)
    assert brakes.held(NOON)


def test_after_the_pause_only_a_few_records_are_tried_and_a_failed_trial_doubles_the_pause() -> (
    None
):
    brakes, now, pauses = Brakes(RULES, no_quota), NOON, []
    feed(brakes, 100, 100, now)
    for _ in range(4):
        hold = brakes.held(now)[TOPIC, 0]
        pauses.append((hold.until - hold.since).total_seconds())
        now = hold.until
        assert not brakes.closed(TOPIC, 0, now)
        assert brakes.grant(TOPIC, 0, 100, now) == RULES.refusal_trial
        assert brakes.grant(TOPIC, 0, 100, now) == 0, "not before the trial is judged"
        assert brakes.closed(TOPIC, 0, now)
        brakes.note(TOPIC, 0, read=10, refused=6, now=now)
    assert pauses == [60, 120, 200, 200]


def test_a_trial_that_goes_well_frees_the_partition_and_the_next_pause_is_the_first_again() -> None:
    brakes = Brakes(RULES, no_quota)
    feed(brakes, 100, 100, NOON)
    later = NOON + MINUTE
    assert feed(brakes, 4, 0, later) == 4
    assert feed(brakes, 100, 2, later) == 6
    assert feed(brakes, 100, 0, later) == 100
    feed(brakes, 100, 100, later)
    assert brakes.held(later)[TOPIC, 0].until == later + MINUTE


def test_no_more_than_a_window_is_under_way_of_a_source_that_is_not_known_to_be_good() -> None:
    brakes = Brakes(RULES, no_quota)
    assert [brakes.grant(TOPIC, 0, 80, NOON) for _ in range(3)] == [80, 20, 0]
    assert brakes.closed(TOPIC, 0, NOON)
    brakes.note(TOPIC, 0, read=80, refused=0, now=NOON)
    assert not brakes.closed(TOPIC, 0, NOON)
    brakes.note(TOPIC, 0, read=20, refused=0, now=NOON)
    assert brakes.grant(TOPIC, 0, 1_000_000, NOON) == 1_000_000
    brakes.note(TOPIC, 0, read=1_000_000, refused=300_000, now=NOON)
    assert brakes.grant(TOPIC, 0, 1_000_000, NOON) == 100


def test_what_was_under_way_when_the_pause_began_does_not_count_for_the_trial() -> None:
    brakes = Brakes(RULES, no_quota)
    feed(brakes, 100, 0, NOON)
    assert brakes.grant(TOPIC, 0, 200, NOON) == 200
    brakes.note(TOPIC, 0, read=100, refused=100, now=NOON)
    brakes.note(TOPIC, 0, read=100, refused=100, now=NOON)
    assert brakes.held(NOON)[TOPIC, 0].until == NOON + MINUTE
    assert feed(brakes, 10, 0, NOON + MINUTE) == 10
    assert feed(brakes, 50, 0, NOON + MINUTE) == 50


# Quota


def quota_of_100(topic: str) -> int | None:
    return 100 if topic == TOPIC else None


@given(sizes=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 60)), max_size=50))
def test_no_more_than_the_quota_is_read_in_an_hour_over_all_partitions(
    sizes: list[tuple[int, int]],
) -> None:
    brakes, got = Brakes(RULES, quota_of_100), 0
    for partition, size in sizes:
        got += feed(brakes, size, 0, NOON, partition)
    assert got == min(100, sum(size for _, size in sizes))


def test_records_under_way_count_for_the_quota_before_they_are_settled() -> None:
    brakes = Brakes(RULES, quota_of_100)
    assert [brakes.grant(TOPIC, part, 60, NOON) for part in (0, 1, 2)] == [60, 40, 0]


def test_a_used_up_quota_holds_the_topic_until_the_next_hour_and_no_other_topic() -> None:
    brakes = Brakes(RULES, quota_of_100)
    at = NOON + 20 * MINUTE
    feed(brakes, 500, 0, at)
    hold = brakes.held(at)[TOPIC, None]
    assert (hold.reason, hold.until) == (Reason.QUOTA, NOON + timedelta(hours=1))
    assert hold.detail == {"read": 100, "quota": 100}
    assert brakes.grant("leerp.intake.csirt.v1", 0, 50, at) == 50
    assert feed(brakes, 500, 0, hold.until) == 100


def test_what_other_processes_read_counts_for_the_quota_once() -> None:
    brakes = Brakes(RULES, quota_of_100)
    feed(brakes, 30, 0, NOON)
    untold = brakes.untold_usage()
    assert untold == {(TOPIC, hour_of(NOON)): 30}
    feed(brakes, 5, 0, NOON)
    brakes.told_usage(untold)
    assert brakes.untold_usage() == {(TOPIC, hour_of(NOON)): 5}
    brakes.learn_usage(TOPIC, hour_of(NOON), 80, NOON)
    assert feed(brakes, 500, 0, NOON) == 15
    brakes.learn_usage(TOPIC, hour_of(NOON), 150, NOON)
    assert (TOPIC, None) in brakes.held(NOON)


# Handing over


def test_a_restored_hold_lasts_as_long_as_it_was_to_and_its_pauses_go_on_growing() -> None:
    first = Brakes(RULES, no_quota)
    feed(first, 100, 100, NOON)
    (hold,) = first.held(NOON).values()
    second = Brakes(RULES, no_quota)
    second.restore((TOPIC, 0), hold)
    assert second.closed(TOPIC, 0, NOON)
    feed(second, 10, 10, hold.until)
    again = second.held(hold.until)[TOPIC, 0]
    assert again.until - again.since == 2 * MINUTE


@pytest.mark.parametrize("partition", [0, None])
def test_a_released_place_is_read_at_once(partition: int | None) -> None:
    brakes = Brakes(RULES, quota_of_100)
    hold = Hold(reason=Reason.REFUSALS, since=NOON, until=NOON + MINUTE, detail={})
    brakes.restore((TOPIC, partition), hold)
    assert brakes.grant(TOPIC, 0, 50, NOON) == 0
    brakes.release((TOPIC, partition))
    assert brakes.grant(TOPIC, 0, 50, NOON) == 50


def test_a_partition_that_went_elsewhere_leaves_nothing_under_way() -> None:
    brakes = Brakes(RULES, quota_of_100)
    brakes.grant(TOPIC, 0, 100, NOON)
    assert brakes.grant(TOPIC, 1, 1, NOON) == 0
    brakes.forget([(TOPIC, 0)])
    assert brakes.grant(TOPIC, 1, 1, NOON) == 1
