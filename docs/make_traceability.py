"""Makes ``docs/traceability.md`` from the code and the tests, so that it cannot claim what is not there.

A requirement lives where a docstring or comment of a room cites its number, and is proven by the tests
that carry it in ``@pytest.mark.requirement``. ``--check`` fails when the file is out of date.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (
    "leerp", "console", "intake", "workflows", "activities", "notifications",
    "infra", "classification", "protocol",
)  # fmt: skip
TARGET = ROOT / "docs" / "traceability.md"
RANGE = re.compile(r"\bR(\d{1,2})(?: to R?(\d{1,2}))?\b")
TESTS_SHOWN = 3
HEAD = """# Traceability

Made by `python docs/make_traceability.py`; do not edit. *Lives in* lists modules that cite the
requirement, *proven by* the tests marked with it. A line without a test is not proven; a line without
either is not built.

| | requirement | lives in | proven by |
| --- | --- | --- | --- |
"""


def main() -> int:
    """Write the table, or with ``--check`` say whether it is true; the exit code."""
    text = HEAD + "\n".join(rows()) + "\n"
    if "--check" in sys.argv[1:]:
        if TARGET.exists() and TARGET.read_text() == text:
            return 0
        print("docs/traceability.md is out of date: python docs/make_traceability.py")
        return 1
    TARGET.write_text(text)
    return 0


def rows() -> Iterator[str]:
    """One line of the table for each requirement."""
    titles = tomllib.loads((ROOT / "docs" / "requirements.toml").read_text())
    homes, proofs = citations(), markers()
    for number in range(1, len(titles) + 1):
        name = f"R{number}"
        lives = ", ".join(f"`{home}`" for home in sorted(homes[name])) or "-"
        tests = sorted(proofs[name])
        shown = "<br>".join(f"`{test}`" for test in tests[:TESTS_SHOWN]) or "-"
        more = f"<br>and {len(tests) - TESTS_SHOWN} more" if len(tests) > TESTS_SHOWN else ""
        yield f"| {name} | {titles[name]} | {lives} | {shown}{more} |"


def citations() -> dict[str, set[str]]:
    """Requirement to the modules that cite it."""
    found: dict[str, set[str]] = defaultdict(set)
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for first, last in RANGE.findall(path.read_text()):
                for number in range(int(first), int(last or first) + 1):
                    found[f"R{number}"].add(str(path.relative_to(ROOT)))
    return found


def markers() -> dict[str, set[str]]:
    """Requirement to the tests that are marked with it, on themselves, their class or module."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "tests").rglob("test_*.py"):
        tree = ast.parse(path.read_text())
        whole = [
            number
            for node in tree.body
            if isinstance(node, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets)
            for number in marked(node.value)
        ]
        for test, inherited in tests_in(tree, whole):
            own = [number for decorator in test.decorator_list for number in marked(decorator)]
            for number in {*own, *inherited}:
                found[number].add(f"{path.relative_to(ROOT / 'tests')}::{test.name}")
    return found


def tests_in(
    node: ast.AST, inherited: list[str]
) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, list[str]]]:
    """Every test function below ``node`` with the requirements that it inherits."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            own = [number for decorator in child.decorator_list for number in marked(decorator)]
            yield from tests_in(child, [*inherited, *own])
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and child.name.startswith(
            "test"
        ):
            yield child, inherited


def marked(node: ast.AST) -> list[str]:
    """The arguments of each ``requirement(...)`` in an expression."""
    return [
        argument.value
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "requirement"
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


if __name__ == "__main__":
    sys.exit(main())
