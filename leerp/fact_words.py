"""Facts of an incident in words and rows, for a person who reads them in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from classification.fact_numbers import Quantity
from classification.facts import Fact, Facts
from classification.findings import StatedFact
from classification.voices import Voices

NAMED = 3
"""So many reports stand in a cell; ``--json`` has up to ten."""
CONFLICT = "CONFLICT"


def number_rows(found: Facts) -> list[dict[str, Any]]:
    """The numbers as rows: the interval, what is confirmed, and who says so."""
    return [
        {
            "number": f"{each.subject} {each.scope}".strip(),
            "known": interval_words(each),
            "confirmed": f"at least {each.confirmed_low:,.0f}" if each.confirmed_low else "nothing",
            "says who": [
                f"{word.side} {word.value:,.0f}: {voices_words(word.support)}"
                for word in each.words
            ]
            + [
                f"contested: {word.side} {word.value:,.0f} say {voices_words(word.support)}, "
                f"against {voices_words(word.contradiction)}"
                for word in each.contested
            ],
        }
        for each in found.numbers
    ]


def interval_words(number: Quantity) -> str:
    """``between 120 and 5,000``, with what the parts add up to where that is too much."""
    low, high = f"{number.low:,.0f}", number.high
    if high is None:
        known = f"at least {low}" if number.low else "nothing certain"
    elif high == number.low:
        known = low
    else:
        known = f"between {low} and {high:,.0f}"
    if number.added_up and high is not None and number.added_up > high:
        known += f"; the parts add up to {number.added_up:,.0f}"
    return f"{known} ({CONFLICT})" if number.in_conflict else known


def fact_rows(found: Facts) -> list[dict[str, Any]]:
    """The facts as rows; the unnamed column says whether they are confirmed or contested."""
    return [
        {
            "subject": fact.subject,
            "fact": _fact_words(fact),
            "": CONFLICT if fact.in_conflict else "confirmed" if fact.support.confirmed else "",
            "support": voices_words(fact.support),
            "against": voices_words(fact.contradiction),
        }
        for fact in found.facts
    ]


def officers_lines(found: Facts) -> Iterator[str]:
    """What officers state, each with its reason."""
    for fact in found.facts:
        for word in fact.officers:
            how = "" if word.holds else "not "
            if word.probability is not None:
                how = f"{word.probability:.0%}, {word.likelihood}: "
            yield f"{word.officer} states {fact.subject} {how}{fact.value}: {word.text}"
    for number in found.numbers:
        for stated in number.officers:
            yield (
                f"{stated.officer} states {number.subject} {number.scope or 'over all'} "
                f"{_bounds_words(stated)}: {stated.text}"
            )


def voices_words(said: Voices) -> str:
    """The best reports with their grades, and how many others of which grades."""
    if not said.total:
        return ""
    words = ", ".join(map(str, said.best[:NAMED]))
    if said.total <= NAMED:
        return words
    grades = ", ".join(f"{number} {grade}" for grade, number in said.by_grade.items())
    return f"{words} and {said.total - NAMED} more ({grades} in all)"


def _fact_words(fact: Fact) -> str:
    words = [fact.value]
    if fact.level:
        words.append(f"({fact.level})")
    if fact.essential:
        words.append("(essential)")
    if fact.clear:
        words.append(f"(called clear by {fact.clear}, {fact.in_charge} in charge of it)")
    return " ".join(words)


def _bounds_words(stated: StatedFact) -> str:
    sides = (("at least", stated.at_least), ("at most", stated.at_most))
    return ", ".join(f"{side} {value:,.0f}" for side, value in sides if value is not None)
