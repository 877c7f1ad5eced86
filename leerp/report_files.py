"""What ``leerp report`` is given: files, folders with everything below them, or standard input."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from protocol.errors import Refused

STANDARD_INPUT = Path("-")
_UNPACK = {
    "zip": "unzip FILE -d FOLDER",
    "tar": "tar -xf FILE -C FOLDER",
    "gzip": "gunzip -k FILE",
    "bzip2": "bunzip2 -k FILE",
    "xz": "unxz -k FILE",
    "zstd": "unzstd FILE",
    "7z": "7z x FILE -oFOLDER",
    "rar": "unrar x FILE FOLDER/",
}
"""How each kind of archive is unpacked."""
_ENDINGS = {
    ".tar.gz": "tar", ".tar.bz2": "tar", ".tar.xz": "tar", ".tar.zst": "tar", ".tgz": "tar",
    ".tar": "tar", ".zip": "zip", ".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd",
    ".7z": "7z", ".rar": "rar",
}  # fmt: skip
_MARKS = {
    b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"\x1f\x8b": "gzip", b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
}  # fmt: skip
_TAR = slice(257, 262)


@dataclass(frozen=True, slots=True)
class ReportFile:
    """One report to send: a file, or a stream that was read already."""

    path: Path
    body: bytes | None = None
    trouble: Refused | None = None
    """Why there is nothing to read."""

    def read(self, limit: int) -> bytes:
        """The bytes to send.

        Raises:
            Refused: ``archive``, ``too-large`` (more than ``limit`` bytes) or ``unreadable``.
        """
        if self.trouble is not None:
            raise self.trouble
        if kind := _named_archive(self.path):
            raise self._archive(kind)
        try:
            body = self._read(limit + 1) if self.body is None else self.body
        except OSError as exc:
            raise Refused("unreadable", f"cannot read {self.path}: {exc.strerror}") from exc
        if kind := _marked_archive(body):
            raise self._archive(kind)
        if len(body) > limit:
            raise self._too_large(limit)
        return body

    def _read(self, most: int) -> bytes:
        with self.path.open("rb") as file:
            return file.read(most)

    def _archive(self, kind: str) -> Refused:
        way = _UNPACK[kind].replace("FILE", str(self.path))
        return Refused(
            "archive",
            f"{self.path} is an archive ({kind}), of which nothing was sent: unpack it, for example"
            f" with '{way}', and send what is in it",
        )

    def _too_large(self, limit: int) -> Refused:
        size = self.path.stat().st_size if self.body is None else 0
        has = f"has {size:,} bytes," if size else "is"
        return Refused(
            "too-large",
            f"{self.path} {has} more than the {limit:,} bytes that one report may have: "
            "send large evidence by another way and report where it is",
        )


def gather(arguments: Sequence[Path], limit: int) -> list[ReportFile]:
    """Everything to send, in order; hidden files of a folder are left out, and links to folders named.

    Streams are read here, as far as one byte beyond ``limit``. What is not there or holds nothing is
    in the list too, with its trouble.
    """
    return [file for argument in arguments for file in _below(argument, limit)]


def _below(argument: Path, limit: int) -> Iterator[ReportFile]:
    if argument == STANDARD_INPUT:
        yield ReportFile(argument, body=sys.stdin.buffer.read(limit + 1))
    elif argument.is_file():
        yield ReportFile(argument)
    elif argument.is_dir():
        found = sorted(_of_folder(argument), key=lambda file: file.path)
        yield from found or [_troubled(argument, "is a folder that holds nothing to send")]
    elif argument.exists():
        yield _of_stream(argument, limit)
    else:
        yield _troubled(argument, "is neither a file nor a folder")


def _of_stream(argument: Path, limit: int) -> ReportFile:
    try:
        with argument.open("rb") as stream:
            return ReportFile(argument, body=stream.read(limit + 1))
    except OSError as exc:
        return _troubled(argument, f"cannot be read: {exc.strerror}")


def _of_folder(folder: Path) -> Iterator[ReportFile]:
    unread: list[OSError] = []
    for place, folders, files in os.walk(folder, onerror=unread.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for path in (Path(place, name) for name in folders):
            if path.is_symlink():
                yield _troubled(path, "is a link to a folder: name that folder itself")
        for path in (Path(place, name) for name in files if not name.startswith(".")):
            yield _of_entry(path)
    for error in unread:
        yield _troubled(Path(error.filename), f"cannot be read: {error.strerror}")


def _of_entry(path: Path) -> ReportFile:
    try:
        mode = path.stat().st_mode
    except OSError as exc:
        return _troubled(path, f"cannot be read: {exc.strerror}")
    return ReportFile(path) if stat.S_ISREG(mode) else _troubled(path, "is no file")


def _troubled(path: Path, what: str) -> ReportFile:
    return ReportFile(path, trouble=Refused("unreadable", f"{path} {what}"))


def _named_archive(path: Path) -> str:
    name = path.name.lower()
    return next((kind for ending, kind in _ENDINGS.items() if name.endswith(ending)), "")


def _marked_archive(body: bytes) -> str:
    marked = next((kind for mark, kind in _MARKS.items() if body.startswith(mark)), "")
    return marked or ("tar" if body[_TAR] == b"ustar" else "")
