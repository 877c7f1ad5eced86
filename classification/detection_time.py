"""Least detection time: how long it took from the first event to a report, a detection, a launch.

The first event is known no better than its reports say, so that each span from it has a least and
a most. Source: Council 6056/17, item 7 (minimising the general detection time).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

Stretch = tuple[datetime, datetime]
"""Earliest and latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """How long something took; ``least`` is ``most`` where both ends are known."""

    least: timedelta
    most: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionTimes:
    """The four moments of an incident, each None while it is not known, and what lies between."""

    first_event: Stretch | None
    first_report: datetime | None
    detection: datetime | None
    launch: datetime | None
    event_to_report: Span | None
    event_to_detection: Span | None
    event_to_launch: Span | None
    report_to_detection: Span | None
    detection_to_launch: Span | None


def detection_times(
    events: Iterable[Stretch],
    *,
    first_report: datetime | None,
    detection: datetime | None,
    launch: datetime | None,
) -> DetectionTimes:
    """Put the moments together.

    ``events`` are the times that reports observed or state as the start, with their uncertainty:
    the first of them lies between the earliest beginning and the earliest end. A span that clocks
    of partners would make negative is zero at least.
    """
    stretches = list(events)
    event = (
        (min(earliest for earliest, _ in stretches), min(latest for _, latest in stretches))
        if stretches
        else None
    )
    return DetectionTimes(
        first_event=event,
        first_report=first_report,
        detection=detection,
        launch=launch,
        event_to_report=_span(event, first_report),
        event_to_detection=_span(event, detection),
        event_to_launch=_span(event, launch),
        report_to_detection=_span(_moment(first_report), detection),
        detection_to_launch=_span(_moment(detection), launch),
    )


def _moment(at: datetime | None) -> Stretch | None:
    return None if at is None else (at, at)


def _span(begin: Stretch | None, end: datetime | None) -> Span | None:
    if begin is None or end is None:
        return None
    earliest, latest = begin
    return Span(least=max(end - latest, timedelta()), most=max(end - earliest, timedelta()))
