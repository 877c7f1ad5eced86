"""One connection to the mail relay, and what each end of a submission means.

The library's ``sendmail`` cannot tell a connection that broke before the body from one that broke after
it. Here the steps are taken one by one, so that only what really is unknown is called unknown
(RFC 5321 4.5.3.2.6; RFC 1047; reliability 0.8, 2.2, 2.3).
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from infra.settings import SmtpSettings
from notifications.outbox import State
from protocol.errors import ServiceDown

REPLY_TIMEOUT_S = 60.0
BODY_REPLY_TIMEOUT_S = 600.0
"""RFC 5321: a shorter one makes duplicates, since the relay may have taken the mail already."""
MAX_REPLY = 200
START_INPUT = 354
CLOSING = 421


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """How a submission ended: accepted, refused, retry_due (surely not taken) or unknown."""

    state: State
    code: int
    """The relay's reply code, or 0 when the connection broke."""
    text: str


class Submission:
    """A connection that stays open from mail to mail."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._client = SMTP(timeout=REPLY_TIMEOUT_S)

    @property
    def is_open(self) -> bool:
        return self._client.is_connected

    async def open(self) -> None:
        """Connect, start TLS and log in, as the settings demand.

        Raises:
            ServiceDown: the relay does not answer, offers no STARTTLS where it is required, shows a
                certificate that does not hold, or refuses the login. Nothing was sent.
        """
        smtp = self._settings
        self._client = SMTP(
            hostname=smtp.host,
            port=smtp.port,
            start_tls=smtp.starttls,
            tls_context=self._tls() if smtp.starttls else None,
            username=smtp.username or None,
            password=smtp.password.get_secret_value() or None,
            timeout=REPLY_TIMEOUT_S,
        )
        try:
            await self._client.connect()
        except (SMTPException, OSError) as error:
            raise ServiceDown(
                f"mail relay {smtp.host}:{smtp.port}: {_printable(str(error))}. See that it runs"
                + (" and offers STARTTLS with a valid certificate" if smtp.starttls else "")
                + ", and check the smtp settings ('leerp doctor')"
            ) from error

    async def submit(
        self, to: str, raw: bytes, may_send: Callable[[], Awaitable[bool]]
    ) -> Submitted | None:
        """Send ``raw`` to one address. ``may_send`` is asked after the relay said 354, before the body.

        Returns None when it said no; then nothing was sent.

        Raises:
            ServiceDown: the relay refuses our sender address for good, so it would every mail.
        """
        try:
            await self._client.mail(self._settings.sender)
            await self._client.rcpt(to)
            ready = await self._client.execute_command(b"DATA")
        except SMTPSenderRefused as error:
            await self._reset()
            if error.code >= 500:
                raise ServiceDown(
                    f"mail relay {self._settings.host}:{self._settings.port} refuses the sender "
                    f"{self._settings.sender} ({error.code}): check the smtp settings"
                ) from error
            return _replied(error.code, error.message)
        except SMTPRecipientRefused as error:
            await self._reset()
            return _replied(error.code, error.message)
        except (SMTPException, OSError) as error:
            self.drop()
            return Submitted(state=State.RETRY_DUE, code=0, text=_lost("before the body", error))
        if ready.code != START_INPUT:
            await self._reset()
            return _replied(ready.code, ready.message)
        if not await may_send():
            self.drop()  # after 354 there is no other way not to send
            return None
        return await self._send_body(raw)

    async def close(self) -> None:
        """Say goodbye, if there is still somebody to say it to."""
        if self._client.is_connected:
            try:
                await self._client.quit()
            except (SMTPException, OSError):
                self.drop()

    def drop(self) -> None:
        """Break the connection at once."""
        self._client.close()

    async def _send_body(self, raw: bytes) -> Submitted:
        protocol = self._client.protocol
        if protocol is None:
            return Submitted(
                state=State.RETRY_DUE, code=0, text="the connection was lost before the body"
            )
        try:
            protocol.write(raw.replace(b"\r\n.", b"\r\n..") + b".\r\n")
            reply = await protocol.read_response(timeout=BODY_REPLY_TIMEOUT_S)
        except (SMTPException, OSError) as error:
            self.drop()
            return Submitted(state=State.UNKNOWN, code=0, text=_lost("after the body", error))
        if reply.code == CLOSING:
            self.drop()
        if 200 <= reply.code < 300:
            return Submitted(
                state=State.ACCEPTED, code=reply.code, text=_reply_text(reply.code, reply.message)
            )
        return _replied(reply.code, reply.message)

    async def _reset(self) -> None:
        if self._client.is_connected:
            try:
                await self._client.rset()
            except (SMTPException, OSError):
                self.drop()

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._settings.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def _replied(code: int, message: str) -> Submitted:
    """A negative reply. A code that says neither later nor never is taken as later."""
    state = State.REFUSED if 500 <= code < 600 else State.RETRY_DUE
    return Submitted(state=state, code=code, text=_reply_text(code, message))


def _reply_text(code: int, message: str) -> str:
    return f"{code} {_printable(message)}"


def _lost(when: str, error: Exception) -> str:
    """What broke. The relay's own words are kept only where it gave a reply."""
    code = f" ({error.code})" if isinstance(error, SMTPResponseException) else ""
    return f"the connection was lost {when}: {type(error).__name__}{code}"


def _printable(text: str) -> str:
    return "".join(ch if ch.isprintable() else " " for ch in text)[:MAX_REPLY]
