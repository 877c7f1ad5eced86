"""Least detection time: the four moments of an incident and what lies between them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from classification.detection_time import DetectionTimes, Span, detection_times

pytestmark = pytest.mark.requirement("R7")

START = datetime(2026, 5, 12, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hours: float) -> datetime:
    return START + hours * HOUR


def span(least: float, most: float) -> Span:
    return Span(least=least * HOUR, most=most * HOUR)


def test_spans_from_the_first_event_have_a_least_and_a_most() -> None:
    found = detection_times(
        [(at(1), at(3)), (at(0), at(5)), (at(2), at(2.5))],
        first_report=at(4),
        detection=at(6),
        launch=at(9),
    )

    assert found == DetectionTimes(
        first_event=(at(0), at(2.5)),
        first_report=at(4),
        detection=at(6),
        launch=at(9),
        event_to_report=span(1.5, 4),
        event_to_detection=span(3.5, 6),
        event_to_launch=span(6.5, 9),
        report_to_detection=span(2, 2),
        detection_to_launch=span(3, 3),
    )


def test_what_is_not_known_yet_leaves_its_spans_open() -> None:
    found = detection_times([], first_report=at(1), detection=None, launch=None)

    assert (found.first_event, found.first_report) == (None, at(1))
    assert (found.detection, found.launch) == (None, None)
    assert found.event_to_report is found.event_to_detection is found.event_to_launch is None
    assert found.report_to_detection is found.detection_to_launch is None


def test_a_launch_without_a_report_has_its_spans_from_event_and_detection() -> None:
    found = detection_times([(at(0), at(1))], first_report=None, detection=at(2), launch=at(3))

    assert found.event_to_report is None
    assert found.report_to_detection is None
    assert found.event_to_launch == span(2, 3)
    assert found.detection_to_launch == span(1, 1)


def test_clocks_of_partners_that_are_ahead_make_no_span_negative() -> None:
    found = detection_times([(at(2), at(8))], first_report=at(4), detection=at(1), launch=None)

    assert found.event_to_report == span(0, 2)
    assert found.event_to_detection == span(0, 0)
    assert found.report_to_detection == span(0, 0)
