"""An officer's desk: the case file and the workflows that a command works with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from infra.bootstrap import App
from infra.tables import incident
from leerp.home import open_app
from leerp.options import CHANNEL
from protocol.errors import NotFound, Refused
from workflows.casework import Casework
from workflows.commands import Commands
from workflows.drafting import Drafting

T = TypeVar("T")


class Desk:
    """What an officer's command works with: the case file, and workflows once connected."""

    def __init__(self, opened: App, officer: str) -> None:
        self.app = opened
        self.officer = officer
        self.profile = opened.settings.profile()
        self.casework = Casework(opened.database, self.profile, officer=officer, channel=CHANNEL)

    def drafting(self, incident_id: str) -> Drafting:
        """Drafting for an incident; drafts of an exercise are marked so.

        Raises:
            NotFound: no such incident.
        """
        with self.app.database.read() as connection:
            row = connection.execute(
                incident.select().where(incident.c.id == incident_id)
            ).one_or_none()
        if row is None:
            raise NotFound(f"no incident {incident_id}: see 'leerp incidents list'")
        return Drafting(
            self.app.database,
            self.profile,
            exercise=row.exercise,
            officer=self.officer,
            channel=CHANNEL,
        )

    async def commands(self) -> Commands:
        """Commands to workflows.

        Raises:
            ServiceDown: Temporal does not answer.
        """
        return Commands(
            self.app.database,
            await self.app.temporal(),
            officer=self.officer,
            channel=CHANNEL,
        )


@contextmanager
def desk(home: Path, officer: str) -> Iterator[Desk]:
    """Open an officer's desk in ``home``.

    Raises:
        Refused: no officer is named.
    """
    if not officer:
        raise Refused("no-officer", "say who acts with --as OFFICER (or LEERP_OFFICER)")
    with open_app(home) as opened:
        yield Desk(opened, officer)


def with_commands(home: Path, officer: str, work: Callable[[Desk, Commands], Awaitable[T]]) -> T:
    """Run ``work`` with a desk that is connected to the workflows."""

    async def connected(at: Desk) -> T:
        return await work(at, await at.commands())

    with desk(home, officer) as at:
        return asyncio.run(connected(at))
