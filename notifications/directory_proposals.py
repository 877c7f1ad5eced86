"""Changes of an address, a key or a telephone number wait here for a second person.

Whoever can change where a warning goes can steal it, so that one officer proposes and another confirms,
after a call back on the number that was known before. Source: R25; seed 000 (spoofing).
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from infra import audit
from infra.database import Database
from infra.tables_directory import directory_proposal
from notifications.authority import Attempt, acting, attempted
from notifications.directory import Directory, Recipient, Record, newest_version
from notifications.directory_diff import CONFIRMING, Change
from notifications.directory_document import DirectoryDocument
from notifications.directory_versions import DIRECTORY, differences, put_in_force
from protocol.errors import NotFound, Refused
from protocol.report import clean_text

MOST_WORDS = 2_000


class ProposalState(StrEnum):
    """``stale`` is an open one whose ground is gone: another version came into force meanwhile."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    STALE = "stale"


class CallBack(Record):
    """Whom to phone before confirming, on the number that was known before the change."""

    recipient: str
    contact: str
    phone: str


class Proposal(Record):
    """A change that waits, or waited, for its second person."""

    number: int
    at: datetime
    by: str
    base: int
    state: ProposalState
    settled_by: str | None
    settled_at: datetime | None
    words: str
    version: int | None


class Standing(Record):
    """A proposal with what it changes, and whom to ask; both empty once it is settled or stale."""

    proposal: Proposal
    changes: tuple[Change, ...]
    call_back: tuple[CallBack, ...]


def propose(
    connection: Connection, document: DirectoryDocument, *, base: int, by: str, channel: str
) -> int:
    """Keep the document until a second person says yes; the same one again is the same proposal."""
    same = connection.scalar(
        select(directory_proposal.c.id).where(
            directory_proposal.c.base == base,
            directory_proposal.c.sha256 == document.digest,
            directory_proposal.c.state == ProposalState.OPEN,
        )
    )
    if same is not None:
        return int(same)
    number = connection.execute(
        insert(directory_proposal)
        .values(
            at=datetime.now(UTC),
            by=by,
            base=base,
            sha256=document.digest,
            document=document.model_dump(mode="json"),
            state=ProposalState.OPEN,
            words="",
        )
        .returning(directory_proposal.c.id)
    ).scalar_one()
    audit.append(
        connection,
        "directory_proposed",
        actor=by,
        subject=f"directory-proposal/{number}",
        channel=channel,
        base=base,
        sha256=document.digest,
    )
    return int(number)


def proposals(connection: Connection, *, settled: bool = False) -> list[Proposal]:
    """Those that wait, the oldest first; with ``settled`` all that there ever were."""
    newest = newest_version(connection)
    rows = connection.execute(select(directory_proposal).order_by(directory_proposal.c.id))
    found = [_read(row, newest[0] if newest else 0) for row in rows]
    return [each for each in found if settled or each.state is ProposalState.OPEN]


def standing(connection: Connection, number: int) -> Standing:
    """One proposal, with the difference to the version in force and whom to call back.

    Raises:
        NotFound: no such proposal.
    """
    row, proposal = _find(connection, number)
    if proposal.state is not ProposalState.OPEN:
        return Standing(proposal=proposal, changes=(), call_back=())
    _, changes = differences(connection, DirectoryDocument.model_validate(row.document))
    return Standing(
        proposal=proposal, changes=changes, call_back=tuple(_call_back(connection, changes))
    )


def confirm(
    database: Database, number: int, *, by: str, checked_by: str, channel: str = "system"
) -> int:
    """Put a proposal in force as the second person, and return its version.

    ``checked_by`` says how it was checked: who was called back on which number, and what they said.

    Raises:
        NotFound: no such proposal.
        Refused: ``same-officer``, ``wrong-role``, ``unknown-officer``, ``not-checked`` without words,
            ``not-open`` when it is settled, ``stale`` when another version came into force.
    """
    attempt = _attempt("directory confirm", number, by, channel)
    with attempted(database, attempt) as connection:
        database.serialise(connection, DIRECTORY)
        row = _settling(connection, number, by, attempt.command)
        if row.by == by:
            raise Refused(
                "same-officer",
                f"{by} has proposed this: another officer has to check it and confirm",
            )
        words = _words(checked_by, "not-checked", "--checked-by: say whom you called back")
        document = DirectoryDocument.model_validate(row.document)
        version = put_in_force(
            connection, document, by=row.by, channel=channel, proposal=number, confirmed_by=by
        )
        _settle(
            connection, number, state=ProposalState.CONFIRMED, by=by, words=words, version=version
        )
        audit.append(
            connection,
            "directory_confirmed",
            actor=by,
            subject=attempt.subject,
            channel=channel,
            proposer=row.by,
            version=version,
            words_sha256=hashlib.sha256(words.encode()).hexdigest(),
        )
    return version


