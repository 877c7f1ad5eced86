"""Scales of display: the tables of domain 2.4, and that what cannot be judged has no number."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification.scales import (
    Likelihood,
    displayed_credibility,
    displayed_dni,
    displayed_level,
    likelihood,
    stix_confidence,
    stix_of_raw,
)
from protocol.grades import AdmiraltyCredibility

JUDGED = tuple(c for c in AdmiraltyCredibility if c is not AdmiraltyCredibility.UNJUDGED)
LEVELS = ("none", "low", "med", "high")
DNI = (
    "almost no chance", "very unlikely", "unlikely", "roughly even chance", "likely", "very likely",
    "almost certain",
)  # fmt: skip


@pytest.mark.parametrize(
    ("credibility", "stix"), [("1", 90), ("2", 70), ("3", 50), ("4", 30), ("5", 10), ("6", None)]
)
def test_each_credibility_has_the_number_of_the_table(credibility: str, stix: int | None) -> None:
    assert stix_confidence(AdmiraltyCredibility(credibility)) == stix


@pytest.mark.parametrize(
    ("low", "high", "credibility"),
    [(80, 100, "1"), (60, 79, "2"), (40, 59, "3"), (20, 39, "4"), (0, 19, "5")],
)
def test_each_range_is_shown_as_the_credibility_of_the_table(
    low: int, high: int, credibility: str
) -> None:
    assert displayed_credibility(low) == credibility
    assert displayed_credibility(high) == credibility


@pytest.mark.requirement("R12")
def test_what_is_not_specified_cannot_be_judged_and_is_not_middling() -> None:
    assert displayed_credibility(None) is AdmiraltyCredibility.UNJUDGED
    assert stix_confidence(AdmiraltyCredibility.UNJUDGED) is None


@given(st.integers(0, 100))
def test_no_number_says_that_nobody_could_judge(confidence: int) -> None:
    assert displayed_credibility(confidence) in JUDGED


@pytest.mark.parametrize("credibility", JUDGED)
def test_a_credibility_comes_back_from_its_number(credibility: AdmiraltyCredibility) -> None:
    assert displayed_credibility(stix_confidence(credibility)) is credibility


@pytest.mark.parametrize(
    ("confidence", "level", "dni"),
    [
        (0, "none", "almost no chance"), (1, "low", "almost no chance"),
        (9, "low", "almost no chance"), (10, "low", "very unlikely"), (15, "low", "very unlikely"),
        (29, "low", "unlikely"), (30, "med", "unlikely"), (50, "med", "roughly even chance"),
        (69, "med", "likely"), (70, "high", "likely"), (85, "high", "very likely"),
        (90, "high", "almost certain"), (100, "high", "almost certain"),
    ],
)  # fmt: skip
def test_levels_and_words_are_those_of_the_tables(confidence: int, level: str, dni: str) -> None:
    assert displayed_level(confidence) == level
    assert displayed_dni(confidence) == dni


def test_more_confidence_is_never_shown_as_less() -> None:
    for before, after in pairwise(range(101)):
        assert displayed_credibility(after) <= displayed_credibility(before)
        assert LEVELS.index(displayed_level(after)) >= LEVELS.index(displayed_level(before))
        assert DNI.index(displayed_dni(after)) >= DNI.index(displayed_dni(before))


@pytest.mark.parametrize("confidence", [-1, 101])
def test_a_number_outside_the_scale_is_refused(confidence: int) -> None:
    for shown in (displayed_credibility, displayed_level, displayed_dni):
        with pytest.raises(ValueError, match="between 0 and 100"):
            shown(confidence)


@pytest.mark.parametrize(
    ("probability", "band"),
    [
        (0.0, Likelihood.ALMOST_NO_CHANCE), (0.04, Likelihood.ALMOST_NO_CHANCE),
        (0.05, Likelihood.VERY_UNLIKELY), (0.2, Likelihood.UNLIKELY),
        (0.45, Likelihood.ROUGHLY_EVEN), (0.549, Likelihood.ROUGHLY_EVEN),
        (0.55, Likelihood.LIKELY), (0.8, Likelihood.VERY_LIKELY),
        (0.95, Likelihood.ALMOST_CERTAIN), (1.0, Likelihood.ALMOST_CERTAIN),
    ],
)  # fmt: skip
def test_a_probability_is_named_by_its_band(probability: float, band: Likelihood) -> None:
    assert likelihood(probability) is band


@pytest.mark.parametrize("probability", [-0.01, 1.01, float("nan")])
def test_what_is_no_probability_has_no_band(probability: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        likelihood(probability)


@pytest.mark.parametrize(
    ("form", "raw", "stix"),
    [
        ("idea0", "0.8", 80), ("idea0", "1", 100), ("idea0", "80", None), ("idea0", "", None),
        ("xarf-4", "0.25", 25), ("iodef-2", "low", 15), ("iodef-2", "Medium", 50),
        ("iodef-2-json", "high", 85), ("iodef-2", "unknown", None), ("iodef-2", "0.9", 90),
        ("iodef-2", "90", 90), ("stix-2.1", "70", 70), ("stix-2.1", "1", 1),
        ("stix-2.1", "101", None), ("intelmq", "-3", None), ("idea0", "nan", None),
        ("idea0", "inf", None), ("misp", "to be seen", None),
        ("idea0", "0", 0), ("idea0", "1.5", None), ("iodef-2", "1.5", 2), ("iodef-2", "1", 100),
        ("stix-2.1", "0", 0), ("stix-2.1", "0.9", 1), ("stix-2.1", "100", 100),
    ],
)  # fmt: skip
def test_what_a_format_states_is_read_by_its_own_scale(
    form: str, raw: str, stix: int | None
) -> None:
    assert stix_of_raw(form, raw) == stix
