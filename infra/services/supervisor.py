"""Starts services in order, watches them, and stops all of them in reverse order.

Each runs in its own session, so that Ctrl-C reaches us alone and we decide the order, and is killed
by the kernel if we are (``infra.services.child``). A service may be allowed to end by itself now and
then: it is started again, after a growing pause.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import structlog

from infra.services import child
from protocol.errors import ServiceDown

log = structlog.get_logger()
T = TypeVar("T")

TAIL_LINES = 15
TAIL_BYTES = 8_192
POLL_SECONDS = 0.1
RESTART_WINDOW_SECONDS = 60.0
"""Restarts before this are forgotten."""


async def always_ready() -> bool:
    """The readiness check of a service that has nothing to ask."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A command to keep running."""

    name: str
    argv: tuple[str, ...]
    log: Path
    """Takes what the command writes; the previous run's is kept beside it with ``.1``."""
    advice: str
    """What a person can do when it does not start, or dies."""
    ready: Callable[[], Awaitable[bool]] = always_ready
    """Asked until it says yes. Must not raise while the service is merely not up yet."""
    ready_within: timedelta = timedelta(seconds=60)
    stop_within: timedelta = timedelta(seconds=15)
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to our own."""
    restart_pauses: tuple[float, ...] = ()
    """Seconds to wait before each restart, as many as are made within a minute; none by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A service that was started."""

    service: Service
    process: asyncio.subprocess.Process
    ended: asyncio.Task[int]

    def failure(self) -> ServiceDown:
        """The report of its unexpected end, with the last lines that it wrote."""
        return ServiceDown(
            f"{self.service.name} {_ending(self.ended.result())}.\n"
            f"{_last_words(self.service.log)}\n{self.service.advice}"
        )


class Supervisor:
    """Use as ``async with Supervisor() as supervisor``; at its end nothing it started is left."""

    def __init__(self) -> None:
        self._running: list[Running] = []
        self._restarts: dict[str, list[float]] = {}
        """When each service was started again, by its name."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self, service: Service) -> Running:
        """Start it and wait until it is ready.

        Raises:
            ServiceDown: it ended, or was not ready in time; the message has its last lines.
        """
        running = await self._spawn(service)
        self._running.append(running)
        waiting = asyncio.create_task(_until_ready(service))
        try:
            await asyncio.wait(
                {waiting, running.ended},
                timeout=service.ready_within.total_seconds(),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if running.ended.done():
                raise running.failure()
            if not waiting.done():
                raise ServiceDown(
                    f"{service.name} was not ready within"
                    f" {service.ready_within.total_seconds():.0f}"
                    f" s.\n{_last_words(service.log)}\n{service.advice}"
                )
            await waiting
        finally:
            waiting.cancel()
        log.debug("service_ready", service=service.name, pid=running.process.pid)
        return running

    async def watch(self) -> ServiceDown:
        """Wait until one of the services ends by itself for good, and return the report of it.

        Those that may be restarted are, until they have used up their restarts of a minute.
        """
        if not self._running:
            await asyncio.Event().wait()
        while True:
            await asyncio.wait(
                {running.ended for running in self._running}, return_when=asyncio.FIRST_COMPLETED
            )
            ended = [running for running in self._running if running.ended.done()]
            pauses = [(running, self._pause_before_restart(running.service)) for running in ended]
            for running, pause in pauses:
                if pause is None:
                    return running.failure()
            for running, pause in pauses:
                await self._restart(running, pause or 0.0)

    def _pause_before_restart(self, service: Service) -> float | None:
        """How long to wait before the next restart; None when there is none left."""
        since = asyncio.get_running_loop().time() - RESTART_WINDOW_SECONDS
        recent = [at for at in self._restarts.get(service.name, []) if at > since]
        self._restarts[service.name] = recent
        left = service.restart_pauses[len(recent) :]
        return left[0] if left else None

    async def _restart(self, running: Running, pause: float) -> None:
        """Start it again in its place, unless another service ends meanwhile: that is looked at first."""
        service = running.service
        others = {other.ended for other in self._running if not other.ended.done()}
        if pause and others:
            done, _ = await asyncio.wait(others, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return
        else:
            await asyncio.sleep(pause)
        _signal(running, signal.SIGKILL)  # what it has left behind
        self._restarts[service.name].append(asyncio.get_running_loop().time())
        self._running[self._running.index(running)] = await self._spawn(service)
        log.error(
            "service_restarted",
            service=service.name,
            ending=_ending(running.ended.result()),
            restarts=len(self._restarts[service.name]),
        )

    async def guard(self, work: Coroutine[Any, Any, T]) -> T:
        """Do ``work`` while watching; it is cancelled when a service dies.

        Raises:
            ServiceDown: a service died.
        """
        working, watching = asyncio.create_task(work), asyncio.create_task(self.watch())
        try:
            await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done() and not working.done():
                raise watching.result()
            return await working
        finally:
            for task in (working, watching):
                task.cancel()
            await asyncio.gather(working, watching, return_exceptions=True)

    async def stop(self) -> None:
        """Stop all, newest first; a cancellation meanwhile waits until all have stopped."""
        stopping = asyncio.ensure_future(self._stop_all())
        cancelled = False
        while not stopping.done():
            try:
                await asyncio.shield(stopping)
            except asyncio.CancelledError:
                cancelled = True
        stopping.result()
        if cancelled:
            raise asyncio.CancelledError

    async def _stop_all(self) -> None:
        while self._running:
            running = self._running[-1]
            await _stop(running)
            self._running.pop()
            log.debug("service_stopped", service=running.service.name, pid=running.process.pid)

    async def _spawn(self, service: Service) -> Running:
        service.log.parent.mkdir(parents=True, exist_ok=True)
        if service.log.exists():
            service.log.replace(service.log.with_name(service.log.name + ".1"))
        with service.log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *child.dying_with_us(*service.argv),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, **service.environment},
                start_new_session=True,
            )
        return Running(service=service, process=process, ended=asyncio.create_task(process.wait()))


async def _until_ready(service: Service) -> None:
    while not await service.ready():  # another process cannot set our event
        await asyncio.sleep(POLL_SECONDS)


async def _stop(running: Running) -> None:
    _signal(running, signal.SIGTERM)
    await asyncio.wait({running.ended}, timeout=running.service.stop_within.total_seconds())
    if not running.ended.done():
        log.warning("service_killed", service=running.service.name, pid=running.process.pid)
    _signal(running, signal.SIGKILL)  # also ends what the service itself has left behind
    await running.ended


def _signal(running: Running, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # the whole group has ended, which is what we want
        os.killpg(running.process.pid, number)


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended by itself with exit code {code}"


def _last_words(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()[-TAIL_LINES:]
    if not lines:
        return f"It wrote nothing to {path}."
    return "\n".join([f"Its last lines in {path}:", *(f"  {line}" for line in lines)])
