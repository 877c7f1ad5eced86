"""How a campaign stands, for people: each recipient with its mails, and what needs somebody first.

Who is in a campaign was frozen; class, country and address of a recipient are those of the directory in
force, or of the frozen one for who has left it since. Source: R33, R72; issue 7.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from sqlalchemy import Connection, Row

from notifications.campaign_rows import (
    acknowledged_at,
    campaign_row,
    known_recipients,
    mail_rows,
    settled_recipients,
)
from notifications.destinations import Standing as DestinationStanding
from notifications.destinations import domain_of
from notifications.destinations import load as load_standings
from notifications.directory import Recipient
from notifications.ewn import EarlyWarning
from notifications.notices import NoticeContent, read_content
from notifications.outbox import State
from protocol.errors import NotFound

NO_COUNTRY = "-"
UNDER_WAY = frozenset({State.QUEUED, State.SENDING, State.RETRY_DUE})
"""A machine sees to these; what is neither here nor accepted needs a person."""
GRACE = timedelta(minutes=2)
"""How late a sender may be until its mail counts as overdue."""


class Standing(StrEnum):
    """How a recipient stands; what a person must look at comes first."""

    TROUBLE = "trouble"
    SILENT = "silent"
    WAITING = "waiting"
    ACCEPTED = "accepted"
    SETTLED = "settled"
    """A person said what became of it."""
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail to a recipient. ``address`` is masked; ``contact`` counts from 0."""

    id: str
    contact: int
    address: str
    domain: str
    reminder: int
    variant: str
    state: str
    attempts: int
    reason: str
    reply: str
    due_at: datetime | None
    lease_until: datetime | None
    accepted_at: datetime | None

    def late_since(self, frozen_at: datetime) -> datetime | None:
        """When a machine should have seen to it, or None where none has to."""
        if self.state == State.SENDING:
            return self.lease_until
        return (self.due_at or frozen_at) if self.state in UNDER_WAY else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One recipient of the campaign, with its mails in the order in which they were planned."""

    id: str
    organisation: str
    recipient_class: str
    country: str
    standing: Standing
    acknowledged_at: datetime | None
    overdue: timedelta | None
    """How long something is late, at the most."""
    overdue_for: str
    """What that is: the acknowledgement, or the sending."""
    mails: tuple[Mail, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which recipients to show; what is empty leaves none out."""

    states: frozenset[str] = frozenset()
    """States of mails, or standings."""
    classes: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    overdue: bool = False

    def takes(self, person: Person) -> bool:
        """Whether this recipient is one of them."""
        states = {person.standing, *(mail.state for mail in person.mails)}
        return (
            (not self.states or bool(self.states & states))
            and (not self.classes or person.recipient_class in self.classes)
            and (not self.countries or person.country in self.countries)
            and (not self.overdue or person.overdue is not None)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignView:
    """A campaign as it is at ``now``; people in the frozen order, those first that need somebody."""

    id: str
    frozen_at: datetime
    now: datetime
    exercise: bool
    content: NoticeContent = field(repr=False)
    acknowledge_by: datetime | None
    people: tuple[Person, ...]
    standings: Mapping[str, DestinationStanding]
    """Of the destinations, of this campaign or not, where not all goes well."""

    @classmethod
    def load(cls, connection: Connection, campaign_id: str, now: datetime) -> Self:
        """Read it.

        Raises:
            NotFound: no such campaign.
        """
        row = campaign_row(connection, campaign_id)
        content = read_content(row.content)
        deadline = content.header.acknowledge_by if isinstance(content, EarlyWarning) else None
        reader = _Reader(
            known=known_recipients(connection, row.directory_version),
            frozen_at=row.at,
            acknowledge_by=deadline,
            acknowledged=acknowledged_at(connection, campaign_id),
            settled=settled_recipients(connection, campaign_id),
            now=now,
        )
        groups: dict[str, list[Row[Any]]] = {}
        for each in mail_rows(connection, campaign_id):
            groups.setdefault(each.recipient_id, []).append(each)
        order = list(Standing)
        people = [reader.person(name, rows) for name, rows in groups.items()]
        return cls(
            id=campaign_id,
            frozen_at=row.at,
            now=now,
            exercise=row.exercise,
            content=content,
            acknowledge_by=deadline,
            people=tuple(sorted(people, key=lambda person: order.index(person.standing))),
            standings=load_standings(connection),
        )

    def only(self, wanted: Wanted) -> tuple[Person, ...]:
        """The recipients that are wanted."""
        return tuple(person for person in self.people if wanted.takes(person))

    def person(self, recipient_id: str) -> Person:
        """One of them.

        Raises:
            NotFound: the campaign has no mail to this recipient.
        """
        found = next((person for person in self.people if person.id == recipient_id), None)
        if found is None:
            raise NotFound(
                f"{self.id} has no mail to {recipient_id}: see 'leerp campaign show {self.id}'"
            )
        return found

    @property
    def overdue(self) -> list[Person]:
        """Those with something that is late, the latest first."""
        late = [person for person in self.people if person.overdue is not None]
        return sorted(late, key=lambda person: person.overdue or timedelta(), reverse=True)

    @property
    def states(self) -> Counter[str]:
        """Mails by state."""
        return Counter(mail.state for person in self.people for mail in person.mails)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    known: Mapping[str, Recipient]
    frozen_at: datetime
    acknowledge_by: datetime | None
    acknowledged: Mapping[str, datetime]
    settled: frozenset[str]
    now: datetime

    def person(self, name: str, rows: Sequence[Row[Any]]) -> Person:
        recipient = self.known.get(name)
        mails = tuple(_mail(row, recipient) for row in rows)
        standing = self._standing(name, mails)
        late = self._late(standing, mails)
        since, what = min(late) if late else (None, "")
        return Person(
            id=name,
            organisation=recipient.organisation if recipient else "",
            recipient_class=recipient.recipient_class if recipient else "",
            country=(recipient.country if recipient else None) or NO_COUNTRY,
            standing=standing,
            acknowledged_at=self.acknowledged.get(name),
            overdue=self.now - since if since else None,
            overdue_for=what,
            mails=mails,
        )

    def _standing(self, name: str, mails: Sequence[Mail]) -> Standing:
        states = {mail.state for mail in mails}
        if name in self.acknowledged:
            return Standing.ACKNOWLEDGED
        if name in self.settled:
            return Standing.SETTLED
        if State.ACCEPTED in states:
            late = self.acknowledge_by is not None and self.now > self.acknowledge_by
            return Standing.SILENT if late else Standing.ACCEPTED
        return Standing.WAITING if states & UNDER_WAY else Standing.TROUBLE

    def _late(self, standing: Standing, mails: Sequence[Mail]) -> list[tuple[datetime, str]]:
        if standing in {Standing.ACKNOWLEDGED, Standing.SETTLED}:
            return []
        sending = [mail.late_since(self.frozen_at) for mail in mails]
        late = [(at, "sending") for at in sending if at is not None and at + GRACE < self.now]
        if self.acknowledge_by is not None and self.now > self.acknowledge_by:
            late.append((self.acknowledge_by, "acknowledgement"))
        return late


def by_group(people: Sequence[Person], group: Callable[[Person], str]) -> list[dict[str, Any]]:
    """Recipients of each group by standing, in the order of the groups' names."""
    groups: dict[str, Counter[Standing]] = {}
    for person in people:
        groups.setdefault(group(person), Counter())[person.standing] += 1
    return [
        {"group": name, "recipients": found.total(), **{str(s): found[s] for s in Standing}}
        for name, found in sorted(groups.items())
    ]


def masked(address: str) -> str:
    """An address by which a person knows which one it is, and nobody else can write to it."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"


def _mail(row: Row[Any], recipient: Recipient | None) -> Mail:
    contacts = recipient.contacts if recipient else ()
    email = contacts[row.contact].email if row.contact < len(contacts) else ""
    return Mail(
        id=row.id,
        contact=row.contact,
        address=masked(email) if email else "no longer in the directory",
        domain=domain_of(email),
        reminder=row.revision,
        variant=row.variant,
        state=row.state,
        attempts=row.attempt,
        reason=row.reason,
        reply=row.reply,
        due_at=row.due_at,
        lease_until=row.lease_until,
        accepted_at=row.accepted_at,
    )
