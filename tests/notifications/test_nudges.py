"""Nudges over apprise to a server of our own: no content, once, and never an error."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import select

from infra import audit
from infra.database import Database
from infra.tables_acknowledgement import nudge
from notifications.directory import Recipient
from notifications.nudge_services import notify, quieten
from notifications.nudges import Nudged, Nudger, service_of
from notifications.open_recipients import EVERY_CLASS
from tests.notifications.samples import contact, ewn, make_database, recipient
from tests.notifications.test_campaigns import CAMPAIGN, KEY, do_freeze, order
from tests.notifications.test_followups import LATER, acknowledge, set_state

pytestmark = pytest.mark.asyncio


class Service:
    """A JSON service of loopback: takes nudges, and says what it is told to."""

    def __init__(self) -> None:
        self.taken: list[dict[str, str]] = []
        self.answer = 200
        self.patient = threading.Event()
        self.patient.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.taken.append(json.loads(body))
                outer.patient.wait()
                self.send_response(outer.answer)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self.server.server_port}/topsecret?cto=60&rto=60"


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.patient.set()
    made.server.shutdown()
    made.server.server_close()


def nudged(name: str, *addresses: str, languages: tuple[str, ...] = ("en",)) -> Recipient:
    own = contact(0).model_copy(update={"nudges": addresses, "languages": languages})
    return recipient(id=name, contacts=(own, contact(1)))


def campaign(folder: Path, *people: Recipient, exercise: bool = False) -> Database:
    database = make_database(folder, list(people))
    do_freeze(database, order(ewn(exercise=exercise), recipients=tuple(p.id for p in people)))
    for each in people:
        set_state(database, each.id, "accepted")
    return database


async def run(database: Database, rung: int = 1, **changes: object) -> Nudged:
    patience = {"patience": timedelta(minutes=2)}  # of a machine that stands still meanwhile
    nudger = Nudger(database, notify, message_key=KEY, **patience | changes)  # type: ignore[arg-type]
    return await nudger.nudge(CAMPAIGN, rung, EVERY_CLASS, now=LATER)


def states(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as connection:
        rows = connection.execute(select(nudge).order_by(nudge.c.recipient_id, nudge.c.place))
        return [(row.recipient_id, row.service, row.state) for row in rows]


@pytest.mark.requirement("R33")
async def test_who_is_silent_hears_that_a_notice_waits_and_nothing_else(
    tmp_path: Path, service: Service
) -> None:
    people = [nudged("a", service.address), nudged("b", service.address), nudged("c")]
    database = campaign(tmp_path, *people)
    acknowledge(database, "b")
    assert await run(database) == Nudged(sent=1, failed=0, unknown=0)
    (taken,) = service.taken
    assert taken["message"].startswith("LEERP: a notice waits in your mailbox.")
    assert not {"INC-1", CAMPAIGN, "Ransom", "EXERCISE"} & set(taken["message"].split())
    assert states(database) == [("a", "json", "sent")]


async def test_an_exercise_says_so_and_the_language_is_the_contacts(
    tmp_path: Path, service: Service
) -> None:
    people = nudged("a", service.address, languages=("fi", "fr"))
    await run(campaign(tmp_path, people, exercise=True))
    assert service.taken[0]["message"].startswith("EXERCISE - LEERP : un avis vous attend")


async def test_a_nudge_is_tried_once_for_each_step(tmp_path: Path, service: Service) -> None:
    database = campaign(tmp_path, nudged("a", service.address))
    await run(database)
    assert await run(database) == Nudged(sent=0, failed=0, unknown=0)
    assert len(service.taken) == 1
    await run(database, rung=3)
    assert len(service.taken) == 2


async def test_what_fails_is_written_down_and_stops_no_other(
    tmp_path: Path, service: Service
) -> None:
    dead = "json://127.0.0.1:1/"
    people = [
        nudged("a", dead),
        nudged("b", "nonsense://x", "no-address", service.address),
    ]
    database = campaign(tmp_path, *people)
    assert await run(database) == Nudged(sent=1, failed=3, unknown=0)
    assert [state for *_, state in states(database)] == ["failed", "failed", "failed", "sent"]
    service.answer = 500
    assert (await run(database, rung=5)).failed == 4


async def test_a_service_that_does_not_answer_in_time_is_unknown(
    tmp_path: Path, service: Service
) -> None:
    service.patient.clear()
    database = campaign(tmp_path, nudged("a", service.address))
    running = asyncio.create_task(run(database, patience=timedelta(seconds=0.3)))
    assert await running == Nudged(sent=0, failed=0, unknown=1)
    assert states(database) == [("a", "json", "unknown")]


async def test_a_sender_that_was_stopped_leaves_unknown_and_nobody_tries_again(
    tmp_path: Path, service: Service
) -> None:
    service.patient.clear()
    database = campaign(tmp_path, nudged("a", service.address))
    running = asyncio.create_task(run(database))
    while not service.taken:
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()
    assert states(database) == [("a", "json", "unknown")]
    assert await run(database) == Nudged(sent=0, failed=0, unknown=0)
    assert len(service.taken) == 1


async def test_only_the_contact_that_was_reached_is_nudged(
    tmp_path: Path, service: Service
) -> None:
    second = contact(1).model_copy(update={"nudges": (service.address,)})
    database = campaign(tmp_path, recipient(id="a", contacts=(contact(0), second)))
    assert (await run(database)).sent == 0
    unreached = tmp_path / "unreached"
    unreached.mkdir()
    other = campaign(unreached, nudged("a", service.address))
    set_state(other, "a", "refused")
    assert (await run(other)).sent == 0, "nothing waits in that mailbox"


async def test_no_address_is_in_table_trail_or_log(
    tmp_path: Path, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    quieten()
    database = campaign(tmp_path, nudged("a", service.address, "json://127.0.0.1:1/topsecret"))
    await run(database)
    with database.read() as connection:
        kept = str(connection.execute(select(nudge)).all()) + str(list(audit.export(connection)))
    assert "topsecret" not in kept + caplog.text
    assert service_of("Signal://token@host/+31") == "signal"
