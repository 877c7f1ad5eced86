"""Ports on loopback: the one a home had before if it is free, else any free one.

Links in mails that were already sent name the console's port, so it should outlive a restart.
"""

from __future__ import annotations

import json
import secrets
import socket
from pathlib import Path

from protocol.errors import ServiceDown

LOOPBACK = "127.0.0.1"
PORTS_FILE = "ports.json"
HIGHEST_PORT = 65_535
OURS = range(20_000, 32_768)
"""Below those that the system hands out to connections and to whoever asks for any: nobody is given
one between our pick and its use, or while the home is down."""


class Ports:
    """Picks the ports of one home; no two picks of one object are alike."""

    def __init__(self, home: Path) -> None:
        self._file = home / PORTS_FILE
        try:
            self._ports: dict[str, int] = json.loads(self._file.read_text())
        except FileNotFoundError:
            self._ports = {}
        self._picked: set[int] = set()

    def pick(self, name: str) -> int:
        """A port that nobody listens on now, remembered under ``name``."""
        port = self._ports.get(name, 0)
        if port in self._picked or not _is_free(port):
            port = self._any()
        self._picked.add(port)
        if self._ports.get(name) != port:
            self._ports[name] = port
            new = self._file.with_name(f".{PORTS_FILE}.new")
            new.write_text(json.dumps(self._ports, indent=2))
            new.replace(self._file)
        return port

    def _any(self) -> int:
        while True:
            port = secrets.choice(OURS)
            if port not in self._picked and _is_free(port):
                return port


def address_of(text: str) -> tuple[str, int]:
    """Split ``HOST:PORT``.

    Raises:
        ServiceDown: it is not of that form.
    """
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isdecimal() or int(port) > HIGHEST_PORT:
        raise ServiceDown(f"{text!r} is no address: write HOST:PORT, for example 127.0.0.1:8080")
    return host.strip("[]"), int(port)


def require_free(name: str, host: str, port: int) -> None:
    """Make sure that we can listen there.

    Raises:
        ServiceDown: somebody else does, or the address is not ours.
    """
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as exc:
        raise ServiceDown(
            f"{name} cannot listen on {host}:{port} ({exc.strerror}): stop what uses that port, or"
            " set another one (0 picks a free one)"
        ) from exc


def _is_free(port: int) -> bool:
    if not port:
        return False
    try:
        with socket.create_server((LOOPBACK, port)):
            return True
    except OSError:
        return False
