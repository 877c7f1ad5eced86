"""The relay, on a real Temporal without a worker: what is told, how often, and to whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select
from structlog.testing import capture_logs
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus

from infra.bootstrap import App
from infra.bootstrap import app as open_app
from infra.codec import connect
from infra.database import Database
from infra.services.ports import LOOPBACK, Ports, address_of
from infra.tables import acknowledgement, incident, relay, report
from intake.relay import FIRST_PAUSE, LONGEST_PAUSE, Pace, Relay
from tests.conftest import running
from tests.e2e.support import PATIENCE_SECONDS, until
from tests.intake.line import line
from tests.intake.samples import START, content, major, profile, read, read_all, record, store_of
from workflows.campaign import Campaign
from workflows.messages import Acknowledged, Changed

# The pace alone


def words_of(changes: list[float]) -> list[float]:
    """When words go out if something changes at these times and the relay looks all the time."""
    pace, words, waiting = Pace(), [], sorted(changes)
    clock = 0.0
    while waiting:
        clock += 0.25
        if waiting[0] <= clock and pace.due(clock):
            pace.told(clock)
            words.append(clock)
            waiting = [change for change in waiting if change > clock]
    return words


@given(changes=st.lists(st.floats(0, 300), min_size=1, max_size=100))
def test_words_are_never_closer_than_a_second_and_no_change_waits_long(
    changes: list[float],
) -> None:
    words = words_of(changes)
    assert all(later - sooner >= FIRST_PAUSE for sooner, later in pairwise(words))
    for change in changes:
        assert min(word for word in words if word >= change) - change <= LONGEST_PAUSE + 0.25


def test_a_storm_of_two_hours_is_some_hundreds_of_words() -> None:
    words = words_of([n * 0.25 for n in range(4 * 7_200)])
    assert len(words) <= 7_200 / LONGEST_PAUSE + 20


def test_after_a_rest_the_next_word_goes_out_at_once() -> None:
    pace = Pace()
    for second in range(60):
        if pace.due(second):
            pace.told(second)
    assert not pace.due(61)
    assert pace.due(60 + 2 * LONGEST_PAUSE)
    pace.told(60 + 3 * LONGEST_PAUSE)
    assert pace.pause == FIRST_PAUSE


# On the real server


@dataclass(frozen=True, slots=True)
class Office:
    """What a relay needs; without a worker, so that workflows only gather what they are told."""

    app: App
    client: Client

    def relay(self, client: Client | None = None) -> Relay:
        return Relay(self.app, client or self.client, profile())

    def change(self, target: str, times: int = 1, kind: str = "incident") -> None:
        with self.app.database.write() as connection:
            rows = [{"kind": kind, "target": target, "done": False}] * times
            connection.execute(insert(relay), rows)

    def open_incident(self, target: str) -> None:
        with self.app.database.write() as connection:
            connection.execute(
                insert(incident).values(
                    id=target, created_at=START, status="detected", exercise=True, profile="p/1"
                )
            )
        self.change(target)

    def waiting(self) -> set[str]:
        with self.app.database.read() as connection:
            return set(connection.scalars(select(relay.c.target).where(relay.c.done.is_(False))))

    def status(self, incident_id: str) -> str | None:
        with self.app.database.read() as connection:
            return connection.scalar(select(incident.c.status).where(incident.c.id == incident_id))

    def newest(self) -> int:
        with self.app.database.read() as connection:
            return max(map(int, connection.scalars(select(relay.c.seq))))

    async def words(self, target: str) -> list[int]:
        """What the workflow was told: up to which row."""
        handle = self.client.get_workflow_handle(f"incident-{target}")
        payloads = [
            event.workflow_execution_signaled_event_attributes.input.payloads
            async for event in handle.fetch_history_events()
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
        ]
        words = [
            await self.client.data_converter.decode(payload, [Changed]) for payload in payloads
        ]
        return [int(word.up_to) for (word,) in words]

    async def runs(self, target: str) -> int:
        query = f'WorkflowId = "incident-{target}"'
        return len([run async for run in self.client.list_workflows(query)])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    home = tmp_path_factory.mktemp("relay")
    async with running(home) as settings:
        with open_app(settings.home) as app:
            yield Office(app, await app.temporal())


@pytest.fixture
def office(services: Office) -> Office:
    """The services with no word waiting."""
    with services.app.database.write() as connection:
        for table in (relay, incident, acknowledgement):
            connection.execute(delete(table))
    return services


services_test = pytest.mark.services
asyncio_test = pytest.mark.asyncio


@services_test
@asyncio_test
async def test_the_first_word_starts_the_workflow_with_its_profile(office: Office) -> None:
    office.open_incident("inc-first")
    assert await office.relay().relay_once(0) == 1
    assert office.waiting() == set()
    assert await office.words("inc-first") == [office.newest()]
    handle = office.client.get_workflow_handle("incident-inc-first")
    described = await handle.describe()
    assert described.status is WorkflowExecutionStatus.RUNNING
    assert described.workflow_type == "Incident"
    first = await anext(handle.fetch_history_events())
    started = first.workflow_execution_started_event_attributes.input.payloads
    (given,) = await office.client.data_converter.decode(started)
    assert (given["incident_id"], given["exercise"]) == ("inc-first", True)
    assert given["profile"]["id"] == profile().id


@services_test
@asyncio_test
async def test_many_changes_are_one_word_and_words_keep_their_distance(office: Office) -> None:
    office.open_incident("inc-busy")
    office.change("inc-busy", times=500)
    carrier = office.relay()
    assert await carrier.relay_once(0) == 1
    first = office.newest()
    office.change("inc-busy", times=3)
    assert await carrier.relay_once(0.5) == 0
    assert office.waiting() == {"inc-busy"}
    assert await carrier.relay_once(1.0) == 1
    assert await carrier.relay_once(2.0) == 0  # nothing has changed
    assert await office.words("inc-busy") == [first, office.newest()]


@services_test
@asyncio_test
async def test_a_relay_that_starts_anew_or_runs_twice_starts_no_second_workflow(
    office: Office,
) -> None:
    office.open_incident("inc-twice")
    await asyncio.gather(*(office.relay().relay_once(0) for _ in range(3)))
    office.change("inc-twice")
    await office.relay().relay_once(0)
    words = await office.words("inc-twice")
    assert 2 <= len(words) <= 4
    assert max(words) == office.newest()
    await until_seen(office, "inc-twice")
    assert await office.runs("inc-twice") == 1


async def until_seen(office: Office, target: str) -> None:
    """Wait until the server's list, which lags behind, shows the workflow."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await office.runs(target):
            await asyncio.sleep(0.05)


