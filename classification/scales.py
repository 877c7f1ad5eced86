"""Scales for display: what a numeric confidence or a likelihood is called on the common scales.

They are for the eye alone. No grade, class or order follows from them: a machine's confidence in its
own detection is not a grade, and "cannot be judged" has no number at all, so it is never middling.
Source: domain 2.2, 2.4, 6.2; STIX 2.1 (OASIS), confidence scales; ICD 203 (ODNI).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from protocol.grades import AdmiraltyCredibility

T = TypeVar("T")

HIGHEST = 100

_STIX_OF_CREDIBILITY = {
    AdmiraltyCredibility.CONFIRMED: 90,
    AdmiraltyCredibility.PROBABLE: 70,
    AdmiraltyCredibility.POSSIBLE: 50,
    AdmiraltyCredibility.DOUBTFUL: 30,
    AdmiraltyCredibility.IMPROBABLE: 10,
}
_CREDIBILITY_FROM = (
    (80, AdmiraltyCredibility.CONFIRMED),
    (60, AdmiraltyCredibility.PROBABLE),
    (40, AdmiraltyCredibility.POSSIBLE),
    (20, AdmiraltyCredibility.DOUBTFUL),
    (0, AdmiraltyCredibility.IMPROBABLE),
)
_LEVEL_FROM = ((70, "high"), (30, "med"), (1, "low"), (0, "none"))
_DNI_FROM = (
    (90, "almost certain"),
    (80, "very likely"),
    (60, "likely"),
    (40, "roughly even chance"),
    (20, "unlikely"),
    (10, "very unlikely"),
    (0, "almost no chance"),
)
_RATINGS = {"low": 15, "medium": 50, "med": 50, "high": 85}
"""Words that formats use for a confidence; ``unknown`` says nothing."""
_SHARES = frozenset({"idea0", "xarf-4", "iodef"})
"""Formats whose numbers go from 0 to 1; the others count to 100."""


class Likelihood(StrEnum):
    """How likely something is, in the words of ICD 203."""

    ALMOST_NO_CHANCE = "almost-no-chance"
    VERY_UNLIKELY = "very-unlikely"
    UNLIKELY = "unlikely"
    ROUGHLY_EVEN = "roughly-even"
    LIKELY = "likely"
    VERY_LIKELY = "very-likely"
    ALMOST_CERTAIN = "almost-certain"


_LIKELIHOOD_FROM = (
    (0.95, Likelihood.ALMOST_CERTAIN),
    (0.80, Likelihood.VERY_LIKELY),
    (0.55, Likelihood.LIKELY),
    (0.45, Likelihood.ROUGHLY_EVEN),
    (0.20, Likelihood.UNLIKELY),
    (0.05, Likelihood.VERY_UNLIKELY),
    (0.0, Likelihood.ALMOST_NO_CHANCE),
)


def stix_confidence(credibility: AdmiraltyCredibility) -> int | None:
    """STIX confidence, 0 to 100, of an Admiralty credibility; None where it cannot be judged."""
    return _STIX_OF_CREDIBILITY.get(credibility)


def displayed_credibility(confidence: int | None) -> AdmiraltyCredibility:
    """The credibility that a STIX confidence is shown as; 6 where there is none.

    Raises:
        ValueError: not 0 to 100.
    """
    if confidence is None:
        return AdmiraltyCredibility.UNJUDGED
    return _step(confidence, _CREDIBILITY_FROM)


def displayed_level(confidence: int) -> str:
    """``none``, ``low``, ``med`` or ``high``.

    Raises:
        ValueError: not 0 to 100.
    """
    return _step(confidence, _LEVEL_FROM)


def displayed_dni(confidence: int) -> str:
    """On the scale of the Director of National Intelligence, in words.

    Raises:
        ValueError: not 0 to 100.
    """
    return _step(confidence, _DNI_FROM)


def likelihood(probability: float) -> Likelihood:
    """The ICD 203 band of a probability; a border belongs to the likelier band.

    Raises:
        ValueError: not 0 to 1.
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"a probability lies between 0 and 1, not {probability}")
    return next(band for least, band in _LIKELIHOOD_FROM if probability >= least)


def stix_of_raw(format_name: str, raw: str) -> int | None:
    """STIX confidence of what a format states; None where that says nothing (domain 6.2).

    IDEA and X-ARF give a share of 1, IODEF a word, a share or a number to 100, the others a number to
    100. What lies outside its range says nothing.
    """
    text = raw.strip().casefold()
    if text in _RATINGS:
        return _RATINGS[text]
    try:
        number = float(text)
    except ValueError:
        return None
    if _family(format_name) in _SHARES and 0 <= number <= 1:
        number *= HIGHEST
    elif _family(format_name) in _SHARES - {"iodef"}:
        return None
    return round(number) if 0 <= number <= HIGHEST else None


def _family(format_name: str) -> str:
    return "iodef" if format_name.startswith("iodef") else format_name


def _step(confidence: int, steps: tuple[tuple[int, T], ...]) -> T:
    if not 0 <= confidence <= HIGHEST:
        raise ValueError(f"a confidence lies between 0 and {HIGHEST}, not {confidence}")
    return next(found for least, found in steps if confidence >= least)
