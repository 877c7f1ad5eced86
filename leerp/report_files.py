"""What ``leerp report`` is given: files, folders with everything below them, or standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from protocol.errors import Refused

STANDARD_INPUT = Path("-")
ARCHIVES = frozenset({".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar", ".zst"})


@dataclass(frozen=True, slots=True)
class ReportFile:
    """One report to send: a file, or standard input."""

    path: Path

    def read(self, limit: int) -> bytes:
        """The bytes to send.

        Raises:
            Refused: ``archive``, ``too-large`` (more than ``limit`` bytes) or ``unreadable``.
        """
        if self.path == STANDARD_INPUT:
            return self._within(sys.stdin.buffer.read(limit + 1), limit)
        if self.path.suffix.lower() in ARCHIVES:
            raise Refused(
                "archive", f"{self.path} is an archive: unpack it, and send what is in it"
            )
        try:
            size = self.path.stat().st_size
            if size > limit:
                raise self._too_large(size, limit)
            return self.path.read_bytes()
        except OSError as exc:
            raise Refused("unreadable", f"cannot read {self.path}: {exc.strerror}") from exc

    def _within(self, body: bytes, limit: int) -> bytes:
        if len(body) > limit:
            raise self._too_large(len(body), limit)
        return body

    def _too_large(self, size: int, limit: int) -> Refused:
        return Refused(
            "too-large",
            f"{self.path} has {size:,} bytes, more than the {limit:,} that one report may have: "
            "send large evidence by another way and report where it is",
        )


def gather(arguments: Sequence[Path]) -> list[ReportFile]:
    """Everything to send, in order; hidden files of a folder are left out.

    Raises:
        Refused: ``unreadable``, an argument is not there, or a folder has nothing to send.
    """
    return [ReportFile(path) for argument in arguments for path in _below(argument)]


def _below(argument: Path) -> Iterator[Path]:
    if argument == STANDARD_INPUT or argument.is_file():
        yield argument
    elif argument.is_dir():
        found = sorted(
            path
            for path in argument.rglob("*")
            if path.is_file()
            and not any(p.startswith(".") for p in path.relative_to(argument).parts)
        )
        if not found:
            raise Refused("unreadable", f"the folder {argument} holds nothing to send")
        yield from found
    else:
        raise Refused("unreadable", f"{argument} is neither a file nor a folder")
