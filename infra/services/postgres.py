"""A PostgreSQL server on loopback with a data folder of its own, for tests and benches.

A real deployment names its server in ``LEERP_DATABASE``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.services.ports import LOOPBACK, Ports
from protocol.errors import ServiceDown

DEBIAN = Path("/usr/lib/postgresql")
USER = "leerp"


def binaries() -> Path | None:
    """The folder with ``initdb`` and ``pg_ctl``, the newest that Debian has or the one on PATH."""
    found = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    command = shutil.which("initdb")
    return Path(command).parent if command else None


@contextmanager
def running_postgres(*, durable: bool) -> Iterator[str]:
    """The URL of an empty server, without the name of a database at its end.

    What it holds is gone at the end. Without ``durable`` it does not wait for the disk.

    Raises:
        ServiceDown: PostgreSQL is not there, or does not start; the message says what to do.
    """
    folder_of_binaries = binaries()
    if folder_of_binaries is None:
        raise ServiceDown(
            "PostgreSQL is not there: run 'make setup', or 'apt-get install postgresql' as root"
        )
    with tempfile.TemporaryDirectory(prefix="leerp-postgres-") as folder:
        data = Path(folder) / "data"
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(folder, "postgres")
        port = Ports(Path(folder)).pick("postgres")
        control = folder_of_binaries / "pg_ctl", "-D", data, "-w"
        _run(
            *(folder_of_binaries / "initdb", "-D", data, "-A", "trust", "-U", USER),
            *("-N", "-E", "UTF8"),
        )
        options = f"-h {LOOPBACK} -p {port} -c unix_socket_directories=''"
        if not durable:
            options += " -c fsync=off"
        _run(*control, "-l", data / "log", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://{USER}@{LOOPBACK}:{port}"
        finally:
            _run(*control, "-m", "immediate", "stop")


def _run(*command: object) -> None:
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run(  # noqa: S603  the command is our own
        [*user, *map(str, command)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        check=False,
    )
    if done.returncode:
        raise ServiceDown(f"PostgreSQL did not do as told:\n{done.stdout}")
