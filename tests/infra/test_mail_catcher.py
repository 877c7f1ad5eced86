"""The mail catcher keeps every mail as it came, with its envelope."""

from __future__ import annotations

import mailbox
import smtplib
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest
import pytest_asyncio

from infra.services import mail_catcher
from infra.services.ports import Ports
from infra.services.supervisor import Supervisor
from infra.settings import SmtpSettings

pytestmark = pytest.mark.services


@pytest_asyncio.fixture
async def relay(tmp_path: Path) -> AsyncIterator[SmtpSettings]:
    service, settings = mail_catcher.prepare(tmp_path, Ports(tmp_path), SmtpSettings())
    async with Supervisor() as supervisor:
        await supervisor.start(service)
        yield settings


def caught(home: Path) -> list[bytes]:
    folder = mailbox.Maildir(home / mail_catcher.MAILDIR, create=False)
    return [folder.get_bytes(key) for key in folder.keys()]  # noqa: SIM118  not a mapping


async def send(relay: SmtpSettings, content: bytes, *recipients: str) -> None:
    async with aiosmtplib.SMTP(hostname=relay.host, port=relay.port) as client:
        await client.sendmail("leerp@ec3.invalid", list(recipients), content)


@pytest.mark.asyncio
async def test_a_mail_is_kept_byte_by_byte_below_its_envelope(
    relay: SmtpSettings, tmp_path: Path
) -> None:
    content = b"Subject: test\r\nMessage-ID: <1@ec3.invalid>\r\n\r\n.dot\r\n  spaces \r\n\r\n"

    await send(relay, content, "a@cert.example", "b@cert.example")

    assert caught(tmp_path) == [
        b"X-Envelope-From: leerp@ec3.invalid\r\n"
        b"X-Envelope-To: a@cert.example\r\n"
        b"X-Envelope-To: b@cert.example\r\n" + content
    ]


@pytest.mark.asyncio
async def test_one_connection_carries_many_mails(relay: SmtpSettings, tmp_path: Path) -> None:
    async with aiosmtplib.SMTP(hostname=relay.host, port=relay.port) as client:
        for number in range(60):
            message = EmailMessage()
            message["Subject"] = f"number {number}"
            message.set_content("text")
            await client.send_message(
                message, sender="leerp@ec3.invalid", recipients=["a@cert.example"]
            )

    assert len(caught(tmp_path)) == 60


@pytest.mark.asyncio
async def test_international_addresses_are_taken(relay: SmtpSettings, tmp_path: Path) -> None:
    async with aiosmtplib.SMTP(hostname=relay.host, port=relay.port) as client:
        await client.sendmail(
            "leerp@ec3.invalid",
            ["søren@cert.example"],
            b"Subject: x\r\n\r\n",
            mail_options=["SMTPUTF8"],
        )

    assert "X-Envelope-To: søren@cert.example\r\n".encode() in caught(tmp_path)[0]


@pytest.mark.asyncio
async def test_a_mail_above_the_limit_is_refused_and_the_next_one_taken(
    relay: SmtpSettings, tmp_path: Path
) -> None:
    line = b"x" * 76 + b"\r\n"
    too_large = b"Subject: x\r\n\r\n" + line * (mail_catcher.SIZE_LIMIT_BYTES // len(line) + 1)

    with pytest.raises(aiosmtplib.SMTPException):
        await send(relay, too_large, "a@cert.example")
    await send(relay, b"Subject: x\r\n\r\n", "a@cert.example")

    assert len(caught(tmp_path)) == 1


@pytest.mark.asyncio
async def test_mails_outlive_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        service, settings = mail_catcher.prepare(tmp_path, Ports(tmp_path), SmtpSettings())
        async with Supervisor() as supervisor:
            await supervisor.start(service)
            await send(settings, b"Subject: x\r\n\r\n", "a@cert.example")

    assert len(caught(tmp_path)) == 2


@pytest.mark.asyncio
async def test_a_mail_that_cannot_be_stored_is_refused_for_now(
    relay: SmtpSettings, tmp_path: Path
) -> None:
    for folder in ("tmp", "new"):
        (tmp_path / mail_catcher.MAILDIR / folder).rmdir()

    with smtplib.SMTP(relay.host, relay.port) as client:
        client.ehlo()
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail("leerp@ec3.invalid", ["a@cert.example"], b"Subject: x\r\n\r\n")

    assert refused.value.smtp_code == 452
