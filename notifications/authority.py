"""Who may act: an officer of the directory, with a role for it. Every refusal leaves its audit row.

Source: R1, R16; reliability 5.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from infra import audit
from infra.database import Database
from notifications.directory import Officer, newest_version, officer
from protocol.errors import NotFound, Refused
from protocol.parties import Role

WORKING = frozenset({Role.ANALYST, Role.DUTY_OFFICER, Role.LAUNCH, Role.RELEASE, Role.DUTY_MANAGER})
"""Who may work on incidents: grade, assess, draft."""
ADMINISTERING = frozenset({Role.DUTY_MANAGER})
"""Who may change the directory and what waits in quarantine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What an officer tries to do, on what, over which channel."""

    officer: str
    command: str
    subject: str
    channel: str


def acting(
    connection: Connection, officer_id: str, roles: frozenset[Role], command: str
) -> Officer:
    """The officer, if one of ``roles`` is among hers.

    Raises:
        Refused: ``unknown-officer`` or ``wrong-role``.
    """
    try:
        found = officer(connection, officer_id)
    except NotFound as exc:
        raise Refused("unknown-officer", str(exc)) from exc
    if not roles & set(found.roles):
        raise Refused(
            "wrong-role",
            f"{command} needs one of the roles {', '.join(sorted(roles))}; "
            f"{officer_id} has {', '.join(found.roles)}",
        )
    return found


def administrator(connection: Connection, officer_id: str, command: str) -> None:
    """Pass only who may administer. Before the first directory there is nobody to ask for.

    Raises:
        Refused: as ``acting``.
    """
    if newest_version(connection) is not None:
        acting(connection, officer_id, ADMINISTERING, command)


@contextmanager
def attempted(database: Database, attempt: Attempt) -> Iterator[Connection]:
    """A write transaction for an attempt. What is refused in it is undone, and noted all the same.

    Raises:
        Refused: as it came; the audit trail has it as ``command_refused``.
    """
    try:
        with database.write() as connection:
            yield connection
    except Refused as refused:
        with database.write() as connection:
            audit.append(
                connection,
                "command_refused",
                actor=attempt.officer,
                subject=attempt.subject,
                channel=attempt.channel,
                command=attempt.command,
                reason=refused.reason,
            )
        raise
