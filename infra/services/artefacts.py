"""Brings the embedded services into the cache: Kafka, Temporal, and Temporal's test server.

``python -m infra.services.artefacts``, used by ``make setup``. An artefact is there as a whole or
not at all, is never changed afterwards, and two set-ups at once wait for each other. The cache is
``~/.cache/leerp``, or ``$XDG_CACHE_HOME/leerp``.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from rich.console import Console

from infra.services import child
from protocol.errors import ServiceDown

KAFKA_VERSION = "4.3.1"
TEMPORAL_VERSION = "1.5.1"
TEST_SERVER_VERSION = "1.38.0"
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
TEMPORAL_MODULE = f"github.com/temporalio/cli/cmd/temporal@v{TEMPORAL_VERSION}"
TEST_SERVER_SCRIPT = """\
#!/bin/sh
jars="$(dirname "$0")/*"
exec java -Xmx256m -XX:TieredStopAtLevel=1 -cp "$jars" io.temporal.testserver.TestServer "$@"
"""

TEMPORARY = ".new-"
LEAST_TEMPORAL = (1, 5)
TAIL_LINES = 12
TICK_SECONDS = 0.5
LINE_EVERY_SECONDS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """Something to have in the cache. ``make`` fills an empty folder next to ``path``."""

    name: str
    version: str
    path: Path
    tool: str
    """The command that ``make`` needs."""
    make: Callable[[Path], Sequence[str]]
    """Given the folder to fill, the command line that does it."""
    environment: Callable[[Path], Mapping[str, str]] = field(default=lambda _folder: {})
    product: str = ""
    """What in that folder is moved to ``path``; empty for the folder itself."""
    finish: Callable[[Path], None] = field(default=lambda _folder: None)
    """Given the filled folder, what is left to do in it."""
    takes: str = ""
    """What to expect, for people."""

    @property
    def present(self) -> bool:
        return self.path.exists()


def cache() -> Path:
    """The folder that all homes and checkouts of a user share."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "leerp"


def kafka_jars() -> Artefact:
    """The broker's jars."""
    path = cache() / f"kafka-{KAFKA_VERSION}"
    return Artefact(
        name="kafka",
        version=KAFKA_VERSION,
        path=path,
        tool="mvn",
        make=lambda folder: _maven("kafka.xml", folder),
        takes="45 MB",
    )


def test_server() -> Artefact:
    """Temporal's time-skipping server, for tests only; its ``test-server PORT`` starts it."""
    path = cache() / f"temporal-test-server-{TEST_SERVER_VERSION}"
    return Artefact(
        name="temporal-test-server",
        version=TEST_SERVER_VERSION,
        path=path,
        tool="mvn",
        make=lambda folder: _maven("temporal-test-server.xml", folder),
        finish=_write_test_server_script,
        takes="25 MB",
    )


def temporal_server() -> Artefact:
    """The Temporal command, which holds the server."""
    return Artefact(
        name="temporal",
        version=TEMPORAL_VERSION,
        path=cache() / "bin" / "temporal",
        tool="go",
        make=lambda _folder: ("go", "install", TEMPORAL_MODULE),
        environment=lambda folder: {"GOBIN": str(folder)},
        product="temporal",
        takes="about four minutes",
    )


def temporal_command() -> Path | None:
    """The command on PATH if it is new enough, else the cache's, else None."""
    on_path = shutil.which("temporal")
    if on_path:
        told = subprocess.run(  # noqa: S603  no shell, and the command is what PATH names
            [on_path, "--version"], capture_output=True, text=True, check=False
        )
        version = re.search(r"version (\d+)\.(\d+)", told.stdout)
        if version and (int(version[1]), int(version[2])) >= LEAST_TEMPORAL:
            return Path(on_path)
    return temporal_server().path if temporal_server().present else None


def missing(*, kafka: bool = True, temporal: bool = True, tests: bool = False) -> list[Artefact]:
    """Which of the named still have to be brought; ``tests`` is what only tests need."""
    absent = []
    if kafka and not kafka_jars().present:
        absent.append(kafka_jars())
    if temporal and temporal_command() is None:
        absent.append(temporal_server())
    if tests and not test_server().present:
        absent.append(test_server())
    return absent


