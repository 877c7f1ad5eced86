"""Two matrices side by side: which cells, criteria and numbers differ.

Source: domain 3.3 ("each cell can be disputed"); R13, R14.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from classification.matrix import ReachLevel, ThreatClass
from protocol.matrix import Matrix
from protocol.report import ImpactLevel

_NUMBERS = (
    "significant_loss_eur",
    "several_states",
    "many_states",
    "many_victims_one_state",
    "many_victims",
)


class _Difference(BaseModel):
    model_config = ConfigDict(frozen=True)


class CellDifference(_Difference):
    """One cell that the two matrices give another class."""

    impact: ImpactLevel
    reach: ReachLevel
    one: ThreatClass
    other: ThreatClass
    one_text: str
    other_text: str


class ValueDifference(_Difference):
    """A criterion's level, or a number of the reach; empty where a matrix has none."""

    name: str
    one: str
    other: str


class MatrixComparison(_Difference):
    """All that makes two matrices come to different classes; empty where they never do."""

    one: str
    other: str
    cells: tuple[CellDifference, ...]
    criteria: tuple[ValueDifference, ...]
    numbers: tuple[ValueDifference, ...]

    @property
    def same(self) -> bool:
        """Whether the two always agree."""
        return not (self.cells or self.criteria or self.numbers)


def compare(one: Matrix, other: Matrix) -> MatrixComparison:
    """Set two matrices side by side, by row and column."""
    return MatrixComparison(
        one=one.matrix,
        other=other.matrix,
        cells=tuple(
            CellDifference(
                impact=impact,
                reach=reach,
                one=_class_in(one, i, p),
                other=_class_in(other, i, p),
                one_text=one.cell_text(impact, reach),
                other_text=other.cell_text(impact, reach),
            )
            for i, impact in enumerate(ImpactLevel)
            for p, reach in enumerate(ReachLevel)
            if one.cells[i][p] != other.cells[i][p]
        ),
        criteria=tuple(
            ValueDifference(
                name=criterion,
                one=one.impact_criteria.get(criterion, ""),
                other=other.impact_criteria.get(criterion, ""),
            )
            for criterion in sorted({*one.impact_criteria, *other.impact_criteria})
            if one.impact_criteria.get(criterion) != other.impact_criteria.get(criterion)
        ),
        numbers=(*_numbers(one, other), *_caps(one, other)),
    )


def _class_in(matrix: Matrix, row: int, column: int) -> ThreatClass:
    return list(ThreatClass)[matrix.cells[row][column]]


def _numbers(one: Matrix, other: Matrix) -> tuple[ValueDifference, ...]:
    return tuple(
        ValueDifference(name=name, one=f"{getattr(one, name):,}", other=f"{getattr(other, name):,}")
        for name in _NUMBERS
        if getattr(one, name) != getattr(other, name)
    )


def _caps(one: Matrix, other: Matrix) -> tuple[ValueDifference, ...]:
    if one.undisrupted_at_most == other.undisrupted_at_most:
        return ()
    caps = [list(ThreatClass)[m.undisrupted_at_most] for m in (one, other)]
    return (ValueDifference(name="undisrupted_at_most", one=caps[0], other=caps[1]),)
