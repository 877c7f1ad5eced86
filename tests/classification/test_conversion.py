"""Admiralty and 4x4: the tables of domain 2.3 and its four properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification.conversion import AdmiraltyGrade, to_4x4, to_admiralty
from protocol.errors import Refused
from protocol.grades import (
    AdmiraltyCredibility,
    AdmiraltySource,
    Grade,
    InformationAccuracy,
    SourceReliability,
)
from tests.classification.builders import GRADES

pytestmark = pytest.mark.requirement("R11", "R12")

admiralty = st.builds(
    AdmiraltyGrade,
    source=st.sampled_from(AdmiraltySource),
    credibility=st.sampled_from(AdmiraltyCredibility),
)
first_hands = st.sampled_from((True, False, None))
corroborations = st.sampled_from((frozenset[str](), frozenset({"3-abc"})))


@pytest.mark.parametrize(
    ("source", "letter"),
    [("a", "A"), ("b", "B"), ("c", "X"), ("d", "C"), ("e", "C"), ("f", "X"), ("g", "C")],
)
def test_each_source_letter_becomes_the_letter_of_the_table(source: str, letter: str) -> None:
    assert to_4x4(AdmiraltyGrade.parse(f"{source}6")).grade.source == letter


@pytest.mark.parametrize(
    ("credibility", "first_hand", "not_first_hand", "flags"),
    [
        ("1", "1", "3", ()),
        ("2", "2", "4", ()),
        ("3", "2", "4", ("weak",)),
        ("4", "4", "4", ("doubtful",)),
        ("5", "4", "4", ("contradicted",)),
        ("6", "4", "4", ("not-judged",)),
    ],
)
def test_each_credibility_becomes_the_digit_of_the_table(
    credibility: str, first_hand: str, not_first_hand: str, flags: tuple[str, ...]
) -> None:
    original = AdmiraltyGrade.parse(f"b{credibility}")
    heard = to_4x4(original, first_hand=False)
    assert to_4x4(original, first_hand=True).grade.information == first_hand
    assert heard.grade.information == not_first_hand
    assert heard.flags == flags
    assert to_4x4(original, first_hand=None) == heard


def test_probable_hearsay_is_corroborated_only_with_a_recorded_item() -> None:
    original = AdmiraltyGrade.parse("b2")
    assert str(to_4x4(original).grade) == "B4"
    assert str(to_4x4(original, corroborated_by=frozenset({"3-abc"})).grade) == "B3"
    both = to_4x4(original, first_hand=True, corroborated_by=frozenset({"3-abc"}))
    assert str(both.grade) == "B2"


def test_fairly_reliable_leaves_the_choice_to_a_person() -> None:
    derived = to_4x4(AdmiraltyGrade.parse("c1"))
    assert derived.source_candidates == (SourceReliability.B, SourceReliability.C)


def test_a_deceptive_source_is_flagged() -> None:
    assert to_4x4(AdmiraltyGrade.parse("g5")).flags == ("deception", "contradicted")


@pytest.mark.parametrize(
    ("grade", "expected"), [("A1", "a1"), ("B2", "b3"), ("C3", "d2"), ("X4", "f6")]
)
def test_each_4x4_character_becomes_that_of_the_table(grade: str, expected: str) -> None:
    derived = to_admiralty(Grade.parse(grade))
    assert f"{derived.source}{derived.credibility}" == expected


def test_candidates_say_what_the_4x4_left_open() -> None:
    derived = to_admiralty(Grade.parse("C2"))
    assert derived.source_candidates == (AdmiraltySource.D, AdmiraltySource.E)
    assert derived.credibility_candidates == (AdmiraltyCredibility.PROBABLE,)


def test_corroboration_of_recorded_independence_counts_as_confirmed() -> None:
    heard = Grade.parse("B3")
    assert to_admiralty(heard).credibility is AdmiraltyCredibility.PROBABLE
    confirmed = to_admiralty(heard, independently_corroborated=True)
    assert confirmed.credibility is AdmiraltyCredibility.CONFIRMED
    other = to_admiralty(Grade.parse("B4"), independently_corroborated=True)
    assert other.credibility is AdmiraltyCredibility.UNJUDGED


@given(original=admiralty, first_hand=first_hands, corroborated=corroborations)
def test_the_source_never_gets_a_better_letter(
    original: AdmiraltyGrade, first_hand: bool | None, corroborated: frozenset[str]
) -> None:
    derived = to_4x4(original, first_hand=first_hand, corroborated_by=corroborated)
    if original.source in (AdmiraltySource.C, AdmiraltySource.F):
        assert derived.grade.source is SourceReliability.X
    else:
        rank_of_letter = {"a": 1, "b": 2, "d": 3, "e": 3, "g": 3}
        assert "ABC".index(derived.grade.source) + 1 >= rank_of_letter[original.source]


@given(original=admiralty, first_hand=first_hands, corroborated=corroborations)
def test_doubtful_information_never_becomes_better_than_4(
    original: AdmiraltyGrade, first_hand: bool | None, corroborated: frozenset[str]
) -> None:
    derived = to_4x4(original, first_hand=first_hand, corroborated_by=corroborated)
    if original.credibility in (AdmiraltyCredibility.DOUBTFUL, AdmiraltyCredibility.IMPROBABLE):
        assert derived.grade.information is InformationAccuracy.UNCORROBORATED


@given(source=st.sampled_from(SourceReliability), corroborated=st.booleans())
def test_uncorroborated_information_is_never_better_than_not_judged(
    source: SourceReliability, corroborated: bool
) -> None:
    grade = Grade(source=source, information=InformationAccuracy.UNCORROBORATED)
    derived = to_admiralty(grade, independently_corroborated=corroborated)
    assert derived.credibility is AdmiraltyCredibility.UNJUDGED


@given(original=admiralty, grade=st.sampled_from(GRADES))
def test_a_derived_grade_is_never_converted_again(original: AdmiraltyGrade, grade: Grade) -> None:
    with pytest.raises(Refused) as onward:
        to_admiralty(to_4x4(original))
    with pytest.raises(Refused) as backward:
        to_4x4(to_admiralty(grade))
    assert {onward.value.reason, backward.value.reason} == {"derived-grade"}
    assert str(original) in str(onward.value)


@given(original=admiralty, grade=st.sampled_from(GRADES), first_hand=first_hands)
def test_the_original_is_kept_and_is_what_leaves(
    original: AdmiraltyGrade, grade: Grade, first_hand: bool | None
) -> None:
    derived = to_4x4(original, first_hand=first_hand)
    evaluation = derived.evaluation()
    assert derived.original == original
    assert derived.lossy
    assert (evaluation.scheme, evaluation.original) == ("admiralty", str(original))
    assert (evaluation.grade, evaluation.flags) == (derived.grade, derived.flags)
    assert to_admiralty(grade).original == grade


def test_an_admiralty_grade_is_read_in_either_case() -> None:
    assert AdmiraltyGrade.parse("B2") == AdmiraltyGrade.parse("b2")


@pytest.mark.parametrize("text", ["", "b", "h1", "b7", "2b", "b22", "bb"])
def test_what_is_no_admiralty_grade_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as b2"):
        AdmiraltyGrade.parse(text)
