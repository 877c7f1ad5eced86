"""What a report may say at all: times that can be reckoned with, names that can be seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from protocol.report import END_OF_TIME, FIRST_TIME, Indicator, ReportContent, TimeKind, TimeWindow

MOMENT = timedelta(microseconds=1)
ZONES = st.timezones() | st.builds(
    timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23))
)
BLANKS = [
    "\u200b",
    "\u2060\ufeff",
    "\u00a0\u3000",
    "\u202e\u00ad",
    "\u3164",
    "\u2800",
    "\ufe0f",
    " ",
    "",
]


def window(moment: datetime) -> TimeWindow:
    return TimeWindow(kind=TimeKind.OBSERVED, earliest=moment, latest=moment)


def report(**changes: Any) -> ReportContent:
    return ReportContent.model_validate(
        {
            "source_id": "s-1",
            "title": "Wards closed",
            "reporter": {"name": "CSIRT"},
            "times": [window(FIRST_TIME)],
            **changes,
        }
    )


@given(moment=st.datetimes(timezones=ZONES))
def test_a_time_is_taken_exactly_when_a_window_around_it_can_be_reckoned(moment: datetime) -> None:
    if FIRST_TIME <= moment < END_OF_TIME:
        seen = window(moment)
        assert seen.earliest - timedelta(days=3_650) < seen.latest.astimezone(UTC)
    else:
        with pytest.raises(ValidationError, match="years 1970 to 2199"):
            window(moment)


@pytest.mark.parametrize("field", ["first_seen", "last_seen"])
@pytest.mark.parametrize(
    "moment",
    [
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5))),
        FIRST_TIME - MOMENT,
        END_OF_TIME,
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))),
    ],
)
def test_an_indicator_was_seen_in_the_same_years(field: str, moment: datetime) -> None:
    with pytest.raises(ValidationError, match="years 1970 to 2199"):
        Indicator.model_validate({"type": "ip", "value": "198.51.100.1", field: moment})


@pytest.mark.parametrize("blank", BLANKS)
def test_a_title_or_reporter_that_nobody_can_see_is_refused(blank: str) -> None:
    for changes in ({"title": blank}, {"reporter": {"name": blank}}):
        with pytest.raises(ValidationError, match="blank"):
            report(**changes)


@pytest.mark.parametrize("blank", BLANKS)
def test_what_cannot_be_seen_does_no_harm_beside_what_can(blank: str) -> None:
    assert report(title=f"{blank}x", reporter={"name": f"x{blank}"}).title.endswith("x")
