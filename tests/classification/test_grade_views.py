"""Views of a grade in the other system: what they leave open, and that they are views only."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification.grade_views import grade_view, shown_confidence
from protocol.grades import AdmiraltyCredibility, AdmiraltySource, Grade
from tests.classification.builders import GRADES

pytestmark = pytest.mark.requirement("R11", "R12")

MISP_NUMBERS = {"a": 100, "b": 75, "c": 50, "d": 25, "e": 0, "f": 50, "g": 0}
"""``numerical_value`` of the taxonomy ``admiralty-scale``."""
ORIGINALS = tuple(f"{s}{c}" for s, c in product(AdmiraltySource, AdmiraltyCredibility))


def test_fairly_reliable_reads_x_with_its_candidates_and_flags() -> None:
    view = grade_view("admiralty", "c3")

    assert (view.scheme, view.grade) == ("europol4x4", "X4")
    assert view.source_candidates == ("B", "C")
    assert view.flags == ("weak",)
    assert view.stix_confidence == 50
    assert view.lossy


def test_first_hand_and_recorded_corroboration_are_asked_for() -> None:
    assert grade_view("admiralty", "b2").grade == "B4"
    assert grade_view("admiralty", "b2", first_hand=True).grade == "B2"
    assert grade_view("admiralty", "b2", corroborated_by=frozenset({"3-a"})).grade == "B3"


def test_a_4x4_reads_as_admiralty_with_what_it_leaves_open() -> None:
    view = grade_view("europol4x4", "C2")

    assert (view.scheme, view.grade, view.stix_confidence) == ("admiralty", "d3", 50)
    assert (view.source_candidates, view.information_candidates) == (("d", "e"), ("2",))
    assert grade_view("europol4x4", "B3").grade == "b2"
    assert grade_view("europol4x4", "B3", corroborated_by=frozenset({"3-a"})).grade == "b1"


@given(st.sampled_from(ORIGINALS))
def test_nothing_of_the_order_of_misps_numbers_is_left(original: str) -> None:
    """f has the number of c, and g that of e: neither reads like it."""
    twins = {"f": "c", "g": "e"}
    view = grade_view("admiralty", original)
    if original[0] in twins:
        twin = grade_view("admiralty", twins[original[0]] + original[1])
        assert MISP_NUMBERS[original[0]] == MISP_NUMBERS[twins[original[0]]]
        assert (view.source_candidates, view.flags) != (twin.source_candidates, twin.flags)
    if original[1] == AdmiraltyCredibility.UNJUDGED:
        assert view.stix_confidence is None
        assert "not-judged" in view.flags


@pytest.mark.parametrize("grade", GRADES, ids=str)
def test_every_grade_has_a_view_and_what_cannot_be_judged_has_no_number(grade: Grade) -> None:
    view = grade_view("europol4x4", str(grade))

    assert (view.stix_confidence is None) is (str(grade)[1] == "4")


@pytest.mark.parametrize(("scheme", "original"), [("admiralty", "B"), ("europol4x4", "good")])
def test_words_that_are_no_grade_have_no_view(scheme: str, original: str) -> None:
    with pytest.raises(ValueError, match="letter"):
        grade_view(scheme, original)


def test_a_machines_confidence_is_shown_on_every_scale() -> None:
    shown = shown_confidence(85)

    assert (shown.stix, shown.credibility, shown.level, shown.dni) == (
        85,
        AdmiraltyCredibility.CONFIRMED,
        "high",
        "very likely",
    )
