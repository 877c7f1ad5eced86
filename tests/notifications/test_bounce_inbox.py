from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr

from infra.database import Database
from infra.settings import BounceSettings, ImapSettings
from notifications.bounce_inbox import read_inbox
from notifications.bounces import Read
from protocol.errors import ServiceDown
from tests.notifications.mailroom import rows
from tests.notifications.notices import maildir, notice
from tests.notifications.samples import NOW
from tests.notifications.test_bounces import KEY, VERP, post
from tests.notifications.tls import server_tls


def read(database: Database, settings: BounceSettings) -> Read:
    return read_inbox(database, KEY, settings, lambda: NOW)


@pytest.mark.requirement("R33")
def test_notices_in_a_maildir_are_read_once_and_marked_as_seen(tmp_path: Path) -> None:
    database = post(tmp_path)
    inbox = maildir(tmp_path / "inbox", notice(to=VERP), notice())
    settings = BounceSettings(maildir=inbox)
    assert read(database, settings) == Read(bounced=1, foreign=1)
    assert read(database, settings) == Read()
    assert sorted(path.name for path in (inbox / "cur").iterdir()) == [
        "00000.host:2,S",
        "00001.host:2,S",
    ]
    assert rows(database)[0].state == "bounced"


def test_a_folder_that_is_no_maildir_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServiceDown, match="Maildir"):
        read(post(tmp_path), BounceSettings(maildir=tmp_path / "nowhere"))


@dataclass
class Mailbox:
    """An IMAP server for one reader at a time."""

    mails: list[bytes]
    seen: set[int] = field(default_factory=set)
    said: list[str] = field(default_factory=list)

    def converse(self, stream: ssl.SSLSocket) -> None:
        file = stream.makefile("rwb")

        def tell(text: bytes) -> None:
            file.write(text + b"\r\n")
            file.flush()

        tell(b"* OK ready")
        for line in file:
            tag, _, command = line.decode().strip().partition(" ")
            self.said.append(command)
            self._answer(command, tell)
            tell(f"{tag} OK done".encode())
            if command.startswith("LOGOUT"):
                return

    def _answer(self, command: str, tell: object) -> None:
        assert callable(tell)
        if command.startswith("CAPABILITY"):
            tell(b"* CAPABILITY IMAP4rev1")
        elif command.startswith("SELECT"):
            tell(f"* {len(self.mails)} EXISTS".encode())
        elif command.startswith("UID SEARCH"):
            new = [str(uid) for uid in range(1, len(self.mails) + 1) if uid not in self.seen]
            tell(f"* SEARCH {' '.join(new)}".encode())
        elif found := re.match(r"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", command):
            raw = self.mails[int(found[1]) - 1][: int(found[2])]
            head = f"* {found[1]} FETCH (UID {found[1]} BODY[]<0> {{{len(raw)}}}\r\n".encode()
            tell(head + raw + b")")
        elif found := re.match(r"UID STORE ([\d,]+) \+FLAGS\.SILENT \(\\Seen\)", command):
            self.seen |= {int(uid) for uid in found[1].split(",")}


@contextmanager
def serving(mailbox: Mailbox, folder: Path) -> Iterator[ImapSettings]:
    """Serve over TLS until the block ends; the settings of who trusts it."""
    context, trusted = server_tls(folder)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(connection, server_side=True) as stream:
                    mailbox.converse(stream)
            except OSError:
                continue  # who was refused hangs up

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield ImapSettings(
            host="127.0.0.1",
            port=listener.getsockname()[1],
            username="leerp",
            password=SecretStr("secret"),
            ca_file=trusted,
        )
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


@pytest.mark.requirement("R33")
def test_notices_in_a_mailbox_are_read_over_tls_and_marked_as_seen(tmp_path: Path) -> None:
    database = post(tmp_path)
    mailbox = Mailbox([notice(to=VERP), notice()])
    with serving(mailbox, tmp_path) as imap:
        assert read(database, BounceSettings(imap=imap)) == Read(bounced=1, foreign=1)
        assert read(database, BounceSettings(imap=imap)) == Read()
    assert mailbox.seen == {1, 2}
    assert rows(database)[0].state == "bounced"


def test_a_mailbox_that_nobody_vouches_for_gets_no_password(tmp_path: Path) -> None:
    mailbox = Mailbox([notice(to=VERP)])
    with serving(mailbox, tmp_path) as imap:
        untrusting = imap.model_copy(update={"ca_file": None})
        with pytest.raises(ServiceDown, match="certificate"):
            read(post(tmp_path), BounceSettings(imap=untrusting))
    assert mailbox.said == []
