"""Files that officers ask for: readable by their owner only, whatever their marking allows others."""

from __future__ import annotations

import os
from pathlib import Path

from protocol.errors import Refused

OWNER_ONLY = 0o600


def write_file(path: Path, content: bytes) -> None:
    """Write ``content``, over what is there.

    Raises:
        Refused: ``cannot-write``.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError as exc:
        raise Refused("cannot-write", f"{path}: {exc.strerror}; choose another file") from exc
