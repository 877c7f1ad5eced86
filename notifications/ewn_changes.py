"""What changed between two versions of a warning, computed piece by piece.

Each difference carries the marking and purpose of what it is about, so that the change log of a variant
tells nothing that the variant itself leaves out. Source: domain 5.3, section 12; R47.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from notifications.content import NONE_IDENTIFIED, UNKNOWN
from notifications.ewn import EarlyWarning
from notifications.ewn_sections import ChangeItem, Fact, IndicatorLine, Verb
from notifications.products import Purpose
from notifications.typesetting import defang

MAX_PIECE = 240
"""Of a longer piece the change log repeats the beginning."""
_Read = Callable[[EarlyWarning], Any]

_VALUES: Mapping[str, tuple[Purpose, _Read]] = {
    "precedence": (Purpose.PROTECTION, lambda e: e.header.precedence),
    "malicious": (Purpose.PROTECTION, lambda e: e.bottom_line.malicious),
    "cross_border": (Purpose.PROTECTION, lambda e: e.bottom_line.cross_border),
    "class": (
        Purpose.PROTECTION,
        lambda e: f"{e.status.threat_class} ({e.status.impact}/{e.status.reach})",
    ),
    "victims": (Purpose.PROTECTION, lambda e: e.facts.victims),
    "vector": (Purpose.PROTECTION, lambda e: e.facts.vector),
    "meaning": (Purpose.PROTECTION, lambda e: e.assessment.meaning),
    "outlook": (Purpose.PROTECTION, lambda e: e.assessment.outlook),
    "likelihood": (Purpose.PROTECTION, lambda e: e.assessment.likelihood),
    "confidence": (Purpose.PROTECTION, lambda e: e.assessment.confidence),
    "lead": (Purpose.CRIME, lambda e: e.law_enforcement.lead),
    "advice_source": (Purpose.PROTECTION, lambda e: e.mitigation.source),
    "compatible": (Purpose.PROTECTION, lambda e: f"PAP:{e.mitigation.pap}"),
    "report_back": (Purpose.PROTECTION, lambda e: e.requests.report_back),
    "root_cause": (Purpose.SITUATION, lambda e: e.blueprint.root_cause),
    "severity": (Purpose.SITUATION, lambda e: e.blueprint.severity),
}
"""Single values by their key in the phrases."""

_LISTS: Mapping[str, tuple[Purpose, _Read]] = {
    "lines": (Purpose.PROTECTION, lambda e: e.bottom_line.lines),
    "triggers": (Purpose.PROTECTION, lambda e: e.status.triggers),
    "notes": (Purpose.PROTECTION, lambda e: e.status.notes),
    "sectors": (Purpose.PROTECTION, lambda e: e.facts.sectors),
    "countries": (Purpose.PROTECTION, lambda e: e.facts.countries),
    "services": (Purpose.PROTECTION, lambda e: e.facts.services),
    "tooling": (Purpose.PROTECTION, lambda e: e.facts.tooling),
    "alternatives": (Purpose.PROTECTION, lambda e: e.assessment.alternatives),
    "gaps": (Purpose.SITUATION, lambda e: e.assessment.gaps),
    "offences": (Purpose.CRIME, lambda e: e.law_enforcement.offences),
    "modus_operandi": (Purpose.CRIME, lambda e: e.law_enforcement.modus_operandi),
    "linked_cases": (Purpose.CRIME, lambda e: e.law_enforcement.linked_cases),
    "preserve": (Purpose.PROTECTION, lambda e: e.preservation.preserve),
    "do_not": (Purpose.PROTECTION, lambda e: e.preservation.do_not),
    "measures": (Purpose.PROTECTION, lambda e: e.mitigation.measures),
    "asked": (Purpose.PROTECTION, lambda e: [f"{r.action} ({r.of})" for r in e.requests.actions]),
    "shared_with": (Purpose.SITUATION, lambda e: e.blueprint.shared_with),
    "dissemination": (Purpose.PROTECTION, lambda e: e.header.dissemination),
}
"""Lists by their key in the phrases."""
FIELDS = frozenset({*_VALUES, *_LISTS, "fact", "grade", "indicator"})
"""Keys of all that may change, as phrases have them."""
_NOTHING = frozenset({NONE_IDENTIFIED, UNKNOWN})


def changes_between(before: EarlyWarning, after: EarlyWarning) -> tuple[ChangeItem, ...]:
    """Every difference of content, in the order of the sections; of two alike there is none.

    Numbers, dates and the change log itself are no content: they always differ.
    """
    return (
        *_values(before, after),
        *_lists(before, after),
        *_facts(before, after),
        *_indicators(before, after),
    )


def _values(before: EarlyWarning, after: EarlyWarning) -> Iterator[ChangeItem]:
    for field, (purpose, read) in _VALUES.items():
        was, now = str(read(before)), str(read(after))
        if was != now:
            yield ChangeItem(
                field=field,
                verb=Verb.CHANGED,
                before=_short(was),
                after=_short(now),
                purpose=purpose,
                marking=before.marking,
            )


def _lists(before: EarlyWarning, after: EarlyWarning) -> Iterator[ChangeItem]:
    for field, (purpose, read) in _LISTS.items():
        was, now = _said(read(before)), _said(read(after))
        yield from (
            ChangeItem(
                field=field,
                verb=Verb.ADDED,
                after=_short(each),
                purpose=purpose,
                marking=before.marking,
            )
            for each in now
            if each not in was
        )
        yield from (
            ChangeItem(
                field=field,
                verb=Verb.REMOVED,
                before=_short(each),
                purpose=purpose,
                marking=before.marking,
            )
            for each in was
            if each not in now
        )


def _facts(before: EarlyWarning, after: EarlyWarning) -> Iterator[ChangeItem]:
    """A fact is the same one as long as its words and its provider are."""
    was = {(fact.text, fact.provider): fact for fact in before.facts.timeline}
    now = {(fact.text, fact.provider): fact for fact in after.facts.timeline}
    for key, fact in now.items():
        old = was.get(key)
        if old is None:
            yield _of_fact(before, fact, "fact", Verb.ADDED, after=_short(fact.text))
        elif old.grade != fact.grade:
            yield _of_fact(
                before,
                fact.model_copy(update={"marking": old.marking.combined_with(fact.marking)}),
                "grade",
                Verb.CHANGED,
                before=f"{old.grade} ({_short(fact.text)})",
                after=str(fact.grade),
            )
    for key, fact in was.items():
        if key not in now:
            yield _of_fact(before, fact, "fact", Verb.REMOVED, before=_short(fact.text))


def _of_fact(earlier: EarlyWarning, fact: Fact, field: str, verb: Verb, **said: str) -> ChangeItem:
    return ChangeItem(
        field=field,
        verb=verb,
        provider=fact.provider,
        own=fact.own,
        marking=earlier.marking.combined_with(fact.marking),
        personal_data=fact.personal_data,
        purpose=fact.purpose,
        **said,
    )


def _indicators(before: EarlyWarning, after: EarlyWarning) -> Iterator[ChangeItem]:
    was = {(line.type, line.value): line for line in before.indicators}
    now = {(line.type, line.value): line for line in after.indicators}
    for key, line in now.items():
        if key not in was:
            yield _of_indicator(before, line, Verb.ADDED, after=_indicator(line))
    for key, line in was.items():
        if key not in now:
            yield _of_indicator(before, line, Verb.REMOVED, before=_indicator(line))


def _of_indicator(
    earlier: EarlyWarning, line: IndicatorLine, verb: Verb, **said: str
) -> ChangeItem:
    return ChangeItem(
        field="indicator",
        verb=verb,
        provider=line.provider,
        own=line.own,
        marking=earlier.marking.combined_with(line.marking),
        personal_data=line.personal_data,
        **said,
    )


def _indicator(line: IndicatorLine) -> str:
    return _short(f"{line.type} {defang(line.value, line.type)}")


def _said(lines: Sequence[str]) -> list[str]:
    """What a list says, without saying that it says nothing."""
    return [str(line) for line in lines if str(line) not in _NOTHING]


def _short(text: str) -> str:
    return text if len(text) <= MAX_PIECE else f"{text[: MAX_PIECE - 3].rstrip()}..."
