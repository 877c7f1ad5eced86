"""Modules of the bench as processes of their own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping

from infra.services import child
from protocol.errors import ServiceDown


async def output_of(*arguments: str, environment: Mapping[str, str] | None = None) -> bytes:
    """What ``python -m ARGUMENTS`` writes to standard output.

    Raises:
        ServiceDown: it failed; the message has what it complained of.
    """
    process = await asyncio.create_subprocess_exec(
        *child.dying_with_us(sys.executable, "-m", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    )
    try:
        said, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise ServiceDown(f"{arguments[0]} failed:\n{complaint.decode(errors='replace')}")
    return said
