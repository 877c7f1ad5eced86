from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.ewn import EarlyWarning, early_warning
from notifications.ewn_draft import draft_ewn
from notifications.notices import read_content
from notifications.products import Variant
from protocol.errors import Refused
from protocol.markings import Classification, HandlingCode, Marking, Pap, Tlp
from tests.notifications.samples import ASSESSMENT, NOW, POINTS, ewn, fact, indicator, officer_input

SECTIONS = {
    "marking": "0 Marking",
    "header": "1 Header",
    "bottom_line": "2 Bottom line",
    "status": "3 LEERP status",
    "facts": "4 Facts",
    "assessment": "5 Tactical assessment",
    "law_enforcement": "6 Law-enforcement angle",
    "preservation": "6 Law-enforcement angle",
    "mitigation": "7 Mitigation",
    "requests": "9 Requests",
    "blueprint": "10 Blueprint hook",
    "provenance": "11 Provenance",
    "changes": "12 Change log",
}


@pytest.mark.requirement("R30", "R31", "R32")
@pytest.mark.parametrize(("field", "section"), SECTIONS.items())
def test_a_missing_section_is_refused_by_its_number_and_name(field: str, section: str) -> None:
    document = ewn().model_dump(mode="json")
    del document[field]
    with pytest.raises(Refused, match=f"section {section}"):
        early_warning(document)


def text_fields(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [p for key, inner in value.items() for p in text_fields(inner, (*place, key))]
    if isinstance(value, list):
        return [p for n, inner in enumerate(value) for p in text_fields(inner, (*place, n))]
    return [place] if isinstance(value, str) else []


@pytest.mark.requirement("R67")
def test_no_text_of_an_ewn_can_be_blank() -> None:
    document = ewn().model_dump(mode="json")
    # The only text that is empty is that of H3, when there is no H3.
    places = [p for p in text_fields(document) if p[-1] != "handling_text"]
    assert len(places) > 60
    for place in places:
        changed = ewn().model_dump(mode="json")
        inner = changed
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = " \t "
        with pytest.raises(Refused):
            early_warning(changed)


@pytest.mark.requirement("R67")
def test_what_is_not_known_is_said_to_be_so() -> None:
    warning = ewn()
    assert warning.mitigation.measures == ("none identified",)
    assert warning.facts.vector == "unknown"
    document = warning.model_dump(mode="json")
    document["mitigation"]["measures"] = []
    assert early_warning(document).mitigation.measures == ("none identified",)


@pytest.mark.requirement("R29", "R30", "R34")
def test_a_draft_takes_over_what_the_assessment_says() -> None:
    warning = ewn()
    assert warning.header.id == "LEERP-INC-1-EWN-1"
    assert warning.status.threat_class == "C4"
    assert warning.status.triggers == ("T1 high likelihood of broader propagation",)
    assert warning.bottom_line.malicious == "presumed"
    assert warning.bottom_line.cross_border == "yes"
    assert warning.facts.countries == ("DE", "ES", "FR")
    assert warning.blueprint.root_cause == "malicious-actions"
    assert warning.provenance.inputs == ("2-0011", "3-0022")
    assert warning.provenance.providers == ("Police of Exampleland", "Police of Otherland")
    assert warning.header.next_update == NOW + timedelta(hours=6)


def test_a_second_draft_supersedes_the_first_and_keeps_its_changes() -> None:
    first = ewn()
    second = draft_ewn(
        {**ASSESSMENT, "countries": ["DE"], "class_before_cap": "C4", "threat_class": "C3"},
        officer_input(change="one state less"),
        incident_id="INC-1",
        number=2,
        facts=(fact(),),
        indicators=(),
        inputs=("2-0011",),
        contact_points=POINTS,
        author="o.two",
        triggered_at=NOW,
        now=NOW + timedelta(hours=5),
        valid_for=timedelta(hours=6),
        acknowledge_within=timedelta(minutes=15),
        exercise=False,
        previous=first,
    )
    assert second.header.supersedes == "LEERP-INC-1-EWN-1"
    assert [change.text for change in second.changes] == ["first issue", "one state less"]
    assert second.bottom_line.cross_border == "unknown"
    assert "K1" in second.status.notes[0]


@pytest.mark.requirement("R29")
def test_without_inputs_or_facts_there_is_no_ewn() -> None:
    with pytest.raises(Refused, match="section 4 Facts"):
        ewn(facts=())


def test_six_bottom_lines_are_one_too_many() -> None:
    document = ewn().model_dump(mode="json")
    document["bottom_line"]["lines"] = ["line"] * 6
    with pytest.raises(Refused, match="section 2 Bottom line, lines"):
        early_warning(document)


@pytest.mark.requirement("R32")
def test_the_sanitised_variant_names_no_source_no_person_and_no_red_indicator() -> None:
    view = ewn().view(Variant.SANITISED)
    assert [item.fact.text for item in view.timeline] == ["Ransom notes seen in three hospitals"]
    assert not any(item.sourced for item in view.timeline)
    assert [item.line.type for item in view.indicators] == ["url"]
    assert not view.shows("provenance")
    assert not view.shows("law_enforcement")
    assert view.shows("preservation")
    assert view.marking.pap is Pap.AMBER


@pytest.mark.requirement("R32")
def test_the_summary_keeps_header_bottom_line_and_status_only() -> None:
    view = ewn().view(Variant.SUMMARY)
    assert (view.timeline, view.indicators) == ((), ())
    assert [s for s in SECTIONS if view.shows(s)] == ["header", "bottom_line", "status"]


def test_the_full_variant_leaves_nothing_out() -> None:
    view = ewn().view(Variant.FULL)
    assert view.reduced.omissions == ()
    assert len(view.timeline) == len(view.indicators) == 2
    assert view.marking.pap is Pap.RED


@pytest.mark.requirement("R31")
@given(
    level=st.sampled_from(Classification),
    tlp=st.sampled_from(Tlp),
    codes=st.frozensets(st.sampled_from(HandlingCode)),
)
def test_the_marking_of_the_whole_is_that_of_its_strictest_part(
    level: Classification, tlp: Tlp, codes: frozenset[HandlingCode]
) -> None:
    strict = Marking(classification=level, tlp=tlp, handling_codes=codes, handling_text="read")
    warning = ewn(facts=(fact(), fact("other", marking=strict)), indicators=(indicator(),))
    marking = warning.view(Variant.FULL).marking
    assert marking.combined_with(strict) == marking
    assert marking.combined_with(warning.marking) == marking


def test_an_ewn_is_the_same_after_a_way_through_json() -> None:
    warning = ewn()
    again = read_content(warning.model_dump(mode="json"))
    assert isinstance(again, EarlyWarning)
    assert again == warning
