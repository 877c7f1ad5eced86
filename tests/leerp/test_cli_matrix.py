"""`leerp matrix`: shown whole, checked by line and cell, compared side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from protocol.matrix import IMPACTS, REACHES
from tests.leerp.typed import DONE, REFUSED, Run

pytestmark = pytest.mark.requirement("R13", "R14")
ROOT = Path(__file__).resolve().parents[2]
OWN = ROOT / "protocol" / "profiles" / "leerp-2017-draft.toml"
STRICT = ROOT / "protocol" / "matrices" / "leerp-tcm-strict-1.toml"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """No home is needed: matrices are files."""
    return tmp_path / "none"


def flat(text: str) -> str:
    return " ".join(text.split())


def test_the_matrix_in_force_is_shown_with_all_that_it_says(run: Run) -> None:
    answer = run("matrix", "show")
    said = flat(answer.out)

    assert answer.code == DONE
    assert "I3 severe C1 C2 C3 C4 C4" in said
    assert "risk-to-life: a credible risk to life" in said
    assert "4 or more member states" in said
    assert "K1: without a disruption of services" in said
    assert "I2P2 C2 several reportable victims in one member state" in said


def test_a_matrix_is_shown_to_programs_with_every_cell(run: Run) -> None:
    found = json.loads(run("matrix", "show", "--matrix", "leerp-tcm-strict/1", "--json").out)

    assert found["matrix"] == "leerp-tcm-strict/1"
    assert [row["cell"] for row in found["table"]] == [f"{i}/{p}" for i in IMPACTS for p in REACHES]
    assert all(row["text"] for row in found["table"])
    by_cell = {row["cell"]: row["class"] for row in found["table"]}
    assert by_cell["I4/P2"] == "C3"
    assert found["impact_criteria"]["risk-to-life"] == "I4"


def test_what_is_shown_can_be_given_back_as_a_file(run: Run, tmp_path: Path) -> None:
    found = json.loads(run("matrix", "show", "--json").out)
    path = tmp_path / "mine.json"
    path.write_text(
        json.dumps({k: v for k, v in found.items() if k not in {"table", "reach_tests"}})
    )
    answer = run("matrix", "compare", "leerp-tcm/1", str(path))
    assert answer.code == DONE
    assert "always come to the same class" in answer.out


def test_the_matrices_are_listed_with_whose_they_are(run: Run) -> None:
    rows = json.loads(run("matrix", "list", "--json").out)
    assert [(row["matrix"], row["in_force"]) for row in rows] == [
        ("leerp-tcm/1", True),
        ("leerp-tcm-strict/1", False),
    ]
    assert "agreed by nobody" in rows[1]["about"]


def test_an_unknown_matrix_is_refused_with_those_that_there_are(run: Run) -> None:
    answer = run("matrix", "show", "--matrix", "best/1")
    assert answer.code == REFUSED
    assert "leerp-tcm/1, leerp-tcm-strict/1" in flat(answer.err)


@pytest.mark.parametrize("path", [OWN, STRICT])
def test_what_is_shipped_passes_the_check(run: Run, path: Path) -> None:
    answer = run("matrix", "check", str(path))
    assert answer.code == DONE
    assert "is sound: 25 cells" in answer.out
    assert json.loads(run("matrix", "check", str(path), "--json").out)["sound"] is True


def line_of(path: Path, fragment: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(n for n, line in enumerate(lines, 1) if line.startswith(fragment))


@pytest.mark.parametrize(
    ("path", "right", "wrong", "field", "words"),
    [
        (
            OWN,
            "[1, 1, 2, 3, 3]",
            "[1, 1, 2, 1, 3]",
            "classification.cells.2.3",
            "cell I2/P3 is C1, lower than the C2 of I1/P3",
        ),
        (STRICT, "[1, 1, 2, 2, 3]", "[1, 1, 2, 2, 9]", "cells.2.4", "cell I2/P4 is 9"),
        (STRICT, "[1, 1, 2, 2, 3]", "[1, 1, 2, 2]", "cells.2.4", "Field required"),
        (
            STRICT,
            'small-loss = "I1"',
            'small-loss = "I9"',
            "impact_criteria.small-loss",
            "'I0', 'I1'",
        ),
        (STRICT, 'I4P4 = "', 'I9P9 = "', "cell_texts", "says nothing of I4P4"),
        (STRICT, 'risk-to-life = "I4"', "", "impact_criteria", "leaves out risk-to-life"),
        (STRICT, "many_states = 4", "many_states = 1", "many_states", "several_states (2) or more"),
    ],
)
def test_a_fault_is_told_with_file_line_field_and_cell(
    *, run: Run, tmp_path: Path, path: Path, right: str, wrong: str, field: str, words: str
) -> None:
    faulty = tmp_path / "faulty.toml"
    text = path.read_text(encoding="utf-8")
    assert right in text
    faulty.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    answer = run("matrix", "check", str(faulty))
    said = flat(answer.err)

    assert answer.code == REFUSED
    assert "faulty.toml" in said.replace(" ", "")
    assert f", {field}: " in said
    assert words in said


def test_the_line_of_a_fault_is_that_of_its_field(run: Run, tmp_path: Path) -> None:
    faulty = tmp_path / "f.toml"
    text = STRICT.read_text(encoding="utf-8")
    faulty.write_text(text.replace("many_states = 4", "many_states = 1"), encoding="utf-8")
    line = line_of(STRICT, "many_states")
    assert f"line {line}, many_states: " in flat(run("matrix", "check", str(faulty)).err)


def test_two_matrices_are_compared_cell_by_cell_and_by_evidence(run: Run) -> None:
    evidence = str(ROOT / "examples" / "cases" / "colonial-pipeline-in-europe.yaml")
    names = ("leerp-tcm/1", "leerp-tcm-strict/1")
    answer = run("matrix", "compare", *names, "--evidence", evidence)
    said = flat(answer.out)
    assert answer.code == DONE
    assert "I4/P2" in said
    assert "I2/P2" not in said

    found = json.loads(run("matrix", "compare", *names, "--evidence", evidence, "--json").out)
    assert [(d["impact"], d["reach"]) for d in found["cells"]][-1] == ("I4", "P2")
    assert [(row["matrix"], row["class"], row["recommendation"]) for row in found["evidence"]] == [
        ("leerp-tcm/1", "C3", "launch"),
        ("leerp-tcm-strict/1", "C2", "monitor"),
    ]
    assert json.loads(run("matrix", "compare", *names, "--json").out)["evidence"] == []


def test_a_profile_with_an_unsound_matrix_is_refused_where_it_is_loaded(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty = tmp_path / "profile.toml"
    text = OWN.read_text(encoding="utf-8")
    faulty.write_text(text.replace("[1, 1, 2, 3, 3]", "[1, 1, 2, 1, 3]"), encoding="utf-8")
    monkeypatch.setenv("LEERP_PROFILE_FILE", str(faulty))
    answer = run("matrix", "list")
    assert answer.code == REFUSED
    assert "cell I2/P3 is C1" in flat(answer.err)
