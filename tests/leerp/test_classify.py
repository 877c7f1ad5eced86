"""`leerp classify`: an evidence file to a class, offline, alone, by other matrices and by the folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.matrices import find_matrix
from infra.settings import Settings
from leerp.classify import Classified, classify, classify_folder, differences
from leerp.classify_view import document, sections
from leerp.evidence_file import EvidenceFile
from leerp.explanation_view import Explained, explained
from protocol.errors import Refused
from protocol.stages import Recommendation
from tests.leerp.typed import DONE, REFUSED, USAGE, Run

PROFILE = Settings().profile()
STRICT = find_matrix("leerp-tcm-strict/1", PROFILE)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """No home is needed: classifying asks no service."""
    return tmp_path / "none"


def worm(report: str = "r1", **changes: Any) -> dict[str, Any]:
    return {
        "report": report,
        "origin": f"unit of {report}",
        "grade": "B2",
        "criteria": ["essential-service-sustained-denial"],
        "countries": ["DE", "FR", "NL", "ES"],
        "sectors": ["health"],
        "organisations": ["A", "B", "C"],
        "self_propagating": True,
        "disruption": "observed",
        **changes,
    }


def operator(**changes: Any) -> dict[str, Any]:
    """One essential operator in one state: the two matrices disagree."""
    return worm(
        countries=["DE"], organisations=["A"], sectors=["energy"], self_propagating=False, **changes
    )


def case(*items: dict[str, Any], **more: Any) -> EvidenceFile:
    data = {"evidence": items or (worm(),), **more}
    return EvidenceFile.model_validate_json(json.dumps(data), strict=True)


def written(folder: Path, name: str, /, *items: dict[str, Any], **more: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps({"evidence": items, **more}))
    return path


@pytest.mark.requirement("R13", "R15", "R16")
def test_a_worm_in_four_states_is_an_emergency() -> None:
    found = classify(case(), PROFILE).assessment

    assert found.threat_class == "C4"
    assert found.recommendation is Recommendation.LAUNCH
    assert any("T1" in sentence for sentence in found.reasons)


def test_what_nobody_judged_is_held_for_corroboration() -> None:
    item = worm()
    del item["grade"]
    found = classify(case(item), PROFILE).assessment

    assert found.recommendation is Recommendation.HOLD_CORROBORATE


@pytest.mark.requirement("R11")
def test_what_nobody_has_graded_yet_does_not_pass_g3() -> None:
    found = classify(case(worm(grade=None)), PROFILE).assessment

    assert [g.id for g in found.gates if not g.passed] == ["G3", "G4"]


def test_what_was_taken_back_counts_for_nothing() -> None:
    found = classify(case(worm(retracted=True)), PROFILE).assessment

    assert (found.threat_class, found.withdrawn) == ("C0", 1)


def test_findings_of_officers_count() -> None:
    calm = worm(self_propagating=False, sectors=[], criteria=["significant-incident"])
    stated = {
        "triggers": [
            {"trigger": "T3", "officer": "m.rossi", "text": "asked", "reference": "Council note"}
        ]
    }
    alone = classify(case(calm), PROFILE).assessment
    lifted = classify(case(calm, findings=stated), PROFILE).assessment

    assert alone.recommendation is Recommendation.MONITOR
    assert lifted.recommendation is Recommendation.LAUNCH


@pytest.mark.requirement("R14")
def test_another_matrix_is_compared_with_the_profiles_own() -> None:
    found = classify(case(operator()), PROFILE, STRICT)

    assert (found.assessment.matrix, found.assessment.threat_class) == (STRICT.matrix, "C2")
    assert [(a.matrix, a.threat_class) for a in found.compared] == [("leerp-tcm/1", "C3")]
    assert classify(case(operator()), PROFILE).compared == ()
    assert classify(case(operator()), PROFILE, PROFILE.matrix_in_force()).compared == ()


def test_extra_facts_reach_the_scales_and_nothing_else() -> None:
    plain = classify(case(), PROFILE)
    told = classify(case(facts={"uk_ncsc": {"severe_consequences": False}}), PROFILE)

    assert told.assessment == plain.assessment
    assert told.scores != plain.scores


def why(found: Classified) -> Explained:
    return explained(found.file.items(), found.file.findings, found.profile)


def test_the_sections_lead_from_the_answer_to_its_reasons_and_to_others() -> None:
    found = classify(case(operator(), expect={"class": "C2"}), PROFILE, STRICT)
    shown = dict(sections(found, why(found)))

    assert list(shown) == [
        "C2 (I4P1), recommendation monitor",
        "What would change it",
        "How robust it is",
        "By other matrices",
        "Scales of others, for information only",
        "Expected",
    ]
    assert shown["Expected"] == ("all came out as expected",)
    assert shown["By other matrices"] == ("leerp-tcm/1: C3 (I4/P1), recommendation launch",)
    assert len(shown["Scales of others, for information only"]) == len(found.scores)
    assert shown["What would change it"]
    unexpected = classify(case(), PROFILE)
    assert "Expected" not in dict(sections(unexpected, why(unexpected)))


def test_the_document_holds_the_assessment_and_what_stands_beside_it() -> None:
    seen = {"observed_first": "2026-01-01T00:00:00Z"}
    late = {"observed_last": "2026-01-02T00:00:00+01:00"}
    gone = worm("r3", retracted=True, observed_first="2020-01-01T00:00:00Z")
    found = classify(case(worm(**seen), worm("r2", **late), gone, name="x"), PROFILE)
    shown = document(found, why(found))

    assert shown["name"] == "x"
    assert shown["threat_class"] == "C4"
    assert shown["observed"] == {
        "first": "2026-01-01T00:00:00+00:00",
        "last": "2026-01-02T00:00:00+01:00",
    }
    assert shown["differs"] is None
    assert {score["id"] for score in shown["side_scores"]} == {s.id for s in found.scores}
    assert json.loads(json.dumps(shown)) == shown


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ({"class": "C3"}, "class: C3 expected, C4 found"),
        ({"recommendation": "monitor"}, "recommendation: monitor expected, launch found"),
        ({"impact": "I2"}, "impact: I2 expected, I4 found"),
        ({"reach": "P2"}, "reach: P2 expected, P4 found"),
        ({"triggers": []}, "triggers: none expected, T1, T2 found"),
        ({"not_passed": ["G1"]}, "not passed: G1 expected, none found"),
        ({"scores": {"uk-ncsc": "2"}}, "uk-ncsc: 2 expected, 1 found"),
        (
            {"scores": {"nis2-significant": None}},
            "nis2-significant: not enough known expected, yes found",
        ),
        ({"scores": {"nciss": "1.0"}}, "nciss: 1.0 expected, not enough known found"),
    ],
)
def test_what_did_not_come_out_as_expected_is_told(expected: dict[str, Any], words: str) -> None:
    found = classify(case(expect=expected), PROFILE)
    assert found.file.expect is not None
    assert differences(found.file.expect, found) == (words,)


def test_what_is_not_expected_is_not_compared() -> None:
    found = classify(case(expect={}), PROFILE)
    assert found.file.expect is not None
    assert differences(found.file.expect, found) == ()


def test_a_folder_is_run_by_name_and_other_files_are_passed_over(tmp_path: Path) -> None:
    written(tmp_path, "b.json", worm(), expect={"class": "C4"})
    written(tmp_path, "a.json", worm(grade="B7"))
    written(tmp_path, "c.json", worm(), name="third", expect={"class": "C1"})
    (tmp_path / "notes.txt").write_text("x")
    cases = classify_folder(tmp_path, PROFILE)

    assert [each.name for each in cases] == ["a", "b", "third"]
    assert "evidence.0.grade" in cases[0].differs[0]
    assert cases[1].differs == ()
    assert cases[2].differs == ("class: C1 expected, C4 found",)


def test_a_folder_without_cases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="holds no evidence file"):
        classify_folder(tmp_path, PROFILE)
    with pytest.raises(Refused, match="is no folder"):
        classify_folder(tmp_path / "gone", PROFILE)


def test_the_command_shows_class_reasons_and_scales(run: Run, tmp_path: Path) -> None:
    answer = run("classify", str(written(tmp_path, "a.json", worm())))

    assert answer.code == DONE
    assert answer.out.startswith("C4 (I4P4), recommendation launch\n")
    assert "Gate G4 passed" in answer.out
    assert "NIS Cooperation Group" in answer.out


def test_the_command_answers_programs(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, "a.json", operator())
    answer = run("classify", str(path), "--json", "--matrix", "leerp-tcm-strict/1")
    found = json.loads(answer.out)

    assert (answer.code, found["threat_class"]) == (DONE, "C2")
    assert [(m["matrix"], m["class"]) for m in found["by_other_matrices"]] == [
        ("leerp-tcm/1", "C3")
    ]


def test_a_wrong_file_is_refused_with_line_and_field(run: Run, tmp_path: Path) -> None:
    answer = run("classify", str(written(tmp_path, "a.json", worm(victims_min="many"))))

    assert answer.code == REFUSED
    assert "line 1, evidence.0.victims_min" in " ".join(answer.err.split())


def test_the_table_of_a_folder_fails_when_one_case_differs(run: Run, tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.mkdir()
    written(good, "a.json", worm(), name="the worm", expect={"class": "C4"})
    written(good, "b.json", worm())
    answer = run("classify", str(good), "--table")
    assert answer.code == DONE
    assert "the worm" in answer.out

    written(good, "c.json", worm(), expect={"class": "C0"})
    rows = run("classify", str(good), "--table", "--json")
    assert rows.code == REFUSED
    assert [row["as_expected"] for row in json.loads(rows.out)] == [True, None, False]
    assert json.loads(rows.out)[0]["triggers"] == "T1 T2"


def test_the_table_shows_what_another_matrix_makes_of_the_cases(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "cases"
    folder.mkdir()
    written(folder, "a.json", operator(), expect={"class": "C3"})
    assert run("classify", str(folder), "--table").code == DONE
    answer = run("classify", str(folder), "--table", "--matrix", STRICT.matrix, "--json")
    assert answer.code == REFUSED
    assert json.loads(answer.out)[0]["differs"] == ["class: C3 expected, C2 found"]


def test_a_file_that_cannot_be_read_is_a_row_of_the_table(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "cases"
    folder.mkdir()
    (folder / "a.json").write_text("{")
    answer = run("classify", str(folder), "--table", "--json")
    (row,) = json.loads(answer.out)
    assert (answer.code, row["case"], row["as_expected"]) == (REFUSED, "a", False)
    assert "line 1" in row["differs"][0]


def test_the_schema_is_printed_and_a_missing_file_is_wrong_usage(run: Run) -> None:
    answer = run("classify", "--schema")
    assert answer.code == DONE
    assert "EvidenceItem" in json.loads(answer.out)["$defs"]
    assert run("classify").code == USAGE
    assert run("classify", "gone.yaml").code == REFUSED
    assert run("classify", "gone.yaml", "--matrix", "no-such/1").code == REFUSED
