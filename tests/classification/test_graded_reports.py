"""The reports behind a threat assessment: which are listed, who stays unnamed, how it is marked."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from classification.assessment import assess
from classification.findings import Findings
from classification.graded_reports import (
    MOST_LISTED,
    ListedReport,
    marking_over,
    reports_named,
    reports_to_list,
)
from protocol.grades import Grade
from protocol.markings import Classification, HandlingCode, Marking, Pap, Tlp
from protocol.report import Cause
from tests.classification.builders import PROFILE, confirmed_cause
from tests.classification.threats import graded, initial, item

MARKINGS = st.builds(
    Marking,
    classification=st.sampled_from(Classification),
    tlp=st.sampled_from(Tlp),
    pap=st.sampled_from(Pap),
    handling_codes=st.frozensets(st.sampled_from(HandlingCode)),
    handling_text=st.sampled_from(("by agreement only", "not for liaison bureaux")),
)


@pytest.mark.requirement("R31", "R32")
@given(st.lists(MARKINGS, min_size=1, max_size=6))
def test_the_marking_is_the_strictest_over_all_whatever_their_order(parts: list[Marking]) -> None:
    whole = marking_over(parts)
    assert marking_over(parts[::-1]) == whole
    assert marking_over([*parts, *parts]) == whole
    pairwise = reduce(Marking.combined_with, parts)
    for field in ("classification", "tlp", "pap", "handling_codes"):
        assert getattr(whole, field) == getattr(pairwise, field)
    assert set(whole.handling_text.split("; ")) == {part.handling_text for part in parts}


@pytest.mark.requirement("R32")
def test_the_texts_of_many_restrictions_stand_each_once() -> None:
    codes = frozenset({HandlingCode.H3})
    parts = [
        Marking(handling_codes=codes, handling_text=f"text {n % 3}", tlp=list(Tlp)[n % 5])
        for n in range(30)
    ]
    assert marking_over(parts).handling_text == "text 0; text 1; text 2"


@pytest.mark.requirement("R11")
def test_all_are_counted_and_the_best_graded_are_listed() -> None:
    made = initial([item(n, "X4") for n in range(300)] + [item(n, "A1") for n in range(300, 350)])
    assert made.reports.total == sum(count.reports for count in made.reports.grades) == 350
    assert len(made.reports.listed) == MOST_LISTED
    assert [str(line.grade) for line in made.reports.listed[:51]] == ["A1"] * 50 + ["X4"]
    assert [line.number for line in made.reports.listed] == list(range(1, MOST_LISTED + 1))


def test_a_report_that_the_assessment_names_is_listed_however_badly_it_is_graded() -> None:
    named = item(999, "X4", countries={"IT"}, cause=Cause.TECHNICAL_FAILURE, cause_clear=True)
    reports = [graded(each) for each in (*(item(n, "A1") for n in range(250)), named)]
    listed = reports_to_list(reports, frozenset({named.report_id}))
    assert len(listed) == MOST_LISTED
    assert listed[-1].report_id == named.report_id


def test_reports_that_only_a_sentence_names_are_found() -> None:
    failure = item(
        7, "A1", cause=Cause.TECHNICAL_FAILURE, cause_clear=True, cause_by_authority=True
    )
    assessment = assess(
        [failure], Findings(cause=confirmed_cause(Cause.TECHNICAL_FAILURE)), PROFILE
    )
    bare = assessment.model_copy(update={"criteria": (), "reasons": ()})
    assert reports_named((bare,), {failure.report_id, "2-other"}) == {failure.report_id}


@pytest.mark.requirement("R32")
def test_of_a_suppressed_source_only_grade_and_marking_stay() -> None:
    hidden = item(1, "A1", countries={"FR"})
    made = initial([hidden, item(2, "B2")], suppressed=frozenset({0}))
    line = made.reports.listed[0]
    assert (str(line.grade), line.named, line.suppressed) == ("A1", None, "handling code H2")
    assert line.reference == "no. 1 (source suppressed)"
    assert hidden.report_id not in made.model_dump_json()
    assert "no. 1 (source suppressed)" in made.assessment.criteria[0].reports.ids
    assert any("no. 1 (source suppressed)" in reason for reason in made.assessment.reasons)
    assert made.reports.suppressed == 1
    assert made.marking.handling_codes == {HandlingCode.H2}


@pytest.mark.requirement("R32")
def test_a_line_is_either_named_or_suppressed() -> None:
    with pytest.raises(ValidationError, match="suppressed"):
        ListedReport(number=1, grade=Grade(), marking=Marking())
    named = initial().reports.listed[0]
    with pytest.raises(ValidationError, match="suppressed"):
        ListedReport.model_validate({**named.model_dump(), "suppressed": "H2"})
