"""What an intake process is doing, where others can read it when the database and the disk cannot be
written: one small file of fixed size, made when the process starts and only ever overwritten.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

SIZE = 1_024
FOLDER = "run"
PREFIX = "intake-"


@dataclass(slots=True)
class Status:
    """The state that was told last."""

    _descriptor: int
    _state: str = ""

    def tell(self, state: str, advice: str, since: datetime) -> bool:
        """Write the state down; whether it is another than before."""
        if state == self._state:
            return False
        self._state = state
        text = json.dumps({"state": state, "advice": advice, "since": since.isoformat()})
        os.pwrite(self._descriptor, text.encode().ljust(SIZE), 0)
        return True


@contextmanager
def status_file(home: Path) -> Iterator[Status]:
    """This process's file, gone at the end of the block."""
    folder = home / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{PREFIX}{os.getpid()}.json"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.pwrite(descriptor, b" " * SIZE, 0)
        yield Status(descriptor)
    finally:
        os.close(descriptor)
        path.unlink(missing_ok=True)


def told(home: Path) -> dict[int, dict[str, Any]]:
    """What the intake processes of a home that still run have told, by process id."""
    found: dict[int, dict[str, Any]] = {}
    for path in sorted((home / FOLDER).glob(f"{PREFIX}*.json")):
        pid = int(path.stem.removeprefix(PREFIX))
        if Path(f"/proc/{pid}").exists() and (text := path.read_text().strip()):
            found[pid] = json.loads(text)
    return found
