"""IntelMQ's output file on a real broker: every whole line once, whatever happens to the file."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy.exc import DatabaseError

from infra import audit
from infra.database import Database
from infra.kafka import topic_of
from infra.settings import KafkaSettings
from intake.bridges.forwarding import Forwarder, bridge_id
from intake.bridges.intelmq_file import EventFile
from intake.producer import ReportProducer
from protocol.errors import Refused
from protocol.parties import SourceGroup
from tests.intake.bridging import Destination, Told, event, unstopped

pytestmark = [pytest.mark.services, pytest.mark.asyncio]

GROUP = SourceGroup.CSIRT
MAX_LINE = 5_000


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def producer(kafka: KafkaSettings) -> AsyncIterator[ReportProducer]:
    async with ReportProducer(kafka, topic_of(GROUP), check=False) as connected:
        yield connected


@pytest_asyncio.fixture
async def there(kafka: KafkaSettings) -> Destination:
    return await Destination.fresh(kafka, GROUP)


@pytest.fixture
def bridge(producer: ReportProducer, database: Database, tmp_path: Path) -> EventFile:
    path = tmp_path / "events.txt"
    forwarder = Forwarder(producer, "intelmq")
    return EventFile(path, bridge_id("file", str(path), "x"), database, forwarder, MAX_LINE)


async def run(bridge: EventFile) -> Told:
    told = Told()
    await bridge.run(told, stop=unstopped(), follow=False)
    return told


def append(path: Path, *parts: bytes) -> None:
    with path.open("ab") as file:
        file.write(b"".join(parts))


async def test_each_line_is_a_record_of_its_own_with_its_format(
    bridge: EventFile, there: Destination
) -> None:
    append(bridge.path, event("a"), b"\n", b"\n", event("b"), b"\r\n", b"{no json\n")
    assert (await run(bridge)).published == 3

    records = await there.came()
    assert {each.value for each in records} == {event("a"), event("b"), b"{no json"}
    assert all(each.headers == (("leerp-format", b"intelmq"),) for each in records)
    assert {each.key for each in records if each.key} == {
        json.loads(event(name))["event_hash"].encode() for name in ("a", "b")
    }


async def test_a_second_run_goes_on_where_the_first_ended(
    bridge: EventFile, there: Destination
) -> None:
    append(bridge.path, event("a"), b"\n")
    await run(bridge)
    assert (await run(bridge)).published == 0
    append(bridge.path, event("b"), b"\n")
    assert (await run(bridge)).published == 1
    assert await there.values() == sorted([event("a"), event("b")])


async def test_a_half_written_last_line_waits_for_its_end(
    bridge: EventFile, there: Destination
) -> None:
    append(bridge.path, event("a"), b"\n", event("b")[:50])
    told = await run(bridge)
    assert (told.published, told.notes) == (1, ["the last line has no end yet, its 50 bytes wait"])
    append(bridge.path, event("b")[50:], b"\n")
    assert (await run(bridge)).published == 1
    assert await there.values() == sorted([event("a"), event("b")])


async def test_rotated_files_are_read_to_their_end_in_order_before_the_new_one(
    bridge: EventFile, there: Destination
) -> None:
    append(bridge.path, event("a"), b"\n")
    await run(bridge)
    append(bridge.path, event("b"), b"\n", event("c"))  # the writer ends without a last newline
    bridge.path.rename(bridge.path.with_name("events.txt.2"))
    append(bridge.path, event("d"), b"\n")
    bridge.path.rename(bridge.path.with_name("events.txt.1"))
    append(bridge.path, event("e"), b"\n")
    append(bridge.path.with_name("events.txt.0.gz"), b"packed")

    assert (await run(bridge)).published == 4
    assert (await run(bridge)).published == 0
    assert await there.values() == sorted(event(name) for name in "abcde")


async def test_while_the_new_file_is_empty_the_old_one_may_still_grow(
    bridge: EventFile, there: Destination
) -> None:
    append(bridge.path, event("a"), b"\n")
    await run(bridge)
    old = bridge.path.with_name("events.txt.1")
    bridge.path.rename(old)
    assert (await run(bridge)).published == 0  # no new file yet
    bridge.path.touch()
    append(old, event("b")[:20])
    assert (await run(bridge)).published == 0
    append(old, event("b")[20:], b"\n")
    assert (await run(bridge)).published == 1
    append(bridge.path, event("c"), b"\n")
    assert (await run(bridge)).published == 1
    assert await there.values() == sorted(event(name) for name in "abc")


@pytest.mark.parametrize("again", ["x", "x and much more than was there before" * 20])
async def test_a_file_that_was_cut_short_is_read_from_its_beginning(
    bridge: EventFile, there: Destination, again: str
) -> None:
    append(bridge.path, event("a"), b"\n", event("b"), b"\n")
    await run(bridge)
    with bridge.path.open("r+b") as file:  # as logrotate's copytruncate does
        file.truncate(0)
    append(bridge.path, event(again), b"\n")
    told = await run(bridge)
    assert told.published == 1
    assert "from its beginning" in told.notes[0]
    assert event(again) in await there.values()


async def test_a_rotated_file_that_is_gone_is_told(bridge: EventFile) -> None:
    append(bridge.path, event("a"), b"\n")
    await run(bridge)
    keep = bridge.path.with_name("elsewhere")
    bridge.path.rename(keep)
    append(bridge.path, event("b"), b"\n")
    told = await run(bridge)
    assert told.published == 1
    assert "is gone" in told.notes[0]
    assert (await run(bridge)).notes == []


async def test_a_line_larger_than_a_record_is_named_and_the_next_one_is_sent(
    bridge: EventFile, there: Destination
) -> None:
    large = event("a", raw="x" * 20_000)
    append(bridge.path, event("b"), b"\n", large, b"\n", event("c"), b"\n", large)
    told = await run(bridge)
    assert told.published == 2
    assert [each["reason"] for each in told.refused] == ["too-large"]
    assert told.refused[0]["place"] == f"events.txt, byte {len(event('b')) + 1}"
    assert "5,000 bytes" in told.refused[0]["message"]
    assert f"{len(large)} bytes wait" in told.notes[0]
    assert await there.values() == sorted([event("b"), event("c")])


async def test_a_crash_between_kafka_and_the_mark_leaves_nothing_out(
    bridge: EventFile, there: Destination
) -> None:
    bridge.path.touch()
    await run(bridge)
    append(bridge.path, event("a"), b"\n")
    with bridge.database.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON bridge_file BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    with pytest.raises(DatabaseError, match="full"):
        await run(bridge)
    with bridge.database.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    assert (await run(bridge)).published == 1
    assert await there.values() == [event("a"), event("a")]  # intake counts the second as duplicate
    assert (await run(bridge)).published == 0


async def test_each_batch_is_in_the_audit_trail(bridge: EventFile) -> None:
    append(bridge.path, event("a"), b"\n", event("b"), b"\n")
    await run(bridge)
    with bridge.database.read() as connection:
        rows = [r for r in audit.export(connection) if r["event"] == "bridge_forwarded"]
    assert [(r["subject"], r["detail"]["published"]) for r in rows] == [(bridge.bridge, 2)]


async def test_two_bridges_of_one_file_keep_two_positions(
    bridge: EventFile, there: Destination
) -> None:
    append(bridge.path, event("a"), b"\n")
    await run(bridge)
    await run(replace(bridge, bridge=bridge_id("file", str(bridge.path), "y")))
    assert await there.values() == [event("a")] * 2


async def test_a_missing_file_is_refused(bridge: EventFile) -> None:
    with pytest.raises(Refused, match="No such file"):
        await run(bridge)


async def test_following_sends_what_comes_until_it_is_stopped(
    bridge: EventFile, there: Destination
) -> None:
    bridge.path.touch()
    stop, came = asyncio.Event(), asyncio.Event()
    told = Told()

    def tell(done: object) -> None:
        told(done)  # type: ignore[arg-type]
        if told.published == 2:
            came.set()

    task = asyncio.create_task(bridge.run(tell, stop=stop, follow=True))
    append(bridge.path, event("a"), b"\n")
    append(bridge.path, event("b"), b"\n")
    await asyncio.wait_for(came.wait(), 90)
    stop.set()
    await asyncio.wait_for(task, 90)
    assert await there.values() == sorted([event("a"), event("b")])


@pytest.mark.parametrize("seed", range(4))
async def test_any_order_of_writing_rotating_and_reading_sends_each_line_once_in_order(
    bridge: EventFile, there: Destination, seed: int
) -> None:
    chance = random.Random(seed)
    written: list[bytes] = []
    pending = b""
    rotations = 0
    bridge.path.touch()
    await run(bridge)
    for _ in range(60):
        match chance.choice(["write", "write", "write", "flush", "rotate", "read"]):
            case "write":
                line = event(f"{seed}-{len(written)}", event_hash=f"{seed:064d}")
                written.append(line)
                pending += line + b"\n"
                cut = chance.randrange(len(pending) + 1)
                append(bridge.path, pending[:cut])
                pending = pending[cut:]
            case "flush":
                append(bridge.path, pending)
                pending = b""
            case "rotate":
                append(bridge.path, pending)
                pending = b""
                rotations += 1
                bridge.path.rename(bridge.path.with_name(f"events.txt.{rotations:03d}"))
                bridge.path.touch()
            case _:
                await run(bridge)
    append(bridge.path, pending)
    await run(bridge)
    assert len(written) > 20
    values = [each.value for each in await there.came()]  # of one id, hence one partition
    assert values == written
