"""Which templates of operators there are: one officer proposes, another one agrees, versions stay.

A template stands in a place: for one organisation or for all, for a kind of notice, in a language. What
is confirmed gets the next version, and so does its removal; nothing is ever changed or deleted.
Source: R1; issue 7, item 3; seed 000 (whoever can change a warning can misuse it).
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, insert, update

from infra import audit
from infra.database import Database
from infra.tables_templates import notice_template
from notifications.authority import ADMINISTERING, Attempt, acting, attempted
from notifications.directory import Directory
from notifications.directory_diff import CONFIRMING
from notifications.template_names import OperatorTemplate
from notifications.template_rows import (
    Act,
    Entry,
    Place,
    Standing,
    State,
    entry,
    newest,
    newest_in,
    rows_in,
)
from notifications.template_trial import faults
from protocol.errors import NotFound, Refused

TEMPLATES = 41
"""Number of the lock under which the next version is given."""


def propose(
    database: Database, place: Place, own: OperatorTemplate, *, by: str, channel: str = "system"
) -> int:
    """Keep a template until a second person agrees; the same one again is the same proposal.

    Raises:
        NotFound: the directory has no such organisation.
        Refused: ``unknown-officer``, ``wrong-role``, ``template-unfit`` with every fault, ``in-force``
            where it is the one in force already.
    """
    command = "templates install"
    found = faults(own, place.kind, place.language)
    with attempted(database, _attempt(command, str(place), by, channel)) as connection:
        database.serialise(connection, TEMPLATES)
        acting(connection, by, ADMINISTERING, command)
        if place.organisation and place.organisation not in Directory.load(connection).by_id():
            raise NotFound(
                f"no organisation {place.organisation!r}: see 'leerp directory list', or leave out "
                "--for to mean all"
            )
        _require_none(found)
        base = newest_in(connection, place)
        for row in rows_in(connection, place, notice_template.c.sha256 == own.sha256):
            if row.version == base:
                raise Refused("in-force", f"this is the template in force already, number {row.id}")
            if row.state == State.OPEN and row.base == base:
                return int(row.id)
        return _propose(connection, place, Act.INSTALL, own, base=base, by=by, channel=channel)


def remove(database: Database, number: int, *, by: str, channel: str = "system") -> int | None:
    """Take what is open off the list; of what is in force propose the removal, and return its number.

    Raises:
        NotFound: there is no such number.
        Refused: ``unknown-officer``, ``wrong-role``; ``past`` where there is nothing to remove.
    """
    command = "templates remove"
    with attempted(database, _attempt(command, f"template/{number}", by, channel)) as connection:
        database.serialise(connection, TEMPLATES)
        acting(connection, by, CONFIRMING, command)
        found, _ = entry(connection, number)
        if found.standing in {Standing.OPEN, Standing.STALE}:
            _settle(connection, found, State.DECLINED, by=by, channel=channel)
            return None
        if found.standing is not Standing.IN_FORCE:
            raise Refused(
                "past", f"template {number} is {found.standing}: nothing is to be removed"
            )
        nothing = OperatorTemplate(text="", html="")
        base = found.version or 0
        for row in rows_in(connection, found.place, notice_template.c.act == Act.REMOVE):
            if row.state == State.OPEN and row.base == base:
                return int(row.id)
        return _propose(
            connection, found.place, Act.REMOVE, nothing, base=base, by=by, channel=channel
        )


def confirm(database: Database, number: int, *, by: str, channel: str = "system") -> Entry:
    """Put what waits in force as the second person. Campaigns that are frozen keep what they have.

    Raises:
        NotFound: there is no such number.
        Refused: ``same-officer``, ``wrong-role``, ``unknown-officer``, ``not-open`` when it is settled,
            ``stale`` when another came into force in its place, ``template-unfit`` as in ``propose``.
    """
    command = "templates confirm"
    with database.read() as connection:
        found, own = entry(connection, number)
    wrong = faults(own, found.place.kind, found.place.language) if found.act is Act.INSTALL else ()
    with attempted(database, _attempt(command, f"template/{number}", by, channel)) as connection:
        database.serialise(connection, TEMPLATES)
        acting(connection, by, CONFIRMING, command)
        found, _ = entry(connection, number)
        if found.standing is Standing.STALE:
            raise Refused(
                "stale",
                f"another template for {found.place} came into force since {number} was proposed: "
                f"'leerp templates remove {number}', and let it be installed again",
            )
        if found.standing is not Standing.OPEN:
            raise Refused(
                "not-open", f"template {number} was settled by {found.settled_by} already"
            )
        if found.by == by:
            raise Refused(
                "same-officer",
                f"{by} has proposed this: another officer has to look at it with 'leerp templates "
                f"preview {number}' and confirm",
            )
        _require_none(wrong)
        version = newest(connection) + 1
        _settle(connection, found, State.CONFIRMED, by=by, channel=channel, version=version)
        return entry(connection, number)[0]


def _require_none(faults_found: tuple[str, ...]) -> None:
    if faults_found:
        raise Refused("template-unfit", "; ".join(faults_found))


def _propose(
    connection: Connection,
    place: Place,
    act: Act,
    own: OperatorTemplate,
    *,
    base: int,
    by: str,
    channel: str,
) -> int:
    values = {**place.model_dump(mode="json"), "act": act, "sha256": own.sha256, "base": base}
    number = connection.execute(
        insert(notice_template)
        .values(
            at=datetime.now(UTC), by=by, text=own.text, html=own.html, state=State.OPEN, **values
        )
        .returning(notice_template.c.id)
    ).scalar_one()
    audit.append(
        connection,
        "template_proposed",
        actor=by,
        subject=f"template/{number}",
        channel=channel,
        **values,
    )
    return int(number)


def _settle(
    connection: Connection,
    found: Entry,
    state: State,
    *,
    by: str,
    channel: str,
    version: int | None = None,
) -> None:
    connection.execute(
        update(notice_template)
        .where(notice_template.c.id == found.number)
        .values(state=state, settled_by=by, settled_at=datetime.now(UTC), version=version)
    )
    audit.append(
        connection,
        f"template_{state}",
        actor=by,
        subject=f"template/{found.number}",
        channel=channel,
        proposer=found.by,
        act=found.act,
        sha256=found.sha256,
        version=version,
    )


def _attempt(command: str, subject: str, by: str, channel: str) -> Attempt:
    return Attempt(officer=by, command=command, subject=subject, channel=channel)
