"""Rehearsing an attack hour by hour: what was known when, what followed, and what turned it.

A pure stepper over arrivals with their times; it asks no clock.
Source: issue 6, item 8; domain 3.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from classification.assessment import Assessment, assess
from classification.evidence import Evidence
from classification.findings import Findings
from protocol.errors import Refused
from protocol.grades import Grade
from protocol.profile import Profile
from protocol.stages import Recommendation

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Regrading:
    """A report has another grade in force from now on."""

    report_id: str
    grade: Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A report is taken back by its sender."""

    report_id: str


News = Evidence | Regrading | Withdrawal | Findings
"""A new report, another grade, a withdrawal, or all that officers state from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What became known, when, and how the scenario calls it."""

    at: datetime
    name: str
    news: News


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The arrival that turned the recommendation or the class."""

    at: datetime
    by: str
    class_before: str
    class_after: str
    before: Recommendation
    after: Recommendation


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """Where things stood at the end of one step."""

    begins: datetime
    ends: datetime
    arrived: tuple[str, ...]
    reports: int
    """So many have come in since the beginning."""
    turns: tuple[Turn, ...]
    assessment: Assessment


def rehearse(
    arrivals: Sequence[Arrival], profile: Profile, *, begins: datetime, step: timedelta = HOUR
) -> Iterator[Hour]:
    """Assess after each arrival and yield once for each step, until nothing more arrives.

    What arrives at the very end of a step belongs to the next one. Arrivals of the same time count
    in the order in which they are given.

    Raises:
        Refused: ``bad-scenario``: an arrival lies before the beginning, a report comes twice, or a
            grade or withdrawal names a report that has not come yet.
    """
    known: dict[str, Evidence] = {}
    findings = Findings()
    result = assess((), findings, profile)
    rest = sorted(arrivals, key=lambda arrival: arrival.at)
    if rest and rest[0].at < begins:
        raise Refused("bad-scenario", f"{rest[0].name}: it arrives before the scenario begins")
    while rest:
        ends = begins + step
        now = [arrival for arrival in rest if arrival.at < ends]
        rest = rest[len(now) :]
        turns = []
        for arrival in now:
            if isinstance(arrival.news, Findings):
                findings = arrival.news
            else:
                _apply(known, arrival.name, arrival.news)
            before, result = result, assess(tuple(known.values()), findings, profile)
            if _differs(before, result):
                turns.append(_turn(arrival, before, result))
        yield Hour(
            begins=begins,
            ends=ends,
            arrived=tuple(arrival.name for arrival in now),
            reports=len(known),
            turns=tuple(turns),
            assessment=result,
        )
        begins = ends


def _apply(known: dict[str, Evidence], name: str, news: Evidence | Regrading | Withdrawal) -> None:
    if isinstance(news, Evidence):
        if news.report_id in known:
            raise Refused("bad-scenario", f"{name}: the report {news.report_id} comes twice")
        known[news.report_id] = news
        return
    if news.report_id not in known:
        raise Refused("bad-scenario", f"{name}: no report {news.report_id} has come by then")
    item = known[news.report_id]
    known[news.report_id] = (
        replace(item, grade=news.grade)
        if isinstance(news, Regrading)
        else replace(item, retracted=True)
    )


def _differs(before: Assessment, after: Assessment) -> bool:
    return (before.threat_class, before.recommendation) != (
        after.threat_class,
        after.recommendation,
    )


def _turn(arrival: Arrival, before: Assessment, after: Assessment) -> Turn:
    return Turn(
        at=arrival.at,
        by=arrival.name,
        class_before=before.threat_class,
        class_after=after.threat_class,
        before=before.recommendation,
        after=after.recommendation,
    )
