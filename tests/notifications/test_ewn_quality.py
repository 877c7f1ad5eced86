"""The quality gate: every rule of domain 5.3, with its place and what to do."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.ewn import early_warning
from notifications.ewn_musts import MUST, STATED
from notifications.ewn_quality import (
    Finding,
    Rule,
    check_document,
    check_ewn,
    check_release,
    require,
)
from notifications.products import Purpose, Variant
from protocol.errors import Refused
from protocol.markings import Classification, HandlingCode, Marking, Pap, Tlp
from tests.notifications.samples import NOW, ewn, fact, indicator

PLAIN = (indicator(),)


def rules(findings: list[Finding], *, stops: bool = True) -> set[Rule]:
    return {finding.rule for finding in findings if finding.stops is stops}


def test_a_whole_warning_passes() -> None:
    assert check_ewn(ewn(indicators=PLAIN)) == []
    assert check_document(ewn(indicators=PLAIN).model_dump(mode="json")) == []


@pytest.mark.requirement("R30", "R31", "R32", "R34")
@pytest.mark.parametrize(
    ("rule", "section", "field"),
    [
        *((Rule.MUST, section, field) for section, fields in MUST.items() for field in fields),
        *((Rule.STATED, section, field) for section, fields in STATED.items() for field in fields),
    ],
)
def test_each_field_that_is_missing_is_named_with_its_section_and_what_to_do(
    rule: Rule, section: str, field: str
) -> None:
    blanks: tuple[Any, ...] = (None, "", [])
    for blank in blanks:
        document = ewn().model_dump(mode="json")
        document[section][field] = blank
        found = [f for f in check_document(document) if f.field == field and f.rule is rule]
        assert len(found) == 1
        assert found[0].stops
        assert found[0].section[0].isdigit()
        assert "fill it in" in found[0].do


def test_all_that_is_missing_is_named_at_once() -> None:
    document: dict[str, Any] = {}
    found = check_document(document)
    assert len(found) == sum(map(len, (*MUST.values(), *STATED.values()))) + 2


def test_a_notice_that_is_whole_and_wrong_is_refused_with_the_place() -> None:
    document = ewn().model_dump(mode="json")
    document["header"]["precedence"] = "SOMETIME"
    (found,) = check_document(document)
    assert found.rule is Rule.FORM
    assert "section 1 Header, precedence" in found.what


@pytest.mark.requirement("R11")
def test_every_fact_is_graded() -> None:
    (found,) = check_ewn(ewn(facts=(fact(), fact("x", grade=None)), indicators=PLAIN))
    assert (found.rule, found.field) == (Rule.GRADED, "timeline.2.grade")
    assert "X4" in found.do


@pytest.mark.parametrize("line", ["None identified", "none identified"])
def test_there_is_evidence_to_preserve(line: str) -> None:
    assert rules(check_ewn(ewn(preserve=(line,), indicators=PLAIN))) == {Rule.EVIDENCE}


@given(hours=st.integers(-11, 12).filter(bool))
def test_times_are_utc(hours: int) -> None:
    local = NOW.astimezone(timezone(timedelta(hours=hours)))
    (found,) = check_ewn(ewn(facts=(fact(latest=local),), indicators=PLAIN))
    assert found.rule is Rule.UTC
    assert found.section == "4 Facts"
    assert found.field == "timeline.1.latest"


@pytest.mark.parametrize("field", ["acknowledge_by", "next_update"])
def test_what_is_due_lies_ahead(field: str) -> None:
    document = ewn(indicators=PLAIN).model_dump(mode="json")
    document["header"][field] = (NOW - timedelta(1)).isoformat()
    (found,) = check_ewn(early_warning(document))
    assert (found.rule, found.field) == (Rule.DUE, field)


@pytest.mark.requirement("R32")
@pytest.mark.parametrize(
    "strict",
    [
        Marking(handling_codes=frozenset({HandlingCode.H2})),
        Marking(handling_codes=frozenset({HandlingCode.H3}), handling_text="on paper only"),
        Marking(classification=Classification.RESTRICTED),
    ],
    ids=["H2", "H3", "R-UE"],
)
def test_a_full_variant_that_not_everybody_may_have_is_told_and_does_not_stop(
    strict: Marking,
) -> None:
    found = check_ewn(ewn(facts=(fact(), fact("y", marking=strict)), indicators=PLAIN))
    assert rules(found, stops=False) == {Rule.CLOSED_LOCK}
    assert rules(found) == set()


def test_red_indicators_without_a_word_on_blocking_are_told() -> None:
    assert rules(check_ewn(ewn()), stops=False) == {Rule.RED_INDICATOR}
    assert check_ewn(ewn(do_not=("do not block the IP address",))) == []


@pytest.mark.requirement("R32")
@pytest.mark.parametrize("form", ["203.0.113.9", "203[.]0[.]113[.]9"])
@pytest.mark.parametrize("field", ["do_not", "bottom_line", "preserve"])
def test_free_words_do_not_tell_what_a_variant_leaves_out(form: str, field: str) -> None:
    changes: dict[str, Any] = {field: (f"look for {form} now",)}
    (found,) = [f for f in check_ewn(ewn(**changes)) if f.rule is Rule.TOLD]
    assert found.stops
    assert "indicator 2" in found.what
    assert field.removesuffix("ow") in found.field or found.field == "lines.1"


markings = st.builds(
    lambda tlp, pap, codes, level: Marking(
        tlp=tlp, pap=pap, handling_codes=codes, classification=level, handling_text="read"
    ),
    st.sampled_from(Tlp),
    st.sampled_from(Pap),
    st.frozensets(st.sampled_from(HandlingCode)),
    st.sampled_from(Classification),
)


@pytest.mark.requirement("R32")
@given(
    marks=st.lists(st.tuples(markings, st.booleans(), st.sampled_from(Purpose)), max_size=4),
)
def test_no_variant_holds_what_is_closed_to_it(
    marks: list[tuple[Marking, bool, Purpose]],
) -> None:
    facts = tuple(
        fact(f"fact {n}", marking=marking, personal_data=personal, purpose=purpose)
        for n, (marking, personal, purpose) in enumerate(marks)
    )
    warning = ewn(facts=(fact(), *facts), indicators=PLAIN)
    assert Rule.CLOSED_LOCK not in rules(check_ewn(warning))
    for variant in (Variant.TECHNICAL, Variant.SANITISED, Variant.SUMMARY):
        marking = warning.view(variant).marking
        assert marking.pap is not Pap.RED
        assert not marking.handling_codes & {HandlingCode.H2, HandlingCode.H3}


@pytest.mark.requirement("R32")
def test_who_wrote_it_does_not_release_it_but_in_an_emergency_with_a_reason() -> None:
    warning = ewn(indicators=PLAIN)

    def release(approver: str, override: str = "", hours: int = 0) -> set[Rule]:
        return rules(
            check_release(
                warning,
                author="o.one",
                approver=approver,
                override=override,
                now=NOW + timedelta(hours=hours),
            )
        )

    assert release("o.one") == {Rule.FOUR_EYES}
    assert release("o.one", "  ") == {Rule.FOUR_EYES}
    assert release("o.one", "alone on shift, hospitals are failing") == set()
    assert release("o.two") == set()
    assert release("o.two", hours=7) == {Rule.IN_TIME}


def test_what_stops_is_refused_with_all_places_and_the_rest_is_not() -> None:
    require(check_ewn(ewn()))
    findings = check_ewn(ewn(facts=(fact(grade=None),), preserve=("none identified",)))
    with pytest.raises(Refused, match=r"timeline\.1\.grade.*evidence to preserve") as refused:
        require(findings)
    assert refused.value.reason == "ewn-incomplete"
