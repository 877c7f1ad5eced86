"""The steps of the ladder, and what follows from answers, as activities.

External systems: the database, and the services that nudges go over. A repeat of any of them adds
nothing and tells nobody twice; nudges are tried at most once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog
from pydantic import AwareDatetime
from sqlalchemy import Connection
from temporalio import activity

from activities.campaigns import CampaignRef, NextStep
from infra.database import Database
from infra.payload import Payload
from notifications import followups, ladder
from notifications.ladder import Step, Told
from notifications.nudges import Nudger
from notifications.open_recipients import EVERY_CLASS
from protocol.parties import RecipientClass

log = structlog.get_logger()


class StepOrder(Payload):
    """One step of a campaign's ladder."""

    campaign_id: str
    number: int
    """Of the rung, from 0."""
    nth: int
    """Which of its kind in the ladders of these classes, from 1."""
    time: int
    """Which of its kind in the campaign, from 1."""
    classes: tuple[RecipientClass, ...]
    due_at: AwareDatetime


class StepTaken(Payload):
    """What a step leaves to send: of the campaign itself, and of notices about it."""

    ranges: tuple[NextStep, ...] = ()


class ConcludeOrder(Payload):
    """The ladder is climbed, or nobody needs it any more."""

    campaign_id: str
    tell: bool
    """Whether the duty manager is told who is left."""


class Conclusion(Payload):
    """How many are not settled at the end, and what is left to send about it."""

    unsettled: int
    ranges: tuple[NextStep, ...] = ()


class FollowUpActivities:
    """Built once per worker."""

    def __init__(self, database: Database, message_key: bytes, nudger: Nudger) -> None:
        self._database = database
        self._key = message_key
        self._nudger = nudger

    @activity.defn
    def remind(self, order: StepOrder) -> StepTaken:
        """Add a reminder for each contact that is silent."""
        with self._database.write() as connection:
            added = followups.remind(
                connection,
                order.campaign_id,
                revision=order.nth,
                message_key=self._key,
                now=datetime.now(UTC),
                classes=order.classes,
            )
        return _of_itself(order.campaign_id, added.size)

    @activity.defn
    async def nudge(self, order: StepOrder) -> StepTaken:
        """Nudge the contacts that were reached and are silent; at most once for each address."""
        nudged = await self._nudger.nudge(
            order.campaign_id,
            order.number,
            order.classes,
            now=datetime.now(UTC),
            heartbeat=activity.heartbeat,
        )
        log.info(
            "nudges_tried",
            campaign_id=order.campaign_id,
            sent=nudged.sent,
            failed=nudged.failed,
            unknown=nudged.unknown,
        )
        return StepTaken()

    @activity.defn
    def turn_to_next_contact(self, order: StepOrder) -> StepTaken:
        """Add the next contact of each silent organisation (R72)."""
        with self._database.write() as connection:
            added = followups.second_contact(
                connection,
                order.campaign_id,
                message_key=self._key,
                now=datetime.now(UTC),
                contacts=order.nth + 1,
                classes=order.classes,
            )
        return _of_itself(order.campaign_id, added.size)

    @activity.defn
    def turn_to_other_channel(self, order: StepOrder) -> StepTaken:
        """Tell the duty manager whom no mail has reached."""
        return self._tell(ladder.turn_to_other_channel, order)

    @activity.defn
    def ask_liaison_officers(self, order: StepOrder) -> StepTaken:
        """Ask the liaison bureau of each country to wake those that are silent there."""
        return self._tell(ladder.ask_liaison_officers, order)

    @activity.defn
    def list_calls(self, order: StepOrder) -> StepTaken:
        """Put who is silent on the call list, and tell the duty manager of it."""
        return self._tell(ladder.list_calls, order)

    @activity.defn
    def escalate(self, order: StepOrder) -> StepTaken:
        """Tell the duty manager who is silent, if anybody still is."""
        return self._tell(ladder.escalate, order)

    @activity.defn
    def conclude(self, order: ConcludeOrder) -> Conclusion:
        """Write down who is not settled at the end."""
        with self._database.write() as connection:
            told, left = ladder.conclude(connection, self._now(order.campaign_id), tell=order.tell)
        return Conclusion(unsettled=left, ranges=_ranges(told))

    @activity.defn
    def turn_misdirected(self, ref: CampaignRef) -> StepTaken:
        """Add the next contact of each organisation whose contacts so far are the wrong ones."""
        with self._database.write() as connection:
            added = followups.turn_misdirected(
                connection, ref.campaign_id, message_key=self._key, now=datetime.now(UTC)
            )
        return _of_itself(ref.campaign_id, added.size) if added.added else StepTaken()

    @activity.defn
    def tell_answers(self, ref: CampaignRef) -> StepTaken:
        """Tell the duty manager at once of the answers that cannot wait."""
        with self._database.write() as connection:
            return StepTaken(
                ranges=_ranges(ladder.tell_answers(connection, self._now(ref.campaign_id)))
            )

    def _tell(self, tell: Callable[[Connection, Step], list[Told]], order: StepOrder) -> StepTaken:
        step = Step(
            campaign_id=order.campaign_id,
            classes=order.classes,
            due_at=order.due_at,
            message_key=self._key,
            now=datetime.now(UTC),
            time=order.time,
        )
        with self._database.write() as connection:
            return StepTaken(ranges=_ranges(tell(connection, step)))

    def _now(self, campaign_id: str) -> Step:
        now = datetime.now(UTC)
        return Step(
            campaign_id=campaign_id,
            classes=EVERY_CLASS,
            due_at=now,
            message_key=self._key,
            now=now,
        )


def _of_itself(campaign_id: str, size: int) -> StepTaken:
    return StepTaken(ranges=(NextStep(campaign_id=campaign_id, end=size),))


def _ranges(told: Sequence[Told]) -> tuple[NextStep, ...]:
    return tuple(NextStep(campaign_id=each.campaign_id, end=each.size) for each in told)
