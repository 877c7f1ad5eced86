"""The officers of the demo: two people who follow the protocol through the product's own commands."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Callable
from contextlib import suppress
from importlib import resources
from typing import Any, TypeVar

from temporalio.client import Client

from infra.bootstrap import App
from leerp.demo.journal import Journal
from protocol.errors import NotFound, Refused
from protocol.grades import Grade
from protocol.parties import SourceGroup
from protocol.stages import Containment, Gate, Recommendation, Stage
from workflows import overview
from workflows.casework import Casework
from workflows.commands import Commands
from workflows.drafting import Drafting
from workflows.messages import Answer, IncidentStatus

T = TypeVar("T")

DUTY_OFFICER, SECOND_OFFICER, MANAGER = "a.virtanen", "m.rossi", "s.lindqvist"
CHANNEL = "demo"
LOOK_EVERY = 0.25
ALL = 100_000
SITUATION = (
    "Hospitals and transport in several member states are encrypted by a worm; the cause is "
    "criminal, evidence is volatile, national lines of inquiry have to be de-conflicted now."
)


class Officers:
    """Plays both officers; every step waits for what the protocol shows, never for a time."""

    def __init__(self, app: App, client: Client, journal: Journal) -> None:
        profile = app.settings.profile()
        self._app = app
        self._journal = journal
        self._commands = {
            who: Commands(app.database, client, officer=who, channel=CHANNEL)
            for who in (DUTY_OFFICER, SECOND_OFFICER)
        }
        self._casework = Casework(app.database, profile, officer=DUTY_OFFICER, channel=CHANNEL)
        self._drafting = Drafting(
            app.database, profile, exercise=True, officer=DUTY_OFFICER, channel=CHANNEL
        )

    async def respond(self, all_reported: asyncio.Event) -> str:
        """Lead one incident from detection to closure and return its id."""
        incident = await self._detected()
        await self._assess_and_launch(incident, all_reported)
        await self._stage(incident, Stage.COORDINATION)
        await self._record(incident, self._drafting.centre, "centre", "sets up the centre")
        await self._stage(incident, Stage.WARNING)
        ewn = await self._draft(self._drafting.ewn, incident, given("ewn"))
        await self._two_people(incident, Gate.EWN_RELEASE, ewn)
        await self._stage(incident, Stage.PLANNING)
        await self._make_plan(incident)
        await self._stage(incident, Stage.INVESTIGATION)
        await self._investigate(incident)
        await self._close(incident)
        return incident

    async def _detected(self) -> str:
        def find() -> str | None:
            with self._app.database.read() as connection:
                found = [
                    row for row in overview.incidents(connection) if row["status"] == "detected"
                ]
            return max(found, key=lambda row: row["reports"])["id"] if found else None

        incident = await until(find)
        self._journal.incident = incident
        self._journal.note("intake", "a cluster of reports passes the major-attack test (R7)")
        await self._status_when(incident, lambda status: status.assessment_version > 0)
        return incident

    async def _assess_and_launch(self, incident: str, all_reported: asyncio.Event) -> None:
        first = await self._commands[DUTY_OFFICER].status(incident)
        self._journal.note("assessment", f"{first.threat_class}, recommends {first.recommendation}")
        await all_reported.wait()
        for reporter in await asyncio.to_thread(self._own_monitoring, incident):
            await asyncio.to_thread(
                self._casework.grade_source,
                incident,
                reporter,
                Grade.parse("B2"),
                reason="our own monitoring, seen first-hand, reliable before",
            )
            self._journal.note(DUTY_OFFICER, f"grades the reports of {reporter}: B2")
        status = await self._status_when(
            incident, lambda s: s.recommendation is Recommendation.LAUNCH
        )
        self._journal.note(
            "assessment", f"{status.threat_class}, recommends {status.recommendation}"
        )
        while True:
            assessed = await asyncio.to_thread(
                self._casework.complete_assessment, incident, situation=SITUATION
            )
            try:
                await self._two_people(incident, Gate.LAUNCH, assessed)
            except Refused as refused:
                if refused.reason != "changed-draft":
                    raise
                self._journal.note(DUTY_OFFICER, "reads the assessment again, it changed")
            else:
                return

    def _own_monitoring(self, incident: str) -> list[str]:
        """Reporters of group 1, which only the centre grades."""
        with self._app.database.read() as connection:
            rows = overview.reports(connection, incident, ALL)
        return sorted({row["reporter"] for row in rows if row["group"] == SourceGroup.OSINT})

    async def _make_plan(self, incident: str) -> None:
        await self._record(incident, self._drafting.invitation, "invitation", "invites to the call")
        await self._draft(self._drafting.plan, incident, given("plan"))
        for country in ("FR", "NL", "DE"):
            agreed = await self._draft(
                self._drafting.agreement, incident, country, "liaison officer, in the call"
            )
            await self._commands[DUTY_OFFICER].record(incident, agreed)
        self._journal.note("member states", "FR, NL and DE agree to the plan")
        plan = await self._draft(self._drafting.agreed_plan, incident)
        await self._two_people(incident, Gate.PLAN_ADOPTION, plan)

    async def _investigate(self, incident: str) -> None:
        for kind, text in (
            (
                "contribution",
                "FR: image of the kill-switch server, 2.1 GB, hashes in the case file",
            ),
            ("contribution", "NL: three wallets, one exchange has frozen 12 payments"),
            ("osint-review", "no new victims in open sources for six hours (simulated)"),
        ):
            noted = await self._draft(self._drafting.note, incident, kind, text)
            await self._commands[DUTY_OFFICER].record(incident, noted)
        self._journal.note("member states", "pool their findings")

        def warned() -> bool | None:
            with self._app.database.read() as connection:
                ewn = [n for n in overview.notices(connection, incident) if n["kind"] == "ewn"]
            return all(n["acknowledged"] == n["recipients"] for n in ewn) or None

        await until(warned)
        self._journal.note("warning", "every recipient has acknowledged")

    async def _close(self, incident: str) -> None:
        draft = await asyncio.to_thread(
            self._drafting.closure,
            incident,
            Containment.OPERATIONAL_SUCCESS,
            statement="The spread is stopped, a suspect is in custody; national cases go on.",
            evidence="no new victim for 12 hours; arrest record of the NL unit (simulated)",
        )
        await self._two_people(
            incident, Gate.CLOSURE, draft, containment=Containment.OPERATIONAL_SUCCESS
        )

        def ended() -> bool | None:
            with self._app.database.read() as connection:
                status = overview.incident_details(connection, incident)["status"]
            return status == "ended" or None

        await until(ended)
        self._journal.note("workflow", "closed")

    async def _two_people(self, incident: str, gate: Gate, draft: Any, **detail: Any) -> Answer:
        proposed = await self._commands[DUTY_OFFICER].propose(incident, gate, draft, **detail)
        self._journal.note(DUTY_OFFICER, f"proposes: {gate}")
        answer = await self._commands[SECOND_OFFICER].approve(
            incident, gate, digest=proposed.digest
        )
        self._journal.note(SECOND_OFFICER, f"approves: {gate}")
        return answer

    async def _record(
        self, incident: str, draft: Callable[..., Any], name: str, words: str
    ) -> None:
        made = await self._draft(draft, incident, given(name))
        await self._commands[DUTY_OFFICER].record(incident, made)
        self._journal.note(DUTY_OFFICER, words)

    async def _draft(self, draft: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.to_thread(draft, *arguments)

    async def _stage(self, incident: str, stage: Stage) -> None:
        await self._status_when(incident, lambda status: status.stage is stage)

    async def _status_when(
        self, incident: str, condition: Callable[[IncidentStatus], bool]
    ) -> IncidentStatus:
        while True:
            with suppress(NotFound):  # detected, but the relay has not started its workflow yet
                status = await self._commands[DUTY_OFFICER].status(incident)
                if condition(status):
                    return status
            await asyncio.sleep(LOOK_EVERY)


async def until(look: Callable[[], T | None]) -> T:
    """Look, in a thread, until there is something to see."""
    while (seen := await asyncio.to_thread(look)) is None:
        await asyncio.sleep(LOOK_EVERY)
    return seen


def given(name: str) -> dict[str, Any]:
    """The officers' prepared input, one TOML file a draft."""
    return tomllib.loads((resources.files("leerp.demo") / f"input/{name}.toml").read_text())
