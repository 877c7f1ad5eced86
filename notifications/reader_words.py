"""Phrases in the languages of those who are warned, and which of the languages to take.

One catalogue, ``reader_words.toml``, has them all; a language that leaves out a phrase is refused when
it is read. Source: issue 7, items 6 and 7.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType

from babel.core import negotiate_locale

DEFAULT = "en"
CATALOGUE = Path(__file__).with_name("reader_words.toml")
LONGEST_HEADER = 200
"""Of an Accept-Language header: more is somebody's play."""


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Every language with its phrases.

    Raises:
        ValueError: a language has not the same phrases as English.
    """
    read = tomllib.loads(CATALOGUE.read_text("utf-8"))
    for language, found in read.items():
        if odd := set(found) ^ set(read[DEFAULT]):
            raise ValueError(f"{CATALOGUE.name}: {language} differs in {', '.join(sorted(odd))}")
    return MappingProxyType(read)


def phrases(language: str) -> Mapping[str, str]:
    """The phrases of a language of the catalogue."""
    return catalogue()[language]


def choose_language(read_there: Sequence[str], accepted: str = "") -> str:
    """The language for a reader.

    What the browser asks for counts as long as it is read at the contact (``read_there``, the preferred
    one first, empty when unknown); else the contact's first. Whom no language of ours suits gets English.
    """
    ours = list(catalogue())
    there = [language for language in read_there if language in ours]
    wanted = _accepted(accepted)
    found = negotiate_locale(wanted, there or ours, sep="-")
    return found or (there[0] if there else DEFAULT)


def _accepted(header: str) -> list[str]:
    """The languages of an Accept-Language header by their weights, without their regions."""
    weighted = []
    for place, part in enumerate(header[:LONGEST_HEADER].split(",")):
        name, _, weight = part.strip().partition(";q=")
        try:
            value = float(weight) if weight else 1.0
        except ValueError:
            continue
        if value > 0:
            weighted.append((-value, place, name.strip().partition("-")[0].lower()))
    return [name for _, _, name in sorted(weighted) if name]
