"""Starting a drill: a test call of the directory, through the very workflow that carries warnings.

Source: R25, R72; issue 7.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from pydantic import TypeAdapter
from temporalio.client import Client
from temporalio.service import RPCError

from infra import audit
from infra.database import Database
from notifications.authority import Attempt, acting, attempted
from notifications.content import Words
from notifications.directory import Directory
from notifications.drills import campaign_id_of
from protocol.errors import Refused, ServiceDown
from protocol.parties import RecipientClass, Role
from protocol.profile import NoticeRules, Profile
from protocol.stages import NoticeKind
from workflows.campaign import Campaign
from workflows.messages import CampaignInput

DRILLING = frozenset({Role.DUTY_OFFICER, Role.DUTY_MANAGER})
COMMAND = "directory drill start"
REASON = "A test call of the list of points of contact."
_WORDS: TypeAdapter[str] = TypeAdapter(Words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A drill that is on its way; ``left_out`` are classes that nobody is in."""

    drill: str
    campaign: str
    classes: tuple[RecipientClass, ...]
    left_out: tuple[RecipientClass, ...]


class DrillCommands:
    """Of one installation."""

    def __init__(
        self,
        database: Database,
        temporal: Callable[[], Awaitable[Client]],
        *,
        profile: Profile,
        task_queue: str,
    ) -> None:
        self._database = database
        self._temporal = temporal
        self._profile = profile
        self._task_queue = task_queue

    async def start(
        self,
        classes: Collection[RecipientClass],
        *,
        by: str,
        reason: str = REASON,
        channel: str = "system",
    ) -> Started:
        """Call everybody of these classes, of all that the profile names if none is given.

        Raises:
            Refused: no role, ``nobody`` in the classes, ``no-drill`` where the profile has no rules
                for drills.
            NotFound: there is no directory.
            ServiceDown: it is written down that it was ordered, but Temporal does not answer.
        """
        rules, words = self._rules(classes), _WORDS.validate_python(reason)
        started = await asyncio.to_thread(self._order, rules, by, channel)
        try:
            client = await self._temporal()
            await client.start_workflow(
                Campaign.run,
                CampaignInput(
                    campaign_id=started.campaign,
                    incident_id=started.drill,
                    kind=NoticeKind.DRILL,
                    revision=1,
                    rules=rules.model_copy(update={"classes": started.classes}),
                    content=None,
                    exercise=True,
                    detail={
                        "reason": words,
                        "answer_within": rules.ladder[-1].after.total_seconds(),
                    },
                ),
                id=f"campaign-{started.campaign}",
                task_queue=self._task_queue,
            )
        except (RPCError, ServiceDown) as exc:
            raise ServiceDown(
                "Temporal does not answer, and nobody was called: see that 'leerp up' runs, and start "
                "the drill again"
            ) from exc
        return started

    def _rules(self, classes: Collection[RecipientClass]) -> NoticeRules:
        rules = self._profile.notices.get(NoticeKind.DRILL)
        if rules is None:
            raise Refused(
                "no-drill",
                f"profile {self._profile.name} says nothing of drills: add [notices.drill]",
            )
        wanted = tuple(name for name in RecipientClass if name in (classes or rules.classes))
        return rules.model_copy(update={"classes": wanted})

    def _order(self, rules: NoticeRules, by: str, channel: str) -> Started:
        drill = f"drill-{uuid.uuid4().hex[:12]}"
        attempt = Attempt(officer=by, command=COMMAND, subject=drill, channel=channel)
        with attempted(self._database, attempt) as connection:
            acting(connection, by, DRILLING, COMMAND)
            directory = Directory.load(connection)
            classes = tuple(name for name in rules.classes if directory.of_class(name))
            if not classes:
                raise Refused("nobody", "nobody is in these classes: see 'leerp directory list'")
            started = Started(
                drill=drill,
                campaign=campaign_id_of(drill),
                classes=classes,
                left_out=tuple(name for name in rules.classes if name not in classes),
            )
            audit.append(
                connection,
                "drill_ordered",
                actor=by,
                subject=drill,
                channel=channel,
                classes=list(started.classes),
                left_out=list(started.left_out),
                directory=directory.version,
            )
        return started
