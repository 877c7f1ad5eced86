"""Filling the cache: whole or not at all, once, and with an explanation when it fails."""

from __future__ import annotations

import fcntl
import io
import stat
from pathlib import Path

import pytest
from rich.console import Console

from infra.services import artefacts
from protocol.errors import ServiceDown
from tests.infra.processes import python, read_until

MAVEN = """#!/bin/sh
for argument; do
    case "$argument" in -DoutputDirectory=*) folder="${argument#*=}" ;; esac
done
echo "$@" >>"$CALLS"
touch "$folder/some.jar"
"""
BROKEN_MAVEN = """#!/bin/sh
for argument; do
    case "$argument" in -DoutputDirectory=*) folder="${argument#*=}" ;; esac
done
touch "$folder/half.jar"
echo "Could not transfer artifact: Network is unreachable"
exit 1
"""
GO = """#!/bin/sh
echo "$@" >>"$CALLS"
touch "$GOBIN/temporal"
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty cache, no network, and stand-ins for Maven and Go."""
    tools = tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    (tmp_path / "calls").touch()
    install(tools / "mvn", MAVEN)
    install(tools / "go", GO)
    return tmp_path


def install(path: Path, script: str) -> None:
    path.write_text(script)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def ensure(*, tests: bool = False) -> str:
    console = Console(file=io.StringIO(), width=200)
    artefacts.ensure(console, tests=tests)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_an_empty_cache_is_filled_once(machine: Path) -> None:
    said = ensure(tests=True)
    calls = (machine / "calls").read_text().splitlines()

    assert artefacts.missing(tests=True) == []
    assert len(calls) == 3
    assert f"install {artefacts.TEMPORAL_MODULE}" in calls
    assert "kafka 4.3.1: done in" in said

    assert ensure(tests=True) == ""
    assert (machine / "calls").read_text().splitlines() == calls


def test_what_only_tests_need_is_left_out_otherwise(machine: Path) -> None:
    ensure()

    assert (machine / "cache" / "leerp").exists()
    assert [artefact.name for artefact in artefacts.missing(tests=True)] == ["temporal-test-server"]


def test_the_test_server_can_be_started_by_its_path(machine: Path) -> None:
    ensure(tests=True)

    script = artefacts.test_server().path / "test-server"

    assert script.is_relative_to(machine)
    assert script.stat().st_mode & stat.S_IXUSR
    assert "io.temporal.testserver.TestServer" in script.read_text()


def test_a_failure_leaves_nothing_half_and_says_what_it_was(machine: Path) -> None:
    install(machine / "tools" / "mvn", BROKEN_MAVEN)

    with pytest.raises(ServiceDown) as caught:
        ensure()

    message = str(caught.value)
    assert "kafka 4.3.1 could not be brought" in message
    assert "Network is unreachable" in message
    assert "It was: mvn --batch-mode" in message
    assert "make setup" in message
    assert [path.name for path in artefacts.cache().iterdir()] == ["lock"]

    install(machine / "tools" / "mvn", MAVEN)
    ensure()
    assert [path.name for path in artefacts.kafka_jars().path.iterdir()] == ["some.jar"]


def test_what_a_killed_set_up_left_is_cleared(machine: Path) -> None:
    leftover = machine / "cache" / "leerp" / ".new-abc" / "new"
    leftover.mkdir(parents=True)

    ensure()

    assert not leftover.parent.exists()


def test_a_missing_tool_is_named(machine: Path) -> None:
    (machine / "tools" / "go").unlink()

    with pytest.raises(ServiceDown, match="'go' to bring it is missing: run 'make setup'"):
        ensure()


def test_a_cache_that_cannot_be_written_is_named(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(machine / "file"))

    with pytest.raises(ServiceDown, match="XDG_CACHE_HOME"):
        ensure()


@pytest.mark.services
def test_a_second_set_up_waits_for_the_first_and_finds_everything(machine: Path) -> None:
    artefacts.cache().mkdir(parents=True)
    with (artefacts.cache() / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with python("-m", "infra.services.artefacts") as second:
            read_until(second, "waiting for it")
            for artefact in (artefacts.kafka_jars(), artefacts.test_server()):
                artefact.path.mkdir()
            artefacts.temporal_server().path.parent.mkdir()
            artefacts.temporal_server().path.touch()
            fcntl.flock(held, fcntl.LOCK_UN)
            read_until(second, "services are in")
            assert second.wait(90) == 0

    assert (machine / "calls").read_text() == ""


@pytest.mark.parametrize(
    ("told", "taken"),
    [
        ("temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)", True),
        ("temporal version 2.0.0", True),
        ("temporal version 1.4.9", False),
        ("temporal version 0.0.0-DEV (Server 1.29.1)", False),
        ("something else", False),
    ],
)
def test_a_command_on_path_is_taken_when_it_is_new_enough(
    machine: Path, told: str, *, taken: bool
) -> None:
    install(machine / "tools" / "temporal", f"#!/bin/sh\necho '{told}'\n")

    command = artefacts.temporal_command()

    assert command == (machine / "tools" / "temporal" if taken else None)
