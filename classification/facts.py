"""What is known of an incident, fact by fact: who supports it, who contradicts it, and their grades.

Nothing is weighed against anything: a conflict is shown with both sides. The class is not made here,
but of the same evidence (``classification.assessment``), so that an officer sees what carries it.
Source: domain 3.3, 3.4, 6.1, 6.10; Council 15738/17, II.I; R7, R8, R13.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import nsmallest

from pydantic import BaseModel, ConfigDict

from classification.collecting import DISRUPTED, ESSENTIAL_SERVICE_DISRUPTED, stated_criteria
from classification.evidence import Evidence
from classification.fact_numbers import Quantity, losses, organisations, victims
from classification.findings import NUMBERS, Findings, StatedFact, Subject
from classification.scales import Likelihood, likelihood
from classification.voices import Voices, voices
from protocol.profile import ClassificationRules
from protocol.report import Cause, Disruption, ImpactLevel

MOST_FACTS = 100
"""Of one subject, those with the most support; the rest is a number."""
SELF_PROPAGATING = "self-propagating"
SERVICE_LOST = frozenset({ESSENTIAL_SERVICE_DISRUPTED, "essential-service-sustained-denial"})
"""Criteria that a report contradicts which says that nothing is disrupted."""
_NAMES = (
    (Subject.SERVICE, "services"),
    (Subject.ORGANISATION, "organisations"),
    (Subject.SECTOR, "sectors"),
    (Subject.COUNTRY, "countries"),
)

OPPOSED = frozenset({Subject.CAUSE, Subject.DISRUPTION, Subject.IMPACT})
"""Subjects of which reports can contradict each other: of the others nobody can deny anything."""

Key = tuple[Subject, str]


class OfficersWord(BaseModel):
    """What an officer states of a fact, and why."""

    model_config = ConfigDict(frozen=True)

    officer: str
    holds: bool
    text: str
    probability: float | None = None
    likelihood: Likelihood | None = None


class Fact(BaseModel):
    """One thing that is or may be so."""

    model_config = ConfigDict(frozen=True)

    subject: Subject
    value: str
    level: ImpactLevel | None = None
    """Of an impact criterion that the matrix knows."""
    essential: bool = False
    """Whether a sector is essential (NIS2 Annex I)."""
    support: Voices
    contradiction: Voices
    clear: int = 0
    """Of a cause: so many reports call it clear, ..."""
    in_charge: int = 0
    """... so many are of the operator or authority in charge."""
    officers: tuple[OfficersWord, ...] = ()
    in_conflict: bool
    """Reports contradict reports, or officers contradict reports or each other."""


class Facts(BaseModel):
    """Everything that is known of one incident."""

    model_config = ConfigDict(frozen=True)

    reports: int
    """In force."""
    withdrawn: int
    facts: tuple[Fact, ...]
    numbers: tuple[Quantity, ...]
    presumed: bool
    """No report and no officer states a cause, so a crime is presumed (R8)."""
    left_off: dict[Subject, int] = {}
    """So many facts of a subject are not shown."""

    def of(self, subject: Subject) -> tuple[Fact, ...]:
        """The facts of one subject."""
        return tuple(fact for fact in self.facts if fact.subject is subject)


def facts(evidence: Iterable[Evidence], findings: Findings, rules: ClassificationRules) -> Facts:
    """Gather what the reports in force and the officers say; order and repetitions do not matter."""
    known = {item.report_id: item for item in evidence}
    items = [item for item in known.values() if not item.retracted]
    support: dict[Key, list[Evidence]] = {}
    for item in items:
        for key in _said(item, rules):
            support.setdefault(key, []).append(item)
    words = _officers_words(findings)
    stated = [each for each in findings.facts if each.subject in NUMBERS]
    shown, left_off = _most_supported({*support, *words}, support)
    opposed = {key: items for key, items in support.items() if key[0] in OPPOSED}
    made = [
        _fact(key, support.get(key, []), _against(key, opposed), words.get(key, []), rules)
        for key in shown
    ]
    return Facts(
        reports=len(items),
        withdrawn=len(known) - len(items),
        facts=tuple(made),
        numbers=(
            *victims(items, stated, rules),
            *organisations(items, stated, rules),
            *losses(items, stated, rules),
        ),
        presumed=not any(subject is Subject.CAUSE for subject, _ in {*support, *words}),
        left_off=left_off,
    )


def _said(item: Evidence, rules: ClassificationRules) -> Iterator[Key]:
    """What one report states, each thing once."""
    for criterion in stated_criteria(item, rules):
        yield Subject.IMPACT, criterion
    if item.disruption is not Disruption.UNKNOWN:
        yield Subject.DISRUPTION, item.disruption
    for subject, name in _NAMES:
        for value in getattr(item, name):
            yield subject, value
    if item.cause is not Cause.PRESUMED_MALICIOUS:
        yield Subject.CAUSE, item.cause
    if item.self_propagating:
        yield Subject.PROPAGATION, SELF_PROPAGATING


def _against(key: Key, opposed: dict[Key, list[Evidence]]) -> list[Evidence]:
    """Whoever states what cannot be so beside ``key``, each once."""
    if key[0] not in OPPOSED:
        return []
    found = {
        i.report_id: i for other, said in opposed.items() if _excludes(key, other) for i in said
    }
    return list(found.values())


def _fact(
    key: Key,
    mine: list[Evidence],
    against: list[Evidence],
    words: Sequence[OfficersWord],
    rules: ClassificationRules,
) -> Fact:
    subject, value = key
    if subject is not Subject.CAUSE:
        against = _of_the_same_place(against, mine)
    certain = any(word.holds and word.probability is None for word in words)
    return Fact(
        subject=subject,
        value=value,
        level=rules.impact_criteria.get(value) if subject is Subject.IMPACT else None,
        essential=subject is Subject.SECTOR and value in rules.essential_sectors,
        support=voices(mine, rules),
        contradiction=voices(against, rules),
        clear=sum(1 for item in mine if item.cause_clear) if subject is Subject.CAUSE else 0,
        in_charge=(
            sum(1 for item in mine if item.cause_by_authority) if subject is Subject.CAUSE else 0
        ),
        officers=tuple(words),
        in_conflict=bool(against and (mine or certain)) or _disagree(words, said=bool(mine)),
    )


def _excludes(one: Key, other: Key) -> bool:
    """Whether the two cannot both be so; symmetric.

    A third party's failure has a cause of its own, so that it excludes no other.
    """
    subjects = {one[0], other[0]}
    values = {one[1], other[1]}
    if subjects == {Subject.CAUSE}:
        return one != other and Cause.THIRD_PARTY not in values
    if subjects == {Subject.DISRUPTION}:
        return Disruption.NONE in values and bool(values & DISRUPTED)
    if subjects == {Subject.DISRUPTION, Subject.IMPACT}:
        return Disruption.NONE in values and bool(values & SERVICE_LOST)
    return False


def _of_the_same_place(against: list[Evidence], mine: list[Evidence]) -> list[Evidence]:
    """Those that may speak of the same place: whoever names no state speaks of any."""
    states = frozenset().union(*(item.countries for item in mine))
    anywhere = not mine or any(not item.countries for item in mine)
    return [i for i in against if anywhere or not i.countries or i.countries & states]


def _disagree(words: Sequence[OfficersWord], *, said: bool) -> bool:
    held = {word.holds for word in words}
    return len(held) > 1 or (said and False in held)


def _officers_words(findings: Findings) -> dict[Key, list[OfficersWord]]:
    found: dict[Key, list[OfficersWord]] = {}

    def add(
        subject: Subject,
        value: str,
        officer: str,
        text: str,
        *,
        holds: bool = True,
        probability: float | None = None,
    ) -> None:
        word = OfficersWord(
            officer=officer,
            holds=holds,
            text=text,
            probability=probability,
            likelihood=None if probability is None else likelihood(probability),
        )
        found.setdefault((subject, value), []).append(word)

    for each in findings.facts:
        if each.subject not in NUMBERS:
            add(each.subject, _named(each), each.officer, each.text, holds=each.holds)
    for c in findings.probable_countries:
        add(Subject.COUNTRY, c.country, c.officer, c.text, probability=c.probability)
    for s in findings.probable_sectors:
        add(Subject.SECTOR, s.sector, s.officer, s.text, probability=s.probability)
    if spread := findings.propagation:
        add(Subject.PROPAGATION, "further-propagation", spread.officer, spread.text,
            probability=spread.probability)  # fmt: skip
    if cause := findings.cause:
        add(Subject.CAUSE, cause.cause, cause.officer, cause.text)
    return found


def _named(stated: StatedFact) -> str:
    """An officer's value as reports' values are written."""
    if stated.subject is Subject.COUNTRY:
        return stated.value.upper()
    between = " " if stated.subject in {Subject.SERVICE, Subject.ORGANISATION} else "-"
    return between.join(stated.value.casefold().split())


def _most_supported(
    keys: set[Key], support: dict[Key, list[Evidence]]
) -> tuple[list[Key], dict[Subject, int]]:
    """Of each subject those with the most reports behind them, and how many others there are."""
    shown: list[Key] = []
    left_off = {}
    for subject in Subject:
        own = [key for key in keys if key[0] is subject]
        shown += nsmallest(MOST_FACTS, own, key=lambda key: (-len(support.get(key, ())), key[1]))
        if len(own) > MOST_FACTS:
            left_off[subject] = len(own) - MOST_FACTS
    return shown, left_off
