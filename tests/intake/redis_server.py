"""A real Redis on loopback, for as long as a block lasts."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.services.ports import LOOPBACK, Ports

PATIENCE_SECONDS = 90


@contextmanager
def running_redis(password: str = "") -> Iterator[int]:
    """The port of an empty server."""
    program = shutil.which("redis-server")
    assert program, (
        "Redis is not there: run 'make setup', or 'apt-get install redis-server' as root"
    )
    with tempfile.TemporaryDirectory(prefix="leerp-redis-") as folder:
        port = Ports(Path(folder)).pick("redis")
        options = ["--port", str(port), "--bind", LOOPBACK, "--dir", folder, "--save", ""]
        secret = ["--requirepass", password] if password else []
        server = subprocess.Popen([program, *options, *secret], stdout=subprocess.DEVNULL)
        try:
            _await(server, port)
            yield port
        finally:
            server.terminate()
            server.wait(PATIENCE_SECONDS)


def _await(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, "Redis ended at once"
        with socket.socket() as probe:
            if probe.connect_ex((LOOPBACK, port)) == 0:
                return
    raise AssertionError("Redis does not answer")