@services_test
@asyncio_test
@pytest.mark.requirement("R10")
async def test_word_for_a_workflow_that_has_ended_starts_no_other_and_marks_the_end(
    office: Office,
) -> None:
    office.open_incident("inc-ended")
    carrier = office.relay()
    await carrier.relay_once(0)
    handle = office.client.get_workflow_handle("incident-inc-ended")
    await handle.terminate("test")
    office.change("inc-ended")
    assert await carrier.relay_once(10) == 1
    assert office.status("inc-ended") == "ended"
    await carrier.relay_once(50)
    assert office.waiting() == set()
    assert (await handle.describe()).status is WorkflowExecutionStatus.TERMINATED
    await until_seen(office, "inc-ended")
    assert await office.runs("inc-ended") == 1


@services_test
@asyncio_test
async def test_reports_for_an_incident_whose_workflow_has_ended_are_taken_up_under_triage(
    office: Office,
) -> None:
    store = store_of(office.app.database)
    store.settle(read(record(major("late-a", "hash-7"), partition=1)), source="test")
    (ended,) = office.waiting()
    carrier = office.relay()
    await carrier.relay_once(0)
    await office.client.get_workflow_handle(f"incident-{ended}").terminate("test")
    late_b = record(content("late-b", "hash-7"), partition=1, offset=1)
    store.settle(read(late_b), source="test")
    await carrier.relay_once(10)
    with office.app.database.read() as connection:
        late = connection.scalar(select(report.c.incident_id).where(report.c.source_id == "late-b"))
    assert late is not None
    assert (office.status(ended), office.status(late)) == ("ended", "triage")


