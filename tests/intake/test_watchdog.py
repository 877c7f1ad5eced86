"""The watchdog: a client that could read and does not is told from one that cannot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.watchdog import Stalled, Watchdog

PATIENCE = 20.0
A, B = ("a", 0), ("b", 1)


def test_waiting_records_of_which_none_is_fetched_are_a_stall() -> None:
    dog = Watchdog(PATIENCE, started=0)
    dog.look(0, positions={A: 5}, ends={A: 9})
    dog.look(20, positions={A: 5}, ends={A: 9})
    with pytest.raises(Stalled, match="nothing was fetched of a/0 for more than 20 s"):
        dog.look(20.1, positions={A: 5}, ends={A: 9})


@given(steps=st.lists(st.floats(0.1, PATIENCE), max_size=50))
def test_one_record_within_the_patience_is_enough(steps: list[float]) -> None:
    dog, now = Watchdog(PATIENCE, started=0), 0.0
    for position, step in enumerate(steps):
        now += step
        dog.look(now, positions={A: position}, ends={A: 1_000})
    assert now == pytest.approx(sum(steps))


@given(steps=st.lists(st.floats(0.1, 1_000), max_size=50))
def test_a_partition_without_waiting_records_is_no_stall(steps: list[float]) -> None:
    dog, now = Watchdog(PATIENCE, started=0), 0.0
    for step in steps:
        now += step
        dog.look(now, positions={A: 5, B: 0}, ends={A: 5, B: 0})
    assert now >= 0


def test_one_stuck_partition_is_a_stall_though_others_move() -> None:
    dog = Watchdog(PATIENCE, started=0)
    dog.look(0, positions={A: 5, B: 0}, ends={A: 9, B: 900})
    dog.look(15, positions={A: 5, B: 300}, ends={A: 9, B: 900})
    with pytest.raises(Stalled, match="a/0"):
        dog.look(30, positions={A: 5, B: 600}, ends={A: 9, B: 900})


def test_the_time_of_a_pause_does_not_count() -> None:
    dog = Watchdog(PATIENCE, started=0)
    dog.look(0, positions={A: 5}, ends={A: 9})
    dog.look(60, positions={}, ends={A: 9})  # paused
    dog.look(70, positions={A: 5}, ends={A: 9})
    dog.look(90, positions={A: 5}, ends={A: 9})
    with pytest.raises(Stalled):
        dog.look(91, positions={A: 5}, ends={A: 9})


def test_the_time_of_an_outage_does_not_count() -> None:
    dog = Watchdog(PATIENCE, started=0)
    dog.look(0, positions={A: 5}, ends={A: 9})
    dog.outage(300)
    dog.look(310, positions={A: 5}, ends={A: 9})
    with pytest.raises(Stalled):
        dog.look(320.5, positions={A: 5}, ends={A: 9})


def test_a_process_that_the_group_gives_nothing_is_a_stall_after_twice_the_patience() -> None:
    dog = Watchdog(PATIENCE, started=0)
    dog.look(40, positions={}, ends={}, reading=False)
    with pytest.raises(Stalled, match="nothing to read"):
        dog.look(40.1, positions={}, ends={}, reading=False)


def test_being_held_altogether_is_not_being_given_nothing() -> None:
    dog = Watchdog(PATIENCE, started=0)
    dog.look(500, positions={}, ends={A: 9}, reading=True)
    dog.look(530, positions={}, ends={}, reading=False)
    with pytest.raises(Stalled):
        dog.look(541, positions={}, ends={}, reading=False)
