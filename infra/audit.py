"""The audit chain: every change of state leaves a row that cannot be altered unnoticed.

Row ``n`` carries ``hash_n = SHA-256(0x00 | n | hash_(n-1) | content)`` over the bytes as they were
written; nothing is ever serialised again. Source: reliability 5.4.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select, type_coerce
from sqlalchemy.types import NULLTYPE

from infra.bulk import Bulk
from infra.tables_audit import audit_head, audit_row
from protocol.errors import ServiceDown

GENESIS = "0" * 64
THE_HEAD = 1
"""Id of the only row of ``audit_head``."""
PAGE = 5_000
_encode = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str
).encode


def row_hash(n: int, previous: str, content: bytes) -> str:
    """The chained hash of one row, as 64 hex digits."""
    return hashlib.sha256(
        b"\x00" + n.to_bytes(8, "big") + bytes.fromhex(previous) + content
    ).hexdigest()


def append(
    connection: Connection,
    event: str,
    *,
    actor: str,
    subject: str,
    channel: str = "system",
    **detail: Any,
) -> int:
    """Add a row in the caller's transaction and return its number, from 1.

    ``event`` is a snake_case constant, ``actor`` an officer's id or a process's name, ``subject`` the
    id of what changed, ``channel`` the way the act came in (R1). ``detail`` must be JSON-able and hold
    neither report text nor secrets.

    Raises:
        ServiceDown: the chain has lost its head; the change that it records must fail too.
    """
    return append_all(
        connection,
        event,
        [{"subject": subject, "detail": detail}],
        actor=actor,
        channel=channel,
    )


def append_all(
    connection: Connection,
    event: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    actor: str,
    channel: str = "system",
) -> int:
    """Add a row for each ``subject`` with its ``detail``, as ``append`` does; return the last number.

    A row may name an ``event``, ``actor`` or ``channel`` of its own.

    Raises:
        ServiceDown: as above.
    """
    bulk = Bulk(connection)
    heads = bulk.lock(audit_head, ("n", "hash"), "id", (THE_HEAD,))
    if not heads:
        raise ServiceDown(
            "the audit trail has lost its head, so that nothing can be recorded: see"
            " 'leerp audit verify', and put the database back from its copy"
        )
    at = datetime.now(UTC).isoformat()
    n: int
    previous: str
    n, previous = heads[0]
    made = []
    for row in rows:
        content = _encode(
            {"at": at, "event": event, "actor": actor, "channel": channel, **row}
        ).encode()
        n += 1
        hashed = row_hash(n, previous, content)
        made.append((n, previous, content, hashed))
        previous = hashed
    bulk.insert(audit_row, ("n", "previous", "content", "hash"), made)
    bulk.update(audit_head, ("n", "hash"), ("id",), [(n, previous, THE_HEAD)])
    return n


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Outcome of reading the whole chain: ``bad_row`` is the first that does not hold, or None."""

    rows: int
    bad_row: int | None = None
    reason: str = ""

    @property
    def verified(self) -> bool:
        return self.bad_row is None


def verify(connection: Connection) -> Verification:
    """Read the chain from its first row and name the first one edited, removed, added or swapped.

    Whoever can write the database can also make the whole chain anew or cut it with its head; only a
    copy of the head kept elsewhere shows that.
    """
    previous, expected = GENESIS, 1
    for row in _rows(connection):
        if reason := _fault(row, previous, expected):
            return Verification(rows=expected - 1, bad_row=min(row["n"], expected), reason=reason)
        previous, expected = row["hash"], expected + 1
    return _verify_end(connection, expected - 1, previous)


def _verify_end(connection: Connection, last: int, hashed: str) -> Verification:
    """Whether the head says that the chain ends with row ``last``, whose hash is ``hashed``."""
    head = connection.execute(select(audit_head).where(audit_head.c.id == 1)).one_or_none()
    if head is None:
        return Verification(rows=last, bad_row=last + 1, reason="the head of the chain is missing")
    if head.n > last:
        return Verification(rows=last, bad_row=last + 1, reason=f"row {last + 1} is missing")
    if head.n < last:
        return Verification(rows=head.n, bad_row=head.n + 1, reason=f"row {head.n + 1} was added")
    if head.hash != hashed:
        return Verification(
            rows=last - 1, bad_row=last, reason=f"row {last} is not the one that the head names"
        )
    return Verification(rows=last)


def _fault(row: RowMapping, previous: str, expected: int) -> str:
    """What is wrong with the row that should be number ``expected``, in words; empty when nothing."""
    if row["n"] < expected:
        return f"row {row['n']} was added"
    if row["n"] > expected:
        return f"row {expected} is missing"
    if row["previous"] != previous:
        return f"row {expected} does not follow row {expected - 1}"
    content = row["content"]  # SQLite also holds text here, when somebody has put it there
    if not isinstance(content, bytes) or row["hash"] != row_hash(expected, previous, content):
        return f"row {expected} was altered"
    return ""


def export(connection: Connection) -> Iterator[dict[str, Any]]:
    """Every row in order, with its content decoded, for listing and for auditors."""
    for row in _rows(connection):
        yield {
            "n": row["n"],
            "previous": row["previous"],
            "hash": row["hash"],
            **json.loads(row["content"]),
        }


def about(connection: Connection, subjects: Collection[str]) -> Iterator[dict[str, Any]]:
    """The rows about any of these subjects, in order, decoded as by ``export``; faster than that."""
    marks = tuple(
        f'"subject":{json.dumps(subject, ensure_ascii=False)}'.encode() for subject in subjects
    )
    wanted = set(subjects)
    for row in _rows(connection):
        if any(mark in row["content"] for mark in marks):
            content = json.loads(row["content"])
            if content["subject"] in wanted:
                yield {"n": row["n"], **content}


def _rows(connection: Connection) -> Iterator[RowMapping]:
    content = type_coerce(audit_row.c.content, NULLTYPE).label("content")  # as it lies there
    page = (
        select(audit_row.c.n, audit_row.c.previous, audit_row.c.hash, content)
        .order_by(audit_row.c.n)
        .limit(PAGE)
    )
    rows = connection.execute(page).mappings().all()
    while rows:
        yield from rows
        rows = connection.execute(page.where(audit_row.c.n > rows[-1]["n"])).mappings().all()
