"""``leerp up``: all services and processes of one home, from the first start to a clean stop.

Starts what the settings do not name by address, in order, each when the one before is ready; on
Ctrl-C, SIGTERM, or when a service dies, stops all in reverse order. Our own processes go on where
they left off, so one that dies is started again a few times first. Source: design 5.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from infra import endpoints, kafka
from infra.database import Database
from infra.endpoints import Endpoints
from infra.keys import ensure_keys
from infra.services import artefacts, embedded, temporal
from infra.services.home import hold, make_home, settle_realm
from infra.services.ports import Ports, address_of, require_free
from infra.services.probe import answers
from infra.services.supervisor import Service, Supervisor, always_ready
from infra.settings import Settings
from protocol.errors import ServiceDown

T = TypeVar("T")

Processes = Callable[[Settings], Sequence[Service]]
"""Given complete settings, our own processes in the order to start them."""

ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  told apart here, not listened on
RESTART_PAUSES = (1.0, 4.0, 12.0)
"""Seconds before the restarts of a process of ours; what fails three times a minute is broken."""
STOPPED_BY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def own_processes(settings: Settings) -> Sequence[Service]:
    """Worker, intake and console, each started again a few times when it dies."""

    async def worker_polls() -> bool:
        return await temporal.has_worker(settings.temporal)

    async def console_answers() -> bool:
        return await answers(settings.console_bind)

    return tuple(
        Service(
            name=name,
            argv=(sys.executable, "-m", "leerp", name, "--home", str(settings.home)),
            log=settings.home / "logs" / f"{name}.log",
            advice="Look into that file, then run 'leerp doctor' for the state of the services.",
            ready=ready,
            restart_pauses=RESTART_PAUSES,
        )
        for name, ready in (
            ("worker", worker_polls),
            ("intake", always_ready),
            ("console", console_answers),
        )
    )


def run_up(settings: Settings, processes: Processes = own_processes) -> None:
    """Bring all up, print where it is, and keep it up until Ctrl-C or SIGTERM.

    Raises:
        ServiceDown: something is missing, does not start, or died. Everything has been stopped
        then.
    """
    console = Console()

    async def keep(running: Settings) -> None:
        written = endpoints.read(running.home)
        if written:
            console.print(table_of(written))
        console.print(
            f"Up. Other commands: add --home {running.home}. Ctrl-C stops all.", soft_wrap=True
        )
        await asyncio.Event().wait()

    run_with_services(settings, keep, processes=processes, console=console)
    console.print("Stopped. The same command goes on where this left off.")


def run_with_services(
    settings: Settings,
    work: Callable[[Settings], Coroutine[Any, Any, T]],
    *,
    processes: Processes = own_processes,
    console: Console,
) -> T | None:
    """Do ``work`` with complete settings while everything is up; None when a signal stopped it.

    ``settings`` name the home and the addresses of what is not to be started here; make them with
    ``Settings(home=...)``, not ``Settings.load``, which takes addresses of a former run for given.

    Raises:
        ServiceDown: something is missing, does not start, or died. Everything has been stopped
        then.
    """
    os.umask(0o077)  # what the home holds is for its owner only
    artefacts.ensure(
        console, kafka=not settings.kafka.bootstrap, temporal=not settings.temporal.address
    )

    async def whole() -> T:
        async with everything(settings, processes, console) as (supervisor, complete):
            return await supervisor.guard(work(complete))

    return asyncio.run(until_signal(whole()))


@asynccontextmanager
async def everything(
    settings: Settings, processes: Processes, console: Console
) -> AsyncIterator[tuple[Supervisor, Settings]]:
    """The home held, all services and processes up, ``endpoints.json`` written.

    Raises:
        ServiceDown: as ``run_with_services``.
    """
    home = make_home(settings.home)
    with hold(home):
        endpoints.remove(home)  # of an `up` that was killed
        try:
            async with Supervisor() as supervisor:
                realm = settle_realm(home, settings)
                complete = await _start(supervisor, realm, console)
                for process in processes(complete):
                    with console.status(f"starting {process.name}"):
                        await supervisor.start(process)
                yield supervisor, complete
        finally:
            endpoints.remove(home)


async def until_signal(work: Coroutine[Any, Any, T]) -> T | None:
    """The result of ``work``, or None when SIGINT, SIGTERM or SIGHUP came first and cancelled it.

    Signals that come while it is cleaning up change nothing.
    """
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    received: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        if not received:
            task.cancel()
        received.append(number)

    for number in STOPPED_BY:
        loop.add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not received:
            raise
        return None
    finally:
        for number in STOPPED_BY:
            loop.remove_signal_handler(number)


def table_of(written: Endpoints) -> Table:
    """The endpoints for people."""
    table = Table("service", "where", title="leerp is up")
    for name, where in (
        ("Kafka", written.kafka),
        ("Temporal", written.temporal),
        ("mail", written.smtp),
        ("maildir", written.maildir),
        ("database", written.database),
        ("console", written.console),
    ):
        if where:
            table.add_row(name, where)
    return table


async def _start(supervisor: Supervisor, settings: Settings, console: Console) -> Settings:
    """Everything that our own processes rest on, and ``endpoints.json`` for them to read."""
    home = settings.home.absolute()
    ports = Ports(home)
    bind, url = _console_address(settings, ports)
    ensure_keys(home / "keys", settings.smtp.sender)
    _migrate(settings.model_copy(update={"home": home}))
    maildir = embedded.maildir_of(settings, home)
    addressed = await embedded.start(supervisor, settings, ports, console)
    complete = addressed.model_copy(update={"console_bind": bind, "console_url": url})
    with console.status("making the topics"):
        await kafka.create_topics(complete.kafka)
    endpoints.write(home, endpoints.describe(complete, maildir))
    return complete


def _console_address(settings: Settings, ports: Ports) -> tuple[str, str]:
    host, port = address_of(settings.console_bind)
    if host in ANY_ADDRESS and not settings.console_url:
        raise ServiceDown(
            f"the console listens on all addresses ({settings.console_bind}), so links need a name"
            " to point to: set LEERP_CONSOLE_URL, for example https://leerp.example.org"
        )
    if not port:
        port = ports.pick("console")
    require_free("the console", host, port)
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port}", settings.console_url or f"http://{shown}:{port}"


def _migrate(settings: Settings) -> None:
    database = Database(settings.database_url)
    try:
        database.migrate()
    except SQLAlchemyError as exc:
        place = database.engine.url.render_as_string(hide_password=True)
        raise ServiceDown(
            f"the database {place} cannot be used ({getattr(exc, 'orig', exc)}): is it running,"
            " and are address and login in LEERP_DATABASE right?"
        ) from exc
    finally:
        database.close()
