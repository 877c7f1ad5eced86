"""GnuPG with a home of its own: makes keys as contacts do, and reads mails as they do."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What gpg says of a message."""

    text: bytes
    status: str

    @property
    def signed(self) -> bool:
        return "VALIDSIG" in self.status and "BADSIG" not in self.status

    @property
    def decrypted(self) -> bool:
        return "DECRYPTION_OKAY" in self.status


class GnuPG:
    """One person's keys."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def make(
        self, name: str, *, subkey: str = "", life: str = "1y", primary: str = "", at: str = ""
    ) -> str:
        """A key; the fingerprint. ``subkey`` is the algorithm of one for encryption, ``at`` a time past."""
        user = f"{name} <{name}@example.invalid>"
        clock = ("--faked-system-time", at) if at else ()
        self._run(*clock, "--quick-gen-key", user, primary or "ed25519", "cert,sign", life)
        listed = self._run("--with-colons", "--list-keys", user).stdout.decode()
        made = next(x.split(":")[9] for x in listed.splitlines() if x.startswith("fpr"))
        if subkey:
            self.add(made, subkey, life)
        return made

    def add(self, fingerprint: str, subkey: str, life: str) -> None:
        """Give a key a subkey for encryption."""
        self._run("--quick-add-key", fingerprint, subkey, "encr", life)

    def revoke(self, fingerprint: str) -> None:
        """Take the key back by the certificate that gpg made with it."""
        ready = self._home / f"openpgp-revocs.d/{fingerprint}.rev"
        self._run("--import", text=ready.read_bytes().replace(b":-----", b"-----"))

    def public(self, fingerprint: str) -> str:
        return self._run("--armor", "--export", fingerprint).stdout.decode()

    def secret(self, fingerprint: str) -> str:
        return self._run("--armor", "--export-secret-keys", fingerprint).stdout.decode()

    def trust(self, armoured: str) -> None:
        self._run("--import", text=armoured.encode())

    def read(self, message: bytes) -> Read:
        done = self._run("--status-fd", "2", "--decrypt", text=message, check=False)
        return Read(text=done.stdout, status=done.stderr.decode("utf-8", "replace"))

    def _run(
        self, *arguments: str, text: bytes = b"", check: bool = True
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["gpg", "--homedir", str(self._home), "--batch", "--no-tty", "--quiet",
             "--pinentry-mode", "loopback", "--passphrase", "", *arguments],
            input=text,
            capture_output=True,
            check=check,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip


@contextmanager
def gnupg() -> Iterator[GnuPG]:
    """A new one; its agent is gone at the end. The folder's name is short: it holds a socket.

    The agent listens before the first command: gpg would give one that it starts itself five seconds.
    """
    home = Path(tempfile.mkdtemp(prefix="gpg-"))
    try:
        agent = ["gpg-agent", "--homedir", str(home), "--quiet", "--daemon"]
        subprocess.run(agent, check=True, stdout=subprocess.DEVNULL)
        yield GnuPG(home)
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True)
        shutil.rmtree(home, ignore_errors=True)
