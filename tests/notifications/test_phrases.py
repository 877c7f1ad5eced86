"""Each language says everything, with the same places to fill in, and nobody's words become phrases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification.matrix import ReachLevel, ThreatClass
from classification.triggers import MEANINGS
from notifications.content import NONE_IDENTIFIED, UNKNOWN
from notifications.ewn_changes import FIELDS
from notifications.ewn_draft import (
    ALTERNATIVES,
    CAP,
    FIRST_ISSUE,
    GAPS,
    NO_VICTIMS,
    NOTHING_BEFORE,
    ROOT_CAUSE,
    SEVERITY,
    VICTIMS,
)
from notifications.ewn_sections import Confidence, CrossBorder, Likelihood, Malicious, Outlook, Verb
from notifications.phrases import DEFAULT, LANGUAGES, choose, filled, phrases, places
from notifications.products import Variant
from protocol.parties import RecipientClass
from protocol.report import ImpactLevel
from protocol.sectors import NIS2_SECTORS
from protocol.stages import Containment, NoticeKind, Recommendation

OTHERS = LANGUAGES[1:]


def leaves(table: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, value in table.items():
        if isinstance(value, str):
            yield (*place, name), value
        else:
            yield from leaves(value, (*place, name))


@pytest.mark.parametrize("language", OTHERS)
def test_each_language_has_the_phrases_of_english_with_the_same_places(language: str) -> None:
    english, other = dict(leaves(phrases(DEFAULT))), dict(leaves(phrases(language)))
    assert other.keys() == english.keys()
    assert {k: places(v) for k, v in other.items()} == {k: places(v) for k, v in english.items()}
    assert all(value.strip() for value in other.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_value_of_a_closed_vocabulary_has_a_phrase(language: str) -> None:
    t = phrases(language)
    for table, values in (
        ("malicious", Malicious),
        ("yesno", CrossBorder),
        ("outlooks", Outlook),
        ("likelihoods", Likelihood),
        ("confidences", Confidence),
        ("classes", RecipientClass),
        ("sectors", NIS2_SECTORS),
        ("outcome", Recommendation),
        ("recommendations", Recommendation),
        ("closure", Containment),
        ("kinds", (*NoticeKind, "centre")),
        ("threat_classes", ThreatClass),
        ("impacts", ImpactLevel),
        ("reaches", ReachLevel),
        ("root_causes", ROOT_CAUSE.values()),
        ("severities", SEVERITY.values()),
        ("ewn", (*Variant, *Verb, *FIELDS)),
    ):
        assert {str(value) for value in values} <= t[table].keys(), table
    own = {
        NONE_IDENTIFIED,
        UNKNOWN,
        FIRST_ISSUE,
        NOTHING_BEFORE,
        *ALTERNATIVES,
        *GAPS,
        VICTIMS,
        NO_VICTIMS,
        CAP,
        "not stated",
    }
    own |= {f"{trigger} {meaning}" for trigger, meaning in MEANINGS.items()}
    assert t["fixed"].keys() == own


def test_the_first_language_that_is_written_here_is_chosen_else_english() -> None:
    assert choose(("pl", "fr", "de")) == "fr"
    assert choose(("pl", "el")) == "en"
    with pytest.raises(KeyError):
        phrases("../../etc/passwd")


@given(value=st.text(max_size=40))
def test_what_is_filled_in_is_never_read_for_places_again(value: str) -> None:
    assert filled("<{a}> <{b}>", {"a": value, "b": "{a}"}) == f"<{value}> <{{a}}>"
    assert filled("{a}", {"a": "{a.__class__}"}) == "{a.__class__}"
