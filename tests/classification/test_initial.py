"""The Initial Threat Assessment is refused while a step of stage II is missing, and names each."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from classification.assessment import Assessment, assess
from classification.evidence import Evidence
from classification.findings import Findings
from classification.initial import InitialThreatAssessment, initial_threat_assessment
from classification.sensitivity import what_would_change
from protocol.errors import Refused
from protocol.markings import Marking, Tlp
from protocol.profile import Profile
from tests.classification.builders import PROFILE, stated
from tests.classification.threats import (
    AT,
    SITUATION,
    behind,
    completion,
    graded,
    initial,
    item,
)

pytestmark = pytest.mark.requirement("R16")


def assessed(*items: Evidence, findings: Findings | None = None) -> Assessment:
    return assess(items, findings or Findings(), PROFILE)


def build(
    *items: Evidence,
    assessment: Assessment | None = None,
    situation: str = SITUATION,
    officer: str = "officer-1",
    profile: Profile = PROFILE,
    **counted: Any,
) -> InitialThreatAssessment:
    """Of these items; ``assessment`` is another one than theirs, ``counted`` changes each report."""
    made = assessment or assessed(*items)
    reports = [graded(each, **counted) for each in items if not each.retracted]
    return initial_threat_assessment(
        made,
        what_would_change(items, Findings(), PROFILE, at_most=1),
        behind(reports, made),
        completion().model_copy(update={"officer": officer}),
        situation=situation,
        profile=profile,
    )


def refusal(*items: Evidence, **said: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        build(*items, **said)
    return refused.value


@pytest.mark.requirement("R12", "R17")
def test_it_joins_assessment_and_reports_with_the_situation_in_an_officers_words() -> None:
    items = (item(1, "X4"), item(2, "B2"))
    made = build(*items, situation="  Hospitals turn patients away. ")
    assert made.assessment == assessed(*items)
    assert made.situation == "Hospitals turn patients away."
    assert (made.completion.officer, made.completion.at) == ("officer-1", AT)
    assert made.evaluation_system == "europol4x4"
    assert [str(count.grade) for count in made.reports.grades] == ["B2", "X4"]
    assert made.cells == PROFILE.classification.cells
    assert InitialThreatAssessment.model_validate_json(made.model_dump_json()) == made


@pytest.mark.requirement("R11")
def test_without_a_report_in_force_it_is_refused() -> None:
    found = refusal(item(retracted=True))
    assert found.reason == "no-evidence"
    assert "R11" in str(found)
    assert "add a report" in str(found)


@pytest.mark.requirement("R11")
def test_with_an_ungraded_report_it_is_refused() -> None:
    found = refusal(item(1), item(2, None))
    assert found.reason == "ungraded"
    assert "1 report(s) are ungraded; grade them with 'leerp incidents grade'" in str(found)


@pytest.mark.requirement("R11")
def test_with_a_report_that_the_assessment_does_not_know_it_is_refused() -> None:
    found = refusal(item(1), item(2), assessment=assessed(item(1)))
    assert found.reason == "not-assessed"
    assert "differ by 1 report(s); wait" in str(found)


@pytest.mark.requirement("R12")
def test_without_an_evaluation_system_on_record_it_is_refused() -> None:
    found = refusal(item(1), item(2), system="")
    assert found.reason == "no-system"
    assert "(R12): of 2 report(s)" in str(found)


@pytest.mark.requirement("R13", "R14")
@pytest.mark.parametrize("change", [{"matrix": "leerp-tcm/2"}, {"version": 2}])
def test_placed_by_another_matrix_or_profile_it_is_refused(change: dict[str, object]) -> None:
    found = refusal(item(), profile=PROFILE.model_copy(update=change))
    assert found.reason == "other-profile"
    assert "step 2" in str(found)
    assert "R13" in str(found)
    assert "assess it again" in str(found)


@pytest.mark.requirement("R13")
def test_with_a_gate_that_was_not_examined_it_is_refused() -> None:
    made = assessed(item())
    found = refusal(item(), assessment=made.model_copy(update={"gates": made.gates[:2]}))
    assert found.reason == "no-gates"
    assert "not examined: G3, G4" in str(found)


@pytest.mark.requirement("R15")
def test_with_a_trigger_that_rests_on_nothing_it_is_refused() -> None:
    made = assessed(item(), findings=Findings(triggers=(stated("T3"),)))
    groundless = [trigger.model_copy(update={"reason": " "}) for trigger in made.triggers]
    found = refusal(item(), assessment=made.model_copy(update={"triggers": tuple(groundless)}))
    assert found.reason == "no-ground"
    assert "step 3" in str(found)
    assert "T3 stands without evidence or author" in str(found)


@pytest.mark.requirement("R17")
@pytest.mark.parametrize("text", ["", " \n", "\u200b\u2060"])
def test_without_a_text_that_can_be_read_it_is_refused(text: str) -> None:
    found = refusal(item(), situation=text)
    assert found.reason == "no-situation"
    assert "R17" in str(found)
    assert "--text" in str(found)


@pytest.mark.requirement("R1")
def test_without_a_named_officer_it_is_refused() -> None:
    found = refusal(item(), officer=" ")
    assert found.reason == "no-officer"
    assert "not named" in str(found)


@pytest.mark.requirement("R11", "R13", "R17")
def test_all_missing_steps_are_named_at_once_and_in_their_order() -> None:
    found = refusal(
        item(1, None), situation="", profile=PROFILE.model_copy(update={"matrix": "other/1"})
    )
    places = [str(found).index(name) for name in ("R11", "R13", "R17")]
    assert places == sorted(places)
    assert found.reason == "ungraded"


@pytest.mark.requirement("R1", "R11", "R13", "R15", "R17")
def test_each_missing_step_says_what_it_is_and_what_to_do() -> None:
    made = assessed(item(1, None), findings=Findings(triggers=(stated("T3"),)))
    groundless = made.model_copy(
        update={
            "triggers": tuple(t.model_copy(update={"reason": " "}) for t in made.triggers),
            "gates": made.gates[:2],
        }
    )
    other = PROFILE.model_copy(update={"matrix": "other/1"})
    found = str(
        refusal(item(1, None), assessment=groundless, situation="", officer="", profile=other)
    )
    assert found.split("; ") == [
        "step 1, evaluation of every item, is missing (R11): 1 report(s) are ungraded",
        "grade them with 'leerp incidents grade', with X4 where nobody can judge",
        (
            "step 2, the threat classification matrix, is missing (R13, R14): the incident is to be "
            "placed by matrix other/1 of profile leerp-2017-draft/1, not by leerp-tcm/1 of "
            "leerp-2017-draft/1"
        ),
        "assess it again",
        "step 2, the threat classification matrix, is missing (R13, R14): not examined: G3, G4",
        "assess the incident again",
        "step 3, the escalation triggers, is missing (R15): T2, T3 stands without evidence or author",
        "state it again with 'leerp incidents state'",
        (
            "the text on the situation is missing (R17): say what is known from the point of view of "
            "law enforcement, with --text or --text-file"
        ),
        "the officer who makes the assessment is missing (R1): she is not named",
        "name her with --as",
    ]


@pytest.mark.parametrize("text", ["x" * 10_001, "bell \x07"])
def test_a_text_that_cannot_be_kept_is_no_situation(text: str) -> None:
    with pytest.raises(ValidationError, match="situation"):
        build(item(), situation=text)


@pytest.mark.requirement("R31", "R32")
def test_it_is_never_marked_lower_than_the_officers_own_words() -> None:
    assert initial(marking=Marking(tlp=Tlp.CLEAR)).marking == Marking()
    assert initial(marking=Marking(tlp=Tlp.RED)).marking.tlp is Tlp.RED
