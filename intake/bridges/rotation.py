"""Finding a log file again after its rotation: renamed beside itself, a new one in its place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_PACKED = frozenset({".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip"})


@dataclass(frozen=True, slots=True)
class Identity:
    """A file, whatever it is called."""

    device: str
    inode: str

    @classmethod
    def of(cls, status: os.stat_result) -> Identity:
        return cls(str(status.st_dev), str(status.st_ino))


def unread(path: Path, known: Identity | None) -> list[Path]:
    """The files to read on in, oldest first: what ``known`` is called now, what followed it, ``path``.

    While the new file is missing or empty its writer may still hold the old one, which is last then.
    Without ``known``, or when it is nowhere any more, ``path`` alone.
    """
    now = _status(path)
    if known is None or (now is not None and Identity.of(now) == known):
        return [path]
    rotated = [
        (status.st_mtime_ns, each)
        for each in path.parent.iterdir()
        if each.name.startswith((f"{path.name}.", f"{path.name}-"))
        and each.suffix not in _PACKED
        and (status := _status(each)) is not None
    ]
    rotated.sort()
    for number, (_, each) in enumerate(rotated):
        status = _status(each)
        if status is not None and Identity.of(status) == known:
            older = [one for _, one in rotated[number:]]
            return [*older, path] if now is not None and now.st_size else older
    return [path]


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None
