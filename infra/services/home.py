"""The home folder: made for its owner only, and held by one ``up`` at a time."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.settings import REALM_FILE, Settings
from protocol.errors import Refused, ServiceDown

LOCK_FILE = "up.lock"


def make_home(home: Path) -> Path:
    """Make the folder if need be and return its absolute path.

    Raises:
        ServiceDown: it cannot be made or written.
    """
    home = home.absolute()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = home / f".write-test-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as exc:
        raise ServiceDown(
            f"cannot write to the home {home} ({exc.strerror}): give yourself the right to, or"
            " choose another folder with --home"
        ) from exc
    return home


def settle_realm(home: Path, settings: Settings) -> Settings:
    """Live or exercise: what the first ``up`` of a home said stands for good (decision 006).

    Raises:
        Refused: ``not-an-exercise``, a live home is to be brought up as an exercise.
    """
    file = home / REALM_FILE
    if file.exists():
        realm = json.loads(file.read_text())
        if settings.exercise and not realm["exercise"]:
            raise Refused(
                "not-an-exercise",
                f"the home {home} is not an exercise and never becomes one: choose another folder",
            )
    else:
        realm = {"exercise": settings.exercise, "clock_factor": settings.clock_factor}
        new = file.with_name(f".{REALM_FILE}.new")
        new.write_text(json.dumps(realm))
        new.replace(file)
    return settings.model_copy(update=realm)


@contextmanager
def hold(home: Path) -> Iterator[None]:
    """Hold the home while the block runs; the hold ends with the process, however it ends.

    Raises:
        ServiceDown: another process holds it; the message names it.
    """
    descriptor = _take(home / LOCK_FILE)
    try:
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        (home / LOCK_FILE).unlink(missing_ok=True)
        os.close(descriptor)


def holder(home: Path) -> int | None:
    """The process id that holds the home, or None."""
    try:
        descriptor = os.open(home / LOCK_FILE, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(descriptor, 20, 0)
        return int(text) if text.isdigit() else 0
    finally:
        os.close(descriptor)
    return None


def _take(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held_by = os.pread(descriptor, 20, 0).decode() or "unknown"
            os.close(descriptor)
            raise ServiceDown(
                f"the home {path.parent} is already up, held by process {held_by}: use it as it is,"
                f" stop it with 'kill {held_by}', or choose another folder with --home"
            ) from None
        # The holder before us removes the file as it leaves; then ours is a lock on nothing.
        if _names(path, descriptor):
            return descriptor
        os.close(descriptor)


def _names(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
