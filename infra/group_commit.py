"""Group commit: whatever waits is written in one transaction, without a timer.

One commit costs a sync to disk, whatever it holds. While one group is being written the next one
gathers, so a lone item is not kept waiting and a crowd shares the sync (reliability 1.5c).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy import Connection

from infra.database import Database

Item = TypeVar("Item")
Result = TypeVar("Result")
LIMIT = 200
TURNS = 4
"""Of the event loop before a group is closed: whom the last one answered is heard again by then.

Else a crowd falls into two halves that take turns, and each commit carries one of them. When nothing is
there to be done a turn takes microseconds.
"""


class GroupCommit(Generic[Item, Result]):
    """Hands items that arrive at the same time to ``apply``, inside one write transaction.

    ``apply`` runs in a thread and gives one result for each item, in order; a result that is an
    exception is raised to the one who submitted that item only. When ``apply`` raises, or the commit
    fails, nothing of the group is written and every submitter gets that error.
    """

    def __init__(
        self,
        database: Database,
        apply: Callable[[Connection, Sequence[Item]], Sequence[Result | Exception]],
    ) -> None:
        self._database = database
        self._apply = apply
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._task: asyncio.Task[None] | None = None

    def submit(self, item: Item) -> asyncio.Future[Result]:
        """The item's result, once it is committed.

        Who does not wait for it any more leaves the item in its group, which may be being committed.
        """
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        return future

    async def _drain(self) -> None:
        try:
            while self._waiting:
                for _ in range(TURNS):
                    await asyncio.sleep(0)
                group, self._waiting = self._waiting[:LIMIT], self._waiting[LIMIT:]
                write = asyncio.to_thread(self._write, [item for item, _ in group])
                # An error is handed to everybody who waits.
                (done,) = await asyncio.gather(write, return_exceptions=True)
                results = [done] * len(group) if isinstance(done, BaseException) else done
                for (_, future), result in zip(group, results, strict=True):
                    _settle(future, result)
        finally:
            self._task = None

    def _write(self, items: Sequence[Item]) -> Sequence[Result | Exception]:
        with self._database.write() as connection:
            return self._apply(connection, items)


def _settle(future: asyncio.Future[Result], result: Result | BaseException) -> None:
    if future.done():
        return
    if isinstance(result, BaseException):
        future.set_exception(result)
    else:
        future.set_result(result)
