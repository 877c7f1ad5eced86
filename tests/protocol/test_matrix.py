"""The shape of a matrix: what makes one sound, and what each fault is called."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from infra.matrices import shipped_matrices
from infra.settings import Settings
from protocol.matrix import CLASSES, IMPACTS, REACHES, Matrix
from protocol.profile import Profile
from protocol.wording import MisfitError

pytestmark = pytest.mark.requirement("R13", "R14")

PROFILE = Settings().profile()
OWN = PROFILE.matrix_in_force()
DOMAIN_TEXTS = {
    "I0P0 I0P1 I0P2 I1P0": "log it, national handling",
    "I0P3 I0P4": "watch, candidate for T1",
    "I1P1 I1P2 I3P0": "national procedure",
    "I1P3 I1P4": "share with J-CAT, watch the outlook",
    "I2P0 I2P1": "NIS2 or DORA channels",
    "I2P2": "possible campaign, correlate",
    "I2P3 I2P4 I3P2 I4P1": "an emergency only with a trigger",
    "I3P1 I4P0": "share and watch",
    "I3P3 I3P4 I4P2 I4P3 I4P4": "an emergency",
}


def faulty(**changes: Any) -> dict[str, Any]:
    return {**OWN.model_dump(mode="json"), **changes}


def cells_with(impact: int, reach: int, value: int) -> list[list[int]]:
    cells = [list(row) for row in OWN.cells]
    cells[impact][reach] = value
    return cells


@pytest.mark.parametrize(
    ("cell", "words"),
    [(cell, words) for cells, words in DOMAIN_TEXTS.items() for cell in cells.split()],
)
def test_the_profile_says_of_each_cell_what_it_is_and_what_follows(cell: str, words: str) -> None:
    assert OWN.cell_text(cell[:2], cell[2:]).endswith(words) or words in OWN.cell_texts[cell]


def test_all_25_cells_are_worded() -> None:
    told = {cell for cells in DOMAIN_TEXTS for cell in cells.split()}
    assert told == set(OWN.cell_texts) == {i + p for i in IMPACTS for p in REACHES}


@pytest.mark.parametrize("matrix", [OWN, *shipped_matrices().values()], ids=lambda m: m.matrix)
def test_every_matrix_that_is_shipped_is_sound(matrix: Matrix) -> None:
    assert Matrix.of_data(matrix.model_dump(mode="json")) == matrix
    assert set(matrix.criterion_texts) == set(matrix.impact_criteria)
    for impact in IMPACTS:
        for reach in REACHES:
            text, row = matrix.cell_text(impact, reach), matrix.cells[IMPACTS.index(impact)]
            is_emergency = CLASSES[row[REACHES.index(reach)]] == "C4"
            assert text.endswith("an emergency") is is_emergency


def test_the_alternative_says_that_it_is_ours_and_nobodys() -> None:
    strict = shipped_matrices()["leerp-tcm-strict/1"]
    assert "of this project, agreed by nobody" in strict.about


def test_the_alternative_is_never_less_strict() -> None:
    strict = shipped_matrices()["leerp-tcm-strict/1"]
    pairs = zip(sum(strict.cells, ()), sum(OWN.cells, ()), strict=True)
    assert all(theirs <= ours for theirs, ours in pairs)
    assert strict.cells != OWN.cells


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cells": cells_with(2, 3, 1)}, "cells.2.3: cell I2/P3 is C1, lower than the C2 of I1/P3"),
        ({"cells": cells_with(3, 3, 2)}, "cells.3.3: cell I3/P3 is C2, lower than the C3 of I3/P2"),
        ({"cells": cells_with(4, 4, 5)}, "cells.4.4: cell I4/P4 is 5, not a class 0 to 4"),
        ({"cells": cells_with(0, 0, -1)}, "cells.0.0: cell I0/P0 is -1, not a class 0 to 4"),
        ({"undisrupted_at_most": 5}, "undisrupted_at_most: must be a class 0 to 4"),
        ({"several_states": 1}, "several_states: must be 2 or more"),
        ({"many_states": 1}, "many_states: must be several_states (2) or more"),
        ({"many_victims": 1}, "many_victims: must be 2 or more"),
        ({"many_victims_one_state": 0}, "many_victims_one_state: must be 2 or more"),
        ({"significant_loss_eur": -1}, "significant_loss_eur: must be an amount"),
        ({"impact_names": {}}, "impact_names: says nothing of I0, I1, I2, I3, I4"),
        ({"reach_names": {**OWN.reach_names, "P5": "x"}}, "reach_names.P5: 'P5' is not a level"),
        ({"cell_texts": {**OWN.cell_texts, "I2P2": ""}}, "cell_texts: says nothing of I2P2"),
        (
            {"criterion_texts": {**OWN.criterion_texts, "typo": "x"}},
            "criterion_texts.typo: 'typo' is not a criterion of this matrix",
        ),
        (
            {"impact_criteria": {**OWN.impact_criteria, "new": "I3"}},
            "criterion_texts: says nothing of new",
        ),
    ],
)
def test_a_fault_is_named_with_its_field_and_cell(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(MisfitError, match=re.escape(words)):
        Matrix.of_data(faulty(**changes))


@pytest.mark.parametrize("criterion", ["risk-to-life", "several-essential-sectors"])
def test_a_criterion_that_follows_from_other_facts_cannot_be_left_out(criterion: str) -> None:
    kept = {c: level for c, level in OWN.impact_criteria.items() if c != criterion}
    with pytest.raises(MisfitError, match=f"leaves out {criterion}"):
        Matrix.of_data(faulty(impact_criteria=kept))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"impact_criteria": {**OWN.impact_criteria, "small-loss": "I7"}}, "small-loss"),
        ({"cells": OWN.cells[:4]}, "cells"),
        ({"cells": [row[:4] for row in OWN.cells]}, r"cells\.0\.4"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_has_the_wrong_shape_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Matrix.of_data(faulty(**changes))


def risen(cells: list[list[int]]) -> list[list[int]]:
    """The least matrix above these cells that falls nowhere."""
    return [
        [max(row[q] for row in cells[: i + 1] for q in range(p + 1)) for p in range(5)]
        for i in range(5)
    ]


ANY_CELLS = st.lists(st.lists(st.integers(0, 4), min_size=5, max_size=5), min_size=5, max_size=5)


@given(ANY_CELLS | ANY_CELLS.map(risen))
def test_a_matrix_is_refused_exactly_when_a_class_falls_somewhere(cells: list[list[int]]) -> None:
    rising = all(
        cells[i][p] <= cells[j][q]
        for i in range(5)
        for p in range(5)
        for j in range(i, 5)
        for q in range(p, 5)
    )
    if rising:
        assert Matrix.of_data(faulty(cells=cells)).cells[0][0] == cells[0][0]
    else:
        with pytest.raises(MisfitError, match="lower than"):
            Matrix.of_data(faulty(cells=cells))


def test_the_words_of_reach_carry_the_matrix_own_numbers() -> None:
    several = Matrix.of_data(faulty(many_states=7, many_victims=12_345)).reach_tests()
    assert set(several) == set(REACHES)
    assert several["P4"][0] == "7 or more member states"
    assert "12,345" in several["P4"][1]


def test_another_matrix_changes_nothing_else_of_the_profile() -> None:
    strict = shipped_matrices()["leerp-tcm-strict/1"]
    other = PROFILE.with_matrix(strict)
    assert other.matrix == "leerp-tcm-strict/1"
    assert other.classification.cells == strict.cells
    assert other.classification.launch_grade_alone == PROFILE.classification.launch_grade_alone
    assert other.with_matrix(OWN) == PROFILE


def test_a_profile_from_before_matrices_had_words_still_loads_and_says_nothing() -> None:
    words = {"impact_names", "reach_names", "criterion_texts", "cell_texts"}
    stored = PROFILE.model_dump(mode="json")
    before = {
        key: value
        for key, value in stored["classification"].items()
        if key not in words | {"undisrupted_at_most"}
    }
    old = Profile.model_validate({**stored, "classification": before})
    assert old.classification.cells == OWN.cells
    assert old.classification.undisrupted_at_most == 3
    assert old.classification.cell_text("I2", "P3") == ""


def test_a_profile_file_whose_matrix_is_not_sound_is_refused() -> None:
    data = PROFILE.model_dump(mode="json")
    data["classification"]["cells"] = cells_with(2, 3, 1)
    with pytest.raises(MisfitError, match=r"classification\.cells\.2\.3: cell I2/P3"):
        Profile.of_data(data)
    assert Profile.model_validate(data).matrix == PROFILE.matrix
