"""``leerp matrix``: the matrix in force, alternatives beside it, and a check of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from classification.matrix_comparison import MatrixComparison, compare
from infra.documents import read_document
from infra.matrices import find_matrix, matrix_of, shipped_matrices
from infra.settings import Settings
from leerp.classify import by_each_matrix
from leerp.classify_view import said_rows
from leerp.evidence_file import read_evidence
from leerp.options import Json
from leerp.output import out, show_json, show_rows, visible
from protocol.matrix import CLASSES, IMPACTS, REACHES, Matrix

matrix_app = typer.Typer(no_args_is_help=True)
MatrixName = Annotated[
    str,
    typer.Option(
        "--matrix", help="Name such as leerp-tcm/1, or a file; the profile's own if not given."
    ),
]
COLOURS = ("dim", "green", "yellow", "red", "bold red")


@matrix_app.command("list")
def list_command(as_json: Json = False) -> None:
    """The matrices that come with the project; the first is in force."""
    profile = Settings().profile()
    own = profile.matrix_in_force()
    rows = [
        {"matrix": each.matrix, "in_force": each.matrix == own.matrix, "about": each.about}
        for each in {own.matrix: own, **shipped_matrices()}.values()
    ]
    show_rows(rows, as_json=as_json, columns=("matrix", "in_force", "about"), empty="no matrix")


@matrix_app.command("show")
def show_command(name: MatrixName = "", as_json: Json = False) -> None:
    """A matrix whole: cells with what they are, levels with their criteria, and the cap K1."""
    profile = Settings().profile()
    matrix = find_matrix(name or profile.matrix, profile)
    if as_json:
        show_json(document(matrix))
        return
    out.print(f"[bold]{escape(matrix.matrix)}[/]: {escape(visible(matrix.about))}\n")
    out.print(_grid(matrix))
    out.print("\n[bold]Axis I, impact[/]: the highest criterion met counts")
    _print_levels(IMPACTS, matrix.impact_names, _criteria_of(matrix))
    out.print("\n[bold]Axis P, reach[/]: any one is enough")
    _print_levels(REACHES, matrix.reach_names, matrix.reach_tests())
    out.print(f"\n[bold]K1[/]: {_cap(matrix)}\n\n[bold]Cells[/]")
    for cell, text in matrix.cell_texts.items():
        out.print(f"  {cell} {_class_in(matrix, cell)}  {visible(text)}", markup=False)


@matrix_app.command("check")
def check_command(
    file: Annotated[Path, typer.Argument(help="A matrix or a profile: .toml, .yaml or .json.")],
    as_json: Json = False,
) -> None:
    """Check a matrix file: complete, every criterion named, and more never a lower class."""
    matrix = matrix_of(read_document(file))
    if as_json:
        show_json({"matrix": matrix.matrix, "sound": True, "criteria": len(matrix.impact_criteria)})
        return
    out.print(
        f"{escape(visible(matrix.matrix))} is sound: 25 cells, monotone on both axes, "
        f"{len(matrix.impact_criteria)} criteria, all named"
    )


@matrix_app.command("compare")
def compare_command(
    one: Annotated[str, typer.Argument(help="A matrix: its name, or a file.")],
    other: Annotated[str, typer.Argument(help="Another one.")],
    evidence: Annotated[
        Path | None, typer.Option("--evidence", help="Say what each makes of this evidence file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Two matrices side by side: the cells that differ, and what each says of given evidence."""
    profile = Settings().profile()
    matrices = (find_matrix(one, profile), find_matrix(other, profile))
    found = compare(*matrices)
    said: list[dict[str, Any]] = []
    if evidence:
        said = said_rows(by_each_matrix(read_evidence(evidence, profile), matrices, profile))
    if as_json:
        show_json({**found.model_dump(mode="json"), "evidence": said})
        return
    _print_comparison(found)
    if said:
        out.print("\n[bold]This evidence[/]")
        show_rows(said, as_json=False, columns=tuple(said[0]), empty="")


def document(matrix: Matrix) -> dict[str, Any]:
    """The matrix as a file holds it, and beside it what a reader would have to put together."""
    cells = [
        {
            "cell": f"{impact}/{reach}",
            "class": CLASSES[matrix.cells[i][p]],
            "text": matrix.cell_text(impact, reach),
        }
        for i, impact in enumerate(IMPACTS)
        for p, reach in enumerate(REACHES)
    ]
    return {**matrix.model_dump(mode="json"), "table": cells, "reach_tests": matrix.reach_tests()}


def _grid(matrix: Matrix) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("")
    for reach in REACHES:
        table.add_column(f"{reach} {escape(visible(matrix.reach_names[reach]))}", overflow="fold")
    for i, impact in enumerate(IMPACTS):
        cells = [f"[{COLOURS[value]}]{CLASSES[value]}[/]" for value in matrix.cells[i]]
        name = escape(visible(matrix.impact_names[impact]))
        table.add_row(f"[bold]{impact} {name}[/]", *cells)
    return table


def _criteria_of(matrix: Matrix) -> dict[str, tuple[str, ...]]:
    return {
        impact: tuple(
            f"{criterion}: {matrix.criterion_texts[criterion]}"
            for criterion, level in matrix.impact_criteria.items()
            if level == impact
        )
        for impact in IMPACTS
    }


def _print_levels(
    levels: tuple[str, ...], names: dict[str, str], tests: dict[str, tuple[str, ...]]
) -> None:
    for level in levels:
        out.print(f"  {level} {visible(names[level])}", markup=False)
        for test in tests[level]:
            out.print(f"     {visible(test)}", markup=False)


def _cap(matrix: Matrix) -> str:
    most = matrix.undisrupted_at_most
    if most == len(CLASSES) - 1:
        return "no cap: a class stands without any disruption of services"
    return (
        f"without a disruption of services that is observed or imminent (72 hours), a class above "
        f"{CLASSES[most]} is {CLASSES[most]}"
    )


def _class_in(matrix: Matrix, cell: str) -> str:
    return CLASSES[matrix.cells[IMPACTS.index(cell[:2])][REACHES.index(cell[2:])]]


def _print_comparison(found: MatrixComparison) -> None:
    if found.same:
        out.print(f"{found.one} and {found.other} always come to the same class", markup=False)
        return
    rows: list[dict[str, Any]] = [
        {
            "what": f"{each.impact}/{each.reach}",
            found.one: f"{each.one} {each.one_text}",
            found.other: f"{each.other} {each.other_text}",
        }
        for each in found.cells
    ]
    rows += [
        {"what": each.name, found.one: each.one or "none", found.other: each.other or "none"}
        for each in (*found.criteria, *found.numbers)
    ]
    show_rows(rows, as_json=False, columns=("what", found.one, found.other), empty="")
