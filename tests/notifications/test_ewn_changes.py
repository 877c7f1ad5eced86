"""Versions: what changed is computed, and nobody learns from the log what their variant leaves out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.ewn import EarlyWarning
from notifications.ewn_changes import changes_between
from notifications.ewn_draft import draft_ewn
from notifications.ewn_sections import Verb
from notifications.products import Variant
from notifications.rendering import render
from protocol.grades import Grade
from protocol.markings import Marking, Pap
from tests.notifications.samples import (
    ASSESSMENT,
    NOW,
    POINTS,
    ewn,
    fact,
    indicator,
    officer_input,
    recipient,
)

RED = indicator("203.0.113.9", type="ip", marking=Marking(pap=Pap.RED))


def version(number: int, previous: EarlyWarning | None, **changes: Any) -> EarlyWarning:
    facts = changes.pop("facts", (fact(),))
    indicators = changes.pop("indicators", (indicator(),))
    assessment = ASSESSMENT | changes.pop("assessment", {})
    return draft_ewn(
        assessment,
        officer_input(**changes),
        incident_id="INC-1",
        number=number,
        facts=facts,
        indicators=indicators,
        inputs=("2-0011",),
        contact_points=POINTS,
        author=f"o.{number}",
        triggered_at=NOW,
        now=NOW + timedelta(hours=number),
        valid_for=timedelta(hours=6),
        acknowledge_within=timedelta(minutes=15),
        exercise=False,
        previous=previous,
    )


@pytest.mark.requirement("R47")
def test_a_new_version_says_what_changed_in_words_beside_the_officers_line() -> None:
    first = version(1, None)
    second = version(
        2,
        first,
        change="Warsaw reports",
        outlook="stable",
        assessment={"countries": ["DE", "ES", "FR", "PL"]},
        facts=(fact(grade=Grade.parse("A1")), fact("A clinic in Warsaw is hit")),
        preserve=("firewall logs with source ports",),
    )
    mail = render(second, recipient(), Variant.FULL, None)
    assert second.header.supersedes == first.header.id
    assert second.header.next_update == second.issued_at + timedelta(hours=6)
    said = " ".join(mail.text.split())
    for words in (
        "o.2: Warsaw reports",
        "Next six hours: stable instead of worsening",
        "Countries: added: Poland (PL)",
        "Fact: added: A clinic in Warsaw is hit",
        "Evaluation of a fact: A1 instead of B2 (Ransom notes seen in three hospitals)",
        "Evidence to preserve now: no longer: memory of one infected host",
    ):
        assert words in said
    assert "Countries: added" not in render(first, recipient(), Variant.FULL, None).text
    third = version(3, second, change="nothing new")
    assert [change.version for change in third.changes] == [1, 2, 3]
    assert third.changes[1] == second.changes[1]


@pytest.mark.requirement("R32", "R47")
def test_the_change_log_of_a_variant_tells_nothing_that_the_variant_leaves_out() -> None:
    first = version(1, None, indicators=(indicator(), RED))
    second = version(
        2,
        first,
        facts=(
            fact(),
            fact("A suspect was named", personal_data=True, provider="Police of Otherland"),
        ),
        gaps=("the second way in",),
        law_enforcement={"linked_cases": ("case 77",)},
    )
    full = render(second, recipient(), Variant.FULL, None).text
    for words in ("203[.]0[.]113[.]9", "A suspect was named", "case 77", "the second way in"):
        assert words in full
    for variant in (Variant.TECHNICAL, Variant.SANITISED):
        mail = render(second, recipient(), variant, None)
        for words in ("203[.]0[.]113[.]9", "A suspect was named", "case 77"):
            assert words not in mail.text + mail.html
    assert "the second way in" in render(second, recipient(), Variant.TECHNICAL, None).text
    assert "the second way in" not in render(second, recipient(), Variant.SANITISED, None).text


def test_of_two_alike_there_is_no_difference() -> None:
    assert changes_between(ewn(), ewn()) == ()
    assert changes_between(version(1, None), version(2, version(1, None))) == ()


names = st.lists(st.sampled_from(["DE", "ES", "FR", "PL", "AT"]), max_size=5, unique=True)


@given(before=names, after=names)
def test_lists_differ_by_exactly_what_came_and_went(before: list[str], after: list[str]) -> None:
    was = version(1, None, assessment={"countries": before})
    now = version(2, was, assessment={"countries": after})
    items = [item for item in now.changes[-1].items if item.field == "countries"]
    assert {i.after for i in items if i.verb is Verb.ADDED} == set(after) - set(before)
    assert {i.before for i in items if i.verb is Verb.REMOVED} == set(before) - set(after)


def test_a_very_long_piece_is_cut_in_the_log_only() -> None:
    text = "x" * 1_900
    second = version(2, version(1, None), facts=(fact(text),))
    items = second.changes[-1].items
    assert all(len(item.after) <= 240 for item in items)
    assert text in {f.text for f in second.facts.timeline}
