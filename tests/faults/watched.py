"""Notices that anybody opens a file or connects to a port, whatever language does it."""

from __future__ import annotations

import ctypes
import os
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

IN_OPEN = 0x20
IN_NONBLOCK = os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class Guard:
    """Listens on a port of loopback and watches a file, and answers nobody."""

    port: int
    _server: socket.socket
    _notices: int

    def touched(self) -> bool:
        """Whether anybody has come to the port or opened the file."""
        return bool(select.select([self._server.fileno(), self._notices], [], [], 0)[0])


@contextmanager
def guarded(file: Path) -> Iterator[Guard]:
    libc = ctypes.CDLL(None, use_errno=True)
    notices = libc.inotify_init1(IN_NONBLOCK)
    watch = libc.inotify_add_watch(notices, os.fsencode(file), IN_OPEN)
    assert notices >= 0 <= watch, os.strerror(ctypes.get_errno())
    with socket.create_server(("127.0.0.1", 0)) as server:
        try:
            yield Guard(server.getsockname()[1], server, notices)
        finally:
            os.close(notices)
