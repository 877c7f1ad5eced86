"""Takes every mail on loopback and keeps it in ``HOME/maildir``; nothing goes any further.

``python -m infra.services.mail_catcher --home DIR --port N``. Each file is the mail as it came,
byte by byte, below two lines of ours: ``X-Envelope-From`` and, once for each recipient,
``X-Envelope-To``. It is on disk before the sender hears 250.
"""

from __future__ import annotations

import argparse
import asyncio
import mailbox
import os
import re
import signal
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from infra.services.ports import LOOPBACK, Ports, require_free
from infra.services.probe import greets
from infra.services.supervisor import Service
from infra.settings import SmtpSettings
from protocol.errors import ServiceDown

log = structlog.get_logger()

MAILDIR = "maildir"
SIZE_LIMIT_BYTES = 20 * 1024 * 1024
FROM_HEADER = "X-Envelope-From"
TO_HEADER = "X-Envelope-To"
CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


class Catcher:
    """The handler that aiosmtpd asks what to do with a mail."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._maildir = mailbox.Maildir(folder)

    async def handle_DATA(  # noqa: N802  aiosmtpd calls it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Store the mail, synchronised to disk. Blocks the loop: this process does nothing else."""
        try:
            key = self._maildir.add(_with_envelope(envelope))
            _synchronise(self._folder / "new")
        except OSError as exc:
            log.exception("mail_not_stored")
            return f"452 4.3.1 cannot store the mail: {exc.strerror}"
        log.info("mail_stored", key=key, recipients=len(envelope.rcpt_tos))
        return f"250 2.0.0 kept as {key}"


def prepare(home: Path, ports: Ports, settings: SmtpSettings) -> tuple[Service, SmtpSettings]:
    """Say what to start and where it will be."""
    port = ports.pick("smtp")
    service = Service(
        name="mail catcher",
        argv=(
            *(sys.executable, "-m", "infra.services.mail_catcher"),
            *("--home", str(home), "--port", str(port)),
        ),
        log=home / "logs" / "mail_catcher.log",
        advice="Look into that file; a full disk is the usual reason. Then run it again.",
        ready=lambda: greets(LOOPBACK, port),
        stop_within=timedelta(seconds=5),
    )
    return service, settings.model_copy(update={"host": LOOPBACK, "port": port})


async def serve(folder: Path, port: int) -> None:
    """Catch until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    catcher = Catcher(folder)

    def session() -> SMTP:
        return SMTP(
            catcher,
            data_size_limit=SIZE_LIMIT_BYTES,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="LEERP mail catcher",
            loop=loop,
        )

    server = await loop.create_server(session, LOOPBACK, port)
    await stopped.wait()
    server.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the catcher; 0 stopped, 3 it could not start."""
    parser = argparse.ArgumentParser(prog="python -m infra.services.mail_catcher")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args(arguments)
    try:
        require_free("the mail catcher", LOOPBACK, options.port)
    except ServiceDown as exc:
        sys.stderr.write(f"{exc}\n")
        return 3
    asyncio.run(serve(options.home / MAILDIR, options.port))
    return 0


def _with_envelope(envelope: Envelope) -> bytes:
    lines = [(FROM_HEADER, envelope.mail_from or "")]
    lines += [(TO_HEADER, recipient) for recipient in envelope.rcpt_tos]
    header = "".join(f"{name}: {CONTROLS.sub('?', address)}\r\n" for name, address in lines)
    content: bytes = envelope.original_content or b""
    return header.encode(errors="surrogateescape") + content


def _synchronise(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())
