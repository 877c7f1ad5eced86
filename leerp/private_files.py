"""Files with the content of cases: on disk they are their officer's alone."""

from __future__ import annotations

import os
from pathlib import Path

from protocol.errors import Refused

OWNER_ONLY = 0o600


def write_private(output: Path, content: bytes) -> None:
    """Write a file that nobody else on the machine can read; whoever may is said by its marking.

    Raises:
        Refused: ``cannot-write``, with the system's reason.
    """
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError as exc:
        raise Refused("cannot-write", f"{output}: {exc.strerror}; choose another file") from exc