def ensure(
    console: Console, *, kafka: bool = True, temporal: bool = True, tests: bool = False
) -> None:
    """Bring which of the named are missing, saying how long it takes.

    Raises:
        ServiceDown: a tool is missing or failed; the message has its last lines and the way out.
    """
    if not missing(kafka=kafka, temporal=temporal, tests=tests):
        return
    try:
        cache().mkdir(parents=True, exist_ok=True)
        with _alone(console):
            _clear_leftovers()
            for artefact in missing(kafka=kafka, temporal=temporal, tests=tests):
                _bring(artefact, console)
    except OSError as exc:
        raise ServiceDown(
            f"cannot fill the cache {cache()} ({exc.strerror}): make room, or name another folder"
            " in XDG_CACHE_HOME"
        ) from exc


def _bring(artefact: Artefact, console: Console) -> None:
    if not shutil.which(artefact.tool):
        raise ServiceDown(
            f"{artefact.name} {artefact.version} is not in the cache {cache()}, and"
            f" '{artefact.tool}' to bring it is missing: run 'make setup', which says what to"
            " install"
        )
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=cache(), prefix=TEMPORARY) as temporary:
        folder, written = Path(temporary) / "new", Path(temporary) / "log"
        folder.mkdir()
        command = artefact.make(folder)
        with written.open("wb") as output:
            # The command line is one of the three above, without a shell.
            process = subprocess.Popen(  # noqa: S603
                child.dying_with_us(*command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=temporary,
                env={**os.environ, **artefact.environment(folder)},
            )
        try:
            code = _wait(process, artefact, console)
        finally:
            process.kill()
            process.wait()
        if code:
            raise _failure(artefact, command, written)
        artefact.path.parent.mkdir(parents=True, exist_ok=True)
        artefact.finish(folder)
        (folder / artefact.product).replace(artefact.path)
    seconds = time.monotonic() - started
    console.print(f"{artefact.name} {artefact.version}: done in {seconds:.0f} s")


def _clear_leftovers() -> None:
    """Remove what a set-up that was killed has left; we hold the cache, so none is at work."""
    for leftover in cache().glob(f"{TEMPORARY}*"):
        shutil.rmtree(leftover)


def _wait(process: subprocess.Popen[bytes], artefact: Artefact, console: Console) -> int:
    started = told = time.monotonic()
    what = f"bringing {artefact.name} {artefact.version} ({artefact.takes})"
    if not console.is_terminal:
        console.print(f"{what} ...")
    with console.status(what) as status:
        while (code := process.poll()) is None:
            now = time.monotonic()
            status.update(f"{what}: {now - started:.0f} s")
            if not console.is_terminal and now - told >= LINE_EVERY_SECONDS:
                console.print(f"  {artefact.name}: {now - started:.0f} s")
                told = now
            time.sleep(TICK_SECONDS)
    return code


def _failure(artefact: Artefact, command: Sequence[str], written: Path) -> ServiceDown:
    lines = written.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    environment = " ".join(f"{name}=..." for name in artefact.environment(written.parent))
    return ServiceDown(
        "\n".join(
            [
                f"{artefact.name} {artefact.version} could not be brought:",
                *(f"  {line}" for line in lines),
                f"It was: {environment} {' '.join(command)}".replace("  ", " "),
                "Look whether the network, or the mirror set on this machine, can be reached.",
                "Then run 'make setup' again.",
            ]
        )
    )


@contextmanager
def _alone(console: Console) -> Iterator[None]:
    """Hold the cache; whoever comes second waits, then finds everything there."""
    with (cache() / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.print("another set-up is filling the cache: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _maven(project: str, folder: Path) -> Sequence[str]:
    source = resources.files("infra.services") / "maven" / project
    pom = folder.parent / "pom.xml"
    pom.write_text(source.read_text())
    return (
        *("mvn", "--batch-mode", "--no-transfer-progress", "--strict-checksums", "--quiet"),
        *("--file", str(pom), f"{DEPENDENCY_PLUGIN}:copy-dependencies"),
        *(f"-DoutputDirectory={folder}", "-DincludeScope=runtime"),
    )


def _write_test_server_script(folder: Path) -> None:
    script = folder / "test-server"
    script.write_text(TEST_SERVER_SCRIPT)
    script.chmod(0o755)


def main(arguments: Sequence[str] | None = None) -> int:
    """Bring everything, tests' needs too; 0 done, 3 it could not be."""
    parser = argparse.ArgumentParser(prog="python -m infra.services.artefacts", description=__doc__)
    parser.parse_args(arguments)
    console = Console()
    started = time.monotonic()
    try:
        ensure(console, tests=True)
    except ServiceDown as exc:
        console.print(str(exc), markup=False, highlight=False)
        return 3
    console.print(f"services are in {cache()} ({time.monotonic() - started:.0f} s)", soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
