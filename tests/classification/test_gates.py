"""G1 to G4: what they need, one condition at a time."""

from __future__ import annotations

import pytest

from classification.collecting import collect
from classification.evidence import Evidence
from classification.findings import Findings, ProbableCountry
from classification.gates import GateResult, cause_gate, graded_gate, nexus_gate
from protocol.profile import Profile
from protocol.report import Cause
from tests.classification.builders import PROFILE, RULES, confirmed_cause, make_evidence

LATER_PROFILE = PROFILE.model_copy(update={"exclude_human_error": True})


def g1(
    *items: Evidence, confirmed: Cause | None = Cause.NATURAL, profile: Profile = PROFILE
) -> GateResult:
    findings = Findings(cause=confirmed_cause(confirmed) if confirmed else None)
    return cause_gate(collect(items, RULES), findings, profile)


def says(
    cause: Cause,
    report_id: str = "2-a",
    grade: str | None = "B2",
    *,
    clear: bool = True,
    in_charge: bool = False,
    origin: str = "",
    retracted: bool = False,
) -> Evidence:
    return make_evidence(
        report_id,
        grade,
        cause=cause,
        cause_clear=clear,
        cause_by_authority=in_charge,
        origin=origin or report_id,
        retracted=retracted,
    )


@pytest.mark.requirement("R8", "R10")
class TestNatureOfCause:
    @pytest.mark.parametrize("grade", ["A1", "A2", "B1", "B2"])
    def test_one_good_report_of_the_authority_in_charge_makes_it_clear(self, grade: str) -> None:
        result = g1(says(Cause.NATURAL, grade=grade, in_charge=True))
        assert not result.passed
        assert "officer-1 confirms it: called the operator" in result.reason

    @pytest.mark.parametrize("grade", ["A3", "B3", "C1", "X1", "X4", None])
    def test_a_weaker_report_of_the_authority_does_not(self, grade: str | None) -> None:
        assert g1(says(Cause.NATURAL, grade=grade, in_charge=True)).passed

    def test_one_good_report_of_somebody_else_does_not(self) -> None:
        assert g1(says(Cause.NATURAL, grade="A1")).passed

    def test_two_independent_reports_make_it_clear(self) -> None:
        first, second = says(Cause.NATURAL, "2-a", "B3"), says(Cause.NATURAL, "2-b", "A3")
        assert not g1(first, second).passed

    def test_two_reports_of_one_origin_or_of_two_causes_do_not(self) -> None:
        first = says(Cause.NATURAL, "2-a", "B3", origin="cert")
        assert g1(first, says(Cause.NATURAL, "2-b", "B3", origin="cert")).passed
        assert g1(first, says(Cause.TECHNICAL_FAILURE, "2-b", "B3")).passed

    def test_a_report_that_does_not_call_the_cause_clear_does_not_count(self) -> None:
        assert g1(says(Cause.NATURAL, in_charge=True, clear=False)).passed

    def test_without_an_officers_confirmation_the_presumption_stands(self) -> None:
        result = g1(says(Cause.NATURAL, in_charge=True), confirmed=None)
        assert result.passed
        assert "no officer has confirmed" in result.reason

    def test_the_officer_must_confirm_the_very_cause(self) -> None:
        operator = says(Cause.NATURAL, in_charge=True)
        assert g1(operator, confirmed=Cause.TECHNICAL_FAILURE).passed
        assert g1(operator, confirmed=Cause.MALICIOUS).passed

    def test_an_officers_word_alone_is_not_enough_and_the_reason_says_what_is(self) -> None:
        result = g1(confirmed=Cause.NATURAL)
        assert result.passed
        assert "B2 or better" in result.reason
        assert "B3 or better" in result.reason

    @pytest.mark.parametrize(
        ("grade", "in_scope"), [("B3", True), ("A1", True), ("C1", False), ("X4", False)]
    )
    def test_a_credible_report_of_malice_keeps_it_in_scope(
        self, grade: str, in_scope: bool
    ) -> None:
        operator = says(Cause.NATURAL, in_charge=True)
        assert g1(operator, says(Cause.MALICIOUS, "3-b", grade, clear=False)).passed is in_scope

    def test_a_withdrawn_report_of_malice_does_not_keep_it_in_scope(self) -> None:
        operator = says(Cause.NATURAL, in_charge=True)
        assert not g1(operator, says(Cause.MALICIOUS, "3-b", "A1", retracted=True)).passed

    def test_human_error_is_excluded_only_by_a_profile_that_says_so(self) -> None:
        operator = says(Cause.HUMAN_ERROR, in_charge=True)
        assert g1(operator, confirmed=Cause.HUMAN_ERROR).passed
        assert not g1(operator, confirmed=Cause.HUMAN_ERROR, profile=LATER_PROFILE).passed

    def test_a_third_party_is_never_an_exclusion_by_itself(self) -> None:
        operator = says(Cause.THIRD_PARTY, in_charge=True)
        assert g1(operator, confirmed=Cause.THIRD_PARTY, profile=LATER_PROFILE).passed


class TestNexus:
    @pytest.mark.parametrize(
        ("country", "passes"), [("DE", True), ("NO", True), ("US", False), ("GB", False)]
    )
    def test_one_affected_state_of_the_eu_or_eea_is_enough(
        self, country: str, passes: bool
    ) -> None:
        picture = collect([make_evidence(countries={country})], RULES).claimed(RULES)
        result = nexus_gate(picture, Findings(), PROFILE)
        assert result.passed is passes
        assert (country in result.reason) is passes

    @pytest.mark.parametrize(
        ("country", "probability", "passes"),
        [("DE", 0.55, True), ("DE", 0.54, False), ("US", 1.0, False)],
    )
    def test_a_probable_one_is_enough_too(
        self, country: str, probability: float, passes: bool
    ) -> None:
        probable = ProbableCountry(
            officer="officer-1", text="customers", country=country, probability=probability
        )
        picture = collect([], RULES).claimed(RULES)
        result = nexus_gate(picture, Findings(probable_countries=(probable,)), PROFILE)
        assert result.passed is passes


@pytest.mark.requirement("R11")
def test_x4_is_a_grade_and_no_grade_is_none() -> None:
    unjudged, ungraded = make_evidence("2-a", "X4"), make_evidence("2-b", None)
    assert graded_gate(collect([unjudged], RULES)).passed
    result = graded_gate(collect([unjudged, ungraded], RULES))
    assert not result.passed
    assert result.reason.startswith("1 report(s) are ungraded")
