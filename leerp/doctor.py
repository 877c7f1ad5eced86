"""``leerp doctor``: every part this needs, its state, its version, and what to do about it."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from infra import endpoints
from infra.database import Database
from infra.services import artefacts, embedded, temporal
from infra.services.artefacts import Artefact
from infra.services.home import holder, make_home
from infra.services.probe import answers
from infra.settings import Settings
from infra.tables_audit import audit_head
from leerp.doctor_intake import intake_rows
from leerp.doctor_kafka import kafka_rows
from leerp.doctor_keys import key_rows
from leerp.doctor_rows import Row, State
from leerp.doctor_watch import watch_rows
from protocol.errors import ServiceDown

PATCHED_PYTHONS = {(3, 11): 10, (3, 12): 5, (3, 13): 0}
"""The first release of each line without CVE-2024-6923 (a header can be smuggled into a mail)."""
LEAST_JAVA = 17
LEAST_FREE_BYTES = 2 * 1024**3
EXIT_DOWN = 3


STYLES = {State.OK: "green", State.WARN: "yellow", State.MISSING: "red", State.DOWN: "red"}


async def examine(home: Path) -> list[Row]:
    """Look at everything; services are asked only where an address is known."""
    wanted = Settings(home=home)  # as `leerp up` sees it: what has an address is not ours to start
    absent = artefacts.missing(
        kafka=not wanted.kafka.bootstrap, temporal=not wanted.temporal.address, tests=True
    )
    rows = [_python(sys.version_info[:3]), *await _tools(wanted, absent)]
    rows += [*_artefacts(wanted, absent), _home(home), *_space(home), *key_rows(wanted)]
    settings = Settings.load(home)
    rows += [*_up(home), *await _services(settings)]
    return [*rows, *intake_rows(settings), *watch_rows(settings)]


def run_doctor(home: Path, *, as_json: bool, console: Console) -> int:
    """Print the rows; 0 when everything can work, 3 when something is missing or down."""
    rows = asyncio.run(examine(home))
    if as_json:
        text = json.dumps([row.model_dump(mode="json") for row in rows], indent=2)
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    else:
        table = Table("part", "state", "version", "what to do")
        for row in rows:
            table.add_row(row.part, f"[{STYLES[row.state]}]{row.state}[/]", row.version, row.advice)
        console.print(table)
    return EXIT_DOWN if any(row.state in {State.MISSING, State.DOWN} for row in rows) else 0


def system_packages() -> dict[str, str]:
    """Debian package by command, from the one file that names them."""
    text = (resources.files("infra") / "system-packages.txt").read_text()
    lines = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return {command: package for command, package, *_ in lines}


def _python(running: tuple[int, int, int]) -> Row:
    major, minor, micro = running
    version = f"{major}.{minor}.{micro}"
    patched = PATCHED_PYTHONS.get((major, minor))
    if patched is None:
        return Row(
            part="python", state=State.MISSING, version=version, advice="use Python 3.11 to 3.13"
        )
    if micro < patched:
        return Row(
            part="python",
            state=State.WARN,
            version=version,
            advice=f"update to {major}.{minor}.{patched} or newer: this has CVE-2024-6923, by which"
            " text in a mail's subject can become a header. leerp refuses encoded words in headers"
            " itself, so it is safe here; other programs may not be",
        )
    return Row(part="python", state=State.OK, version=version)


async def _tools(wanted: Settings, absent: Sequence[Artefact]) -> list[Row]:
    """Java where Kafka is ours; Maven and Go only while they still have something to bring."""
    rows = []
    if not wanted.kafka.bootstrap:
        version = await _version_of("java", "-version")
        row = _tool("java", version)
        found = re.search(r"(\d+)", version)
        if row.state is State.OK and found and int(found[1]) < LEAST_JAVA:
            advice = f"Kafka needs Java {LEAST_JAVA} or newer: {_install('java')}"
            row = row.model_copy(update={"state": State.MISSING, "advice": advice})
        rows.append(row)
    for tool, argument in (("mvn", "--version"), ("go", "version")):
        if tool in {artefact.tool for artefact in absent}:
            rows.append(_tool(tool, await _version_of(tool, argument)))
    return rows


def _tool(command: str, version: str) -> Row:
    if not version:
        return Row(part=command, state=State.MISSING, advice=_install(command))
    return Row(part=command, state=State.OK, version=version)


def _install(command: str) -> str:
    return f"apt-get install {system_packages()[command]} (as root), or 'make setup'"


async def _version_of(command: str, argument: str) -> str:
    """What the command says of its version, shortened to the number; empty when it is not there."""
    path = shutil.which(command)
    if not path:
        return ""
    process = await asyncio.create_subprocess_exec(
        path, argument, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    written, _ = await process.communicate()
    found = re.search(r"\d+(\.\d+)+", written.decode(errors="replace"))
    return found[0] if found else "unknown"


def _artefacts(wanted: Settings, absent: Sequence[Artefact]) -> Iterator[Row]:
    for artefact, ours in (
        (artefacts.kafka_jars(), not wanted.kafka.bootstrap),
        (artefacts.temporal_server(), not wanted.temporal.address),
        (artefacts.test_server(), True),
    ):
        if not ours:
            continue
        part = f"{artefact.name} (program)"
        if artefact.name not in {other.name for other in absent}:
            yield Row(part=part, state=State.OK, version=_version(artefact))
            continue
        only_tests = artefact.name == artefacts.test_server().name
        yield Row(
            part=part,
            state=State.WARN if only_tests else State.MISSING,
            advice=f"make setup (brings {artefact.version}, {artefact.takes})"
            + (": needed by tests only" if only_tests else ""),
        )


def _version(artefact: Artefact) -> str:
    place = artefact.path if artefact.present else artefacts.temporal_command()
    return f"{artefact.version if artefact.present else ''} {place}".strip()


def _home(home: Path) -> Row:
    existed = home.exists()
    try:
        made = make_home(home)
    except ServiceDown as exc:
        return Row(part="home", state=State.MISSING, advice=str(exc))
    if not existed:
        made.rmdir()
    return Row(part="home", state=State.OK, version=str(made))


def _space(home: Path) -> Iterator[Row]:
    for part, path in (("disk of home", home.absolute()), ("disk of cache", artefacts.cache())):
        there = next(folder for folder in (path, *path.parents) if folder.exists())
        free = shutil.disk_usage(there).free
        enough = free >= LEAST_FREE_BYTES
        yield Row(
            part=part,
            state=State.OK if enough else State.WARN,
            version=f"{free / 1024**3:.1f} GiB free",
            advice="" if enough else f"make room in {there}: services stop when the disk is full",
        )


def _is_up(home: Path) -> bool:
    return holder(home) is not None


def _up(home: Path) -> Iterator[Row]:
    pid = holder(home)
    if pid is not None:
        yield Row(part="leerp up", state=State.OK, version=f"process {pid}")
    elif endpoints.read(home) is not None:
        yield Row(
            part="leerp up",
            state=State.DOWN,
            advice=f"it was killed: run 'leerp up --home {home}' again, it goes on where it was",
        )


async def _services(settings: Settings) -> list[Row]:
    checks = []
    if settings.temporal.address:
        checks += [("temporal", temporal.check(settings.temporal))]
    if settings.smtp.host:
        checks += [("smtp", _check_smtp(settings))]
    if settings.console_url and _is_up(settings.home):
        checks += [("console", _check_console(settings))]
    if settings.database or (settings.home / "leerp.db").exists():
        checks += [("database", asyncio.to_thread(_check_database, settings))]
    rows = await kafka_rows(settings) if settings.kafka.bootstrap else []
    for part, check in checks:
        try:
            rows.append(Row(part=part, state=State.OK, version=await check))
        except ServiceDown as exc:
            rows.append(Row(part=part, state=State.DOWN, advice=str(exc)))
    return rows


async def _check_smtp(settings: Settings) -> str:
    await embedded.require_relay(settings)
    return f"{settings.smtp.host}:{settings.smtp.port}"


async def _check_console(settings: Settings) -> str:
    if not await answers(settings.console_bind):
        raise ServiceDown(f"nothing answers at {settings.console_bind}: look into logs/console.log")
    return settings.console_url


def _check_database(settings: Settings) -> str:
    database = Database(settings.database_url)
    place = database.engine.url.render_as_string(hide_password=True)
    try:
        with database.read() as connection:
            rows = connection.scalar(select(func.max(audit_head.c.n)))
    except SQLAlchemyError as exc:
        raise ServiceDown(
            f"{place} cannot be read ({getattr(exc, 'orig', exc)}): run 'leerp up', which makes the"
            " tables, or look at address and login"
        ) from exc
    finally:
        database.close()
    return f"{place}, {rows} audit rows"
