"""The README's walk by hand works as printed: its lines are typed into a shell, its answers compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from leerp.up import own_processes
from tests.conftest import running

pytestmark = [pytest.mark.asyncio, pytest.mark.services, pytest.mark.timeout(420)]

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
READING = ("leerp incidents list", "leerp incidents notices", "python -m leerp.demo read")
"""Commands that may be asked again until there is something to see."""
PATIENCE = 120
"""Seconds that a line may take to answer as printed: intake and workflows work at their own pace."""


@dataclass(frozen=True, slots=True)
class Line:
    """A command as typed, and the lines that it is said to print."""

    command: str
    printed: tuple[str, ...]


def walk() -> Iterator[Line]:
    """The commands of the README's walk in order, without ``up``, which the test runs itself."""
    text = (ROOT / "README.md").read_text()
    section = text.split("## Your first incident by hand")[1].split("\n## ")[0]
    for block in BLOCK.findall(section):
        command: list[str] = []
        printed: list[str] = []
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield Line("\n".join(command), tuple(printed))
                command, printed = [line[2:]], []
            elif "<<'END'" in command[0] and "END" not in command[1:]:
                command.append(line)
            else:
                printed.append(line)
        yield Line("\n".join(command), tuple(printed))


@contextmanager
def shell(home: Path) -> Iterator[subprocess.Popen[str]]:
    """One shell for the whole walk, as a reader has."""
    environment = {
        **os.environ,
        "LEERP_HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    opened = subprocess.Popen(
        ["bash"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    try:
        yield opened
    finally:
        opened.kill()
        opened.communicate()


def typed(opened: subprocess.Popen[str], command: str) -> str:
    """Type a command and return what it prints."""
    assert opened.stdin is not None
    assert opened.stdout is not None
    opened.stdin.write(f"{command}\necho ---done---\n")
    opened.stdin.flush()
    lines = []
    for line in opened.stdout:
        if line.strip() == "---done---":
            break
        lines.append(line)
    return "".join(lines)


def squeezed(text: str) -> str:
    """Without differences of column widths."""
    return " ".join(text.split())


async def test_every_line_of_the_walk_by_hand_answers_as_printed(tmp_path: Path) -> None:
    home = tmp_path / "first"
    lines = [line for line in walk() if not line.command.startswith("leerp up")]
    assert len(lines) >= 20
    async with running(home, processes=own_processes):
        with shell(home) as opened:
            for line in lines:
                _check(opened, line, home)


def _check(opened: subprocess.Popen[str], line: Line, home: Path) -> None:
    command = line.command.replace("/tmp/first", str(home))  # noqa: S108 (as the README has it)
    answer = ""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = typed(opened, command)
        missing = [
            wanted
            for wanted in line.printed
            if squeezed(wanted.replace("/tmp/first", str(home))) not in squeezed(answer)  # noqa: S108
        ]
        if not missing:
            return
        if not (_not_there_yet(answer) or command.startswith(READING)):
            break
    pytest.fail(f"$ {command}\nis said to print {line.printed}\nbut printed\n{answer}")


def _not_there_yet(answer: str) -> bool:
    """Whether the command came before its stage; nothing happened then."""
    return "this incident is in" in answer or "no running incident" in answer
