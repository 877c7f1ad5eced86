"""What officers say of mails, recipients and whole notices: written down first, then workflows are told.

Source: R33; reliability 2.2; issue 7, item 7.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, select
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from infra.database import Database
from infra.tables import campaign
from notifications.authority import Attempt, acting, attempted
from notifications.handling import HANDLING, Act, Handled, Order, add, handle
from notifications.rows import RowMaker
from notifications.withdrawal import WITHDRAWING, Withdrawn, agree, propose
from protocol.errors import ServiceDown
from protocol.parties import Role
from protocol.profile import NoticeRules
from protocol.stages import NoticeKind
from workflows.campaign import Campaign
from workflows.messages import CampaignInput, SendingInput
from workflows.sending import Sending


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """Who says it, over which channel, and why."""

    id: str
    channel: str
    reason: str = ""


class MailCommands:
    """Of one officer; nothing is lost when Temporal is away: the same command says it again."""

    def __init__(
        self,
        database: Database,
        temporal: Callable[[], Awaitable[Client]],
        *,
        task_queue: str,
        message_key: bytes,
    ) -> None:
        self._database = database
        self._temporal = temporal
        self._task_queue = task_queue
        self._key = message_key

    async def handle(self, campaign_id: str, order: Order) -> Handled:
        """Hold, release or send again; what is put back goes out at once.

        Raises:
            Refused: no role, no reason, or no mail in a state for it.
            NotFound: no such campaign, or a named recipient is not in it.
            ServiceDown: it is written down, but Temporal does not answer.
        """
        handled = await asyncio.to_thread(self._write, campaign_id, order)
        if handled.mails and order.act is not Act.HOLD:
            await self._send(handled)
        return handled

    async def add(self, campaign_id: str, recipient_id: str, by: Officer) -> Handled:
        """Add a recipient to a campaign under way; its mail goes out at once if its locks are open.

        Raises:
            Refused: no role or reason; it is in the campaign, or that is withdrawn.
            NotFound: no such campaign or recipient.
            ServiceDown: it is written down, but Temporal does not answer.
        """
        handled = await asyncio.to_thread(self._add, campaign_id, recipient_id, by)
        if handled.mails:
            await self._send(handled)
        return handled

    async def withdraw(self, campaign_id: str, by: Officer, rules: NoticeRules) -> Withdrawn:
        """Propose to withdraw a notice, or agree where ``by`` states no reason.

        When two people agree its reminders end, and those who got it are told by ``rules``.

        Raises:
            Refused: no role; nothing proposed, or by the same person; proposed already.
            NotFound: no such campaign.
            ServiceDown: it is written down, but Temporal does not answer: say it again.
        """
        done = await asyncio.to_thread(self._withdraw, campaign_id, by)
        if done.approved:
            await self._tell_of_withdrawal(campaign_id, done, rules)
        return done

    @contextmanager
    def _acting(
        self, campaign_id: str, command: str, officer: str, channel: str, roles: frozenset[Role]
    ) -> Iterator[Connection]:
        attempt = Attempt(
            officer=officer, command=f"campaign {command}", subject=campaign_id, channel=channel
        )
        with attempted(self._database, attempt) as connection:
            acting(connection, officer, roles, attempt.command)
            yield connection

    def _maker(self, connection: Connection, campaign_id: str) -> RowMaker:
        return RowMaker.of(connection, campaign_id, message_key=self._key, now=datetime.now(UTC))

    def _write(self, campaign_id: str, order: Order) -> Handled:
        with self._acting(
            campaign_id, order.act, order.officer, order.channel, HANDLING
        ) as connection:
            return handle(connection, self._maker(connection, campaign_id), order)

    def _add(self, campaign_id: str, recipient_id: str, by: Officer) -> Handled:
        with self._acting(campaign_id, "add", by.id, by.channel, HANDLING) as connection:
            return add(
                connection,
                self._maker(connection, campaign_id),
                recipient_id,
                officer=by.id,
                reason=by.reason,
                channel=by.channel,
            )

    def _withdraw(self, campaign_id: str, by: Officer) -> Withdrawn:
        now = datetime.now(UTC)
        with self._acting(campaign_id, "withdraw", by.id, by.channel, WITHDRAWING) as connection:
            if by.reason:
                return propose(
                    connection,
                    campaign_id,
                    officer=by.id,
                    reason=by.reason,
                    channel=by.channel,
                    now=now,
                )
            return agree(connection, campaign_id, officer=by.id, channel=by.channel, now=now)

    async def _tell_of_withdrawal(
        self, campaign_id: str, done: Withdrawn, rules: NoticeRules
    ) -> None:
        try:
            client = await self._temporal()
            await self._end(client, campaign_id)
            if done.told:
                await self._start_notice(client, campaign_id, rules)
        except (RPCError, ServiceDown) as exc:
            raise ServiceDown(
                f"{campaign_id} is withdrawn and nothing of it goes out, but Temporal does not answer "
                f"and {done.told} contact(s) are not told yet: see that 'leerp up' runs, then say "
                f"'leerp campaign withdraw {campaign_id} --agree' again"
            ) from exc

    async def _end(self, client: Client, campaign_id: str) -> None:
        """Nobody is reminded of a notice that is withdrawn."""
        try:
            await client.get_workflow_handle(f"campaign-{campaign_id}").signal(Campaign.end)
        except RPCError as exc:
            if exc.status is not RPCStatusCode.NOT_FOUND:  # then it has ended by itself
                raise

    async def _start_notice(self, client: Client, campaign_id: str, rules: NoticeRules) -> None:
        about = f"{campaign_id}.withdrawn"
        incident_id, exercise = await asyncio.to_thread(self._incident_of, campaign_id)
        with suppress(WorkflowAlreadyStartedError):  # said before
            await client.start_workflow(
                Campaign.run,
                CampaignInput(
                    campaign_id=about,
                    incident_id=incident_id,
                    kind=NoticeKind.WITHDRAWAL,
                    revision=1,
                    rules=rules,
                    content=None,
                    recipients_of=campaign_id,
                    exercise=exercise,
                ),
                id=f"campaign-{about}",
                task_queue=self._task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            )

    def _incident_of(self, campaign_id: str) -> tuple[str, bool]:
        """The incident of a campaign, and whether it is an exercise."""
        with self._database.read() as connection:
            row = connection.execute(
                select(campaign.c.incident_id, campaign.c.exercise).where(
                    campaign.c.id == campaign_id
                )
            ).one()
        return row.incident_id, row.exercise

    async def _send(self, handled: Handled) -> None:
        try:
            client = await self._temporal()
            await client.start_workflow(
                Sending.run,
                SendingInput(campaign_id=handled.campaign_id, end=handled.size),
                id=f"sending-{handled.campaign_id}",
                task_queue=self._task_queue,
                start_signal="more",
                start_signal_args=[handled.size],
            )
        except (RPCError, ServiceDown) as exc:
            raise ServiceDown(
                f"{len(handled.mails)} mail(s) are back in the outbox, but Temporal does not answer: "
                "see that 'leerp up' runs; they go out with the campaign, or with the next "
                "'leerp campaign resend' or 'release'"
            ) from exc
