"""The inbox that notices and signed replies come to: a Maildir folder, a mailbox over IMAP, or both.

A notice is marked as seen only after what it says is on disk, so a crash reads it again, which is
harmless. Of each no more than the first 256 kB are fetched. Source: reliability 2.3, F-M12.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from infra.database import Database
from infra.settings import BounceSettings, ImapSettings
from notifications.bounces import MAX_BYTES, Read, read_notice, take_notices
from notifications.signed_reply import ReplyFate, take_reply
from protocol.errors import ServiceDown

AT_A_TIME = 100
MOST = 20_000
"""In one round; the rest waits for the next one."""
IMAP_TIMEOUT_S = 60.0
SEEN = ":2,S"
UID = re.compile(rb"[0-9]{1,10}")

Fetch = Iterator[list[bytes]]
"""Notices, some at a time; they are marked as seen when the next ones are asked for."""


def read_inbox(
    database: Database, key: bytes, settings: BounceSettings, clock: Callable[[], datetime]
) -> Read:
    """Read all that is new and write down what it says.

    Raises:
        ServiceDown: a folder or mailbox cannot be read. What was read before counts.
    """
    total = Read()
    for raws in _fetch(settings):
        notices = [read_notice(raw, key) for raw in raws]
        others = [raw for raw, notice in zip(raws, notices, strict=True) if notice is None]
        with database.write() as connection:
            read = take_notices(connection, [n for n in notices if n is not None], clock())
            fates = Counter(take_reply(database, connection, raw, clock()).fate for raw in others)
        total = _sum(total, read, _replies(fates))
    return total


def _replies(fates: Counter[ReplyFate]) -> Read:
    """What is no notice is a reply to one of our mails, or nothing of ours."""
    strangers, counted = fates[ReplyFate.STRANGER], fates[ReplyFate.COUNTED]
    return Read(
        acknowledged=counted,
        uncounted=fates.total() - strangers - counted,
        foreign=strangers,
    )


_NAMES = tuple(Read.__dataclass_fields__)


def _sum(*parts: Read) -> Read:
    return Read(**{name: sum(getattr(part, name) for part in parts) for name in _NAMES})


def _fetch(settings: BounceSettings) -> Fetch:
    if settings.maildir is not None:
        yield from _from_maildir(settings.maildir)
    if settings.imap.host:
        yield from _from_imap(settings.imap)


def _from_maildir(folder: Path) -> Fetch:
    new, current = folder / "new", folder / "cur"
    try:
        names = sorted(path.name for path in new.iterdir() if path.is_file())[:MOST]
        for first in range(0, len(names), AT_A_TIME):
            some = names[first : first + AT_A_TIME]
            yield [_head(new / name) for name in some]
            for name in some:
                (new / name).rename(current / f"{name.partition(':')[0]}{SEEN}")
    except OSError as exc:
        raise ServiceDown(
            f"cannot read the notices in {folder} ({exc.strerror}): it must be a Maildir that this "
            "process may read and write; see LEERP_DELIVERY__BOUNCES__MAILDIR"
        ) from exc


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES)


def _from_imap(settings: ImapSettings) -> Fetch:
    try:
        with _mailbox(settings) as mailbox:
            _, found = mailbox.uid("SEARCH", "UNSEEN")
            uids = UID.findall(b" ".join(part for part in found if isinstance(part, bytes)))[:MOST]
            for first in range(0, len(uids), AT_A_TIME):
                some = uids[first : first + AT_A_TIME]
                yield [_fetched(mailbox, uid) for uid in some]
                _flag(mailbox, some)
    except (imaplib.IMAP4.error, OSError) as exc:
        raise ServiceDown(
            f"mailbox {settings.folder} at {settings.host}:{settings.port}: {type(exc).__name__}. "
            "See that the server runs with a valid certificate, and check the settings under "
            "LEERP_DELIVERY__BOUNCES__IMAP"
        ) from exc


@contextmanager
def _mailbox(settings: ImapSettings) -> Iterator[imaplib.IMAP4_SSL]:
    context = ssl.create_default_context(cafile=settings.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with imaplib.IMAP4_SSL(
        settings.host, settings.port, ssl_context=context, timeout=IMAP_TIMEOUT_S
    ) as mailbox:
        mailbox.login(settings.username, settings.password.get_secret_value())
        answer, _ = mailbox.select(_quoted(settings.folder))
        if answer != "OK":
            raise imaplib.IMAP4.error("no such folder")
        yield mailbox


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _fetched(mailbox: imaplib.IMAP4_SSL, uid: bytes) -> bytes:
    _, parts = mailbox.uid("FETCH", uid.decode(), f"(BODY.PEEK[]<0.{MAX_BYTES}>)")
    for part in parts:
        if isinstance(part, tuple):
            return bytes(part[1])[:MAX_BYTES]
    return b""  # gone meanwhile


def _flag(mailbox: imaplib.IMAP4_SSL, uids: list[bytes]) -> None:
    answer, _ = mailbox.uid("STORE", b",".join(uids).decode(), "+FLAGS.SILENT", r"(\Seen)")
    if answer != "OK":
        raise imaplib.IMAP4.error("not marked as seen")
