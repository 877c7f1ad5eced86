"""Link keys: what a report shares with others when they speak of the same attack.

Two reports link when the indicators that they share weigh enough together. So that this never
depends on the order of arrival, each report gets one key for every smallest set of its own
indicators that weighs enough: two reports link exactly when they have a key in common. Sets larger
than a pair are left out. Source: design section 3 (correlation).
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

from protocol.indicators import host_of
from protocol.profile import CorrelationRules
from protocol.report import IndicatorType
from protocol.statement import Naming

MOST_LIGHT = 24
"""Light indicators of one report that are paired: 276 pairs at most."""

_UNIQUE_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CACHED = 4_096
"""Indicators kept with what is reckoned from them: those of a campaign come again and again."""
_LONG = 300
"""Characters of a value that is not kept, so that what strangers send does not fill memory."""
_ODD = 0x9E3779B97F4A7C15
_MASK = 2**64 - 1

Known = tuple[IndicatorType, str]
"""An indicator by kind and normal value."""
Telling = Callable[[Known], bool]
"""False for what everybody has in common, such as a public resolver."""


def link_keys(
    content: Naming, rules: CorrelationRules, telling: Telling
) -> dict[int, tuple[str, ...]]:
    """Keys (64 bits, signed, see ``key_of``) with the indicators that make them, in words.

    A function of the content alone. Stated ids of a common incident are keys too, and so is the
    report's own id where it is a UUID, since it may be the one that others state.
    """
    alone: list[Trait] = []
    light: dict[Known, float] = {}
    for known in dict.fromkeys(_indicators(content)):
        weight = rules.weights.get(known[0], 0.0)
        if weight > 0 and telling(known):
            if weight >= rules.threshold:
                alone.append(trait_of(*known))
            else:
                light[known] = weight
    keys: dict[int, tuple[str, ...]] = {trait.key: (trait.words,) for trait in alone}
    for pair in _pairs(light, rules.threshold):
        one, other = trait_of(*pair[0]), trait_of(*pair[1])
        keys[_pair_key(one.key, other.key)] = (one.words, other.words)
    for stated in _stated(content):
        keys[_digest("incident", stated)] = (f"stated incident {stated}",)
    return keys


class Trait(NamedTuple):
    """What one indicator comes to, by itself."""

    key: int
    """See ``key_of``."""
    words: str
    host: Known | None
    """Of a URL."""


def trait_of(kind: IndicatorType, value: str) -> Trait:
    """The trait of an indicator in normal form; those that come often are kept at hand."""
    return _kept_trait(kind, value) if len(value) < _LONG else _trait(kind, value)


def _trait(kind: IndicatorType, value: str) -> Trait:
    host = host_of(value) if kind is IndicatorType.URL else None
    return Trait(_digest("indicator", kind, value), f"{kind} {value}", host)


_kept_trait = lru_cache(_CACHED)(_trait)


def key_of(known: Known) -> int:
    """The key of one indicator by itself: 64 bits of its digest, as a signed number.

    So short that a million of them are quick to search. Two different indicators would share one by
    chance in one of 10^7 sets of a million.
    """
    return _digest("indicator", *known)


def indicator_keys(content: Naming) -> list[int]:
    """The key of each indicator of the report, telling or not, for the index of indicators."""
    return list({trait_of(i.type, i.value).key: None for i in content.indicators})


def _indicators(content: Naming) -> Iterator[Known]:
    """What the report names, and the hosts of its URLs."""
    for indicator in content.indicators:
        yield indicator.type, indicator.value
        if indicator.type is IndicatorType.URL:
            host = trait_of(indicator.type, indicator.value).host
            if host:
                yield host


def _pairs(weights: dict[Known, float], threshold: float) -> Iterator[tuple[Known, Known]]:
    """Pairs of light indicators that weigh enough, out of the first few by their digest.

    By digest, since two reports that share many indicators then also share many of the first few.
    """
    heaviest = max(weights.values(), default=0.0)
    useful = [known for known, weight in weights.items() if weight + heaviest >= threshold]
    if len(useful) > MOST_LIGHT:
        useful = sorted(useful, key=lambda known: _digest("order", *known))[:MOST_LIGHT]
    for one, other in combinations(sorted(useful), 2):
        if weights[one] + weights[other] >= threshold:
            yield one, other


def _stated(content: Naming) -> set[str]:
    stated = {r.id for r in content.relations if r.kind == "same-incident"}
    if _UNIQUE_ID.search(content.source_id):
        stated.add(content.source_id)
    return stated


def _pair_key(one: int, other: int) -> int:
    """One key of two that are digests already, whichever comes first."""
    low, high = (one, other) if one < other else (other, one)
    mixed = (low * _ODD + (high ^ (low >> 29))) & _MASK
    return mixed - (mixed >> 63 << 64)


_first_bytes = struct.Struct(">q24x").unpack


def _digest(*parts: str) -> int:
    # No part can hold the separator: texts of reports are free of control characters.
    text = "\x1f".join(("leerp-link/2", *parts))
    (first,) = _first_bytes(hashlib.sha256(text.encode()).digest())
    return int(first)
