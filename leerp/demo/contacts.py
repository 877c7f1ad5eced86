"""The points of contact of the demo: they read their mail and acknowledge it as people would.

They know nothing but what lies in their mailbox and on the page behind the link.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import httpx
import structlog

from infra.services.mail_catcher import TO_HEADER
from leerp.demo.desks import SILENT
from leerp.demo.directory import Mailbox, mailboxes
from leerp.demo.opening import Opened, find_form, open_mail
from protocol.errors import Refused
from protocol.parties import RecipientClass

log = structlog.get_logger()

LOOK_EVERY_S = 0.25
READERS = 8
"""So many read at the same time; the machine has other work too."""
QUICKEST = timedelta(milliseconds=100)
PAGE_TIMEOUT_S = 20.0
DECRYPTED = "decrypted"
FROM_OWN_PAGE = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
"""What browsers send with the form of a page that forbids referrers."""


@dataclass(slots=True)
class Counts:
    """What became of the mails so far."""

    opened: int = 0
    """Decrypted, verified and found in order."""
    acknowledged: int = 0
    failed: int = 0
    unread: int = 0
    """Lie with somebody who never answers."""
    reasons: list[str] = field(default_factory=list)
    """Of each failure: the recipient's id and what is wrong."""


class PointsOfContact:
    """Everybody in the demo's directory, each with the key to their own mail.

    ``maildir`` is the mail catcher's folder, ``folder`` is where ``make_demo_directory`` put the keys,
    and ``signer`` the certificate that the centre's mails must be signed with. Whoever reads at a
    ``silent`` address never does. The first early warning that a police point of contact opens is kept
    in ``folder/decrypted``, as ``ewn.txt`` and ``ewn.html``.
    """

    def __init__(
        self,
        maildir: Path,
        folder: Path,
        *,
        signer: Path,
        silent: frozenset[str] = SILENT,
        seed: int = 1,
        slowest: timedelta = timedelta(seconds=1.5),
    ) -> None:
        self.counts = Counts()
        self._arrived = maildir / "new"
        self._example = folder / DECRYPTED
        self._signer = signer
        self._boxes = {box.address: box for box in mailboxes(folder)}
        self._silent = silent
        self._seed = seed
        self._slowest = slowest
        self._seen: set[str] = set()
        self._kept = False
        self._reading = asyncio.Semaphore(READERS)

    async def run(self, stop: asyncio.Event) -> None:
        """Answer every mail that has arrived when ``stop`` is set, then return."""
        async with (
            httpx.AsyncClient(
                timeout=PAGE_TIMEOUT_S, trust_env=False, follow_redirects=True
            ) as browser,
            asyncio.TaskGroup() as people,
        ):
            stopped = False
            while not stopped:
                stopped = stop.is_set()  # before the look, so that nothing is left lying
                for path in self._new_mails():
                    people.create_task(self._handle(path, browser))
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)

    def _new_mails(self) -> list[Path]:
        """Mails that were not there at the last look; a file in ``new`` is complete."""
        if not self._arrived.is_dir():
            return []
        found = [path for path in self._arrived.iterdir() if path.name not in self._seen]
        self._seen.update(path.name for path in found)
        return sorted(found)

    async def _handle(self, path: Path, browser: httpx.AsyncClient) -> None:
        raw = await asyncio.to_thread(path.read_bytes)
        for address in _recipients(message_from_bytes(raw)):
            box = self._boxes.get(address)
            if box is None:
                self._fail("unknown recipient", "nobody in the directory has this address")
            elif address in self._silent:
                self.counts.unread += 1
            else:
                await self._answer(raw, box, browser)

    async def _answer(self, raw: bytes, box: Mailbox, browser: httpx.AsyncClient) -> None:
        chance = random.Random(f"{self._seed}/{box.address}")  # noqa: S311  a play, not a secret
        await asyncio.sleep(
            (QUICKEST + (self._slowest - QUICKEST) * chance.random()).total_seconds()
        )
        try:
            async with self._reading:
                opened = await asyncio.to_thread(open_mail, raw, box, self._signer)
                self.counts.opened += 1
                self._keep_example(opened, box)
                if opened.link is not None and await _acknowledge(opened.link, browser):
                    self.counts.acknowledged += 1
        except (Refused, httpx.HTTPError) as error:
            self._fail(box.recipient_id, str(error) or type(error).__name__)

    def _keep_example(self, opened: Opened, box: Mailbox) -> None:
        wanted = opened.is_early_warning and box.recipient_class is RecipientClass.LE_POC
        if not wanted or self._kept:
            return
        self._kept = True
        self._example.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._example / "ewn.html").write_text(opened.html, encoding="utf-8")
        (self._example / "ewn.txt").write_text(
            f"Subject: {opened.subject}\n\n{opened.text}", encoding="utf-8"
        )

    def _fail(self, who: str, why: str) -> None:
        self.counts.failed += 1
        self.counts.reasons.append(f"{who}: {why}")
        log.warning("mail_not_answered", recipient=who)


def _recipients(mail: Message) -> list[str]:
    return [str(value) for value in mail.get_all(TO_HEADER, [])]


async def _acknowledge(link: str, browser: httpx.AsyncClient) -> bool:
    """Open the page and press its button; False when somebody already did.

    Raises:
        Refused: the page is not what it should be, or still asks after the button was pressed.
    """
    page = await browser.get(link)
    if page.status_code != httpx.codes.OK:
        raise Refused("page", f"the page behind the link answers {page.status_code}")
    form = find_form(page.text, link)
    if form is None:
        return False
    answer = await browser.post(form.action, data=form.fields, headers=FROM_OWN_PAGE)
    if answer.status_code != httpx.codes.OK or find_form(answer.text, link) is not None:
        raise Refused("page", f"the button does not acknowledge: answer {answer.status_code}")
    return True
