"""Two matrices side by side: exactly what differs is named, and evidence is judged by each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification.assessment import assess
from classification.evidence import Evidence
from classification.findings import Findings
from classification.matrix import ReachLevel, ThreatClass
from classification.matrix_comparison import compare
from infra.matrices import shipped_matrices
from protocol.matrix import Matrix
from protocol.report import ImpactLevel
from tests.classification.builders import PROFILE, bodies, make_evidence
from tests.classification.test_worked_examples import COLONIAL_IN_EUROPE, MIRAI, WANNACRY

pytestmark = pytest.mark.requirement("R13", "R14")
OWN = PROFILE.matrix_in_force()
STRICT = shipped_matrices()["leerp-tcm-strict/1"]


def test_a_matrix_does_not_differ_from_itself() -> None:
    assert compare(OWN, OWN).same


def test_the_cells_that_differ_are_named_with_both_classes_and_both_texts() -> None:
    found = {f"{d.impact}{d.reach}": d for d in compare(OWN, STRICT).cells}
    expected = ["I0P3", "I1P3", "I2P3", "I3P2", "I3P3", "I4P1", "I4P2"]
    assert sorted(found) == expected
    assert (found["I4P2"].one, found["I4P2"].other) == (ThreatClass.C4, ThreatClass.C3)
    assert found["I4P2"].one_text.endswith("an emergency")
    assert found["I4P2"].other_text.endswith("only with a trigger")


def test_numbers_criteria_and_the_cap_that_differ_are_named() -> None:
    levels = {**OWN.impact_criteria, "small-loss": ImpactLevel.I2, "new": ImpactLevel.I4}
    del levels["limited-data"]
    other = OWN.model_copy(
        update={"impact_criteria": levels, "undisrupted_at_most": 4, "many_victims": 20_000}
    )
    found = compare(OWN, other)
    assert not found.cells
    assert [(d.name, d.one, d.other) for d in found.criteria] == [
        ("limited-data", "I1", ""),
        ("new", "", "I4"),
        ("small-loss", "I1", "I2"),
    ]
    assert [(d.name, d.one, d.other) for d in found.numbers] == [
        ("many_victims", "10,000", "20,000"),
        ("undisrupted_at_most", "C3", "C4"),
    ]


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4))
def test_exactly_the_changed_cell_is_named(row: int, column: int, value: int) -> None:
    cells = [list(each) for each in OWN.cells]
    before, cells[row][column] = cells[row][column], value
    other = OWN.model_copy(update={"cells": tuple(tuple(each) for each in cells)})
    found = [(d.impact, d.reach) for d in compare(OWN, other).cells]
    named = (list(ImpactLevel)[row], list(ReachLevel)[column])
    assert found == ([] if value == before else [named])


@pytest.mark.parametrize(
    ("evidence", "own", "strict"),
    [(WANNACRY, "C4", "C4"), (MIRAI, "C3", "C3"), (COLONIAL_IN_EUROPE, "C3", "C2")],
    ids=["wannacry", "mirai", "one-operator"],
)
def test_the_same_evidence_is_judged_by_each_matrix(
    evidence: tuple[Evidence, ...], own: str, strict: str
) -> None:
    items = list(evidence)
    assert assess(items, Findings(), PROFILE).threat_class == own
    other = assess(items, Findings(), PROFILE.with_matrix(STRICT))
    assert (other.threat_class, other.matrix) == (strict, "leerp-tcm-strict/1")


@given(bodies())
def test_the_stricter_matrix_never_gives_a_higher_class(evidence: list[Evidence]) -> None:
    own = assess(evidence, Findings(), PROFILE)
    strict = assess(evidence, Findings(), PROFILE.with_matrix(STRICT))
    assert strict.threat_class <= own.threat_class
    assert strict.impact == own.impact


def test_without_a_cap_an_undisrupted_emergency_stays_one() -> None:
    uncapped = Matrix.of_data({**OWN.model_dump(mode="json"), "undisrupted_at_most": 4})
    worst = make_evidence(criteria={"risk-to-life"}, countries={"DE", "FR", "IT", "ES"})
    assert assess([worst], Findings(), PROFILE).threat_class == "C3"
    assert assess([worst], Findings(), PROFILE.with_matrix(uncapped)).threat_class == "C4"
