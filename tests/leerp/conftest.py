from __future__ import annotations

import sys
from pathlib import Path

import pytest

from infra.database import Database
from infra.keys import ensure_keys
from infra.settings import Settings
from leerp.cli import main
from leerp.demo.directory import make_demo_directory
from notifications.directory_import import import_directory
from tests.e2e.support import directory
from tests.leerp.typed import Answer, Run


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's directory with all its keys, which take seconds to make."""
    folder = tmp_path_factory.mktemp("demo")
    make_demo_directory(folder)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that was up once: keys, schema, a directory; nothing runs."""
    made = tmp_path / "home"
    ensure_keys(made / "keys", "leerp@ec3.invalid")
    database = Database(Settings.load(made).database_url)
    database.migrate()
    import_directory(database, directory(12), by="test")
    database.close()
    return made


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command as if typed, on ``home``."""
    monkeypatch.setenv("LEERP_HOME", str(home))

    def typed(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["leerp", *arguments])
        code = 0
        try:
            main()
        except SystemExit as exc:
            code = exc.code if isinstance(exc.code, int) else 1
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return typed
