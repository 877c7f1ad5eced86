from __future__ import annotations

from pathlib import Path

import pytest

from leerp.demo.directory import make_demo_directory


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's directory with all its keys, which take seconds to make."""
    folder = tmp_path_factory.mktemp("demo")
    make_demo_directory(folder)
    return folder
