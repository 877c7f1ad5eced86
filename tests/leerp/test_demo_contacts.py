from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from console.app import create_app, make_server
from infra.database import Database
from infra.settings import Settings
from infra.tables import acknowledgement, campaign, notification
from leerp.demo.contacts import PointsOfContact
from leerp.demo.desks import SILENT
from leerp.demo.directory import DOCUMENT
from leerp.demo.opening import find_form
from notifications import claiming
from notifications.directory_import import import_directory
from notifications.notices import NoticeContent
from notifications.outbox import Range
from notifications.parcels import Packer
from notifications.smime import Signer
from notifications.trust_folders import TrustFolders
from tests.notifications.mailroom import identity, signer
from tests.notifications.samples import ewn, initial

pytestmark = pytest.mark.asyncio
ACK_KEY = bytes(range(32))
QUICK = timedelta(milliseconds=150)
QUEUE = (("le-poc-es", 0), ("le-poc-mt", 0), ("le-poc-mt", 1), ("csirts-network", 0))


class World:
    """A database with one notice of an exercise, its mails, and the real page behind the links."""

    def __init__(self, folder: Path, demo_folder: Path, url: str) -> None:
        self.database = Database(f"sqlite:///{folder / 'leerp.db'}")
        self.database.migrate()
        self.maildir = folder / "maildir"
        (self.maildir / "new").mkdir(parents=True)
        self.settings = Settings(console_url=url)
        import_directory(self.database, (demo_folder / DOCUMENT).read_text(), by="a.virtanen")

    def deliver(self, content: NoticeContent, *, by: Signer | None = None) -> None:
        """Put the notice's mails into the catcher's folder, as a campaign would."""
        name = f"campaign/{content.kind}"
        now = datetime.now(UTC)
        with self.database.write() as connection:
            connection.execute(
                insert(campaign).values(
                    id=name,
                    incident_id=content.incident_id,
                    kind=content.kind,
                    revision=1,
                    directory_version=1,
                    content=content.model_dump(mode="json"),
                    omissions=[],
                    exercise=content.exercise,
                    at=now,
                )
            )
            connection.execute(
                insert(notification),
                [
                    {
                        "id": hashlib.sha256(f"{name}/{row}".encode()).hexdigest()[:32],
                        "campaign_id": name,
                        "cursor": cursor,
                        "recipient_id": row[0],
                        "contact": row[1],
                        "revision": 0,
                        "variant": "full",
                        "message_id": f"<{cursor}.{content.kind}@ec3.invalid>",
                        "state": "queued",
                    }
                    for cursor, row in enumerate(QUEUE)
                ],
            )
            packer = Packer.load(
                connection,
                name,
                settings=self.settings,
                signer=by or signer(),
                ack_key=ACK_KEY,
                trust=TrustFolders(self.settings.smime),
                recheck=lambda *_: "",
            )
            claims = claiming.claim(
                connection,
                Range(campaign_id=name, start=0, end=len(QUEUE)),
                limit=len(QUEUE),
                now=now,
                lease=timedelta(minutes=1),
                resend_unknown=True,
            )
            parcels, poison = packer.pack(connection, claims, now)
        assert not poison
        for number, parcel in enumerate(parcels):
            envelope = f"X-Envelope-To: {parcel.to}\r\n".encode()
            (self.maildir / "new" / f"{content.kind}.{number}").write_bytes(envelope + parcel.raw)

    def acknowledged(self) -> list[str]:
        with self.database.read() as connection:
            rows = connection.scalars(select(acknowledgement.c.recipient_id))
            return sorted(rows)

    def repeats(self) -> int:
        with self.database.read() as connection:
            return connection.scalar(select(func.sum(acknowledgement.c.repeats))) or 0


