"""The four variants: what each keeps, and the difference with its reasons."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.ewn import EarlyWarning
from notifications.ewn_variants import made_for, sheet, sheets
from notifications.products import Purpose, Variant
from notifications.rendering import render
from protocol.markings import HandlingCode, Marking, Pap
from protocol.parties import RecipientClass
from tests.notifications.samples import ewn, fact, indicator, recipient

H2 = Marking(handling_codes=frozenset({HandlingCode.H2}))


def rich() -> EarlyWarning:
    return ewn(
        facts=(
            fact("open fact"),
            fact("named person", personal_data=True),
            fact("police fact", purpose=Purpose.CRIME),
            fact("held fact", marking=H2),
        ),
        indicators=(indicator(), indicator("203.0.113.9", type="ip", marking=Marking(pap=Pap.RED))),
        gaps=("who is behind it",),
        do_not=("do not block 203.0.113.9",),
    )


def test_each_class_has_the_variant_that_is_written_for_it() -> None:
    readers = {s.variant: set(s.readers) for s in sheets(rich())}
    assert readers[Variant.TECHNICAL] == {RecipientClass.EU_BODY, RecipientClass.CSIRT_NETWORK}
    assert readers[Variant.SANITISED] == {RecipientClass.PRIVATE_PARTNER}
    assert readers[Variant.SUMMARY] == {RecipientClass.CRISIS_COMMUNICATION}
    assert set().union(*readers.values()) == set(RecipientClass)


@pytest.mark.requirement("R32")
def test_the_difference_names_each_piece_with_its_section_and_the_reason() -> None:
    found = {each.component: each for each in sheet(rich(), Variant.TECHNICAL).left_out}
    assert found["fact-2"].reason == "personal data"
    assert found["fact-3"].reason == "for police and justice only"
    assert found["fact-4"].reason == "handling code H2"
    assert found["fact-1-source"].reason == "identity of a source"
    assert found["indicator-2"].reason == "PAP:RED"
    assert found["indicator-2"].section == "8 Indicators"
    assert found["indicator-2"].what == "indicator 2: ip 203[.]0[.]113[.]9"
    assert "gaps" not in found
    narrow = {each.component: each for each in sheet(rich(), Variant.SANITISED).left_out}
    assert narrow["gaps"].reason == narrow["blueprint"].reason == "for authorities only"
    assert narrow.keys() > found.keys()
    assert sheet(rich(), Variant.FULL).left_out == ()


@pytest.mark.requirement("R31", "R32")
def test_each_variant_has_its_own_marking_and_says_no_more_than_it_keeps() -> None:
    told = {v: render(rich(), recipient(), v, None) for v in Variant}
    for variant, mail in told.items():
        marking = sheet(rich(), variant).marking
        assert all(line in mail.text for line in marking.lines())
    assert "H2" in told[Variant.FULL].text
    for variant in list(Variant)[1:]:
        both = told[variant].text + told[variant].html
        for dropped in ("named person", "police fact", "held fact", "Police of", "H2"):
            assert dropped not in both
        assert "PAP:RED" not in both
    assert "who is behind it" in told[Variant.TECHNICAL].text
    assert "who is behind it" not in told[Variant.SANITISED].text
    assert "o.one" in told[Variant.TECHNICAL].text
    assert "o.one" not in told[Variant.SANITISED].text
    assert "firewall logs" not in told[Variant.SUMMARY].text


@pytest.mark.requirement("R32")
@given(
    purposes=st.lists(st.sampled_from(Purpose), max_size=4),
    personal=st.booleans(),
    pap=st.sampled_from(Pap),
)
def test_each_variant_keeps_no_more_than_the_fuller_one(
    purposes: list[Purpose], personal: bool, pap: Pap
) -> None:
    facts = tuple(
        fact(f"f{n}", purpose=p, personal_data=personal, marking=Marking(pap=pap))
        for n, p in enumerate(purposes)
    )
    product = ewn(facts=(fact(), *facts)).product()
    kept = [{c.id for c in product.variant(v).components} for v in Variant]
    assert all(fuller >= barer for fuller, barer in itertools.pairwise(kept))


def test_what_is_made_for_a_class_follows_the_matrix() -> None:
    assert made_for(RecipientClass.LE_POC) is Variant.FULL
    assert made_for(RecipientClass.INTERPOL) is Variant.FULL
    assert made_for(RecipientClass.DUTY_MANAGER) is Variant.FULL
