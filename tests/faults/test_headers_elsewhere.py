"""F-K7 on each Python that is supported: the same hostile texts, written and read by another one.

What writes headers is of the standard library alone, whose mail part has changed from release to
release (CVE-2024-6923); so each Python that is found here is tried, without anything installed for it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings

from tests.faults.scale import Scale
from tests.faults.strict_reader import fields
from tests.faults.test_hostile_texts import ANYTHING, INJECTIONS
from tests.faults.write_headers import HOSTILE, TO

ROOT = Path(__file__).parents[2]
SUPPORTED = ("3.11", "3.12", "3.13")
NAMES = ["From", "To", *HOSTILE]
PATIENCE_S = 60

pytestmark = pytest.mark.requirement("R31")


def test_every_python_that_is_supported_is_tried() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    after = f"3.{int(SUPPORTED[-1].partition('.')[2]) + 1}"
    assert project["requires-python"] == f">={SUPPORTED[0]},<{after}"


def pythons(version: str) -> Iterator[Path]:
    """Commands that may be this Python: on the path, or one of pyenv's."""
    name = f"python{version}"
    if found := shutil.which(name):
        yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/{name}"), reverse=True)


def installed(version: str) -> Path | None:
    """One that starts: a command of pyenv's on the path may stand for nothing."""
    for python in pythons(version):
        started = subprocess.run([python, "-I", "-c", ""], capture_output=True, check=False)
        if started.returncode == 0:
            return python
    return None


@contextmanager
def writing(python: Path, version: str) -> Iterator[Callable[[list[str]], Any]]:
    """A function that has texts written as headers by another Python, and gives what it answers."""
    with subprocess.Popen(
        [python, "-m", "tests.faults.write_headers"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"{version}.")

        def ask(texts: list[str]) -> Any:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(texts) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        try:
            yield ask
        finally:
            process.stdin.close()
            process.wait(PATIENCE_S)


@pytest.mark.parametrize("version", SUPPORTED)
def test_fk7_no_text_adds_a_header_or_a_recipient_on(version: str, scale: Scale) -> None:
    python = installed(version)
    if python is None:
        pytest.skip(f"Python {version} is not on this machine")
    with writing(python, version) as write:

        @settings(max_examples=scale.headers)
        @given(ANYTHING, ANYTHING)
        @example(INJECTIONS[0], INJECTIONS[7])
        def check(subject: str, other: str) -> None:
            answer = write([subject, f"<{other}@ec3.invalid>", f"<{other}@ec3.invalid>", other])
            raw = answer["raw"].encode("ascii")
            assert answer["names"] == NAMES
            assert [name for name, _ in fields(raw)] == [name.lower() for name in NAMES]
            assert answer["to"] == [TO]
            assert answer["body"] == ""
            assert answer["subject"] == answer["wanted"]

        check()
