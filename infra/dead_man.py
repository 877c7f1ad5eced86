"""The sign of life to the outside: one request, and nothing in it that says more than that we live.

Whoever waits for it raises the alarm when it stays away. Source: reliability 4; issue 7.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx


async def signal(url: str, within: timedelta) -> str:
    """Ask for ``url``; an empty string when it answered with success, else what went wrong."""
    try:
        async with (
            asyncio.timeout(within.total_seconds()),  # of all of it; the client's is of each step
            httpx.AsyncClient(
                follow_redirects=False, trust_env=False, timeout=within.total_seconds()
            ) as client,
        ):
            answer = await client.get(url)
    except (httpx.HTTPError, TimeoutError) as error:
        return type(error).__name__
    return "" if answer.is_success else f"it answered {answer.status_code}"
