"""A time keeps the uncertainty that its writing leaves, in every format that writes one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.intake.formats.samples import (
    idea_message,
    intelmq_event,
    iodef_json,
    iodef_xml,
    misp_event,
    read_one,
    xarf3_report,
    xarf_report,
)

WORLD = timedelta(hours=14)
MOMENTS = st.datetimes(datetime(1980, 1, 1), datetime(2150, 1, 1)).map(  # noqa: DTZ001, naive on purpose
    lambda moment: moment.replace(microsecond=0)
)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def _iodef_xml(written: str) -> bytes:
    return iodef_xml().replace(
        b"<ReportTime>2017-05-12T08:00:00Z", f"<ReportTime>{written}".encode()
    )


FORMATS: dict[str, Callable[[str], Any]] = {
    "idea0": lambda written: idea_message(DetectTime=written),
    "intelmq": lambda written: intelmq_event(time__source=written),
    "xarf-4": lambda written: xarf_report(timestamp=written),
    "xarf-3": lambda written: xarf3_report(Date=written),
    "iodef-2-json": lambda written: iodef_json(ReportTime=written),
    "iodef-2": _iodef_xml,
    "csv": lambda written: f"domain,first_seen\na.example,{written}\n".encode(),
}
WITH_DATES = FORMATS | {"misp": lambda written: misp_event(date=written)}


@pytest.mark.requirement("R4")
@pytest.mark.parametrize("name", FORMATS)
@given(moment=MOMENTS, zone=OFFSETS)
def test_a_time_with_its_zone_is_that_moment(name: str, moment: datetime, zone: timezone) -> None:
    aware = moment.replace(tzinfo=zone)
    time = read_one(FORMATS[name](aware.isoformat())).times[0]

    assert time.tz_known
    assert time.earliest == time.latest == aware


@pytest.mark.parametrize("name", FORMATS)
@given(moment=MOMENTS)
def test_a_time_without_a_zone_may_be_14_hours_off_either_way(name: str, moment: datetime) -> None:
    time = read_one(FORMATS[name](moment.isoformat())).times[0]

    assert not time.tz_known
    assert time.earliest == moment.replace(tzinfo=UTC) - WORLD
    assert time.latest == moment.replace(tzinfo=UTC) + WORLD


@pytest.mark.parametrize("name", WITH_DATES)
@given(moment=MOMENTS)
def test_a_date_is_the_whole_day_anywhere_in_the_world(name: str, moment: datetime) -> None:
    time = read_one(WITH_DATES[name](moment.date().isoformat())).times[0]
    midnight = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)

    assert not time.tz_known
    assert time.earliest == midnight - WORLD
    assert time.latest == midnight + timedelta(days=1) + WORLD
