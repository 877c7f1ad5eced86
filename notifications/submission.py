"""One connection to the mail relay, and what each end of a submission means.

The library opens and secures the connection. Its ``sendmail`` cannot tell a connection that broke before
the body from one that broke after it, and it waits for each reply before the next command. Here the steps
are taken one by one, so that only what really is unknown is called unknown, and MAIL, RCPT and DATA go
out together where the relay offers it (RFC 2920).
Source: RFC 5321 4.5.3.2.6; RFC 1047; RFC 8689; reliability 0.8, 1.5c, 2.2, 2.3.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from aiosmtplib import SMTP, SMTPException, SMTPHeloError

from infra.settings import SmtpSettings
from notifications import failpoints
from notifications.envelopes import DSN, PIPELINING, REQUIRETLS, Letter, commands
from notifications.outbox import State
from notifications.wire import Lost, Reply, Wire
from protocol.errors import ServiceDown

MAX_TEXT = 200
START_INPUT = 354
CLOSING = 421
DATA, RSET, QUIT = b"DATA", b"RSET", b"QUIT"
NO_REQUIRETLS = (
    "every hop to this contact must speak TLS (REQUIRETLS), and the relay does not offer that: "
    "use a relay that does, or ask the contact whether it can do without"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """How a submission ended: accepted, refused, retry_due (surely not taken), unknown or held."""

    state: State
    code: int
    """The relay's reply code, or 0 when there was none."""
    text: str


