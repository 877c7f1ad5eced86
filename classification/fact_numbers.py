"""Numbers that reports speak of, as an interval: what nobody contradicts, and what is contested.

A report says "at least", "at most" or both. Two such words contradict each other when they cannot both
hold; they are shown side by side and never averaged. What is left bounds the number from both sides.
Source: domain 3.3; R7, R13.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import nlargest, nsmallest
from typing import Literal

from pydantic import BaseModel, ConfigDict

from classification.claims import EVERYWHERE
from classification.evidence import Evidence
from classification.findings import StatedFact, Subject
from classification.voices import Voices, confirming, voices
from protocol.profile import ClassificationRules

MOST_CONTESTED = 10
"""So many contested words are shown of each side, the furthest from the other first."""
MOST_PARTS = 20
"""Organisations of which an interval is shown, those with the most victims."""
OF_ORGANISATION = "organisation "

Bounds = tuple[float, float | None]
Said = tuple[Evidence, Bounds]


class Word(BaseModel):
    """ "At least" or "at most" so many, with who says so and who says what cannot be reconciled."""

    model_config = ConfigDict(frozen=True)

    side: Literal["at least", "at most"]
    value: float
    support: Voices
    contradiction: Voices


class Quantity(BaseModel):
    """What is known of one number."""

    model_config = ConfigDict(frozen=True)

    subject: Subject
    scope: str
    """A state's code, ``organisation NAME``, or empty for the whole incident."""
    low: float
    """At least so many, by the largest word that no report contradicts."""
    high: float | None
    """At most so many, by the smallest word that no report contradicts; None where nobody says."""
    confirmed_low: float
    """At least so many by confirmed words alone (G4)."""
    added_up: float | None = None
    """What the parts add up to, such as the states' victims; None where there are no parts."""
    words: tuple[Word, ...]
    """Those that bound the interval."""
    contested: tuple[Word, ...] = ()
    officers: tuple[StatedFact, ...] = ()
    """What officers state of it."""
    in_conflict: bool
    """Reports contradict each other, or an officer, or the parts add up to more than the whole."""


def quantity(
    subject: Subject,
    scope: str,
    said: Sequence[Said],
    rules: ClassificationRules,
    *,
    added_up: float | None = None,
    officers: Iterable[StatedFact] = (),
) -> Quantity:
    """Bound a number by all that is said of it."""
    lows = sorted({low for _, (low, _) in said if low > 0})
    highs = sorted({high for _, (_, high) in said if high is not None})
    most_low = max(lows, default=0.0)
    least_high = min(highs, default=None)
    low = max((v for v in lows if least_high is None or v <= least_high), default=0.0)
    high = min((v for v in highs if v >= most_low), default=None)
    above = [v for v in lows if v > low]
    below = [v for v in highs if high is None or v < high]
    contested = (
        *(_at_least(v, said, rules) for v in nlargest(MOST_CONTESTED, above)),
        *(_at_most(v, said, rules) for v in nsmallest(MOST_CONTESTED, below)),
    )
    too_many = added_up is not None and high is not None and added_up > high
    if added_up is not None and not too_many:
        low = max(low, added_up)
    stated = tuple(officers)
    return Quantity(
        subject=subject,
        scope=scope,
        low=low,
        high=high,
        confirmed_low=_confirmed_low(said, rules),
        added_up=added_up,
        words=(
            *((_at_least(low, said, rules),) if low in lows else ()),
            *((_at_most(high, said, rules),) if high is not None else ()),
        ),
        contested=contested,
        officers=stated,
        in_conflict=bool(contested) or too_many or any(_apart(each, low, high) for each in stated),
    )


def victims(
    items: Sequence[Evidence], stated: Sequence[StatedFact], rules: ClassificationRules
) -> list[Quantity]:
    """The number of victims over all, by state, and of organisations that give an upper end.

    A report that speaks of one organisation or one state says at least so many of the whole as well,
    but bounds nothing beyond its own. States do add up, since their victims are not the same.
    """
    by_scope = _by_reports(items)
    officers = _by_scope(stated, Subject.VICTIMS)
    for scope in officers:
        by_scope.setdefault(scope, [])
    whole = by_scope.pop(EVERYWHERE, [])
    bounded = [
        scope
        for scope, said in by_scope.items()
        if scope.startswith(OF_ORGANISATION) and any(high is not None for _, (_, high) in said)
    ]
    told = nlargest(MOST_PARTS, bounded, key=lambda o: (max(b[0] for _, b in by_scope[o]), o))
    listed = {scope for scope in by_scope if not scope.startswith(OF_ORGANISATION)}.union(told)
    parts = [
        quantity(Subject.VICTIMS, scope, by_scope[scope], rules, officers=officers.get(scope, ()))
        for scope in sorted(listed)
    ]
    states = [part.low for part in parts if not part.scope.startswith(OF_ORGANISATION)]
    over_all = quantity(
        Subject.VICTIMS,
        EVERYWHERE,
        whole,
        rules,
        added_up=sum(states) if len(states) > 1 else None,
        officers=officers.get(EVERYWHERE, ()),
    )
    contested = over_all.in_conflict or any(part.in_conflict for part in parts)
    whole_of_it = over_all.model_copy(update={"in_conflict": contested})
    return [whole_of_it, *parts] if whole or officers else []


