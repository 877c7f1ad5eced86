"""Corroboration: which reports are borne out by independent ones, and by which.

It turns the information digit 4 into 3, together with the ids of the items that bear it out. The
rule looks at two items at a time, so the result is a function of the set of items: no order, batch
or repetition changes it, and a further item only ever adds to it. Only a withdrawal takes away.
Source: domain 2.1 (E6, E7), 6.2; Regulation (EU) 2016/794 Art. 29.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from heapq import nsmallest

from classification.texts import Sketch, one_quotes_the_other, sketch_of, words_of
from protocol.indicators import host_of
from protocol.profile import CorrelationRules
from protocol.report import IncidentReport, IndicatorType, TimeKind

NAMED = 5
"""Corroborating items that a grade names; the rest is a number."""
STEPS = 14
"""Steps in the window of correlation: a day each where the window is a fortnight."""
TELLING_SHARE = 0.5
"""Share of correlation's threshold from which one shared indicator tells something by itself."""
LEAST_LISTED = 3
"""Indicators in a list that two would hardly have alike, with the same times, by chance."""
MOST_KEYS = 5_000
"""Keys of one report: those of the smallest digests, so that two long lists keep the same ones."""
NOBODY = frozenset({"unknown", "anonymous"})
"""Names that say nothing of who it is; ``anonymous`` is the principal of a broker that asks nobody."""

_FIRST_TIME = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


Telling = Callable[[tuple[IndicatorType, str]], bool]
"""False for an indicator, by kind and value, that everybody has in common."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What the rule looks at in one report. Names, texts and keys are 64-bit digests."""

    report_id: str
    origin: int
    """The authenticated principal, or else the reporter's name."""
    creator: int | None
    """Who the information comes from, whoever passed it on; None where the report does not say."""
    text: int
    sketch: Sketch = frozenset()
    listing: int | None = None
    """The whole list of indicators with its times; None where it is too short to tell anything."""
    names: frozenset[int] = frozenset()
    """What others may call the report: our id and the sender's."""
    stated: frozenset[int] = frozenset()
    """What the report calls others: relations of every kind, and references."""
    keys: frozenset[int] = frozenset()
    """Telling indicators and named victim organisations."""
    begin: int
    """First and last step of time that the report speaks of."""
    end: int
    retracted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Corroboration:
    """The independent items that bear one report out."""

    ids: tuple[str, ...] = field(default=())
    """Ids of up to ``NAMED`` of them, ascending."""
    total: int = 0

    def __bool__(self) -> bool:
        return self.total > 0

    def __str__(self) -> str:
        more = f" and {self.total - len(self.ids)} more" if self.total > len(self.ids) else ""
        return f"{', '.join(self.ids)}{more}"


def item_of(report: IncidentReport, rules: CorrelationRules, telling: Telling) -> Item:
    """What the rule needs of a report.

    ``telling`` is false for what everybody has in common, such as a public resolver. Whether others
    have taken the report back is for the caller to mark.
    """
    reporter = _folded(report.reporter.name)
    principal = report.principal
    words = words_of(f"{report.title}\n{report.description}")
    begin, end = report.window()
    step = max(rules.window / STEPS, timedelta(seconds=1))
    return Item(
        report_id=report.id,
        origin=digest("name", reporter if principal in NOBODY else f"principal {principal}"),
        creator=None if reporter in NOBODY else digest("name", reporter),
        text=digest("text", *words),
        sketch=sketch_of(words),
        listing=_listing(report),
        names=frozenset({digest("id", report.id), digest("id", report.source_id)}),
        stated=frozenset(
            digest("id", name)
            for name in (*(relation.id for relation in report.relations), *report.references)
        )
        - {digest("id", report.source_id)},
        keys=frozenset(nsmallest(MOST_KEYS, set(_keys(report, rules, telling)))),
        begin=(begin - _FIRST_TIME) // step,
        end=(end - _FIRST_TIME) // step,
        retracted=any(relation.kind == "withdraws" for relation in report.relations),
    )


def independent(one: Item, other: Item) -> bool:
    """Whether two items come from different origins and neither passes the other on. Symmetric."""
    return (
        one.origin != other.origin
        and (one.creator is None or one.creator != other.creator)
        and not republished(one, other)
    )


def republished(one: Item, other: Item) -> bool:
    """Whether one is the other over again, or begins from it. Symmetric."""
    return (
        one.text == other.text
        or not one.names.isdisjoint(other.names)
        or not one.stated.isdisjoint(other.names)
        or not other.stated.isdisjoint(one.names)
        or (one.listing is not None and one.listing == other.listing)
        or one_quotes_the_other(one.sketch, other.sketch)
    )


def corroborates(one: Item, other: Item) -> bool:
    """Whether each bears the other out: independent, in force, on the same thing at the same time."""
    return (
        not (one.retracted or other.retracted)
        and one.begin - STEPS <= other.end
        and other.begin - STEPS <= one.end
        and not one.keys.isdisjoint(other.keys)
        and independent(one, other)
    )


def corroboration_of(item: Item, others: Iterable[Item]) -> Corroboration:
    """The items among ``others`` that bear ``item`` out."""
    ids = sorted({other.report_id for other in others if corroborates(item, other)})
    return Corroboration(ids=tuple(ids[:NAMED]), total=len(ids))


def corroborations(items: Iterable[Item]) -> dict[str, Corroboration]:
    """The rule over a whole set, by report id; every pair is looked at."""
    known = {item.report_id: item for item in items}
    return {name: corroboration_of(item, known.values()) for name, item in known.items()}


def digest(purpose: str, *parts: str) -> int:
    """A 64-bit digest that a database takes as a signed number."""
    text = "\x1f".join((purpose, *parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def _keys(report: IncidentReport, rules: CorrelationRules, telling: Telling) -> Iterator[int]:
    least = rules.threshold * TELLING_SHARE
    for indicator in report.indicators:
        kind, value = indicator.type, indicator.value
        if rules.weights.get(kind, 0.0) >= least and telling((kind, value)):
            yield digest("indicator", kind, value)
        host = host_of(value) if kind is IndicatorType.URL else None
        if host and rules.weights.get(host[0], 0.0) >= least and telling(host):
            yield digest("indicator", *host)
    for affected in report.affected:
        if (
            affected.kind == "organisation"
            and affected.role == "victim"
            and not affected.derived
            and (name := _folded(affected.value)) not in NOBODY
            and name
        ):
            yield digest("victim", name)


def _listing(report: IncidentReport) -> int | None:
    if len(report.indicators) < LEAST_LISTED:
        return None
    listed = sorted(f"{i.type} {i.value} {i.first_seen} {i.last_seen}" for i in report.indicators)
    times = sorted(
        f"{t.kind} {t.earliest} {t.latest}" for t in report.times if t.kind is not TimeKind.REPORTED
    )
    return digest("listing", *listed, "times", *times) if times else None


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())
