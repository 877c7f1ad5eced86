"""A MISP feed folder on a real broker: each version once, none left out, whoever is writing meanwhile."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy.exc import DatabaseError

from infra.database import Database
from infra.kafka import topic_of
from infra.settings import KafkaSettings
from intake.bridges.forwarding import Forwarded, Forwarder, bridge_id
from intake.bridges.misp_feed import Feed
from intake.producer import ReportProducer
from protocol.errors import Refused
from protocol.parties import SourceGroup
from tests.intake.bridging import DATA, Destination, Told, misp_uuid, unstopped, write_feed

pytestmark = [pytest.mark.services, pytest.mark.asyncio]

GROUP = SourceGroup.CSIRT


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def producer(kafka: KafkaSettings) -> AsyncIterator[ReportProducer]:
    async with ReportProducer(kafka, topic_of(GROUP), check=False) as connected:
        yield connected


@pytest_asyncio.fixture
async def there(kafka: KafkaSettings) -> Destination:
    return await Destination.fresh(kafka, GROUP)


@pytest.fixture
def feed(producer: ReportProducer, database: Database, tmp_path: Path) -> Feed:
    folder = tmp_path / "feed"
    return Feed(folder, bridge_id("feed", str(folder), "x"), database, Forwarder(producer, "misp"))


async def run(feed: Feed) -> Told:
    told = Told()
    again = Feed(feed.folder, feed.bridge, feed.database, feed.forwarder)  # a process of its own
    await again.run(told, stop=unstopped(), follow=False)
    return told


async def titles(there: Destination) -> list[tuple[str, str]]:
    events = [json.loads(each.value)["Event"] for each in await there.came()]
    return sorted((each["uuid"], each["info"]) for each in events)


async def test_events_are_sent_once_and_again_only_when_they_are_newer(
    feed: Feed, there: Destination
) -> None:
    write_feed(feed.folder, {1: 100, 2: 200})
    assert (await run(feed)).published == 2
    assert (await run(feed)).published == 0
    write_feed(feed.folder, {1: 100, 2: 201, 3: 50})
    assert (await run(feed)).published == 2
    assert (await run(feed)).published == 0

    assert await titles(there) == sorted(
        [
            (misp_uuid(1), "Version 100"),
            (misp_uuid(2), "Version 200"),
            (misp_uuid(2), "Version 201"),
            (misp_uuid(3), "Version 50"),
        ]
    )
    assert {each.key for each in await there.came()} == {misp_uuid(n).encode() for n in (1, 2, 3)}


async def test_real_events_of_a_real_feed_are_sent_as_they_are(
    feed: Feed, there: Destination
) -> None:
    feed.folder.mkdir()
    manifest = {}
    for path in sorted((DATA / "misp").glob("circl_*.json")):
        document = json.loads(path.read_bytes())
        event = document.get("Event", document)
        if "uuid" not in event or "Event" not in document:
            continue
        shutil.copy(path, feed.folder / f"{event['uuid']}.json")
        manifest[event["uuid"]] = {"info": event["info"], "timestamp": event["timestamp"]}
    (feed.folder / "manifest.json").write_text(json.dumps(manifest))
    assert len(manifest) >= 2
    assert (await run(feed)).published == len(manifest)
    bodies = [(feed.folder / f"{each}.json").read_bytes() for each in manifest]
    assert await there.values() == sorted(bodies)


async def test_a_crash_between_kafka_and_the_mark_leaves_nothing_out(
    feed: Feed, there: Destination
) -> None:
    write_feed(feed.folder, {1: 100})
    with feed.database.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON bridge_event BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    with pytest.raises(DatabaseError, match="full"):
        await run(feed)
    with feed.database.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    assert (await run(feed)).published == 1
    assert len(await there.came()) == 2  # intake counts the second as duplicate
    assert (await run(feed)).published == 0


async def test_a_manifest_ahead_of_its_file_does_not_hide_the_newer_version(
    feed: Feed, there: Destination
) -> None:
    write_feed(feed.folder, {1: 100})
    await run(feed)
    write_feed(feed.folder, {1: 200}, manifest_only=[1])
    assert (await run(feed)).published == 0
    write_feed(feed.folder, {1: 200})
    assert (await run(feed)).published == 1
    assert await titles(there) == [(misp_uuid(1), "Version 100"), (misp_uuid(1), "Version 200")]


@pytest.mark.parametrize("state", ["missing", "half", "not-utf8"])
async def test_an_event_that_cannot_be_read_is_named_and_sent_later(
    feed: Feed, there: Destination, state: str
) -> None:
    write_feed(feed.folder, {1: 100, 2: 200})
    path = feed.folder / f"{misp_uuid(1)}.json"
    whole = path.read_bytes()
    match state:
        case "missing":
            path.unlink()
        case "half":
            path.write_bytes(whole[:50])
        case _:
            path.write_bytes(b"\xff\xfe{")
    told = await run(feed)
    assert told.published == 1
    assert [(e["place"], e["reason"]) for e in told.refused] == [(misp_uuid(1), "unreadable")]
    path.write_bytes(whole)
    assert (await run(feed)).published == 1
    assert len(await there.came()) == 2


async def test_an_event_larger_than_a_record_is_named_and_the_others_are_sent(feed: Feed) -> None:
    write_feed(feed.folder, {1: 100, 2: 200})
    large = feed.folder / f"{misp_uuid(1)}.json"
    large.write_text(json.dumps({"Event": {"uuid": misp_uuid(1), "info": "x" * 4_000_000}}))
    told = await run(feed)
    assert told.published == 1
    assert [(e["place"], e["reason"]) for e in told.refused] == [(misp_uuid(1), "too-large")]
    assert [e["reason"] for e in (await run(feed)).refused] == ["too-large"]  # still not sent


async def test_names_in_the_manifest_that_are_no_uuids_lead_nowhere(
    feed: Feed, there: Destination
) -> None:
    write_feed(feed.folder, {1: 100})
    (feed.folder.parent / "secret.json").write_text('{"Event": {}}')
    manifest = json.loads((feed.folder / "manifest.json").read_text())
    manifest["../secret"] = {"timestamp": 1}
    (feed.folder / "manifest.json").write_text(json.dumps(manifest))
    told = await run(feed)
    assert (told.published, told.refused) == (1, [])
    assert len(await there.came()) == 1


@pytest.mark.parametrize("manifest", [None, "{half", "[]"])
async def test_a_folder_without_a_sound_manifest_is_no_feed(
    feed: Feed, manifest: str | None
) -> None:
    feed.folder.mkdir()
    if manifest is not None:
        (feed.folder / "manifest.json").write_text(manifest)
    with pytest.raises(Refused, match="is no MISP feed") as refused:
        await run(feed)
    assert refused.value.reason == "no-feed"


async def test_following_finds_new_events_and_tells_of_a_trouble_once(
    feed: Feed, there: Destination
) -> None:
    write_feed(feed.folder, {1: 100, 2: 200}, manifest_only=[2])
    stop, came = asyncio.Event(), asyncio.Event()
    told = Told()

    def tell(done: Forwarded) -> None:
        told(done)
        if told.published == 2:
            came.set()

    task = asyncio.create_task(feed.run(tell, stop=stop, follow=True, every=0.05))
    while not told.refused:
        await asyncio.sleep(0.01)
    (feed.folder / "manifest.json").write_text("{half")
    write_feed(feed.folder, {1: 100, 2: 200, 3: 300}, manifest_only=[2])
    await asyncio.wait_for(came.wait(), 90)
    stop.set()
    await asyncio.wait_for(task, 90)
    assert [each["place"] for each in told.refused] == [misp_uuid(2)]
    assert len(await there.came()) == 2
