from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.directory_hours import canonical_hours, parse_hours
from tests.notifications.directories import hours
from tests.notifications.samples import contact

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


@given(text=hours)
def test_hours_written_once_more_mean_the_same(text: str) -> None:
    once = canonical_hours(text)
    assert parse_hours(once) == parse_hours(text)
    assert canonical_hours(once) == once


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Mon-Fri 08:00-12:00, 13:00-17:00", "mon-fri 08:00-12:00,13:00-17:00"),
        ("mon 08:00-10:00; mon 09:00-11:00", "mon 08:00-11:00"),
        ("fri-mon 00:00-24:00", "mon 00:00-24:00; fri-sun 00:00-24:00"),
        ("sun 22:00-06:00", "mon 00:00-06:00; sun 22:00-24:00"),
        ("sat 22:00-00:00", "sat 22:00-24:00"),
        (" ; ", ""),
    ],
)
def test_there_is_one_way_to_write_hours(text: str, written: str) -> None:
    assert canonical_hours(text) == written


@pytest.mark.parametrize(
    "text",
    ["always", "mon", "mon 8-17", "mon 25:00-26:00", "mon 08:60-09:00", "mon 08:00-08:00",
     "mun 08:00-09:00", "mon-xyz 08:00-09:00", "mon 24:00-08:00", "mon 08:00-09:00 sat"],
)  # fmt: skip
def test_other_words_are_refused_with_how_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|00:00-24:00"):
        canonical_hours(text)


@pytest.mark.requirement("R25")
@pytest.mark.parametrize(
    ("hour", "zone", "there"),
    [
        (7, "Europe/Brussels", True),  # 08:00 there
        (6, "Europe/Brussels", False),
        (16, "Europe/Brussels", False),  # 17:00, when it closes
        (7, "UTC", False),
        (13, "America/New_York", True),
    ],
)
def test_a_desk_is_open_by_the_clock_on_its_own_wall(hour: int, zone: str, there: bool) -> None:
    desk = contact().model_copy(update={"hours": "mon-fri 08:00-17:00", "time_zone": zone})
    assert desk.is_open_at(MONDAY + timedelta(hours=hour)) is there


def test_the_clock_on_the_wall_changes_with_the_summer() -> None:
    desk = contact().model_copy(update={"hours": "mon 08:00-17:00", "time_zone": "Europe/Brussels"})
    summer = MONDAY + timedelta(weeks=20, hours=6)
    assert desk.is_open_at(summer)
    assert not desk.is_open_at(MONDAY + timedelta(hours=6))


@given(minutes=st.integers(0, 7 * 24 * 60))
def test_without_hours_a_desk_is_always_open(minutes: int) -> None:
    assert contact().is_open_at(MONDAY + timedelta(minutes=minutes))


@given(text=hours.filter(bool), minutes=st.integers(0, 7 * 24 * 60 - 1))
def test_a_desk_is_open_exactly_within_its_openings(text: str, minutes: int) -> None:
    desk = contact().model_copy(update={"hours": text})
    day, minute = divmod(minutes, 24 * 60)
    within = any(o.day == day and o.opens <= minute < o.closes for o in parse_hours(text))
    assert desk.is_open_at(MONDAY + timedelta(minutes=minutes)) is within
