"""Services start in order, are watched, and leave nothing behind."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from infra.services.supervisor import Service, Supervisor, always_ready
from protocol.errors import ServiceDown
from tests.infra.processes import has_ended, python, read_until

pytestmark = pytest.mark.services

ORDERLY = """
import pathlib, signal, sys
notes, name = pathlib.Path(sys.argv[1]), sys.argv[2]
def note(what):
    with notes.open("a") as file:
        file.write(f"{what} {name}\\n")
def stop(*_):
    note("stop")
    sys.exit()
signal.signal(signal.SIGTERM, stop)
note("start")
while True:
    signal.pause()
"""
STUBBORN = """
import pathlib, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
while True:
    signal.pause()
"""
SUPERVISING = """
import asyncio, pathlib, sys
from infra.services.supervisor import Service, Supervisor
async def main():
    async with Supervisor() as supervisor:
        running = await supervisor.start(Service(
            name="sleeper", argv=("sleep", "600"), log=pathlib.Path(sys.argv[1]), advice=""))
        print("child", running.process.pid)
        await asyncio.Event().wait()
asyncio.run(main())
"""


def make_service(
    home: Path,
    *argv: str,
    name: str = "test service",
    ready: Callable[[], Awaitable[bool]] = always_ready,
    ready_within: timedelta = timedelta(seconds=90),
    stop_within: timedelta = timedelta(seconds=90),
    restart_pauses: tuple[float, ...] = (),
) -> Service:
    return Service(
        name=name,
        argv=argv,
        log=home / "logs" / f"{name}.log",
        advice="Make room on the disk.",
        ready=ready,
        ready_within=ready_within,
        stop_within=stop_within,
        restart_pauses=restart_pauses,
    )


async def never() -> bool:
    return False


def orderly(home: Path, name: str) -> Service:
    notes = home / "notes"

    async def started() -> bool:
        return notes.exists() and f"start {name}\n" in notes.read_text()

    return make_service(
        home, sys.executable, "-c", ORDERLY, str(notes), name, name=name, ready=started
    )


@pytest.mark.asyncio
async def test_services_start_in_order_and_stop_in_reverse_order(tmp_path: Path) -> None:
    async with Supervisor() as supervisor:
        for name in ("broker", "server", "worker"):
            await supervisor.start(orderly(tmp_path, name))

    assert (tmp_path / "notes").read_text().split("\n")[:-1] == [
        "start broker",
        "start server",
        "start worker",
        "stop worker",
        "stop server",
        "stop broker",
    ]


@pytest.mark.asyncio
async def test_a_service_that_dies_is_reported_with_its_last_lines_and_what_to_do(
    tmp_path: Path,
) -> None:
    async with Supervisor() as supervisor:
        await supervisor.start(orderly(tmp_path, "steady"))
        command = ("sh", "-c", "echo no space left on device; exit 7")
        dying = make_service(tmp_path, *command, name="dying", ready=never)
        with pytest.raises(ServiceDown) as caught:
            await supervisor.start(dying)

    message = str(caught.value)
    assert "dying ended by itself with exit code 7" in message
    assert "no space left on device" in message
    assert "Make room on the disk." in message


@pytest.mark.asyncio
async def test_the_signal_that_killed_a_service_is_named(tmp_path: Path) -> None:
    async with Supervisor() as supervisor:
        running = await supervisor.start(make_service(tmp_path, "sleep", "600"))
        running.process.kill()
        failure = await supervisor.watch()

    assert "was ended by SIGKILL" in str(failure)


@pytest.mark.asyncio
async def test_a_service_that_may_be_restarted_is_so_many_times_a_minute(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    service = make_service(
        *(tmp_path, "sh", "-c", f"echo run >> {runs}; exit 7"), restart_pauses=(0.0, 0.05, 0.1)
    )
    with capture_logs() as logs:
        async with Supervisor() as supervisor:
            with suppress(ServiceDown):  # it may have ended before it was seen to run
                await supervisor.start(service)
            failure = await supervisor.watch()

    assert "ended by itself with exit code 7" in str(failure)
    assert runs.read_text().count("run") == 4
    restarts = [entry for entry in logs if entry["event"] == "service_restarted"]
    assert [entry["restarts"] for entry in restarts] == [1, 2, 3]
    assert {entry["log_level"] for entry in restarts} == {"error"}


@pytest.mark.asyncio
async def test_work_goes_on_over_the_restart_of_one_service_and_all_are_stopped_in_order(
    tmp_path: Path,
) -> None:
    notes = tmp_path / "notes"

    async def work(doomed: asyncio.subprocess.Process) -> str:
        doomed.kill()
        while notes.read_text().count("start first") < 2:
            await asyncio.sleep(0.01)
        return "done"

    async with Supervisor() as supervisor:
        first = replace(orderly(tmp_path, "first"), restart_pauses=(0.05,))
        running = await supervisor.start(first)
        await supervisor.start(orderly(tmp_path, "second"))
        assert await supervisor.guard(work(running.process)) == "done"

    lines = notes.read_text().splitlines()
    assert lines == ["start first", "start second", "start first", "stop second", "stop first"]


@pytest.mark.asyncio
async def test_the_end_of_a_service_for_good_is_not_delayed_by_the_pause_of_another(
    tmp_path: Path,
) -> None:
    async with Supervisor() as supervisor:
        steady = await supervisor.start(make_service(tmp_path, "sleep", "600", name="steady"))
        ours = make_service(tmp_path, "sleep", "600", name="ours", restart_pauses=(600.0,))
        running = await supervisor.start(ours)
        running.process.kill()
        watching = asyncio.create_task(supervisor.watch())
        await running.ended
        steady.process.kill()
        failure = await asyncio.wait_for(watching, 90)

    assert "steady was ended by SIGKILL" in str(failure)


@pytest.mark.asyncio
async def test_work_is_cancelled_when_a_service_dies(tmp_path: Path) -> None:
    cancelled = asyncio.Event()

    async def work(pid_of_service: asyncio.subprocess.Process) -> None:
        pid_of_service.kill()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with Supervisor() as supervisor:
        running = await supervisor.start(make_service(tmp_path, "sleep", "600"))
        with pytest.raises(ServiceDown, match="SIGKILL"):
            await supervisor.guard(work(running.process))

    assert cancelled.is_set()


@pytest.mark.asyncio
async def test_a_guarded_piece_of_work_gives_its_result(tmp_path: Path) -> None:
    async def work() -> str:
        return "done"

    async with Supervisor() as supervisor:
        await supervisor.start(make_service(tmp_path, "sleep", "600"))
        assert await supervisor.guard(work()) == "done"


@pytest.mark.asyncio
async def test_a_service_that_is_not_ready_in_time_is_stopped_and_reported(tmp_path: Path) -> None:
    service = make_service(
        tmp_path, "sleep", "600", ready=never, ready_within=timedelta(seconds=0.3)
    )
    async with Supervisor() as supervisor:
        with pytest.raises(ServiceDown, match="was not ready within 0 s"):
            await supervisor.start(service)


@pytest.mark.asyncio
async def test_a_command_that_does_not_exist_is_reported_by_name(tmp_path: Path) -> None:
    async with Supervisor() as supervisor:
        with pytest.raises(ServiceDown, match="cannot start no-such-command"):
            await supervisor.start(make_service(tmp_path, "no-such-command", ready=never))


@pytest.mark.asyncio
async def test_a_service_that_ignores_the_request_to_stop_is_killed(tmp_path: Path) -> None:
    sign = tmp_path / "ignoring"

    async def ignoring() -> bool:
        return sign.exists()

    service = make_service(
        *(tmp_path, sys.executable, "-c", STUBBORN, str(sign)),
        ready=ignoring,
        stop_within=timedelta(seconds=0.2),
    )
    async with Supervisor() as supervisor:
        running = await supervisor.start(service)

    assert running.ended.result() == -signal.SIGKILL


@pytest.mark.asyncio
async def test_what_a_service_itself_started_is_ended_with_it(tmp_path: Path) -> None:
    pid_file = tmp_path / "grandchild"

    async def has_grandchild() -> bool:
        return pid_file.exists() and pid_file.read_text().endswith("\n")

    service = make_service(
        *(tmp_path, "sh", "-c", f"sleep 600 & echo $! > {pid_file}; wait"), ready=has_grandchild
    )
    async with Supervisor() as supervisor:
        await supervisor.start(service)
        grandchild = int(pid_file.read_text())

    assert has_ended(grandchild)


@pytest.mark.asyncio
async def test_the_log_of_the_run_before_is_kept_beside_the_new_one(tmp_path: Path) -> None:
    for word in ("first", "second"):
        async with Supervisor() as supervisor:
            await supervisor.start(make_service(tmp_path, "sh", "-c", f"echo {word}; sleep 600"))

    assert (tmp_path / "logs" / "test service.log.1").exists()


def test_services_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with python("-c", SUPERVISING, str(tmp_path / "log")) as process:
        child = int(read_until(process, "child").split()[-1])
        process.kill()
        assert has_ended(child)
