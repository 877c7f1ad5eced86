"""The example cases for training are those of domain 3.5 and come out as worked out there."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.matrices import shipped_matrices
from infra.settings import Settings
from leerp.classify import Case, classify_folder

PROFILE = Settings().profile()
FOLDER = Path(__file__).resolve().parents[2] / "examples" / "cases"
CASES = {case.path.stem: case for case in classify_folder(FOLDER, PROFILE)}
WORKED = {
    "wannacry": "C4 launch T1 T2 T5",
    "notpetya": "C4 launch T1 T2",
    "mirai-dyn": "C3 launch T1",
    "mirai-dyn-without-spread": "C3 monitor",
    "solarwinds": "C3 launch T1 T3",
    "colonial-pipeline": "C3 no-eu-nexus T2",
    "colonial-pipeline-in-europe": "C3 launch T2",
    "viasat": "C4 launch T2 T3",
    "ransomware-one-firm": "C1 normal-procedure",
    "phishing-one-report": "C0 normal-procedure",
    "fibre-cut": "C2 monitor",
    "fibre-cut-excavator": "C2 out-of-scope",
    "flood": "C4 out-of-scope T2",
    "wannacry-nobody-judged": "C4 hold-corroborate T1 T2 T5",
    "ransomware-campaign": "C3 launch T6",
    "phishing-wave": "C1 normal-procedure T2",
}
"""Rows of domain 3.5, and its sensitivity cases."""


def came_out(case: Case) -> str:
    assert case.classified, case.trouble
    result = case.classified.assessment
    triggers = " ".join(t.id for t in result.triggers)
    return f"{result.threat_class} {result.recommendation} {triggers}".strip()


def test_every_row_of_the_domain_has_a_case() -> None:
    assert set(CASES) == set(WORKED)
    assert {case.path.suffix for case in CASES.values()} == {".yaml", ".json", ".toml"}


@pytest.mark.requirement("R8", "R13", "R15", "R16", "R18")
@pytest.mark.parametrize("name", WORKED)
def test_the_case_comes_out_as_worked_out(name: str) -> None:
    assert came_out(CASES[name]) == WORKED[name]


@pytest.mark.parametrize("name", WORKED)
def test_the_case_says_itself_what_is_expected_and_that_comes_out(name: str) -> None:
    case = CASES[name]
    assert case.differs == ()
    assert case.classified is not None
    assert case.classified.file.expect is not None
    assert case.classified.file.expect.recommendation is not None
    assert case.classified.file.about


def test_the_shipped_alternative_differs_only_where_one_state_or_few_are_hit() -> None:
    strict = shipped_matrices()["leerp-tcm-strict/1"]
    found = {c.path.stem: c.differs for c in classify_folder(FOLDER, PROFILE, strict)}
    assert {name for name, differs in found.items() if differs} == {
        "colonial-pipeline",
        "colonial-pipeline-in-europe",
        "ransomware-campaign",
    }


def test_the_example_in_the_handbook_is_read_and_comes_out_as_it_says(tmp_path: Path) -> None:
    handbook = (FOLDER.parents[1] / "docs" / "classifying.md").read_text(encoding="utf-8")
    (tmp_path / "handbook.yaml").write_text(handbook.split("```yaml\n")[1].split("```")[0])
    (case,) = classify_folder(tmp_path, PROFILE)
    assert came_out(case) == "C4 launch T1 T2"
    assert case.differs == ()
