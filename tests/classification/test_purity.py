"""Protocol and classification have no clock, no chance and no outside: the rules are pure."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.classification.builders import ROOT

ALLOWED = {"protocol": {"protocol"}, "classification": {"protocol", "classification"}}
IMPURE = {
    "asyncio", "getpass", "glob", "http", "io", "locale", "logging", "multiprocessing", "os",
    "pathlib", "platform", "queue", "random", "secrets", "select", "shutil", "signal", "smtplib",
    "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time", "urllib.request",
    "uuid",
}  # fmt: skip
IMPURE_CALLS = {"now", "utcnow", "today", "open", "print", "input", "exec", "eval", "__import__"}
MODULES = sorted(path for room in ALLOWED for path in (ROOT / room).rglob("*.py"))


def imports(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import hides its room"
            names |= {node.module or "", f"{node.module}.{node.names[0].name}"}
    return names


def calls(tree: ast.AST) -> set[str]:
    called = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", "") for f in called}


@pytest.mark.requirement("R13")
@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_module_imports_only_pure_things_and_asks_no_clock(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    room = path.relative_to(ROOT).parts[0]
    imported = imports(tree)
    foreign = {name.split(".")[0] for name in imported} - ALLOWED[room] - {"pydantic"}
    assert foreign <= sys.stdlib_module_names, "imports more than pydantic and its own rooms"
    assert not (imported | foreign) & IMPURE
    assert not calls(tree) & IMPURE_CALLS


def test_there_are_modules_to_look_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(ALLOWED)


@pytest.mark.requirement("R13")
def test_it_runs_without_clock_files_network_and_chance_and_always_says_the_same() -> None:
    """In processes whose sets are ordered differently, with every way out closed."""
    said = {
        subprocess.run(
            [sys.executable, "-m", "tests.classification.pure_run"],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    (once,) = said
    assert once.count("\n") == 6
    assert '"recommendation":"hold-corroborate"' in once