class Submission:
    """A connection that stays open from mail to mail."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._wire: Wire | None = None
        self._offers: frozenset[str] = frozenset()

    @property
    def is_open(self) -> bool:
        return self._wire is not None and self._wire.is_open

    async def open(self) -> None:
        """Connect, start TLS and log in, as the settings demand.

        Raises:
            ServiceDown: the relay does not answer, offers no STARTTLS where it is required, shows a
                certificate that does not hold, or refuses the login. Nothing was sent.
        """
        smtp = self._settings
        client = SMTP(
            hostname=smtp.host,
            port=smtp.port,
            start_tls=smtp.starttls,
            tls_context=self._tls() if smtp.starttls else None,
            username=smtp.username or None,
            password=smtp.password.get_secret_value() or None,
            timeout=smtp.reply_timeout.total_seconds(),
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await _greet(client)
        except (SMTPException, OSError) as error:
            client.close()
            raise ServiceDown(
                f"mail relay {smtp.host}:{smtp.port}: {_printable(str(error))}. See that it runs"
                + (" and offers STARTTLS with a valid certificate" if smtp.starttls else "")
                + ", and check the smtp settings ('leerp doctor')"
            ) from error
        if client.transport is None:
            raise ServiceDown(f"mail relay {smtp.host}:{smtp.port} closed the connection at once")
        known = (PIPELINING, DSN, *((REQUIRETLS,) if smtp.starttls else ()))
        self._offers = frozenset(name for name in known if client.supports_extension(name))
        # By what it does: uvloop's transports are no subclasses of asyncio's.
        self._wire = Wire(cast(asyncio.Transport, client.transport))

    async def submit(
        self, letter: Letter, may_send: Callable[[], Awaitable[bool]]
    ) -> Submitted | None:
        """Send one mail. ``may_send`` is asked after the relay said 354, before the body.

        Returns None when it said no; then nothing was sent.

        Raises:
            ServiceDown: the relay refuses our sender address for good, so it would every mail.
        """
        if letter.requiretls and REQUIRETLS not in self._offers:
            return Submitted(state=State.HELD, code=0, text=NO_REQUIRETLS)
        smtp = self._settings
        steps = commands(letter, sender=smtp.sender, bounces=smtp.bounces, offers=self._offers)
        if self._wire is None:
            return _lost_before_body("not connected")
        replies: list[Reply] = []
        try:
            await self._converse(self._wire, steps, replies)
        except Lost as lost:
            self.drop()
            if not any(_is_no(reply) for reply in replies):
                return _lost_before_body(str(lost))
        if no := next((reply for reply in replies if _is_no(reply)), None):
            await self._reset(replies)
            if no is replies[0] and no.code >= 500 and not letter.requiretls:
                raise ServiceDown(
                    f"mail relay {smtp.host}:{smtp.port} refuses the sender "
                    f"{smtp.bounces or smtp.sender} ({no.code}): check the smtp settings"
                )
            return _replied(no)
        if not await may_send():
            self.drop()  # after 354 there is no other way not to send
            return None
        return await self._send_body(letter.raw)

    async def close(self) -> None:
        """Say goodbye, if there is still somebody to say it to."""
        if self._wire is not None and self._wire.is_open:
            with suppress(Lost):
                await self._ask(self._wire, QUIT)
            self.drop()

    def drop(self) -> None:
        """Break the connection at once."""
        if self._wire is not None:
            self._wire.close()

    async def _converse(self, wire: Wire, steps: tuple[bytes, bytes], replies: list[Reply]) -> None:
        """MAIL, RCPT and DATA, at once or until a no; ``replies`` has what came, also when it raises."""
        if PIPELINING in self._offers:
            wire.send(b"\r\n".join((*steps, DATA, b"")), replies=len(steps) + 1)
            while len(replies) <= len(steps):
                replies.append(await wire.reply(self._settings.reply_timeout))
            return
        for step in (*steps, DATA):
            replies.append(await self._ask(wire, step))
            if _is_no(replies[-1]):
                return

    async def _ask(self, wire: Wire, command: bytes) -> Reply:
        wire.send(command + b"\r\n", replies=1)
        return await wire.reply(self._settings.reply_timeout)

    async def _send_body(self, raw: bytes) -> Submitted:
        if self._wire is None or not self._wire.is_open:
            return _lost_before_body("closed")
        try:
            self._wire.send(_stuffed(raw), replies=1)
            failpoints.reach("after_body")
            reply = await self._wire.reply(self._settings.body_reply_timeout)
        except Lost as lost:
            self.drop()
            text = f"the connection was lost after the body: {lost}"
            return Submitted(state=State.UNKNOWN, code=0, text=text)
        failpoints.reach("after_250")
        if reply.code == CLOSING:
            self.drop()
        if reply.is_positive:
            return Submitted(state=State.ACCEPTED, code=reply.code, text=_reply_text(reply))
        return _replied(reply)

    async def _reset(self, replies: list[Reply]) -> None:
        """Leave nothing of a mail that was not to be sent on the connection."""
        if self._wire is None or not self._wire.is_open:
            return
        waits_for_body = replies[-1].code == START_INPUT
        if waits_for_body or any(reply.code == CLOSING for reply in replies):
            self.drop()
            return
        try:
            await self._ask(self._wire, RSET)
        except Lost:
            self.drop()

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._settings.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


async def _greet(client: SMTP) -> None:
    try:
        await client.ehlo()
    except SMTPHeloError:
        if not client.is_connected:
            raise
        await client.helo()


def _stuffed(raw: bytes) -> bytes:
    """As it goes over the wire: a line that begins with a dot gets another, and a lone dot ends it."""
    lines = raw.replace(b"\r\n.", b"\r\n..")
    return (b"." if lines.startswith(b".") else b"") + lines + b".\r\n"


def _is_no(reply: Reply) -> bool:
    return not reply.is_positive and reply.code != START_INPUT


def _replied(reply: Reply) -> Submitted:
    """A negative reply. A code that says neither later nor never is taken as later."""
    state = State.REFUSED if 500 <= reply.code < 600 else State.RETRY_DUE
    return Submitted(state=state, code=reply.code, text=_reply_text(reply))


def _lost_before_body(why: str) -> Submitted:
    text = f"the connection was lost before the body: {why}"
    return Submitted(state=State.RETRY_DUE, code=0, text=text)


def _reply_text(reply: Reply) -> str:
    return f"{reply.code} {_printable(reply.text)}"


def _printable(text: str) -> str:
    if not text.isprintable():
        text = "".join(ch if ch.isprintable() else " " for ch in text)
    return text[:MAX_TEXT]
