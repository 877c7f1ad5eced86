from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from protocol.markings import BETWEEN, Classification, HandlingCode, Marking, Pap, Tlp, aggregate

TEXTS = ("ask first; then ask again", "not on paper", "for J-CAT", "b", "a")
markings = st.builds(
    lambda level, tlp, pap, codes, text: Marking(
        classification=level, tlp=tlp, pap=pap, handling_codes=codes, handling_text=text
    ),
    st.sampled_from(Classification),
    st.sampled_from(Tlp),
    st.sampled_from(Pap),
    st.frozensets(st.sampled_from(HandlingCode)),
    st.sampled_from(TEXTS),
)


@pytest.mark.requirement("R31", "R32")
@given(first=markings, second=markings, third=markings)
def test_aggregation_does_not_depend_on_order_or_grouping(
    first: Marking, second: Marking, third: Marking
) -> None:
    made = {aggregate(list(order)) for order in permutations((first, second, third))}
    made.add(first.combined_with(second.combined_with(third)))
    made.add(first.combined_with(first).combined_with(second).combined_with(third))
    assert len(made) == 1


@pytest.mark.requirement("R31", "R32")
@given(parts=st.lists(markings, min_size=1, max_size=6))
def test_a_product_has_the_highest_level_the_strictest_tlp_and_every_code(
    parts: list[Marking],
) -> None:
    made = aggregate(parts)
    assert made.classification == max(p.classification for p in parts)
    assert list(Tlp).index(made.tlp) == max(list(Tlp).index(p.tlp) for p in parts)
    assert list(Pap).index(made.pap) == max(list(Pap).index(p.pap) for p in parts)
    stated = frozenset[HandlingCode]().union(*(p.handling_codes for p in parts))
    stricter = {HandlingCode.H1, HandlingCode.H2}
    assert made.handling_codes == (stated - {HandlingCode.H0} if stated & stricter else stated)


@given(parts=st.lists(markings, min_size=2, max_size=6))
def test_the_texts_of_h3_stay_whole_and_stand_there_once(parts: list[Marking]) -> None:
    texts = aggregate(parts).handling_text.split(BETWEEN)
    assert texts == sorted({p.handling_text for p in parts})


def test_white_is_what_version_one_called_clear() -> None:
    assert Tlp("WHITE") is Tlp.CLEAR
    assert TypeAdapter(Tlp).validate_json('"WHITE"') is Tlp.CLEAR
    assert Marking.model_validate({"tlp": "WHITE"}).lines()[-1].startswith("TLP:CLEAR")
    with pytest.raises(ValueError, match="PURPLE"):
        Tlp("PURPLE")
