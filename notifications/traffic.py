"""Whose turn it is: mails that are ready, by destination, and how many are under way to each.

No destination may have more under way than it stands, and none more than half of the connections while
mails to another one wait, so that a slow one holds up nobody else. Source: reliability 2.2, F-M8.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable

from notifications.destinations import Standing
from notifications.parcels import Parcel


class Traffic:
    """What is under way from this process, of all ranges that it sends at the same time."""

    def __init__(self, connections: int, most: int) -> None:
        self._share = max(1, connections // 2)
        self._most = most
        self._standings: dict[str, Standing] = {}
        self._under_way: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()
        self._shelves: set[Shelf] = set()

    def limit(self, domain: str) -> int:
        """How many mails may be under way there at a time."""
        standing = self._standings.get(domain)
        return self._most if standing is None else standing.concurrency

    def refresh(self, standings: dict[str, Standing]) -> None:
        """Replace what is known by what the database says."""
        self._standings = dict(standings)

    def learn(self, standings: dict[str, Standing]) -> None:
        """Add what has just been written down."""
        self._standings = self._standings | standings

    def is_troubled(self, domain: str) -> bool:
        """Whether the destination is not known to be open."""
        return domain in self._standings

    def may_go(self, domain: str) -> bool:
        """Whether one more mail may go there now."""
        under_way = self._under_way[domain]
        if under_way >= self.limit(domain):
            return False
        alone = not self._waiting or self._waiting.keys() == {domain}
        return alone or under_way < self._share

    def open_shelf(self) -> Shelf:
        """A shelf for one range."""
        shelf = Shelf(self)
        self._shelves.add(shelf)
        return shelf

    def close_shelf(self, shelf: Shelf) -> None:
        """Forget a shelf, and what still lies on it."""
        self._shelves.discard(shelf)
        for parcel in shelf.clear():
            self.waits(parcel.claim.destination, -1)

    def waits(self, domain: str, number: int) -> None:
        self._waiting[domain] += number
        if self._waiting[domain] <= 0:
            del self._waiting[domain]

    def leaves(self, domain: str) -> None:
        """A mail sets out."""
        self._under_way[domain] += 1

    def is_back(self, domain: str) -> None:
        """It is over with that mail; somebody else may have waited for it."""
        self._under_way[domain] -= 1
        if self._under_way[domain] <= 0:
            del self._under_way[domain]
        for shelf in self._shelves:
            shelf.stir()


class Shelf:
    """The ready mails of one range; destinations take turns."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._by_domain: OrderedDict[str, deque[Parcel]] = OrderedDict()
        self._size = 0
        self._changed = asyncio.Event()
        self._is_waited_for = False
        self._is_complete = False

    def __len__(self) -> int:
        return self._size

    @property
    def at_hand(self) -> int:
        """How many could go before some destination has to be waited for."""
        return sum(
            min(len(parcels), self._traffic.limit(domain))
            for domain, parcels in self._by_domain.items()
        )

    def put(self, parcels: Iterable[Parcel]) -> None:
        for parcel in parcels:
            domain = parcel.claim.destination
            self._by_domain.setdefault(domain, deque()).append(parcel)
            self._size += 1
            self._traffic.waits(domain, 1)
        self.stir()

    def complete(self) -> None:
        """No more will be put."""
        self._is_complete = True
        self.stir()

    async def take(self) -> Parcel | None:
        """The next mail whose turn it is, which then is under way; None when there are no more."""
        while True:
            if (parcel := self._next()) is not None:
                return parcel
            if self._is_complete and not self._size:
                return None
            await self.change()

    async def change(self) -> None:
        """Wait until something was put, taken, or came back."""
        self._is_waited_for = True
        await self._changed.wait()

    def stir(self) -> None:
        """Let those who wait look again."""
        if self._is_waited_for:
            self._is_waited_for = False
            self._changed.set()
            self._changed = asyncio.Event()

    def clear(self) -> list[Parcel]:
        """Take everything off."""
        left = [parcel for parcels in self._by_domain.values() for parcel in parcels]
        self._by_domain.clear()
        self._size = 0
        return left

    def _next(self) -> Parcel | None:
        for domain, parcels in self._by_domain.items():
            if not self._traffic.may_go(domain):
                continue
            parcel = parcels.popleft()
            self._size -= 1
            if parcels:
                self._by_domain.move_to_end(domain)
            else:
                del self._by_domain[domain]
            self._traffic.waits(domain, -1)
            self._traffic.leaves(domain)
            return parcel
        return None
