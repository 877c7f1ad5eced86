"""Link keys: what a report shares with others when they speak of the same attack.

Two reports link when the indicators that they share weigh enough together. So that this never
depends on the order of arrival, each report gets one key for every smallest set of its own
indicators that weighs enough: two reports link exactly when they have a key in common. Sets larger
than a pair are left out. Source: design section 3 (correlation).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from itertools import combinations

from protocol.indicators import host_of
from protocol.profile import CorrelationRules
from protocol.report import Indicator, IndicatorType, ReportContent

MOST_LIGHT = 24
"""Light indicators of one report that are paired: 276 pairs at most."""

_UNIQUE_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

Known = tuple[IndicatorType, str]


def link_keys(
    content: ReportContent, rules: CorrelationRules, telling: Callable[[Indicator], bool]
) -> dict[str, tuple[str, ...]]:
    """Keys (SHA-256, hexadecimal) with the indicators that make them, in words.

    A function of the content alone. ``telling`` is false for what everybody has in common, such as
    a public resolver. Stated ids of a common incident are keys too, and so is the report's own id
    where it is a UUID, since it may be the one that others state.
    """
    weights = {
        known: weight
        for known in _indicators(content, telling)
        if (weight := rules.weights.get(known[0], 0.0)) > 0
    }
    sets: list[tuple[Known, ...]] = [
        (known,) for known, weight in weights.items() if weight >= rules.threshold
    ]
    sets.extend(_pairs(weights, rules.threshold))
    keys = {_digest("indicators", *chosen): tuple(map(_words, chosen)) for chosen in sets}
    for stated in _stated(content):
        keys[_digest("incident", stated)] = (f"stated incident {stated}",)
    return keys


def _indicators(content: ReportContent, telling: Callable[[Indicator], bool]) -> Iterator[Known]:
    """What the report names, and the hosts of its URLs."""
    for indicator in content.indicators:
        if telling(indicator):
            yield indicator.type, indicator.value
        if indicator.type is IndicatorType.URL and (host := host_of(indicator.value)):
            kind, name = host
            if telling(Indicator(type=kind, value=name)):
                yield host


def _pairs(weights: dict[Known, float], threshold: float) -> Iterator[tuple[Known, ...]]:
    """Pairs of light indicators that weigh enough, out of the first few by their digest.

    By digest, since two reports that share many indicators then also share many of the first few.
    """
    light = {known: weight for known, weight in weights.items() if weight < threshold}
    heaviest = max(light.values(), default=0.0)
    useful = [known for known, weight in light.items() if weight + heaviest >= threshold]
    first = sorted(useful, key=lambda known: _digest("order", known))[:MOST_LIGHT]
    for pair in combinations(sorted(first), 2):
        if sum(weights[known] for known in pair) >= threshold:
            yield pair


def _stated(content: ReportContent) -> set[str]:
    stated = {r.id for r in content.relations if r.kind == "same-incident"}
    if _UNIQUE_ID.search(content.source_id):
        stated.add(content.source_id)
    return stated


def _words(known: Known) -> str:
    return f"{known[0]} {known[1]}"


def _digest(purpose: str, *parts: object) -> str:
    return hashlib.sha256(json.dumps(["leerp-link/1", purpose, *parts]).encode()).hexdigest()
