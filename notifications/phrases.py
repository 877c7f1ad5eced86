"""The fixed words of notices in each language, one table for each, and how values are put into them.

Officers' and reports' words are never translated: they stand as written, marked with their language.
Source: domain 5.3; issue 7, item 3 (languages of the addressees).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

FOLDER = Path(__file__).parent / "phrases"
LANGUAGES: Final = ("en", "de", "fr")
"""Languages that have a table of phrases; the first is what everybody is assumed to read."""
DEFAULT = LANGUAGES[0]
_PLACE = re.compile(r"\{([a-z_]+)\}")

Phrases = Mapping[str, Any]
"""Words by name: tables of phrases, and a few phrases that stand alone."""


@cache
def phrases(language: str) -> Phrases:
    """The table of one of ``LANGUAGES``; whoever reads it leaves it as it is.

    Raises:
        KeyError: there is no such language.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    return tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def choose(wanted: Iterable[str]) -> str:
    """The first language of ``wanted`` that has phrases, else English."""
    return next((language for language in wanted if language in LANGUAGES), DEFAULT)


def places(phrase: str) -> frozenset[str]:
    """The names that stand in braces in a phrase."""
    return frozenset(_PLACE.findall(phrase))


def filled(phrase: str, values: Mapping[str, str]) -> str:
    """``phrase`` with each ``{name}`` replaced; a value is never read for braces again.

    Raises:
        KeyError: the phrase names what ``values`` lacks.
    """
    return _PLACE.sub(lambda found: values[found[1]], phrase)
