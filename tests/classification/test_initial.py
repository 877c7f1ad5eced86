"""The Initial Threat Assessment is refused while a step of stage II is missing."""

from __future__ import annotations

import pytest

from classification.assessment import Assessment, assess
from classification.evidence import Evidence
from classification.findings import Findings
from classification.initial import InitialThreatAssessment, initial_threat_assessment
from protocol.errors import Refused
from protocol.profile import Profile
from tests.classification.builders import PROFILE, make_evidence

pytestmark = pytest.mark.requirement("R16")


def assessed(*items: Evidence) -> Assessment:
    return assess(items, Findings(), PROFILE)


def build(
    assessment: Assessment,
    *,
    situation: str = "Hospitals in three states turn patients away.",
    officer: str = "officer-1",
    profile: Profile = PROFILE,
) -> InitialThreatAssessment:
    return initial_threat_assessment(
        assessment, situation=situation, officer=officer, profile=profile
    )


@pytest.mark.requirement("R12", "R17")
def test_it_joins_the_assessment_with_the_situation_in_an_officers_words() -> None:
    assessment = assessed(make_evidence(grade="X4"))
    initial = build(assessment, situation="  Hospitals turn patients away. ")
    assert initial.assessment == assessment
    assert initial.situation == "Hospitals turn patients away."
    assert (initial.officer, initial.evaluation_system) == ("officer-1", "europol4x4")
    assert InitialThreatAssessment.model_validate_json(initial.model_dump_json()) == initial


@pytest.mark.requirement("R11")
def test_without_a_report_in_force_it_is_refused() -> None:
    with pytest.raises(Refused, match=r"R11.*add a report") as refused:
        build(assessed(make_evidence(retracted=True)))
    assert refused.value.reason == "no-evidence"


@pytest.mark.requirement("R11")
def test_with_an_ungraded_report_it_is_refused() -> None:
    with pytest.raises(Refused, match=r"1 report\(s\) are ungraded") as refused:
        build(assessed(make_evidence("2-a"), make_evidence("2-b", None)))
    assert refused.value.reason == "ungraded"


@pytest.mark.requirement("R13")
@pytest.mark.parametrize("change", [{"matrix": "leerp-tcm/2"}, {"version": 2}])
def test_placed_by_another_matrix_or_profile_it_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(Refused, match="assess it again") as refused:
        build(assessed(make_evidence()), profile=PROFILE.model_copy(update=change))
    assert refused.value.reason == "other-profile"


@pytest.mark.requirement("R17")
def test_without_the_text_on_the_situation_it_is_refused() -> None:
    with pytest.raises(Refused, match="R17") as refused:
        build(assessed(make_evidence()), situation=" \n")
    assert refused.value.reason == "no-situation"


def test_without_a_named_officer_it_is_refused() -> None:
    with pytest.raises(Refused, match="not named") as refused:
        build(assessed(make_evidence()), officer=" ")
    assert refused.value.reason == "no-officer"
