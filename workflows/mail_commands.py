"""What officers say of single mails: written down first, then the sender is told.

Source: R33; reliability 2.2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from temporalio.client import Client
from temporalio.service import RPCError

from infra.database import Database
from notifications.authority import Attempt, acting, attempted
from notifications.handling import HANDLING, Act, Handled, Order, handle
from notifications.rows import RowMaker
from protocol.errors import ServiceDown
from workflows.messages import SendingInput
from workflows.sending import Sending


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

    def _write(self, campaign_id: str, order: Order) -> Handled:
        attempt = Attempt(
            officer=order.officer,
            command=f"campaign {order.act}",
            subject=campaign_id,
            channel=order.channel,
        )
        with attempted(self._database, attempt) as connection:
            acting(connection, order.officer, HANDLING, attempt.command)
            maker = RowMaker.of(
                connection, campaign_id, message_key=self._key, now=datetime.now(UTC)
            )
            return handle(connection, maker, order)

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
