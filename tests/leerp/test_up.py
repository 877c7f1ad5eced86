"""`leerp up` on real services: it says where they are, goes on, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from infra import endpoints, kafka
from infra.keys import load_keys
from infra.services.home import LOCK_FILE, holder
from infra.services.supervisor import RESTART_WINDOW_SECONDS
from infra.settings import ENDPOINTS_FILE, Settings
from leerp.up import own_processes, run_up
from protocol.errors import ServiceDown
from protocol.parties import SourceGroup
from tests.infra.processes import children_of, has_ended, python, read_until
from tests.leerp.up_program import sleeper

PROGRAM = ("-m", "tests.leerp.up_program")
UP = "Ctrl-C stops all"
TOPIC = kafka.topic_of(SourceGroup.OSINT)

services = pytest.mark.services


@services
@pytest.mark.asyncio
async def test_ctrl_c_leaves_no_process_and_no_lock_and_a_second_up_continues(
    tmp_path: Path,
) -> None:
    with python(*PROGRAM, str(tmp_path)) as process:
        read_until(process, UP)
        first = endpoints.read(tmp_path)
        settings = Settings.load(tmp_path)
        async with kafka.producer(settings.kafka) as producer:
            await producer.send_and_wait(TOPIC, b"a report")
        children = children_of(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
    keys = load_keys(tmp_path / "keys")

    assert len(children) == 4
    assert all(has_ended(child) for child in children)
    assert not (tmp_path / LOCK_FILE).exists()
    assert not (tmp_path / ENDPOINTS_FILE).exists()

    with python(*PROGRAM, str(tmp_path)) as process:
        read_until(process, UP)
        settings = Settings.load(tmp_path)
        async with kafka.consumer(settings.kafka, TOPIC, group_id="leerp-intake-test") as consumer:
            assert (await consumer.getone()).value == b"a report"
        second = endpoints.read(tmp_path)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0

    assert first is not None
    assert second is not None
    assert second.console == first.console  # mails that were sent point there
    assert load_keys(tmp_path / "keys").codec == keys.codec


@services
def test_nothing_survives_an_up_that_is_killed_and_the_next_one_starts(tmp_path: Path) -> None:
    with python(*PROGRAM, str(tmp_path)) as process:
        read_until(process, UP)
        children = children_of(process.pid)
        process.kill()
        assert all(has_ended(child) for child in children)
        process.wait()
        assert holder(tmp_path) is None

    with python(*PROGRAM, str(tmp_path)) as process:
        read_until(process, UP)
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0


@services
def test_a_killed_kafka_is_named_and_everything_stops(tmp_path: Path) -> None:
    with python(*PROGRAM, str(tmp_path)) as process:
        read_until(process, UP)
        children = children_of(process.pid)
        os.kill(children[0], signal.SIGKILL)
        output = read_until(process, "no record that Kafka had confirmed is lost")
        assert process.wait(120) == 3

    assert "Kafka was ended by SIGKILL" in output
    assert all(has_ended(child) for child in children)
    assert not (tmp_path / ENDPOINTS_FILE).exists()


@services
def test_a_second_up_at_once_says_who_holds_the_home(tmp_path: Path) -> None:
    with python(*PROGRAM, str(tmp_path)) as process:
        read_until(process, UP)
        with python(*PROGRAM, str(tmp_path)) as second:
            output = read_until(second, "is already up")
            assert second.wait(120) == 3
        assert f"held by process {process.pid}" in output
        assert endpoints.read(tmp_path) is not None


def test_our_own_processes_are_started_again_a_few_times_after_growing_pauses(
    tmp_path: Path,
) -> None:
    for process in own_processes(Settings(home=tmp_path)):
        pauses = process.restart_pauses
        assert len(pauses) == 3
        assert list(pauses) == sorted(set(pauses))
        assert sum(pauses) < RESTART_WINDOW_SECONDS


def test_a_taken_console_port_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ServiceDown, match=f"the console cannot listen on {bind}"):
            run_up(Settings(home=tmp_path, console_bind=bind), sleeper)

    assert not (tmp_path / "kafka").exists()
    assert not (tmp_path / LOCK_FILE).exists()


def test_a_console_on_all_addresses_needs_a_name_for_its_links(tmp_path: Path) -> None:
    with pytest.raises(ServiceDown, match="LEERP_CONSOLE_URL"):
        run_up(Settings(home=tmp_path, console_bind="0.0.0.0:8080"), sleeper)


def test_a_database_that_cannot_be_reached_is_named_without_its_password(tmp_path: Path) -> None:
    url = "postgresql+psycopg://leerp:s3cret@127.0.0.1:1/leerp"
    with pytest.raises(ServiceDown, match=r"postgresql\+psycopg://leerp:\*\*\*@127") as caught:
        run_up(Settings(home=tmp_path, database=url), sleeper)

    assert "s3cret" not in str(caught.value)


def test_an_empty_cache_without_a_tool_to_fill_it_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ServiceDown, match="'mvn' to bring it is missing: run 'make setup'"):
        run_up(Settings(home=tmp_path / "home"), sleeper)


def test_a_kafka_that_is_named_by_address_must_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEERP_KAFKA__BOOTSTRAP", "127.0.0.1:1")

    with pytest.raises(ServiceDown, match=r"Kafka at 127\.0\.0\.1:1 does not answer"):
        run_up(Settings(home=tmp_path), sleeper)
