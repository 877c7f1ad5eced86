from __future__ import annotations

import os
import subprocess
import sys

import pytest


def test_the_names_of_tests_are_the_same_in_every_process_that_collects_them(
    request: pytest.FixtureRequest,
) -> None:
    """Those that tests run in at the same time refuse to begin else: no name has a time or chance in it."""
    other = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "--quiet", *request.config.args],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        cwd=request.config.rootpath,
        capture_output=True,
        text=True,
        check=True,
    )
    ours = {item.nodeid for item in request.session.items}
    assert ours <= set(other.stdout.splitlines())
