"""The quarantine: records that could not be accepted, with reason and body, to look at and replay."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update

from infra import audit, kafka
from infra.database import Database
from infra.intake_limits import IntakeSettings
from infra.originals import BODIES
from infra.tables import quarantine
from intake.quarantine_hints import hint
from intake.quarantine_listing import Filter, open_ids
from intake.records import RawRecord, unprocessable
from intake.settled import Settled
from intake.sheaf import bound
from intake.store import OUTAGES, WRITER, Store
from protocol.errors import NotFound, Refused
from protocol.parties import ANONYMOUS, SourceGroup

PREVIEW = 2_000


def show(connection: Connection, quarantine_id: int) -> dict[str, Any]:
    """One record with what to do about it and the beginning of its body, control characters made visible.

    Raises:
        NotFound: no such record.
    """
    row = (
        connection.execute(select(quarantine).where(quarantine.c.id == quarantine_id))
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFound(f"no record {quarantine_id} in quarantine: see 'leerp quarantine list'")
    found = dict(row)
    body = _body(connection, found["body_id"])
    return {
        **found,
        "hint": hint(found["reason"]),
        "preview": _visible(body[:PREVIEW].decode("utf-8", "backslashreplace")),
    }


def replay(
    database: Database,
    store: Store,
    limits: IntakeSettings,
    ids: Sequence[int],
    *,
    by: str,
    told: Callable[[int, str], None] = lambda _id, _outcome: None,
) -> dict[int, str]:
    """Read records again with today's adapters; return what became of each, and tell it as it happens.

    A record that is accepted now is stored like any other and marked ``replayed``, in one
    transaction; one that is still refused stays, with today's reason.

    Raises:
        NotFound: one of ``ids`` is no open record; nothing was replayed.
    """
    with database.read() as connection:
        _all_open(connection, ids)
    outcomes: dict[int, str] = {}
    for quarantine_id in ids:
        with database.write() as connection:
            database.serialise(connection, WRITER)
            row = _open_row(connection, quarantine_id)
            if row is None:  # somebody else replays too
                continue
            outcomes[quarantine_id], values = _read_again(connection, store, row, limits)
            connection.execute(
                update(quarantine).where(quarantine.c.id == quarantine_id).values(**values)
            )
            audit.append(
                connection,
                "quarantine_replayed",
                actor=by,
                subject=str(quarantine_id),
                channel="cli",
                outcome=outcomes[quarantine_id],
            )
        told(quarantine_id, outcomes[quarantine_id])
    return outcomes


def discard(connection: Connection, ids: Sequence[int], *, reason: str, by: str) -> None:
    """Mark records as needing nothing more; row and body stay, as evidence.

    Raises:
        Refused: ``no-reason``.
        NotFound: one of ``ids`` is no open record; nothing was discarded.
    """
    if not reason.strip():
        raise Refused("no-reason", "say why with --reason: it is kept in the audit trail")
    _all_open(connection, ids)
    for quarantine_id in dict.fromkeys(ids):
        connection.execute(
            update(quarantine).where(quarantine.c.id == quarantine_id).values(status="discarded")
        )
        audit.append(
            connection,
            "quarantine_discarded",
            actor=by,
            subject=str(quarantine_id),
            channel="cli",
            reason=reason,
        )


def _read_again(
    connection: Connection, store: Store, row: Row[Any], limits: IntakeSettings
) -> tuple[str, dict[str, str]]:
    """What became of the record, and what of its row changes."""
    if not row.size and row.reason != "empty":  # its body never came to us: nothing to read again
        return row.reason, {"reason": row.reason}
    record = _record(row, _body(connection, row.body_id))
    standing = store.standings().of(record.principal, record.group)
    ready = store.preparer(limits).read(record, standing)
    if ready.reason:
        return ready.reason, {"reason": ready.reason, "message": ready.message}
    settled = Settled()
    try:
        with connection.begin_nested():
            store.save_reports(connection, bound([(record, ready)]), settled)
    except OUTAGES:
        raise
    except Exception as exc:  # noqa: BLE001  a defect of ours must not hold up the others
        refused = unprocessable(record, exc)
        return refused.reason, {"reason": refused.reason, "message": refused.message}
    return "stored" if settled.stored else "duplicate", {"status": "replayed"}


def _all_open(connection: Connection, ids: Sequence[int]) -> None:
    still_open = set(open_ids(connection, Filter()))
    if unknown := [str(each) for each in ids if each not in still_open]:
        raise NotFound(
            f"no open record {', '.join(unknown)} in quarantine: see 'leerp quarantine list'"
        )


def _open_row(connection: Connection, quarantine_id: int) -> Row[Any] | None:
    return connection.execute(
        select(quarantine).where(quarantine.c.id == quarantine_id, quarantine.c.status == "open")
    ).one_or_none()


def _body(connection: Connection, body_id: int) -> bytes:
    ((_, body),) = BODIES.read(connection, [body_id])
    return body.content


def _visible(text: str) -> str:
    """With everything but plain printable ASCII as an escape."""
    return json.dumps(text)[1:-1].replace("\x7f", "\\u007f")


def _record(row: Any, body: bytes) -> RawRecord:
    return RawRecord(
        topic=row.topic,
        partition=row.partition,
        offset=row.offset,
        group=SourceGroup(row.group),
        principal=kafka.source_of(row.topic) or ANONYMOUS,
        headers=row.headers,
        body=body,
        received_at=row.received_at,
    )
