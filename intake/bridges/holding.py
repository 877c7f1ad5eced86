"""One process a bridge: two of them would send everything twice."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol.errors import Refused

FOLDER = "bridges"


@contextmanager
def holding(home: Path, bridge: str) -> Iterator[None]:
    """Hold the bridge while the block runs; the hold ends with the process, however it ends.

    Raises:
        Refused: ``already-running``.
    """
    folder = home / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / f"{bridge[:16]}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(
                "already-running", "this bridge is running already in this home: let it, or end it"
            ) from None
        yield