def organisations(
    items: Sequence[Evidence], stated: Sequence[StatedFact], rules: ClassificationRules
) -> list[Quantity]:
    """How many organisations are victims: by the numbers given, and by all names together."""
    names = {name for item in items for name in item.organisations}
    return _over_all(
        Subject.ORGANISATIONS,
        [(item, (float(item.organisations_min), None)) for item in items if item.organisations_min],
        stated,
        rules,
        added_up=float(len(names)) if len(names) > 1 else None,
    )


def losses(
    items: Sequence[Evidence], stated: Sequence[StatedFact], rules: ClassificationRules
) -> list[Quantity]:
    """The loss in euro, at least so much as any report says."""
    said: list[Said] = [
        (item, (item.loss_eur_min, None)) for item in items if item.loss_eur_min is not None
    ]
    return _over_all(Subject.LOSS_EUR, said, stated, rules)


def _over_all(
    subject: Subject,
    said: Sequence[Said],
    stated: Sequence[StatedFact],
    rules: ClassificationRules,
    *,
    added_up: float | None = None,
) -> list[Quantity]:
    officers = [each for each in stated if each.subject is subject]
    if not said and not officers:
        return []
    return [quantity(subject, EVERYWHERE, said, rules, added_up=added_up, officers=officers)]


def _by_reports(items: Sequence[Evidence]) -> dict[str, list[Said]]:
    """Scope to what is said of it, of parts and whole; a part's contested words go no further up."""
    found: dict[str, list[Said]] = {}
    for item in items:
        if item.victims_min or item.victims_max is not None:
            bounds = (float(item.victims_min), _float(item.victims_max))
            found.setdefault(_scope(item), []).append((item, bounds))
    for scope in [each for each in found if each.startswith(OF_ORGANISATION)]:
        for item, bounds in _uncontested(found[scope]):
            up = next(iter(item.countries)) if len(item.countries) == 1 else EVERYWHERE
            found.setdefault(up, []).append((item, bounds))
    for scope in [each for each in found if each and not each.startswith(OF_ORGANISATION)]:
        found.setdefault(EVERYWHERE, []).extend(_uncontested(found[scope]))
    return found


def _uncontested(said: Sequence[Said]) -> list[Said]:
    """The "at least" of those that nobody here contradicts."""
    least_high = min((high for _, (_, high) in said if high is not None), default=None)
    return [
        (item, (low, None)) for item, (low, _) in said if least_high is None or low <= least_high
    ]


def _scope(item: Evidence) -> str:
    if len(item.organisations) == 1:
        return OF_ORGANISATION + next(iter(item.organisations))
    return next(iter(item.countries)) if len(item.countries) == 1 else EVERYWHERE


def _by_scope(stated: Sequence[StatedFact], subject: Subject) -> dict[str, list[StatedFact]]:
    found: dict[str, list[StatedFact]] = {}
    for each in stated:
        if each.subject is subject:
            found.setdefault(each.value.upper(), []).append(each)
    return found


def _at_least(value: float, said: Sequence[Said], rules: ClassificationRules) -> Word:
    return _word(
        "at least",
        value,
        said,
        rules,
        holds=lambda low, _: low >= value,
        fails=lambda _, high: high is not None and high < value,
    )


def _at_most(value: float, said: Sequence[Said], rules: ClassificationRules) -> Word:
    return _word(
        "at most",
        value,
        said,
        rules,
        holds=lambda _, high: high is not None and high <= value,
        fails=lambda low, _: low > value,
    )


def _word(
    side: Literal["at least", "at most"],
    value: float,
    said: Sequence[Said],
    rules: ClassificationRules,
    *,
    holds: Callable[[float, float | None], bool],
    fails: Callable[[float, float | None], bool],
) -> Word:
    return Word(
        side=side,
        value=value,
        support=voices((item for item, bounds in said if holds(*bounds)), rules),
        contradiction=voices((item for item, bounds in said if fails(*bounds)), rules),
    )


def _confirmed_low(said: Sequence[Said], rules: ClassificationRules) -> float:
    """The largest "at least" that the reports which say so much or more confirm together."""
    low = {item.report_id: bounds[0] for item, bounds in said if bounds[0] > 0}
    items = [item for item, _ in said if item.report_id in low]
    items.sort(key=lambda item: low[item.report_id], reverse=True)
    last = confirming(items, rules)
    return low[last.report_id] if last else 0.0


def _apart(stated: StatedFact, low: float, high: float | None) -> bool:
    return (stated.at_most is not None and stated.at_most < low) or (
        stated.at_least is not None and high is not None and stated.at_least > high
    )


def _float(number: int | None) -> float | None:
    return None if number is None else float(number)
