"""The shape of a threat classification matrix: levels, criteria, cells and the cap, all as data.

The profile holds the matrix in force; a file of the same shape holds an alternative to compare it with.
Source: domain 3.3; R13, R14.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from protocol.report import ImpactLevel, Line
from protocol.wording import MisfitError, Problem

LEVELS = 5
IMPACTS = tuple(f"I{n}" for n in range(LEVELS))
REACHES = tuple(f"P{n}" for n in range(LEVELS))
CLASSES = tuple(f"C{n}" for n in range(LEVELS))
DERIVED_CRITERIA = (
    "significant-incident",
    "essential-service-disrupted",
    "several-essential-sectors",
    "risk-to-life",
)
"""Criteria that the rules derive from other facts, so that no matrix may leave them out."""


class MatrixRules(BaseModel):
    """One matrix. The words have defaults, since incidents keep profiles from before there were any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    significant_loss_eur: float
    several_states: int
    many_states: int
    many_victims_one_state: int
    many_victims: int
    cells: tuple[tuple[int, int, int, int, int], ...] = Field(min_length=LEVELS, max_length=LEVELS)
    """Rows I0 to I4, columns P0 to P4, numbers of the classes C0 to C4."""
    undisrupted_at_most: int = 3
    """K1: the highest class without a disruption of services that is observed or imminent."""
    impact_criteria: dict[str, ImpactLevel]
    """Axis I: criterion to level; the highest one met counts."""
    impact_names: dict[str, Line] = Field(default={})
    """I0 to I4 in a word."""
    reach_names: dict[str, Line] = Field(default={})
    """P0 to P4 in a word."""
    criterion_texts: dict[str, Line] = Field(default={})
    """What each criterion asks."""
    cell_texts: dict[str, Line] = Field(default={})
    """By cell such as ``I2P3``: what it is, and what follows."""

    def cell_text(self, impact: str, reach: str) -> str:
        """What the cell is and what follows; empty where the profile is from before there were words."""
        return self.cell_texts.get(f"{impact}{reach}", "")

    def reach_tests(self) -> dict[str, tuple[str, ...]]:
        """Axis P in words with this matrix's numbers: any one of a level's lines is enough."""
        several, victims = self.several_states, f"{self.many_victims:,}"
        return {
            "P0": ("one person or device",),
            "P1": ("one organisation, or more than one victim",),
            "P2": ("more than one organisation",),
            "P3": (
                f"{several} or more member states",
                f"one member state and {self.many_victims_one_state:,} or more victims",
            ),
            "P4": (
                f"{self.many_states} or more member states",
                f"{several} or more member states and {victims} or more victims",
                f"spreads by itself, and {several} or more member states affected or probably so",
            ),
        }


class Matrix(MatrixRules):
    """A matrix with its name, and the words of those who answer for it."""

    matrix: Line = Field(min_length=1)
    """Id and version, such as ``leerp-tcm/1``."""
    about: Line = Field(min_length=1)
    """Whose it is, and what it is for."""

    @classmethod
    def of_data(cls, data: Any) -> Matrix:
        """Read a matrix from the values of its file, and check it.

        Raises:
            pydantic.ValidationError: a value is missing, unknown or of the wrong type.
            MisfitError: the matrix is not monotone or not complete.
        """
        found = cls.model_validate(data)
        check(found)
        return found

    def rules(self) -> dict[str, Any]:
        """Its values, by the fields of ``MatrixRules``."""
        return {name: getattr(self, name) for name in MatrixRules.model_fields}


def check(rules: MatrixRules, under: tuple[str, ...] = ()) -> None:
    """Find every problem of a matrix that lies under this place of its file.

    Raises:
        MisfitError: there is a problem.
    """
    if found := problems(rules):
        raise MisfitError(((*under, *place), words) for place, words in found)


def problems(rules: MatrixRules) -> tuple[Problem, ...]:
    """What is wrong with a matrix: gaps, levels that fall where they should rise, nameless criteria."""
    return (
        *_cells_out_of_range(rules),
        *_falling_cells(rules),
        *_thresholds(rules),
        *_unworded(rules),
    )


def _cells_out_of_range(rules: MatrixRules) -> Iterator[Problem]:
    for i, row in enumerate(rules.cells):
        for p, value in enumerate(row):
            if not 0 <= value < LEVELS:
                yield (
                    ("cells", i, p),
                    f"cell {IMPACTS[i]}/{REACHES[p]} is {value}, not a class 0 to 4",
                )
    if not 0 <= rules.undisrupted_at_most < LEVELS:
        yield ("undisrupted_at_most",), "must be a class 0 to 4 (4: no cap)"


def _falling_cells(rules: MatrixRules) -> Iterator[Problem]:
    """Graver on either axis must never be a lower class."""
    for i, row in enumerate(rules.cells):
        for p, value in enumerate(row):
            for before_i, before_p in ((i - 1, p), (i, p - 1)):
                if min(before_i, before_p) < 0:
                    continue
                before = rules.cells[before_i][before_p]
                if value < before:
                    words = (
                        f"cell {IMPACTS[i]}/{REACHES[p]} is C{value}, lower than the C{before} of "
                        f"{IMPACTS[before_i]}/{REACHES[before_p]}: more must never be a lower class"
                    )
                    yield ("cells", i, p), words


def _thresholds(rules: MatrixRules) -> Iterator[Problem]:
    if not rules.significant_loss_eur >= 0:
        yield ("significant_loss_eur",), "must be an amount of 0 or more"
    if rules.several_states < 2:
        yield ("several_states",), "must be 2 or more: one state is not several"
    if rules.many_states < rules.several_states:
        yield ("many_states",), f"must be several_states ({rules.several_states}) or more"
    for name in ("many_victims_one_state", "many_victims"):
        if getattr(rules, name) < 2:
            yield (name,), "must be 2 or more"


def _unworded(rules: MatrixRules) -> Iterator[Problem]:
    for criterion in DERIVED_CRITERIA:
        if criterion not in rules.impact_criteria:
            yield (
                ("impact_criteria",),
                f"leaves out {criterion}, which follows from other facts: give it a level",
            )
    cells = [f"{impact}{reach}" for impact in IMPACTS for reach in REACHES]
    for table, texts, needed in (
        ("impact_names", rules.impact_names, IMPACTS),
        ("reach_names", rules.reach_names, REACHES),
        ("criterion_texts", rules.criterion_texts, tuple(rules.impact_criteria)),
        ("cell_texts", rules.cell_texts, tuple(cells)),
    ):
        yield from _words_of(table, texts, needed)


def _words_of(table: str, texts: Mapping[str, str], needed: tuple[str, ...]) -> Iterator[Problem]:
    missing = [name for name in needed if not texts.get(name)]
    if missing:
        yield (table,), f"says nothing of {', '.join(missing)}"
    for name in texts:
        if name not in needed:
            known = "a criterion" if table == "criterion_texts" else "a level or cell"
            yield (table, name), f"{name!r} is not {known} of this matrix"
