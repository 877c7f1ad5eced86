"""How robust a result is: the weakest report it stands on, and what it is without each source.

Source: domain 3.3, 3.4 (G4), 2.1 (E6, E7); R11, R13.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pydantic import BaseModel, ConfigDict

from classification.changes import Change, ChangeKind
from classification.claims import Claims
from classification.collecting import best_first, collect, count
from classification.evidence import Evidence
from classification.findings import Findings
from classification.kinds import kinds_of
from classification.matrix import ThreatClass, place
from classification.trial import Standing, Trial
from protocol.profile import Profile
from protocol.stages import Recommendation

SHOWN = 20
"""So many sources or reports stand on the record; the rest is a number."""


class Weakest(BaseModel):
    """The last report that is needed when reports are taken from the best-graded downwards."""

    model_config = ConfigDict(frozen=True)

    report: str
    origin: str
    grade: str
    """Empty while nobody has graded it."""
    reports: int
    """How many of the best-graded reports carry the class together, this one included."""


class Without(BaseModel):
    """Where the incident would stand without one source, or without one report."""

    model_config = ConfigDict(frozen=True)

    name: str
    """Of the source, or the report's id."""
    reports: int
    """How many reports the source has in force; of a report, how many are like it."""
    threat_class: ThreatClass
    recommendation: Recommendation


class Robustness(BaseModel):
    """What the class and the recommendation stand on."""

    model_config = ConfigDict(frozen=True)

    weakest: Weakest | None
    """None for the lowest class, which stands on nothing."""
    origins: int
    """Independent sources with a report in force."""
    carrying: int
    """Those of them whose reports give this class, or a higher one, all by themselves."""
    without_source: tuple[Without, ...]
    """Sources without which the result is another, the first ``SHOWN`` by name."""
    decisive_sources: int
    without_report: tuple[Without, ...]
    """Reports without which it is another, the best-graded first."""
    decisive_reports: int


def robustness(evidence: Iterable[Evidence], findings: Findings, profile: Profile) -> Robustness:
    """Take each source and each report away in turn.

    Raises:
        Refused: ``conflicting-evidence``, see ``collect``.
    """
    trial = Trial(evidence, findings, profile)
    by_origin: dict[str, list[Evidence]] = {}
    for item in trial.reports.values():
        if not item.retracted:
            by_origin.setdefault(item.origin, []).append(item)
    now = trial.standing()
    sources = _decisive_sources(trial, by_origin, now)
    reports = _decisive_reports(trial, profile, now)
    return Robustness(
        weakest=_weakest(trial.reports.values(), findings, profile, now.threat_class),
        origins=len(by_origin),
        carrying=sum(
            _class(collect(items, profile.classification), findings, profile) >= now.threat_class
            for items in by_origin.values()
        ),
        without_source=tuple(sources[:SHOWN]),
        decisive_sources=len(sources),
        without_report=tuple(reports[:SHOWN]),
        decisive_reports=sum(each.reports for each in reports),
    )


def _decisive_sources(
    trial: Trial, by_origin: dict[str, list[Evidence]], now: Standing
) -> list[Without]:
    found = []
    for origin, items in sorted(by_origin.items()):
        then = trial.tried(_withdrawn(item) for item in items)
        if then.result != now.result:
            found.append(_without(origin, len(items), then))
    return found


def _decisive_reports(trial: Trial, profile: Profile, now: Standing) -> list[Without]:
    found = []
    for kind in kinds_of(trial.reports.values(), trial.claims, profile, 1):
        then = trial.tried([_withdrawn(kind.reports[0])])
        if then.result != now.result:
            found.append(_without(kind.reports[0].report_id, kind.alike, then))
    return found


def _weakest(
    reports: Iterable[Evidence], findings: Findings, profile: Profile, needed: ThreatClass
) -> Weakest | None:
    """Reports are added, best-graded first, until the class is reached."""
    rules = profile.classification
    claims = Claims()
    if _class(claims, findings, profile) >= needed:
        return None
    live = best_first((item for item in reports if not item.retracted), rules)
    for place_, (strength, item) in enumerate(live, start=1):
        count(claims, item, strength, rules, naming=False)
        if _class(claims, findings, profile) >= needed:
            return Weakest(
                report=item.report_id, origin=item.origin, grade=strength.grade, reports=place_
            )
    return None


def _class(claims: Claims, findings: Findings, profile: Profile) -> ThreatClass:
    rules = profile.classification
    likely = findings.countries_at_least(rules.probable)
    return place(claims.claimed(rules), likely, rules).threat_class


def _withdrawn(item: Evidence) -> Change:
    return Change(
        kind=ChangeKind.WITHDRAWN,
        words="",
        slot=item.report_id,
        levers=frozenset(),
        report=item,
        becomes=replace(item, retracted=True),
    )


def _without(name: str, reports: int, then: Standing) -> Without:
    return Without(
        name=name,
        reports=reports,
        threat_class=then.threat_class,
        recommendation=then.recommendation,
    )