@contextmanager
def world(folder: Path, demo_folder: Path) -> Iterator[World]:
    """A world whose page is served by the real console on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        made = World(folder, demo_folder, url)
        server = make_server(create_app(made.database, ACK_KEY, public_url=url), "127.0.0.1", 0)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield made
        finally:
            server.should_exit = True
            thread.join()


def make_people(made: World, demo_folder: Path, tmp_path: Path) -> PointsOfContact:
    certificate = tmp_path / "signer.pem"
    certificate.write_text(identity("ec3").certificate_pem())
    return PointsOfContact(
        made.maildir, demo_folder, signer=certificate, silent=SILENT, slowest=QUICK
    )


async def answer_all(people: PointsOfContact) -> None:
    """Let them work until every mail that lies there is dealt with."""
    stop = asyncio.Event()
    stop.set()
    await people.run(stop)


@pytest.mark.requirement("R72")
async def test_they_acknowledge_on_the_real_page_and_the_second_contact_answers_for_a_silent_first(
    demo_folder: Path, tmp_path: Path
) -> None:
    with world(tmp_path, demo_folder) as made:
        made.deliver(ewn(exercise=True))
        people = make_people(made, demo_folder, tmp_path)
        await answer_all(people)
        assert made.acknowledged() == ["csirts-network", "le-poc-es", "le-poc-mt"]
        assert made.repeats() == 0
    assert (people.counts.opened, people.counts.acknowledged) == (3, 3)
    assert (people.counts.unread, people.counts.failed) == (1, 0)


async def test_one_early_warning_is_kept_as_a_person_reads_it(
    demo_folder: Path, tmp_path: Path
) -> None:
    with world(tmp_path, demo_folder) as made:
        made.deliver(ewn(exercise=True))
        await answer_all(make_people(made, demo_folder, tmp_path))
    text = (demo_folder / "decrypted" / "ewn.txt").read_text()
    assert text.startswith("Subject: EXERCISE")
    assert "EARLY WARNING NOTIFICATION LEERP-INC-1-EWN-1" in text
    assert "<html" in (demo_folder / "decrypted" / "ewn.html").read_text()


async def test_a_notice_that_asks_for_no_answer_is_read_and_not_answered(
    demo_folder: Path, tmp_path: Path
) -> None:
    with world(tmp_path, demo_folder) as made:
        made.deliver(initial(exercise=True))
        people = make_people(made, demo_folder, tmp_path)
        await answer_all(people)
        assert made.acknowledged() == []
    assert (people.counts.opened, people.counts.acknowledged, people.counts.failed) == (3, 0, 0)


async def test_a_mail_that_somebody_else_signed_is_not_answered(
    demo_folder: Path, tmp_path: Path
) -> None:
    stranger = identity("stranger")
    forged = Signer(certificate=stranger.certificate, key=stranger.key)
    with world(tmp_path, demo_folder) as made:
        made.deliver(ewn(exercise=True), by=forged)
        people = make_people(made, demo_folder, tmp_path)
        await answer_all(people)
        assert made.acknowledged() == []
    assert people.counts.failed == 3
    assert all("signature" in reason for reason in people.counts.reasons)


async def test_a_mail_that_is_not_marked_as_an_exercise_is_not_answered(
    demo_folder: Path, tmp_path: Path
) -> None:
    with world(tmp_path, demo_folder) as made:
        made.deliver(ewn(exercise=False))
        people = make_people(made, demo_folder, tmp_path)
        await answer_all(people)
        assert made.acknowledged() == []
    assert (people.counts.failed, people.counts.opened) == (3, 0)


async def test_the_forms_own_action_and_hidden_fields_are_what_a_button_sends() -> None:
    page = (
        '<form method="get"><input name="q"></form>'
        '<form method="POST" action="../b?x=1"><input type="hidden" name="k" value="v"></form>'
    )
    form = find_form(page, "http://127.0.0.1:1/a/token")
    assert form is not None
    assert (form.action, form.fields) == ("http://127.0.0.1:1/b?x=1", {"k": "v"})
    assert find_form("<p>Nothing to do</p>", "http://127.0.0.1:1/a/token") is None
