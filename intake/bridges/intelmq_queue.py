"""IntelMQ's events out of a Redis list, as its Redis output bot or pipeline puts them in.

An event is moved to a list of ours in one step, and leaves that once Kafka has it: at any moment it is
in one of the two. IntelMQ puts in on the left and takes out on the right, and so do we.
Source: domain 6.7; IntelMQ's pipeline (LPUSH, BRPOPLPUSH).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit, urlunsplit

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from intake.bridges.forwarding import BATCH, BATCH_BYTES, Forwarded, Forwarder, Item
from protocol.errors import Refused, ServiceDown

SCHEMES = ("redis", "rediss")
LOOK_SECONDS = 1


@dataclass(frozen=True, slots=True)
class QueueAddress:
    """A Redis server and one list of it."""

    url: str
    queue: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``redis://HOST:PORT/DB?queue=NAME``; the password may stand before the host.

        Raises:
            Refused: ``bad-address``.
        """
        parts = urlsplit(text)
        queues = parse_qs(parts.query).get("queue", [])
        if parts.scheme not in SCHEMES or not parts.hostname or len(queues) != 1:
            raise Refused(
                "bad-address",
                "write redis://HOST:PORT/DB?queue=NAME, such as"
                " redis://127.0.0.1:6379/2?queue=leerp-output",
            )
        return cls(urlunsplit(parts._replace(query="")), queues[0])

    @property
    def taken(self) -> str:
        """The list of those that are being sent."""
        return f"{self.queue}-leerp"

    @property
    def refused(self) -> str:
        """The list of those that can never be sent."""
        return f"{self.queue}-leerp-refused"

    def __str__(self) -> str:
        """The address without its password."""
        parts = urlsplit(self.url)
        return (
            f"{parts.scheme}://{parts.hostname}:{parts.port or 6379}{parts.path}?queue={self.queue}"
        )


@dataclass(frozen=True, slots=True)
class EventQueue:
    """Takes events from the queue and gives them to a forwarder."""

    address: QueueAddress
    forwarder: Forwarder

    async def run(
        self, tell: Callable[[Forwarded], None], *, stop: asyncio.Event, follow: bool
    ) -> None:
        """Send what an earlier run left in hand, then what is in the queue, in order.

        Args:
            tell: hears of each batch.
            stop: when set, the batch in hand is finished and nothing more is taken.
            follow: wait for further events instead of ending with the queue.

        Raises:
            Refused: ``bad-login`` or ``bad-queue``; else as ``Forwarder.forward``.
            ServiceDown: Redis or Kafka does not answer; what is in hand stays in its list.
        """
        redis = Redis.from_url(self.address.url)
        try:
            await self._leftovers(redis, tell)
            while not stop.is_set():
                batch = await self._take(redis, wait=follow)
                if batch:
                    tell(await self._send(redis, batch))
                elif not follow:
                    break
        except AuthenticationError as exc:
            raise Refused("bad-login", f"Redis at {self.address} refuses the login") from exc
        except ResponseError as exc:
            raise Refused("bad-queue", f"{self.address} is no list of events ({exc})") from exc
        except RedisError as exc:
            raise ServiceDown(
                f"Redis at {self.address} does not answer ({type(exc).__name__}): start it, and the"
                " bridge again; no event is lost"
            ) from exc
        finally:
            with suppress(RedisError):
                await redis.aclose()

    async def _leftovers(self, redis: Redis, tell: Callable[[Forwarded], None]) -> None:
        while left := await _answer(redis.lrange(self.address.taken, -BATCH, -1)):
            tell(await self._send(redis, left[::-1]))

    async def _take(self, redis: Redis, *, wait: bool) -> list[bytes]:
        """The oldest events of the queue, now in our list; the first may be waited for."""
        queue, taken = self.address.queue, self.address.taken
        if wait:
            first = await _answer(redis.blmove(queue, taken, LOOK_SECONDS, "RIGHT", "LEFT"))
        else:
            first = await _answer(redis.lmove(queue, taken, "RIGHT", "LEFT"))
        batch, size = [first] if first is not None else [], len(first or b"")
        while batch and len(batch) < BATCH and size < BATCH_BYTES:
            event = await _answer(redis.lmove(queue, taken, "RIGHT", "LEFT"))
            if event is None:
                break
            batch.append(event)
            size += len(event)
        return batch

    async def _send(self, redis: Redis, batch: Sequence[bytes]) -> Forwarded:
        items = [Item(str(number), event) for number, event in enumerate(batch)]
        done = await self.forwarder.forward(items)
        settled = redis.pipeline(transaction=True)
        for each in done.refused:
            settled.lpush(self.address.refused, batch[int(each["place"])])
            each["place"] = f"now in the list {self.address.refused}"
        for event in batch:
            settled.lrem(self.address.taken, -1, event)  # type: ignore[arg-type] # bytes as they are
        await settled.execute()
        return done


async def _answer(asked: Any) -> Any:
    """What the client says, whose types are those of its two ways, waiting and not, at once."""
    return await asked
