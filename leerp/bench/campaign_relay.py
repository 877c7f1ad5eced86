"""The relay of the bench, Postfix's ``smtp-sink``, and ``smtp-source``, its fastest sender."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from pathlib import Path

from infra.services import child
from infra.services.ports import LOOPBACK, Ports
from infra.services.probe import greets
from infra.services.supervisor import Service, Supervisor
from leerp.bench.ratios import Round
from protocol.errors import ServiceDown

BACKLOG = 256
DELAY = 0.02
"""Seconds until an answer of the relay is passed on, where it is far away."""
NEAR_CONNECTIONS, FAR_CONNECTIONS = 10, 20
AS_NOBODY = () if os.geteuid() else ("-u", "nobody")
"""It does not run as root."""
WHERE = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
"""Debian puts them where root alone looks."""


def tool(name: str) -> str:
    """Where ``smtp-sink`` or ``smtp-source`` is.

    Raises:
        ServiceDown: it is not installed.
    """
    found = shutil.which(name, path=WHERE)
    if found is None:
        raise ServiceDown(
            f"{name} is not here: it comes with Postfix, 'apt-get install postfix' (as root)"
        )
    return found


async def start_sink(supervisor: Supervisor, folder: Path, ports: Ports) -> int:
    """Start the relay that takes everything and keeps nothing; its port."""
    port = ports.pick("sink")
    await supervisor.start(
        Service(
            name="smtp-sink",
            argv=(tool("smtp-sink"), *AS_NOBODY, f"{LOOPBACK}:{port}", str(BACKLOG)),
            log=folder / "logs" / "smtp-sink.log",
            advice="Look into that file.",
            ready=lambda: greets(LOOPBACK, port),
        )
    )
    return port


async def start_distance(supervisor: Supervisor, folder: Path, ports: Ports, sink: int) -> int:
    """Put the relay far away; the port at which it is reached then."""
    port = ports.pick("distance")
    await supervisor.start(
        Service(
            name="distance",
            argv=(
                *(sys.executable, "-m", "leerp.bench.distance"),
                *(str(port), str(sink), str(DELAY)),
            ),
            log=folder / "logs" / "distance.log",
            advice="Look into that file.",
            ready=lambda: greets(LOOPBACK, port),
        )
    )
    return port


async def source(port: int, *, mails: int, size: int, connections: int) -> float:
    """Mails a second of ``smtp-source``, over connections that it keeps.

    Raises:
        ServiceDown: it failed.
    """
    process = await asyncio.create_subprocess_exec(
        *child.dying_with_us(
            *(tool("smtp-source"), "-d", "-s", str(connections), "-l", str(size)),
            *("-m", str(mails), "-f", "from@bench.invalid", "-t", "to@bench.invalid"),
            f"{LOOPBACK}:{port}",
        ),
        stderr=asyncio.subprocess.PIPE,
    )
    begun = time.perf_counter()
    _, complaint = await process.communicate()
    if process.returncode:
        raise ServiceDown(f"smtp-source failed: {complaint.decode(errors='replace')}")
    return mails / (time.perf_counter() - begun)


def round_of(subject: float, controls: tuple[float, float]) -> Round:
    """One round with its controls."""
    before, after = controls
    return Round(subject=subject, before=before, after=after)
