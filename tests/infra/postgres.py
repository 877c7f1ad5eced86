"""A real PostgreSQL on loopback, for as long as a block lasts."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.services.ports import Ports

DEBIAN = Path("/usr/lib/postgresql")


@contextmanager
def running_postgres() -> Iterator[str]:
    """The URL of an empty server, without the name of a database at its end."""
    binaries = _binaries()
    with tempfile.TemporaryDirectory(prefix="leerp-postgres-") as folder:
        data = Path(folder) / "data"
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(folder, "postgres")
        port = Ports(Path(folder)).pick("postgres")
        _run(binaries / "initdb", "-D", data, "-A", "trust", "-U", "leerp", "-N", "-E", "UTF8")
        options = f"-h 127.0.0.1 -p {port} -c unix_socket_directories='' -c fsync=off"
        _run(binaries / "pg_ctl", "-D", data, "-w", "-l", data / "log", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://leerp@127.0.0.1:{port}"
        finally:
            _run(binaries / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def _binaries() -> Path:
    found = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    raise AssertionError(
        "PostgreSQL is not there: run 'make setup', or 'apt-get install postgresql' as root"
    )


def _run(program: Path, *arguments: object) -> None:
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*user, str(program), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        check=False,
    )
    assert done.returncode == 0, done.stdout
