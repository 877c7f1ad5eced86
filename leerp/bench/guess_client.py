"""How quickly good links are answered while somebody guesses others, as one process.

``python -m leerp.bench.guess_client PORT ORIGIN FILE``; the file has a good path a line. A third of them
is POSTed in peace, a third while another address guesses, a third in peace again, each at a steady rate.
Writes the 99th percentiles in seconds, and how often each status came, as JSON to standard output.
Source: reliability 4.2, F-A4.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import count, islice
from pathlib import Path
from statistics import quantiles

from infra.services.ports import LOOPBACK
from leerp.bench.ack_client import END_OF_HEAD, LENGTH, request_of

GUESSER = "127.0.0.2"
"""Loopback too, but another address than the good links come from."""
GOOD_RATE, GUESS_RATE = 200.0, 300.0
"""Requests a second: everybody of a large campaign within a minute; a million guesses in an hour."""
CONNECTIONS = 4
WARM_UP = 100

Answer = tuple[str, float]
"""The status, and the seconds from when the request was due."""


async def answers(
    port: int, requests: Iterable[bytes], rate: float, *, source: str = LOOPBACK
) -> list[Answer]:
    """Send ``requests``, ``rate`` a second, whether or not those before have their answers."""
    found: list[Answer] = []
    begun = time.perf_counter()
    due = ((begun + number / rate, request) for number, request in enumerate(requests))
    await asyncio.gather(*(_connection(port, source, due, found) for _ in range(CONNECTIONS)))
    return found


async def _connection(
    port: int, source: str, due: Iterator[tuple[float, bytes]], found: list[Answer]
) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, port, local_addr=(source, 0))
    with closing(writer):
        for at, request in due:
            await asyncio.sleep(at - time.perf_counter())
            writer.write(request)
            head = await reader.readuntil(END_OF_HEAD)
            length = LENGTH.search(head)
            await reader.readexactly(int(length[1]) if length else 0)
            found.append((head[9:12].decode(), time.perf_counter() - at))


def guesses(port: int, origin: str, good: str) -> Iterator[bytes]:
    """Links that nobody has: of the same campaign, id and expiry, or of others, sealed by chance."""
    tag, known, expiry, _ = good.removeprefix("/a/").split(".")
    for number in count():
        one = known if number % 2 else secrets.token_hex(16)
        yield request_of(port, origin, f"/a/{tag}.{one}.{expiry}.{secrets.token_urlsafe(33)}")


async def measure(port: int, origin: str, paths: list[str]) -> dict[str, object]:
    """The 99th percentiles before, while and after somebody guesses; and the statuses."""
    requests = [request_of(port, origin, path) for path in paths]
    nobody = request_of(port, origin, "/a/nobody")
    await answers(port, [nobody] * WARM_UP, GOOD_RATE, source=GUESSER)
    parts = [requests[number::3] for number in range(3)]
    before = await answers(port, parts[0], GOOD_RATE)
    as_long = int(len(parts[1]) / GOOD_RATE * GUESS_RATE)
    guessed = guesses(port, origin, paths[0])
    tries = list(islice(guessed, as_long))
    during, wrong = await asyncio.gather(
        answers(port, parts[1], GOOD_RATE),
        answers(port, tries, GUESS_RATE, source=GUESSER),
    )
    after = await answers(port, parts[2], GOOD_RATE)
    return {
        "before": _p99(before),
        "during": _p99(during),
        "after": _p99(after),
        "good": Counter(status for status, _ in (*before, *during, *after)),
        "guessed": Counter(status for status, _ in wrong),
    }


def _p99(found: list[Answer]) -> float:
    return quantiles([seconds for _, seconds in found], n=100, method="inclusive")[-1]


if __name__ == "__main__":
    _port, _origin, _file = sys.argv[1:]
    json.dump(
        asyncio.run(measure(int(_port), _origin, Path(_file).read_text().split())), sys.stdout
    )
