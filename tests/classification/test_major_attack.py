"""The major-attack test of stage I: two limbs, either is enough."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given

from classification.claimed import NOTHING, Claimed
from classification.collecting import collect
from classification.evidence import Evidence
from classification.major_attack import major_attack_test, major_attack_test_of
from protocol.report import Disruption
from tests.classification.builders import PROFILE, bodies, evidence_items, make_evidence

pytestmark = pytest.mark.requirement("R7")


@pytest.mark.parametrize(
    ("said", "met"),
    [
        ({"criteria": {"significant-incident"}, "countries": {"DE", "US"}}, True),
        ({"criteria": {"significant-incident"}, "countries": {"DE"}}, False),
        ({"criteria": {"significant-incident"}, "organisations": {"a", "b", "c"}}, True),
        ({"criteria": {"significant-incident"}, "organisations": {"a", "b"}}, False),
        ({"criteria": {"significant-incident"}, "organisations_min": 3}, True),
        ({"criteria": {"significant-incident"}, "victims_min": 3}, True),
        ({"criteria": {"small-loss"}, "countries": {"DE", "FR"}, "victims_min": 9_000}, False),
    ],
)
def test_the_first_limb_needs_high_impact_and_multiple_victims(
    said: dict[str, Any], met: bool
) -> None:
    result = major_attack_test([make_evidence(**said)], PROFILE)
    assert result.multiple_victims.met is result.may_be_major is met


HARM: dict[str, Any] = {"criteria": {"control-plane-taken"}, "sectors": {"energy"}}


@pytest.mark.parametrize(
    ("said", "met"),
    [
        (HARM, True),
        ({**HARM, "disruption": Disruption.OBSERVED}, True),
        ({**HARM, "disruption": Disruption.IMMINENT}, True),
        ({**HARM, "disruption": Disruption.NONE}, False),
        ({**HARM, "sectors": {"food"}}, False),
        ({**HARM, "criteria": {"significant-incident"}}, False),
    ],
)
def test_the_second_limb_needs_grave_impact_on_an_essential_sector_that_may_be_disrupted(
    said: dict[str, Any], met: bool
) -> None:
    result = major_attack_test([make_evidence(**said)], PROFILE)
    assert result.critical_infrastructure.met is result.may_be_major is met
    assert result.critical_infrastructure.reason


def test_grades_do_not_matter_for_what_may_be() -> None:
    for grade in ("X4", None, "A1"):
        assert major_attack_test([make_evidence(grade=grade, **HARM)], PROFILE).may_be_major


def test_one_phishing_report_or_none_is_no_major_attack() -> None:
    phishing = make_evidence(criteria={"attempt-blocked"}, victims_min=1)
    assert not major_attack_test([phishing], PROFILE).may_be_major
    assert not major_attack_test([], PROFILE).may_be_major


def test_both_reasons_name_what_was_found_and_what_is_needed() -> None:
    result = major_attack_test([make_evidence(**HARM)], PROFILE)
    assert "impact I3 (I2 needed), 0 state(s) (2 needed)" in result.multiple_victims.reason
    assert "impact I3 (I3 needed), essential sectors: energy" in (
        result.critical_infrastructure.reason
    )


@given(body=bodies())
def test_order_and_duplicates_do_not_matter(body: list[Evidence]) -> None:
    shuffled = body * 2
    random.Random(len(body)).shuffle(shuffled)
    assert major_attack_test(shuffled, PROFILE) == major_attack_test(body, PROFILE)


@given(body=bodies(), more=evidence_items("9-new"))
def test_a_further_report_never_turns_the_answer_to_no(
    body: list[Evidence], more: Evidence
) -> None:
    before = major_attack_test(body, PROFILE)
    after = major_attack_test([*body, more], PROFILE)
    assert before.multiple_victims.met <= after.multiple_victims.met
    assert before.critical_infrastructure.met <= after.critical_infrastructure.met


@given(body=bodies())
def test_claims_joined_one_by_one_give_the_same_answer_as_the_whole_body(
    body: list[Evidence],
) -> None:
    rules = PROFILE.classification
    whole = {item.report_id: item for item in body}.values()
    joined = NOTHING
    for item in [*whole, *whole]:
        joined = Claimed.from_json(joined.joined(Claimed.of(item, rules)).to_json())
    assert joined.picture(rules) == collect(whole, rules).claimed(rules)
    assert major_attack_test_of(joined, PROFILE) == major_attack_test(whole, PROFILE)