@services_test
@asyncio_test
async def test_word_that_the_server_will_never_take_is_an_alarm_and_waits(office: Office) -> None:
    impossible = "inc-" + "x" * 2_000  # the server refuses so long an id
    office.open_incident(impossible)
    carrier = office.relay()
    with capture_logs() as logs:
        assert await carrier.relay_once(0) == 0
        assert await carrier.relay_once(0.2) == 0  # not five alarms a second
    assert office.waiting() == {impossible}
    (alarm,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert (alarm["event"], alarm["target"]) == ("workflow_takes_no_words", impossible)


@services_test
@asyncio_test
async def test_the_paces_of_targets_that_were_quiet_for_long_are_forgotten(office: Office) -> None:
    carrier = office.relay()
    for number in range(3):
        office.open_incident(f"inc-quiet-{number}")
    await carrier.relay_once(0)
    assert len(carrier.paces) == 3
    await carrier.relay_once(LONGEST_PAUSE - 1)
    office.change("inc-quiet-0")
    await carrier.relay_once(LONGEST_PAUSE)
    await carrier.relay_once(LONGEST_PAUSE + 1)
    assert set(carrier.paces) == {("incident", "inc-quiet-0")}


@services_test
@asyncio_test
async def test_a_campaign_is_told_how_many_have_acknowledged(office: Office) -> None:
    handle = await office.client.start_workflow(
        "Campaign", id="campaign-c1", task_queue=office.app.settings.temporal.task_queue
    )
    with office.app.database.write() as connection:
        for number in range(3):
            connection.execute(
                insert(acknowledgement).values(
                    campaign_id="c1",
                    recipient_id=f"r{number}",
                    notification_id=f"n{number}",
                    contact=0,
                    at=START,
                )
            )
    office.change("c1", kind="campaign")
    office.change("c-ended", kind="campaign")
    assert await office.relay().relay_once(0) == 2
    assert office.waiting() == set()
    *_, last = [event async for event in handle.fetch_history_events()]
    signal = last.workflow_execution_signaled_event_attributes
    assert signal.signal_name == Campaign.acknowledged.__name__
    (word,) = await office.client.data_converter.decode(signal.input.payloads, [Acknowledged])
    assert (word.count, word.recipients) == (3, 0)
    assert word.number > 0


@services_test
@asyncio_test
async def test_while_the_server_is_away_the_rows_wait(office: Office) -> None:
    office.open_incident("inc-patient")
    office.open_incident("inc-patient-too")
    settings = office.app.settings.temporal
    port = Ports(office.app.settings.home).pick("line")
    server_port = address_of(settings.address)[1]
    through = settings.model_copy(update={"address": f"{LOOPBACK}:{port}"})
    async with line(port, server_port):
        carrier = office.relay(await connect(through, office.app.codec()))
    assert await carrier.relay_once(0) == 0
    assert office.waiting() == {"inc-patient", "inc-patient-too"}
    async with line(port, server_port):
        assert await carrier.relay_once(0) == 2
    assert office.waiting() == set()


@services_test
@asyncio_test
async def test_a_workflow_that_cannot_be_told_holds_up_no_other(office: Office) -> None:
    impossible = "inc-" + "x" * 2_000  # the server refuses so long an id
    for target in (impossible, "inc-a", "inc-z"):
        office.open_incident(target)
    assert await office.relay().relay_once(0) == 2
    assert office.waiting() == {impossible}


@services_test
@asyncio_test
async def test_the_running_relay_tells_what_intake_detects_and_stops_when_told(
    office: Office,
) -> None:
    stop = asyncio.Event()
    carrier = asyncio.create_task(office.relay().run(stop))
    database: Database = office.app.database
    store_of(database).settle(read_all([major("a"), content("b")]), source="test")
    with database.read() as connection:
        (detected,) = connection.scalars(
            select(incident.c.id).where(incident.c.status == "detected")
        )
    await until(lambda: not office.waiting())
    assert await office.words(detected) == [office.newest()]
    stop.set()
    await asyncio.wait_for(carrier, PATIENCE_SECONDS)
