"""Many clients that POST, as one process: no more is done than HTTP/1.1 with kept connections asks for.

``python -m leerp.bench.ack_client PORT CLIENTS ORIGIN FILE``; the file has a path a line. Writes the
seconds from the first request to the last answer, and how often each status came, as JSON to standard
output.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.services.ports import LOOPBACK

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
WARM_UP = 50
"""Requests that are not measured, of a token that nobody has."""
END_OF_HEAD = b"\r\n\r\n"


class Client(asyncio.Protocol):
    """One connection; the next request goes out when the answer is there."""

    def __init__(self, requests: Iterator[bytes], statuses: Counter[str]) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._statuses = statuses
        self._got = b""
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._got += data
        head = self._got.find(END_OF_HEAD)
        if head < 0:
            return
        found = LENGTH.search(self._got, 0, head)
        length = int(found[1]) if found else 0
        if len(self._got) < head + len(END_OF_HEAD) + length:
            return
        self._statuses[self._got[9:12].decode()] += 1
        self._got = b""
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self.done.set_result(None)
            self._transport.close()
        else:
            self._transport.write(request)


async def post_all(
    port: int, clients: int, origin: str, paths: list[str]
) -> tuple[float, Counter[str]]:
    """POST each path once, by so many clients; seconds and statuses."""
    loop = asyncio.get_running_loop()
    statuses: Counter[str] = Counter()
    requests = iter([request_of(port, origin, path) for path in paths])
    begun = time.perf_counter()
    made = [
        await loop.create_connection(lambda: Client(requests, statuses), LOOPBACK, port)
        for _ in range(clients)
    ]
    await asyncio.gather(*(client.done for _, client in made))
    return time.perf_counter() - begun, statuses


def request_of(port: int, origin: str, path: str) -> bytes:
    """The POST of the page's button."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\nOrigin: {origin}\r\n"
        "Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()


async def main(port: int, clients: int, origin: str, paths: list[str]) -> None:
    """Warm up, then measure."""
    await post_all(port, clients, origin, ["/a/nobody"] * WARM_UP)
    seconds, statuses = await post_all(port, clients, origin, paths)
    json.dump({"seconds": seconds, "statuses": statuses}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(
        main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]).read_text().split())
    )
