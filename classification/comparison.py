"""Two assessments of one incident compared: what changed between them, and why.

Everything that is said here is a code, a number or a report's id: it may stand in a mail.
Source: issue 6, item 8; domain 3.4 (a change of recommendation is an event); R13, R17.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from classification.assessment import Assessment
from classification.evidence import Evidence
from classification.gates import GateId
from classification.support import LISTED, Reports


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one report stood when an assessment was made."""

    grade: str
    """Such as ``B2``; empty while nobody had evaluated it."""
    withdrawn: bool


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Pair(_Part):
    """One value in both assessments."""

    before: str
    after: str

    @property
    def changed(self) -> bool:
        return self.before != self.after

    def __str__(self) -> str:
        return f"{self.before} -> {self.after}"


class Shift(_Part):
    """What a list gained and what it lost, in order."""

    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.gained or self.lost)

    def __str__(self) -> str:
        return ", ".join(
            (*(f"+{each}" for each in self.gained), *(f"-{each}" for each in self.lost))
        )


class Regraded(_Part):
    """One report whose grade in force is another now."""

    report: str
    before: str
    after: str


class ReportChanges(_Part):
    """What happened to the reports: how many, and up to ten examples of each."""

    added: Reports = Reports()
    removed: Reports = Reports()
    """Moved to another incident by an officer."""
    withdrawn: Reports = Reports()
    restored: Reports = Reports()
    """Withdrawn no longer."""
    regraded: int = 0
    regradings: tuple[Regraded, ...] = ()


class Comparison(_Part):
    """What is different in a later assessment. ``why`` says it in sentences."""

    threat_class: Pair
    impact: Pair
    reach: Pair
    recommendation: Pair
    criteria: Shift
    confirmed: Shift
    """Criteria that became confirmed, or are so no longer."""
    countries: Shift
    triggers: Shift
    gates: Shift
    """Gates that are passed now, or no longer."""
    victims: Pair
    organisations: Pair
    reports: ReportChanges
    findings: Pair
    """Versions of what officers have stated; ``0`` while they have stated nothing."""
    why: tuple[str, ...]


def standings_of(evidence: Iterable[Evidence]) -> dict[str, Standing]:
    """How each report of a body of evidence stands, by its id."""
    return {
        item.report_id: Standing(
            grade="" if item.grade is None else str(item.grade), withdrawn=item.retracted
        )
        for item in evidence
    }


def report_changes(before: Mapping[str, Standing], after: Mapping[str, Standing]) -> ReportChanges:
    """What happened to the reports between two states of an incident."""
    both = sorted(before.keys() & after.keys())
    regraded = [
        Regraded(report=each, before=before[each].grade, after=after[each].grade)
        for each in both
        if before[each].grade != after[each].grade
    ]
    return ReportChanges(
        added=_some(after.keys() - before.keys()),
        removed=_some(before.keys() - after.keys()),
        withdrawn=_some(e for e in both if after[e].withdrawn and not before[e].withdrawn),
        restored=_some(e for e in both if before[e].withdrawn and not after[e].withdrawn),
        regraded=len(regraded),
        regradings=tuple(regraded[:LISTED]),
    )


def compare(
    before: Assessment,
    after: Assessment,
    reports: ReportChanges = ReportChanges(),  # noqa: B008  frozen
    *,
    findings: tuple[int, int] = (0, 0),
) -> Comparison:
    """Compare two assessments of one incident, whichever of them came first.

    ``reports`` is what happened to the reports meanwhile, as ``report_changes`` finds it, and
    ``findings`` the versions of the officers' findings that each stands on.
    """
    parts = Comparison(
        threat_class=Pair(before=before.threat_class, after=after.threat_class),
        impact=Pair(before=before.impact, after=after.impact),
        reach=Pair(before=before.reach, after=after.reach),
        recommendation=Pair(before=before.recommendation, after=after.recommendation),
        criteria=_shift((c.id for c in before.criteria), (c.id for c in after.criteria)),
        confirmed=_shift(
            (c.id for c in before.criteria if c.confirmed),
            (c.id for c in after.criteria if c.confirmed),
        ),
        countries=_shift(before.countries, after.countries),
        triggers=_shift((t.id for t in before.triggers), (t.id for t in after.triggers)),
        gates=_shift(_passed(before), _passed(after)),
        victims=Pair(before=str(before.victims_min), after=str(after.victims_min)),
        organisations=Pair(before=str(before.organisations), after=str(after.organisations)),
        reports=reports,
        findings=Pair(before=str(findings[0]), after=str(findings[1])),
        why=(),
    )
    return parts.model_copy(update={"why": (*_outcome(parts), *_grounds(parts), *_news(parts))})


def _passed(assessment: Assessment) -> list[GateId]:
    return [gate.id for gate in assessment.gates if gate.passed]


def _shift(before: Iterable[str], after: Iterable[str]) -> Shift:
    was, now = {str(each) for each in before}, {str(each) for each in after}
    return Shift(gained=tuple(sorted(now - was)), lost=tuple(sorted(was - now)))


def _some(reports: Iterable[str]) -> Reports:
    ids = sorted(reports)
    return Reports(ids=tuple(ids[:LISTED]), total=len(ids))


def _outcome(c: Comparison) -> tuple[str, ...]:
    """Recommendation, class and levels, in which the two are alike or not."""
    named = (("Recommendation", c.recommendation), ("Class", c.threat_class))
    said = [f"{name} {pair}." for name, pair in named if pair.changed]
    levels = [
        f"{name} {pair}"
        for name, pair in (("impact", c.impact), ("reach", c.reach))
        if pair.changed
    ]
    return (
        *(said or ["Same class and recommendation."]),
        *(f"Level of {each}." for each in levels),
    )


def _grounds(c: Comparison) -> tuple[str, ...]:
    """What the levels and the recommendation follow from."""
    lists = (
        ("Criteria stated", c.criteria),
        ("Criteria confirmed", c.confirmed),
        ("States with victims", c.countries),
        ("Triggers", c.triggers),
        ("Gates passed", c.gates),
    )
    numbers = (("Victims, at least", c.victims), ("Organisations, at least", c.organisations))
    return (
        *(f"{name}: {shift}." for name, shift in lists if shift),
        *(f"{name}: {pair}." for name, pair in numbers if pair.changed),
    )


def _news(c: Comparison) -> tuple[str, ...]:
    """What came in meanwhile, from reports and from officers."""
    told = (
        ("Added", c.reports.added),
        ("Moved to another incident", c.reports.removed),
        ("Withdrawn", c.reports.withdrawn),
        ("In force again", c.reports.restored),
    )
    regraded = ", ".join(
        f"{r.report} {r.before or 'ungraded'} -> {r.after or 'ungraded'}"
        for r in c.reports.regradings
    )
    stated = f"Officers' findings: version {c.findings}."
    return (
        *(f"{what}: {reports}." for what, reports in told if reports.total),
        *((f"Graded anew: {c.reports.regraded} report(s): {regraded}.",) if regraded else ()),
        *((stated,) if c.findings.changed else ()),
    )
