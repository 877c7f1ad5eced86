"""Nudges: a word without content that a notice waits in the mailbox, over Signal, SMS, Teams and the like.

The addresses are the directory's, as apprise writes them, and may hold secrets: they are in no log, no
audit row and no table. A nudge is tried once; when nobody knows what became of it, that is what is
written. No error of a service gets any further. Source: issue 7, item 7.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice

import structlog
from sqlalchemy import Connection, bindparam, insert, select, update

from infra import audit
from infra.database import Database
from infra.tables import campaign
from infra.tables_acknowledgement import nudge
from notifications.directory import Contact
from notifications.ladder import Step
from notifications.reader_words import choose_language, phrases
from protocol.parties import RecipientClass

log = structlog.get_logger()

ACTOR = "nudger"
AT_ONCE = 20
PATIENCE = timedelta(seconds=20)
LONGEST_SERVICE = 40


class NudgeState(StrEnum):
    """What is known of a nudge."""

    UNKNOWN = "unknown"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A nudge to one address of one contact."""

    recipient_id: str
    contact: int
    place: int
    address: str = field(repr=False)
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Nudged:
    """How many came to what."""

    sent: int
    failed: int
    unknown: int


class Nudger:
    """Sends nudges; ``notify`` takes an address and a text, and says whether the service took it."""

    def __init__(
        self,
        database: Database,
        notify: Callable[[str, str], bool],
        *,
        message_key: bytes,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._database = database
        self._key = message_key
        self._notify = notify
        self._patience = patience.total_seconds()

    async def nudge(
        self,
        campaign_id: str,
        rung: int,
        classes: Collection[RecipientClass],
        *,
        now: datetime,
        heartbeat: Callable[[], None] = lambda: None,
    ) -> Nudged:
        """Nudge the contacts reached last of all who are silent; a repeat tries nothing again.

        Raises:
            NotFound: no such campaign.
        """
        step = Step(
            campaign_id=campaign_id, classes=classes, due_at=now, message_key=self._key, now=now
        )
        waiting = iter(await asyncio.to_thread(self._due, step, rung))
        states: list[NudgeState] = []
        while batch := list(islice(waiting, AT_ONCE)):
            await asyncio.to_thread(self._begin, campaign_id, rung, batch, now)
            found = await asyncio.gather(*(self._send(due) for due in batch))
            await asyncio.to_thread(self._record, campaign_id, rung, batch, found)
            states += found
            heartbeat()
        return Nudged(**{str(state): states.count(state) for state in NudgeState})

    def _due(self, step: Step, rung: int) -> list[Due]:
        with self._database.read() as connection:
            tried = {
                (row.recipient_id, row.contact, row.place)
                for row in connection.execute(
                    select(nudge).where(
                        nudge.c.campaign_id == step.campaign_id, nudge.c.rung == rung
                    )
                )
            }
            return [
                due
                for due in nudges_due(connection, step)
                if (due.recipient_id, due.contact, due.place) not in tried
            ]

    def _begin(self, campaign_id: str, rung: int, batch: Sequence[Due], now: datetime) -> None:
        """Write down that they are tried, before they are: what dies meanwhile is unknown."""
        with self._database.write() as connection:
            connection.execute(
                insert(nudge),
                [
                    {
                        "campaign_id": campaign_id,
                        "recipient_id": due.recipient_id,
                        "contact": due.contact,
                        "place": due.place,
                        "rung": rung,
                        "service": service_of(due.address),
                        "begun_at": now,
                        "state": NudgeState.UNKNOWN,
                    }
                    for due in batch
                ],
            )

    async def _send(self, due: Due) -> NudgeState:
        try:
            async with asyncio.timeout(self._patience):
                sent = await asyncio.to_thread(self._notify, due.address, due.text)
        except TimeoutError:
            return NudgeState.UNKNOWN
        except Exception as error:  # noqa: BLE001  a service's trouble must not stop the others
            log.warning("nudge_failed", recipient=due.recipient_id, error=type(error).__name__)
            return NudgeState.FAILED
        return NudgeState.SENT if sent else NudgeState.FAILED

    def _record(
        self, campaign_id: str, rung: int, batch: Sequence[Due], states: Sequence[NudgeState]
    ) -> None:
        with self._database.write() as connection:
            connection.execute(
                update(nudge)
                .where(
                    nudge.c.campaign_id == campaign_id,
                    nudge.c.rung == rung,
                    nudge.c.recipient_id == bindparam("b_recipient"),
                    nudge.c.contact == bindparam("b_contact"),
                    nudge.c.place == bindparam("b_place"),
                )
                .values(state=bindparam("b_state")),
                [
                    {
                        "b_recipient": due.recipient_id,
                        "b_contact": due.contact,
                        "b_place": due.place,
                        "b_state": state,
                    }
                    for due, state in zip(batch, states, strict=True)
                ],
            )
            audit.append(
                connection,
                "nudges_tried",
                actor=ACTOR,
                subject=campaign_id,
                nudges=[
                    f"{due.recipient_id}/{due.contact + 1} {service_of(due.address)} {state}"
                    for due, state in zip(batch, states, strict=True)
                ],
            )


def nudges_due(connection: Connection, step: Step) -> Iterable[Due]:
    """A nudge for each address of the contacts reached last, of those whose locks are still open."""
    exercise = connection.scalar(
        select(campaign.c.exercise).where(campaign.c.id == step.campaign_id)
    )
    read = step.read(connection)
    for each in read.open:
        number = each.reached
        if each.recipient is None or number is None or number >= len(each.recipient.contacts):
            continue
        contact = each.recipient.contacts[number]
        if contact.nudges and read.maker.decide(each.recipient, number).allowed:
            text = nudge_text(contact, exercise=bool(exercise))
            for place, address in enumerate(contact.nudges):
                yield Due(
                    recipient_id=each.id, contact=number, place=place, address=address, text=text
                )


def nudge_text(contact: Contact, *, exercise: bool) -> str:
    """All that a nudge says: that a notice waits, nothing of which or what about."""
    words = phrases(choose_language(contact.languages))["nudge"]
    return f"EXERCISE - {words}" if exercise else words


def service_of(address: str) -> str:
    """The kind of service that an address is of, such as ``signal``: the part that is no secret."""
    return address.partition("://")[0].lower()[:LONGEST_SERVICE]