def decline(
    database: Database, number: int, *, by: str, reason: str, channel: str = "system"
) -> None:
    """Take a proposal off the list; the proposer may do so too, and a stale one may be declined.

    Raises:
        NotFound, Refused: as ``confirm``; ``no-reason`` without a reason.
    """
    attempt = _attempt("directory decline", number, by, channel)
    with attempted(database, attempt) as connection:
        database.serialise(connection, DIRECTORY)
        row = _settling(connection, number, by, attempt.command, also_stale=True)
        words = _words(reason, "no-reason", "--reason: say why")
        _settle(connection, number, state=ProposalState.DECLINED, by=by, words=words)
        audit.append(
            connection,
            "directory_declined",
            actor=by,
            subject=attempt.subject,
            channel=channel,
            proposer=row.by,
            words_sha256=hashlib.sha256(words.encode()).hexdigest(),
        )


def _attempt(command: str, number: int, by: str, channel: str) -> Attempt:
    return Attempt(
        officer=by, command=command, subject=f"directory-proposal/{number}", channel=channel
    )


def _settling(
    connection: Connection, number: int, by: str, command: str, *, also_stale: bool = False
) -> Row[Any]:
    """The row of a proposal that this officer may settle now."""
    acting(connection, by, CONFIRMING, command)
    row, proposal = _find(connection, number)
    if proposal.state is ProposalState.STALE and not also_stale:
        raise Refused(
            "stale",
            f"proposal {number} was made against version {proposal.base}, and another is in force: "
            "decline it, and let the import be made again",
        )
    if proposal.state in {ProposalState.CONFIRMED, ProposalState.DECLINED}:
        raise Refused(
            "not-open", f"proposal {number} was {proposal.state} by {proposal.settled_by} already"
        )
    return row


def _find(connection: Connection, number: int) -> tuple[Row[Any], Proposal]:
    row = connection.execute(
        select(directory_proposal).where(directory_proposal.c.id == number)
    ).one_or_none()
    if row is None:
        raise NotFound(f"no proposal {number}: see 'leerp directory proposals --all'")
    newest = newest_version(connection)
    return row, _read(row, newest[0] if newest else 0)


def _read(row: Row[Any], newest: int) -> Proposal:
    state = ProposalState(row.state)
    if state is ProposalState.OPEN and row.base != newest:
        state = ProposalState.STALE
    return Proposal(
        number=row.id,
        at=row.at,
        by=row.by,
        base=row.base,
        state=state,
        settled_by=row.settled_by,
        settled_at=row.settled_at,
        words=row.words,
        version=row.version,
    )


def _words(text: str, code: str, advice: str) -> str:
    words = " ".join(clean_text(text).split())
    if not words:
        raise Refused(code, f"{advice}; it is kept with the proposal")
    return words[:MOST_WORDS]


def _settle(
    connection: Connection,
    number: int,
    *,
    state: ProposalState,
    by: str,
    words: str,
    version: int | None = None,
) -> None:
    connection.execute(
        update(directory_proposal)
        .where(directory_proposal.c.id == number)
        .values(
            state=state, settled_by=by, settled_at=datetime.now(UTC), words=words, version=version
        )
    )


def _call_back(connection: Connection, changes: tuple[Change, ...]) -> list[CallBack]:
    """For each organisation concerned, its contacts with a number, as the version in force has them."""
    known = Directory.load(connection).by_id()
    concerned = dict.fromkeys(c.subject for c in changes if c.second_person)
    return [
        CallBack(recipient=name, contact=contact.name, phone=contact.phone or "no number is known")
        for name in concerned
        for contact in _contacts(known.get(name))
    ]


def _contacts(recipient: Recipient | None) -> tuple[Any, ...]:
    if recipient is None:
        return ()
    with_phone = tuple(contact for contact in recipient.contacts if contact.phone)
    return with_phone or recipient.contacts[:1]
