"""What an officer reads of an assessment: why this class, what would change it, how robust it is.

``explained`` puts it together as data, ``sections`` as words, and ``show_explained`` prints those.
Source: R13, R17.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pydantic import BaseModel, ConfigDict

from classification.evidence import Evidence
from classification.explained import Explanation, SupportedFact, explain_incident
from classification.findings import Findings
from classification.robustness import Robustness, Without, robustness
from classification.sensitivity import AT_MOST, WhatWouldChange, what_would_change
from leerp.output import out, visible
from notifications.change_words import change_lines
from protocol.profile import Profile

NAMED = 3
"""So many reports are read out for one fact."""
READ_OUT = 4
"""So many states or sectors are read out one by one."""


class Explained(BaseModel):
    """All three, of one body of evidence."""

    model_config = ConfigDict(frozen=True)

    explanation: Explanation
    what_would_change: WhatWouldChange
    robustness: Robustness


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and the lines under it."""

    title: str
    lines: tuple[str, ...]


def explained(
    evidence: Iterable[Evidence], findings: Findings, profile: Profile, *, at_most: int = AT_MOST
) -> Explained:
    """Explain the assessment of ``evidence``, looking at up to ``at_most`` changes together.

    Raises:
        Refused: ``conflicting-evidence``, one report is given twice with different contents.
    """
    items = tuple(evidence)
    return Explained(
        explanation=explain_incident(items, findings, profile),
        what_would_change=what_would_change(items, findings, profile, at_most=at_most),
        robustness=robustness(items, findings, profile),
    )


def show_explained(of: Explained) -> None:
    """Print it for a person."""
    for section in sections(of):
        out.print(f"[bold]{section.title}[/]")
        for line in section.lines:
            out.print(f"  {visible(line)}", markup=False, soft_wrap=True)


def sections(of: Explained) -> tuple[Section, ...]:
    """The words, in the order in which an officer asks."""
    return (
        Section(title="Result", lines=tuple(_result(of.explanation))),
        Section(title="It stands on", lines=tuple(_facts(of.explanation))),
        Section(title="From there to the recommendation", lines=tuple(_chain(of.explanation))),
        *outlook(of),
    )


def outlook(of: Explained) -> tuple[Section, ...]:
    """The words on what may become of it."""
    return (
        Section(
            title="What would change it",
            lines=tuple(map(str, change_lines(of.what_would_change))),
        ),
        Section(title="How robust it is", lines=tuple(_robust(of.robustness))),
    )


def _result(of: Explanation) -> Iterator[str]:
    made = of.assessment
    levels = f"{made.impact}/{made.reach}"
    now = made.threat_class
    yield f"{now} by {levels}, recommendation {made.recommendation}"
    if of.higher is not None:
        above = of.higher
        yield f"{now} and not {above.threat_class}: that takes {above.rise(levels)}"
    if of.lower is not None:
        below = of.lower
        yield f"{now} and not {below.threat_class}: it would fall with {below.fall()}"
    if (of.confirmed_impact, of.confirmed_reach) != (made.impact, made.reach):
        yield (
            f"confirmed is only {of.confirmed_class} by {of.confirmed_impact}/{of.confirmed_reach}"
        )


def _facts(of: Explanation) -> Iterator[str]:
    if not of.facts:
        yield "nothing that counts: no report in force states an effect, a state or a sector"
    for _, alike in groupby(of.facts, key=lambda fact: fact.kind):
        facts = list(alike)
        if len(facts) > READ_OUT and not facts[0].level:
            yield from _in_a_line(facts)
        else:
            yield from (_fact(fact, of.deciding) for fact in facts)
    if of.deciding:
        yield "* gives the impact level"
    yield f"Reach {of.assessment.reach}: {of.reach_reason}"


def _fact(fact: SupportedFact, deciding: Collection[str]) -> str:
    what = f"{fact.kind} {fact.name}".strip()
    level = f" ({fact.level})" if fact.level else ""
    mark = "* " if fact.name in deciding and fact.level else "  "
    return f"{mark}{what}{level}: {_support(fact)}"


def _in_a_line(facts: Sequence[SupportedFact]) -> Iterator[str]:
    """Many of a kind, such as twenty states; who says each of them is in the JSON."""
    for words, confirmed in (("confirmed", True), ("NOT confirmed", False)):
        if names := [fact.name for fact in facts if fact.confirmed is confirmed]:
            yield f"  {facts[0].kind} {words}: {', '.join(names)}"


def _support(fact: SupportedFact) -> str:
    if fact.alone:
        how = "confirmed by one report alone"
    elif fact.paired:
        how = f"confirmed by {fact.origins} independent sources"
    elif fact.confirmed:
        how = "confirmed by what it follows from"
    else:
        how = "NOT confirmed"
    named = ", ".join(f"{r.report} ({r.grade or 'ungraded'})" for r in fact.reports[:NAMED])
    more = f" and {fact.total - NAMED} more" if fact.total > NAMED else ""
    return f"{how}: {named}{more}"


def _chain(of: Explanation) -> Iterator[str]:
    made = of.assessment
    yield f"cell {made.impact}/{made.reach} of {made.matrix} is {made.class_before_cap}: {of.cell}"
    if of.capped:
        yield f"K1 lowers {made.class_before_cap} to {made.threat_class}: no disruption is reported"
    for trigger in made.triggers:
        yield f"{trigger.id}: {trigger.reason}"
    for gate in made.gates:
        yield f"{gate.id} {'passed' if gate.passed else 'NOT passed'}: {gate.reason}"
    yield f"{made.recommendation}: {of.rule}"


def _robust(of: Robustness) -> Iterator[str]:
    yield (f"{of.carrying} of {of.origins} independent source(s) carry the class all by themselves")
    if of.weakest is not None:
        weak = of.weakest
        yield (
            f"weakest report it stands on: {weak.report} ({weak.grade or 'ungraded'}) of "
            f"{weak.origin}; the {weak.reports} best-graded report(s) carry the class"
        )
    yield from _withouts("source", of.without_source, of.decisive_sources)
    yield from _withouts("report", of.without_report, of.decisive_reports)


def _withouts(what: str, withouts: tuple[Without, ...], total: int) -> Iterator[str]:
    if not total:
        yield f"without any one {what} the result stays"
    for each in withouts:
        alike = f" (or one of {each.reports} like it)" if each.reports > 1 else ""
        name = f"{each.name}{alike}" if what == "report" else each.name
        yield f"without {what} {name}: {each.threat_class}, {each.recommendation}"
    if (shown := _covered(what, withouts)) < total:
        yield f"... and {total - shown} more"


def _covered(what: str, withouts: tuple[Without, ...]) -> int:
    return sum(each.reports for each in withouts) if what == "report" else len(withouts)
