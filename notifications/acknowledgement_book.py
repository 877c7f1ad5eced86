"""The book of acknowledgements: how recipients stand, and what their words change.

Read for those who spoke, changed word by word, written in a handful of statements however many they
are (reliability 1.5c). Source: domain 5.3 section 1; reliability 4.2, F-A2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)

from infra import audit
from infra.tables import acknowledgement, notification, relay
from infra.tables_acknowledgement import answer
from notifications.answers import URGENT, Answer, Given, Proof

Pair = tuple[str, str]
"""A campaign and a recipient of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """The answer to an acknowledgement; the same for the first and for every repeat, but ``first``.

    ``at`` is when the recipient first acknowledged, or now for a wrong addressee.
    """

    first: bool
    at: datetime
    campaign_id: str
    recipient_id: str
    notification_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a recipient said through one of its notifications, and what proves it."""

    notification_id: str
    campaign_id: str
    recipient_id: str
    contact: int
    revision: int
    given: Given = field(repr=False)
    proof: Proof

    @property
    def pair(self) -> Pair:
        return self.campaign_id, self.recipient_id

    @classmethod
    def of(cls, row: Row[Any], given: Given, proof: Proof) -> Word:
        """A word about the notification of this row."""
        return cls(
            notification_id=row.id,
            campaign_id=row.campaign_id,
            recipient_id=row.recipient_id,
            contact=row.contact,
            revision=row.revision,
            given=given,
            proof=proof,
        )


# Written once: a group is a dozen statements, and making each anew would cost more than running it.
_PAIR: BindParameter[Any] = bindparam("pairs", expanding=True)
_each = answer.alias()
_NEWEST = (
    select(func.max(_each.c.id))
    .where(
        _each.c.campaign_id == notification.c.campaign_id,
        _each.c.recipient_id == notification.c.recipient_id,
        _each.c.contact == notification.c.contact,
    )
    .correlate(notification)
    .scalar_subquery()
)
_STANDING = (
    select(
        notification.c.campaign_id,
        notification.c.recipient_id,
        notification.c.contact,
        acknowledgement.c.contact.label("by"),
        acknowledgement.c.at,
        answer.c.answer,
        answer.c.person,
        answer.c.phone,
    )
    .outerjoin(
        acknowledgement,
        and_(
            acknowledgement.c.campaign_id == notification.c.campaign_id,
            acknowledgement.c.recipient_id == notification.c.recipient_id,
        ),
    )
    .outerjoin(answer, answer.c.id == _NEWEST)
    .where(notification.c.id.in_(bindparam("ids", expanding=True)))
)
_FORGET = delete(acknowledgement).where(
    tuple_(acknowledgement.c.campaign_id, acknowledgement.c.recipient_id).in_(_PAIR)
)
_COUNT = (
    update(acknowledgement)
    .where(
        acknowledgement.c.campaign_id == bindparam("b_campaign"),
        acknowledgement.c.recipient_id == bindparam("b_recipient"),
    )
    .values(repeats=acknowledgement.c.repeats + bindparam("b_repeats"))
)
_ACKNOWLEDGE, _ANSWER, _TELL = insert(acknowledgement), insert(answer), insert(relay)


@dataclass(slots=True, kw_only=True)
class Book:
    """How the recipients in question stand, and what is to be written about them."""

    now: datetime
    standing: dict[Pair, tuple[int, datetime]]
    """Contact that acknowledged, and when."""
    said: dict[tuple[str, str, int], Given]
    """The newest answer of each contact that speaks."""
    kept: frozenset[Pair] = frozenset()
    """Who had acknowledged before."""
    repeats: dict[Pair, int] = field(default_factory=dict)
    first: dict[Pair, Word] = field(default_factory=dict)
    answers: list[Word] = field(default_factory=list)
    trail: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def read(cls, connection: Connection, words: Iterable[Word], now: datetime) -> Book:
        """How those stand whose words these are."""
        standing: dict[Pair, tuple[int, datetime]] = {}
        said: dict[tuple[str, str, int], Given] = {}
        ids = sorted({word.notification_id for word in words})
        for row in connection.execute(_STANDING, {"ids": ids}):
            pair = (row.campaign_id, row.recipient_id)
            if row.by is not None:
                standing[pair] = (row.by, row.at)
            if row.answer is not None:
                said[*pair, row.contact] = Given(
                    answer=row.answer, person=row.person, phone=row.phone
                )
        return cls(now=now, standing=standing, said=said, kept=frozenset(standing))

    def enter(self, word: Word) -> Acknowledged:
        contact = (*word.pair, word.contact)
        changed = self.said.get(contact) != word.given
        stands = word.pair in self.standing
        first = False
        if changed:
            self.said[contact] = word.given
            self.answers.append(word)
        if word.given.answer is Answer.WRONG_ADDRESSEE:
            event = "addressee_wrong" if changed else "acknowledgement_repeated"
            # What another contact has acknowledged stands.
            if stands and self.standing[word.pair][0] == word.contact:
                del self.standing[word.pair]
                self.first.pop(word.pair, None)
        elif not stands:
            first, event = True, "notice_acknowledged"
            self.standing[word.pair] = (word.contact, self.now)
            self.first[word.pair] = word
        else:
            event = "acknowledgement_answered" if changed else "acknowledgement_repeated"
            self.repeats[word.pair] = self.repeats.get(word.pair, 0) + 1
        self._audit(event, word)
        return Acknowledged(
            first=first,
            at=self.standing.get(word.pair, (0, self.now))[1],
            campaign_id=word.campaign_id,
            recipient_id=word.recipient_id,
            notification_id=word.notification_id,
        )

    def _audit(self, event: str, word: Word) -> None:
        self.trail.append(
            {
                "event": event,
                "actor": word.recipient_id,
                "channel": word.proof,
                "subject": word.campaign_id,
                "detail": {
                    "notification": word.notification_id,
                    "contact": word.contact,
                    "revision": word.revision,
                    "answer": word.given.answer,
                },
            }
        )

    def write(self, connection: Connection) -> None:
        gone = sorted(pair for pair in self.kept if self._taken_back(pair))
        if gone:
            connection.execute(_FORGET, {"pairs": gone})
        if self.first:
            connection.execute(_ACKNOWLEDGE, [self._row(word) for word in self.first.values()])
        repeats = {p: n for p, n in self.repeats.items() if p in self.kept and p not in self.first}
        if repeats:
            connection.execute(
                _COUNT,
                [
                    {"b_campaign": campaign, "b_recipient": recipient, "b_repeats": number}
                    for (campaign, recipient), number in repeats.items()
                ],
            )
        if self.answers:
            connection.execute(_ANSWER, [self._answer(word) for word in self.answers])
        self._pass_on(connection, gone)
        audit.append_all(connection, "notice_acknowledged", self.trail, actor="console")

    def _taken_back(self, pair: Pair) -> bool:
        """Whether a word of before does not stand any more, or was given anew."""
        return pair not in self.standing or pair in self.first

    def _row(self, word: Word) -> dict[str, Any]:
        return {
            "campaign_id": word.campaign_id,
            "recipient_id": word.recipient_id,
            "notification_id": word.notification_id,
            "contact": word.contact,
            "at": self.now,
            "repeats": self.repeats.get(word.pair, 0),
        }

    def _answer(self, word: Word) -> dict[str, Any]:
        return {
            "campaign_id": word.campaign_id,
            "recipient_id": word.recipient_id,
            "notification_id": word.notification_id,
            "contact": word.contact,
            "proof": word.proof,
            "answer": word.given.answer,
            "person": word.given.person,
            "phone": word.given.phone,
            "at": self.now,
            "followed": word.given.answer not in URGENT,
        }

    def _pass_on(self, connection: Connection, gone: Iterable[Pair]) -> None:
        """To the campaign that its number changed; to the duty manager what cannot wait."""
        urgent = {w.campaign_id for w in self.answers if w.given.answer in URGENT}
        told = {campaign for campaign, _ in (*self.first, *gone)}
        rows = [{"kind": "campaign", "target": name, "done": False} for name in sorted(told)]
        rows += [{"kind": "answer", "target": name, "done": False} for name in sorted(urgent)]
        if rows:
            connection.execute(_TELL, rows)
