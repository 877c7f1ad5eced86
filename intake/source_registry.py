"""Changes of the registry: by whom, with the rights for it, each with its audit row.

Nothing is ever deleted: a source that goes is retired, and its letters and reports stay.
Source: domain 2.1 (E2), 6.2; R1, R11.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, update

from infra import audit
from infra.database import Database
from infra.tables_sources import source as source_table
from infra.tables_sources import source_standing, source_version
from intake.sources import Registered, Source, get_source, load_sources
from notifications.authority import WORKING, Attempt, acting, administrator, attempted
from protocol.errors import Refused
from protocol.grades import SourceReliability
from protocol.reasons import stated_reason

REGISTRY = 2
"""Number of the lock under which the registry changes."""
NO_REASON = "say why with --reason: it is kept with the history"
VERSION_ROW = 1


def register(database: Database, added: Source, *, by: str, channel: str = "system") -> None:
    """Add a source, not judged yet; a duty-manager does.

    Raises:
        Refused: ``source-exists``, ``unknown-officer`` or ``wrong-role``.
    """
    attempt = Attempt(officer=by, command="sources add", subject=added.id, channel=channel)
    with attempted(database, attempt) as connection:
        administrator(connection, by, attempt.command)
        hold(database, connection)
        for known in load_sources(connection, retired=True):
            if known.source.id == added.id:
                advice = (
                    "bring it back with 'leerp sources restore'"
                    if known.retired_at
                    else "change it with 'leerp sources import'"
                )
                raise Refused("source-exists", f"the source {added.id} is there already: {advice}")
        put(connection, [(None, added)], by=by, channel=channel)


def set_letter(
    database: Database,
    source_id: str,
    letter: SourceReliability,
    *,
    reason: str,
    by: str,
    channel: str = "system",
) -> Registered:
    """Judge a source; the letter holds for what is stored from then on. The same letter renews it.

    Reports that are stored keep the grade that they have: officers grade those themselves.

    Raises:
        NotFound: no such source.
        Refused: ``no-reason``, ``bad-reason``, ``source-retired``, ``unknown-officer`` or
            ``wrong-role``; whoever works on incidents may.
    """
    attempt = Attempt(officer=by, command="sources grade", subject=source_id, channel=channel)
    with attempted(database, attempt) as connection:
        acting(connection, by, WORKING, attempt.command)
        why = stated_reason(reason, missing=NO_REASON)
        hold(database, connection)
        known = get_source(connection, source_id)
        if known.retired_at:
            raise Refused("source-retired", f"{source_id} is retired: bring it back first")
        _judge(connection, known, letter, why, by=by, channel=channel)
        return get_source(connection, source_id)


def retire(
    database: Database, source_id: str, *, reason: str, by: str, channel: str = "system"
) -> None:
    """Take a source out of service; what it sends is not recognised any more.

    Raises:
        NotFound: no such source.
        Refused: ``no-reason``, ``bad-reason``, ``source-retired``, ``unknown-officer`` or
            ``wrong-role``.
    """
    _set_retired(database, source_id, datetime.now(UTC), reason=reason, by=by, channel=channel)


def restore(
    database: Database, source_id: str, *, reason: str, by: str, channel: str = "system"
) -> None:
    """Bring a retired source back. It is to be judged anew: its letter is X until then.

    Raises:
        NotFound: no such source.
        Refused: ``no-reason``, ``bad-reason``, ``source-in-service``, ``unknown-officer`` or
            ``wrong-role``.
    """
    _set_retired(database, source_id, None, reason=reason, by=by, channel=channel)


def _set_retired(
    database: Database, source_id: str, at: datetime | None, *, reason: str, by: str, channel: str
) -> None:
    command = "sources retire" if at else "sources restore"
    attempt = Attempt(officer=by, command=command, subject=source_id, channel=channel)
    with attempted(database, attempt) as connection:
        administrator(connection, by, command)
        why = stated_reason(reason, missing=NO_REASON)
        hold(database, connection)
        known = get_source(connection, source_id)
        if at and known.retired_at:
            raise Refused("source-retired", f"{source_id} is retired already")
        if not at and not known.retired_at:
            raise Refused("source-in-service", f"{source_id} is not retired")
        connection.execute(
            update(source_table).where(source_table.c.id == source_id).values(retired_at=at)
        )
        if not at and known.letter is not SourceReliability.X:
            _judge(connection, known, SourceReliability.X, why, by=by, channel=channel)
        audit.append(
            connection,
            "source_retired" if at else "source_restored",
            actor=by,
            subject=source_id,
            channel=channel,
            reason=why,
        )


def _judge(
    connection: Connection,
    known: Registered,
    letter: SourceReliability,
    reason: str,
    *,
    by: str,
    channel: str,
) -> None:
    source_id = known.source.id
    connection.execute(
        insert(source_standing).values(
            source_id=source_id,
            before=known.letter,
            letter=letter,
            by=by,
            at=datetime.now(UTC),
            reason=reason,
        )
    )
    audit.append(
        connection,
        "source_graded",
        actor=by,
        subject=source_id,
        channel=channel,
        before=known.letter,
        letter=letter,
        reason=reason,
    )


def put(
    connection: Connection,
    changes: Sequence[tuple[Source | None, Source]],
    *,
    by: str,
    channel: str,
) -> None:
    """Write new sources and changed ones, each as the pair of what it was and what it is to be.

    Call it within ``hold`` and with the rights seen to.
    """
    now = datetime.now(UTC)
    for before, after in changes:
        if before is None:
            row = {**after.row(), "registered_at": now, "retired_at": None}
            connection.execute(insert(source_table).values(row))
        else:
            connection.execute(
                update(source_table).where(source_table.c.id == after.id).values(after.row())
            )
        audit.append(
            connection,
            "source_registered" if before is None else "source_changed",
            actor=by,
            subject=after.id,
            channel=channel,
            **_noted(before, after),
        )


def hold(database: Database, connection: Connection) -> None:
    """Let nobody else change the registry in this transaction, and have intake read it anew after."""
    database.serialise(connection, REGISTRY)
    connection.execute(database.insert_new(source_version).values(id=VERSION_ROW, version=0))
    connection.execute(update(source_version).values(version=source_version.c.version + 1))


def _noted(before: Source | None, after: Source) -> dict[str, Any]:
    """For the audit trail: names of the fields that change, and values of those that name nobody."""
    old = before.row() if before else {}
    changed = {name: value for name, value in after.row().items() if old.get(name) != value}
    rules = ("group", "also_groups", "country", "first_hand", "quota", "tlp")
    return {
        "fields": sorted(changed),
        "values": {name: changed[name] for name in rules if name in changed},
    }
