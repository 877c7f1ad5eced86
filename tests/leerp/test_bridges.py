"""`leerp bridge` as typed, with real Kafka and Redis: what it says, whose it is, and being killed."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis import Redis

from infra.bootstrap import App
from infra.bootstrap import app as open_app
from infra.kafka import topic_of
from intake.bridges.forwarding import bridge_id
from intake.bridges.holding import holding
from protocol.parties import SourceGroup
from tests.conftest import running
from tests.infra.processes import python
from tests.intake.bridging import Destination, event, misp_uuid, write_feed
from tests.intake.redis_server import running_redis
from tests.intake.topics import client_lines
from tests.leerp.typed import DONE, DOWN, REFUSED

pytestmark = [pytest.mark.services, pytest.mark.asyncio]

CSIRT = SourceGroup.CSIRT


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    async with running(tmp_path_factory.mktemp("bridges")) as settings:
        with open_app(settings.home) as opened:
            yield opened


@pytest_asyncio.fixture
async def there(app: App) -> Destination:
    return await Destination.fresh(app.settings.kafka, CSIRT)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with running_redis() as opened:
        yield opened


def arguments(home: Path, *typed: object) -> list[str]:
    return ["-m", "leerp", "bridge", *map(str, typed), "--home", str(home)]


async def run(home: Path, *typed: object) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, *arguments(home, *typed)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.requirement("R4")
async def test_a_file_is_sent_to_the_group_and_the_next_run_goes_on(
    app: App, there: Destination, tmp_path: Path
) -> None:
    file = tmp_path / "events.txt"
    file.write_bytes(event("a") + b"\n" + event("b")[:30])
    typed = ("intelmq", file, "--group", "csirt")
    first = await run(app.settings.home, *typed)
    assert (first.returncode, first.stdout) == (DONE, f"published 1 to {topic_of(CSIRT)}\n")
    assert "30 bytes wait" in first.stderr

    file.write_bytes(
        event("a") + b"\n" + event("b") + b"\n" + event("c", raw="x" * 4_000_001) + b"\n"
    )
    second = await run(app.settings.home, *typed, "--json")
    answer = json.loads(second.stdout)
    assert second.returncode == REFUSED
    assert (answer["published"], answer["refused"][0]["reason"]) == (1, "too-large")
    assert await there.values() == sorted([event("a"), event("b")])


async def test_a_partner_bridges_with_its_client_file_and_a_home_of_nothing(
    app: App, there: Destination, tmp_path: Path
) -> None:
    write_feed(tmp_path / "feed", {1: 100, 2: 200})
    client = tmp_path / "client.properties"
    client.write_text(f"{client_lines(app.settings.kafka)}# topic={topic_of(CSIRT)}\n")
    typed = ("misp-feed", tmp_path / "feed" / "manifest.json", "--client", client, "--json")
    published = [json.loads((await run(tmp_path / "home", *typed)).stdout) for _ in range(2)]
    assert published == [
        {"published": 2, "refused": [], "notes": []},
        {"published": 0, "refused": [], "notes": []},
    ]
    assert {each.key for each in await there.came()} == {misp_uuid(n).encode() for n in (1, 2)}

    both = await run(tmp_path / "home", *typed, "--group", "csirt")
    assert both.returncode == REFUSED
    assert "leave --group out" in both.stderr


async def test_killed_at_any_moment_a_bridge_leaves_no_event_out(
    app: App, there: Destination, port: int
) -> None:
    events = [event(f"killed-{number}") for number in range(3_000)]
    url = f"redis://127.0.0.1:{port}/1?queue=output"
    typed = arguments(app.settings.home, "intelmq", url, "--group", "csirt", "--follow")

    def killed_and_started_again() -> None:
        with Redis(port=port, db=1) as redis:
            redis.lpush("output", *events)
            with python(*typed) as process:
                while int(str(redis.llen("output"))) > 1_500:
                    assert process.poll() is None
                process.kill()
                process.wait()
            with python(*typed) as process:
                while redis.llen("output") or redis.llen("output-leerp"):
                    assert process.poll() is None
                process.send_signal(signal.SIGTERM)
                assert process.wait(120) == DONE

    await asyncio.to_thread(killed_and_started_again)
    values = await there.values()
    assert set(values) == set(events)
    assert len(values) < len(events) + 1_000  # no more than what was in hand is sent again


async def test_a_second_bridge_of_the_same_source_is_refused(app: App, tmp_path: Path) -> None:
    write_feed(tmp_path / "feed", {1: 100})
    name = bridge_id("misp", str(tmp_path / "feed"), topic_of(CSIRT))
    with holding(app.settings.home, name):
        answer = await run(app.settings.home, "misp-feed", tmp_path / "feed", "--group", "csirt")
    assert answer.returncode == REFUSED
    assert "running already" in answer.stderr


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (("intelmq", "redis://127.0.0.1:1/2?queue=x"), DOWN, "no event is lost"),
        (("misp-feed", "/nowhere"), REFUSED, "is no MISP feed"),
    ],
)
async def test_a_source_that_is_not_there_is_said_with_what_to_do(
    app: App, typed: tuple[str, ...], code: int, said: str
) -> None:
    answer = await run(app.settings.home, *typed)
    assert answer.returncode == code
    assert said in " ".join(answer.stderr.split())
