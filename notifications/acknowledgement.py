"""Acknowledgement: what the use of a link, or a signed reply, writes down.

The first use of any token of a recipient counts, whether of the notice, its reminder, or the second
contact's; a later word changes the answer, and all of them are kept. "Wrong addressee" puts the
recipient back to not reached, so that its next contact is tried.
Source: domain 5.3 section 1; reliability 4.2, F-A1 to F-A5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from infra.database import Database
from infra.tables import acknowledgement
from infra.tables_acknowledgement import answer
from notifications.acknowledgement_book import Acknowledged, Book, Word
from notifications.answers import Given, Proof
from notifications.tokens import InvalidToken, read_tokens

ACKNOWLEDGING = 7
"""Number of the lock under which acknowledgements are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Somebody uses a link: says an answer, and perhaps whom to ask."""

    token: str = field(repr=False)
    given: Given = field(default=Given(), repr=False)


def acknowledge(
    database: Database, key: bytes, token: str, now: datetime, given: Given | None = None
) -> Acknowledged:
    """Record one use of a link in a transaction of its own; see ``acknowledge_all``."""
    with database.write() as connection:
        use = Use(token=token, given=given or Given())
        (done,) = acknowledge_all(database, connection, key, [use], now)
    if isinstance(done, InvalidToken):
        raise done
    return done


def acknowledge_all(
    database: Database, connection: Connection, key: bytes, uses: Sequence[Use], now: datetime
) -> list[Acknowledged | InvalidToken]:
    """Record uses of links in the caller's transaction, in their order; see ``record_words``.

    For a use whose token is not valid there is the error, and nothing is written.
    """
    rows = read_tokens(connection, key, [use.token for use in uses], now)
    words = [
        Word.of(row, use.given, Proof.MAIL_LINK)
        for use, row in zip(uses, rows, strict=True)
        if not isinstance(row, InvalidToken)
    ]
    done = iter(record_words(database, connection, words, now))
    return [row if isinstance(row, InvalidToken) else next(done) for row in rows]


def record_words(
    database: Database, connection: Connection, words: Sequence[Word], now: datetime
) -> list[Acknowledged]:
    """Record words with their audit rows and relay rows, in the caller's transaction.

    A recipient of a campaign is acknowledged once, also when its mail is not yet marked as accepted; a
    repeat is counted, audited, and answered alike. Another answer, or another contact for questions, is
    kept beside the older ones. The audit trail has the answers, never names or telephone numbers.
    """
    if not words:
        return []
    database.serialise(connection, ACKNOWLEDGING)
    book = Book.read(connection, words, now)
    done = [book.enter(word) for word in words]
    book.write(connection)
    return done


def acknowledged_at(connection: Connection, campaign_id: str, recipient_id: str) -> datetime | None:
    """When this recipient acknowledged this campaign, or None."""
    return connection.scalar(
        select(acknowledgement.c.at).where(
            acknowledgement.c.campaign_id == campaign_id,
            acknowledgement.c.recipient_id == recipient_id,
        )
    )


def answer_of(connection: Connection, campaign_id: str, recipient_id: str) -> Row[Any] | None:
    """The newest answer of a recipient, or None."""
    return connection.execute(
        select(answer)
        .where(answer.c.campaign_id == campaign_id, answer.c.recipient_id == recipient_id)
        .order_by(answer.c.id.desc())
        .limit(1)
    ).one_or_none()
