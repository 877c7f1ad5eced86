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
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
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
_NEXT_KEY, _NEXT_WORDS = "\x1e", "\x1f"
"""Between the words of keys, and those of one key: no text of a report has these characters."""
_ODD = 0x9E3779B97F4A7C15
_MASK = 2**64 - 1

Known = tuple[IndicatorType, str]
"""An indicator by kind and normal value."""
Telling = Callable[[Known], bool]
"""False for what everybody has in common, such as a public resolver."""


class Trait(NamedTuple):
    """What one indicator comes to, by itself."""

    kind: IndicatorType
    value: str
    key: int
    """See ``key_of``."""
    words: str
    weight: float
    """Nothing where the indicator tells nothing."""
    host: Known | None
    """Of a URL."""


class PackedKeys(Mapping[int, tuple[str, ...]]):
    """Link keys as ``Linker.keys`` gives them, whose words stay one text until some are asked for.

    So they take a third of the memory, and the words of a report that shares nothing are never taken apart.
    """

    __slots__ = ("_keys", "_packed")

    def __init__(self, keys: Collection[int], packed: str) -> None:
        """``packed`` is what ``packed_words`` made of the same keys."""
        self._keys = keys
        self._packed = packed

    @classmethod
    def of(cls, keys: Mapping[int, tuple[str, ...]]) -> PackedKeys:
        """The same keys, packed."""
        return cls(list(keys), packed_words(keys))

    def among(self, keys: Collection[int]) -> set[str]:
        """The words of those that are among ``keys``."""
        return {
            words for key, line in self._lines() if key in keys for words in line.split(_NEXT_WORDS)
        }

    def _lines(self) -> Iterator[tuple[int, str]]:
        # Not strict: without keys there is one empty line.
        return zip(self._keys, self._packed.split(_NEXT_KEY), strict=False)

    def __getitem__(self, key: int) -> tuple[str, ...]:
        return tuple(dict(self._lines())[key].split(_NEXT_WORDS))

    def __iter__(self) -> Iterator[int]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def packed_words(keys: Mapping[int, tuple[str, ...]]) -> str:
    """The words of link keys as one text, in the order of the keys."""
    return _NEXT_KEY.join(map(_NEXT_WORDS.join, keys.values()))


class Linker:
    """Finds the keys of reports under one set of rules; a function of their content alone.

    ``telling`` is false for what everybody has in common.
    """

    def __init__(self, rules: CorrelationRules, telling: Telling) -> None:
        self._weights = rules.weights
        self._threshold = rules.threshold
        self._telling = telling
        self._kept_trait = lru_cache(_CACHED)(self._reckon)

    def keys(self, content: Naming) -> dict[int, tuple[str, ...]]:
        """Keys (64 bits, signed, see ``key_of``) with the indicators that make them, in words.

        Stated ids of a common incident are keys too, and so is the report's own id where it is a
        UUID, since it may be the one that others state.
        """
        return self.keys_of(content, self.named_in(content))

    def keys_of(self, content: Naming, named: Iterable[Trait]) -> dict[int, tuple[str, ...]]:
        """As ``keys``, where ``named_in`` was asked before."""
        threshold = self._threshold
        keys: dict[int, tuple[str, ...]] = {}
        light: list[Trait] = []
        for trait in self._with_hosts(named).values():
            if trait.weight >= threshold:
                keys[trait.key] = (trait.words,)
            elif trait.weight > 0:
                light.append(trait)
        for one, other in _pairs(light, threshold):
            keys[_pair_key(one.key, other.key)] = (one.words, other.words)
        for stated in _stated(content):
            keys[_digest("incident", stated)] = (f"stated incident {stated}",)
        return keys

    def named_in(self, content: Naming) -> list[Trait]:
        """The indicators of the report, telling or not."""
        return [self._trait(i.type, i.value) for i in content.indicators]

    def _with_hosts(self, named: Iterable[Trait]) -> dict[int, Trait]:
        """What a report names, and the hosts of its URLs, each once."""
        traits: dict[int, Trait] = {}
        for trait in named:
            traits[trait.key] = trait
            if trait.host is not None:
                host = self._trait(*trait.host)
                traits[host.key] = host
        return traits

    def _trait(self, kind: IndicatorType, value: str) -> Trait:
        return self._kept_trait(kind, value) if len(value) < _LONG else self._reckon(kind, value)

    def _reckon(self, kind: IndicatorType, value: str) -> Trait:
        known = (kind, value)
        weight = self._weights.get(kind, 0.0)
        if weight > 0 and not self._telling(known):
            weight = 0.0
        host = host_of(value) if kind is IndicatorType.URL else None
        return Trait(kind, value, key_of(known), f"{kind} {value}", weight, host)


def link_keys(
    content: Naming, rules: CorrelationRules, telling: Telling
) -> dict[int, tuple[str, ...]]:
    """The keys of one report, see ``Linker.keys``."""
    return Linker(rules, telling).keys(content)


def key_of(known: Known) -> int:
    """The key of one indicator by itself: 64 bits of its digest, as a signed number.

    So short that a million of them are quick to search. Two different indicators would share one by
    chance in one of 10^7 sets of a million.
    """
    return _digest("indicator", *known)


def _pairs(light: Sequence[Trait], threshold: float) -> Iterator[tuple[Trait, Trait]]:
    """Pairs of light indicators that weigh enough, out of the first few by their digest.

    By digest, since two reports that share many indicators then also share many of the first few.
    """
    heaviest = max((trait.weight for trait in light), default=0.0)
    useful = [trait for trait in light if trait.weight + heaviest >= threshold]
    if len(useful) > MOST_LIGHT:
        useful.sort(key=lambda trait: _digest("order", trait.kind, trait.value))
        del useful[MOST_LIGHT:]
    for one, other in combinations(sorted(useful), 2):
        if one.weight + other.weight >= threshold:
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
    text = _NEXT_WORDS.join(("leerp-link/2", *parts))
    (first,) = _first_bytes(hashlib.sha256(text.encode()).digest())
    return int(first)
