"""People who lead an incident through the protocol by the product's own commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra import casefile
from infra.casefile import Artefact
from leerp.demo.officers import given
from notifications.content import ContactPoint
from protocol.stages import Containment, Gate, Recommendation, Stage
from tests.workflows.cast import DUTY, SECOND, report
from tests.workflows.house import CHANNEL, House
from workflows.casework import Casework
from workflows.commands import Commands, new_command_id
from workflows.messages import Answer, IncidentStatus

DESK = ContactPoint(name="EC3 duty desk", phone="+31 70", secure_channel="on request")


async def agree(commands: Commands, incident: str, gate: Gate, **options: Any) -> Answer:
    """Read what waits at a gate, and approve it."""
    await commands.read(incident, gate)
    return await commands.approve(incident, gate, **options)


class People:
    """Two officers and their incident. Each step ends when the next stage has begun."""

    def __init__(self, house: House, incident: str) -> None:
        self._house = house
        self.incident = incident
        self.drafting = house.drafting(DUTY)
        self.casework = Casework(
            house.database, house.app.settings.profile(), officer=DUTY, channel=CHANNEL
        )

    @classmethod
    async def called(cls, house: House, **said: Any) -> People:
        """A report has come in and is assessed; ``said`` as for ``cast.report``."""
        people = cls(house, await house.receive(report(**said)))
        await people.when(lambda status: status.assessment_version > 0)
        await people.reached(Stage.CLASSIFICATION)
        return people

    async def when(self, condition: Any) -> IncidentStatus:
        return await self._house.when(self.incident, condition)

    async def reached(self, stage: Stage) -> None:
        await self.when(lambda status: status.stage is stage)

    async def two(self, gate: Gate, draft: Artefact, **detail: Any) -> Answer:
        """The duty officer proposes, the second person approves."""
        proposed = await self._house.officer(DUTY).propose(self.incident, gate, draft, **detail)
        return await self._house.officer(SECOND).approve(
            self.incident, gate, digest=proposed.digest
        )

    async def record(self, draft: Artefact) -> Answer:
        return await self._house.officer(DUTY).record(self.incident, draft)

    # Drafts

    def threat_assessment(self) -> Artefact:
        return self.casework.complete_assessment(self.incident, situation="hospitals are hit")

    def outcome(self, decision: Recommendation) -> Artefact:
        return self.drafting.outcome(self.incident, decision, statement="no emergency", desk=DESK)

    def centre(self) -> Artefact:
        return self.drafting.centre(self.incident, given("centre"))

    def centre_on_record(self) -> Artefact:
        """A centre that counts as set up, for a case that is not led there stage by stage."""
        draft = self.centre()
        with self._house.database.write() as connection:
            casefile.record_decision(
                connection,
                command_id=new_command_id(),
                incident_id=self.incident,
                command="recorded",
                officer=DUTY,
                organisation="EC3",
                detail={"draft": f"centre/{draft.version}", "digest": draft.digest},
            )
        return draft

    def ewn(self, **changes: Any) -> Artefact:
        return self.drafting.ewn(self.incident, {**given("ewn"), **changes})

    def plan(self, **changes: Any) -> Artefact:
        """An agreed plan; with another outcome of the meeting it is another plan."""
        document: Mapping[str, Any] = {**given("plan"), **changes}
        self.drafting.plan(self.incident, document)
        for country in ("FR", "NL", "DE"):
            self.drafting.agreement(self.incident, country, "liaison officer")
        return self.drafting.agreed_plan(self.incident)

    def closure(self, containment: Containment = Containment.OPERATIONAL_SUCCESS) -> Artefact:
        return self.drafting.closure(
            self.incident, containment, statement="the spread is stopped", evidence="no new victims"
        )

    # Stages

    async def launch(self) -> None:
        await self.two(Gate.LAUNCH, self.threat_assessment())
        await self.reached(Stage.COORDINATION)

    async def set_up_centre(self) -> None:
        await self.record(self.centre())
        await self.reached(Stage.WARNING)

    async def release_warning(self) -> None:
        await self.two(Gate.EWN_RELEASE, self.ewn())
        await self.reached(Stage.PLANNING)

    async def adopt_plan(self) -> None:
        await self.record(self.drafting.invitation(self.incident, given("invitation")))
        await self.two(Gate.PLAN_ADOPTION, self.plan())
        await self.reached(Stage.INVESTIGATION)

    async def close(self, containment: Containment = Containment.OPERATIONAL_SUCCESS) -> None:
        await self.two(Gate.CLOSURE, self.closure(containment), containment=containment)
        await self._house.until_ended(self.incident)

    async def stand_down(self, outcome: Recommendation) -> None:
        """Decide against a launch, and wait until the notifiers are told."""
        draft = self.outcome(outcome)
        await self.two(Gate.NO_LAUNCH, draft, outcome=outcome)
        notice = f"{self.incident}.outcome.{draft.version}"
        await self.when(lambda status: any(c.campaign_id == notice for c in status.campaigns))

    async def lead_to(self, stage: Stage) -> None:
        """From classification on until ``stage`` has begun."""
        steps = {
            Stage.COORDINATION: self.launch,
            Stage.WARNING: self.set_up_centre,
            Stage.PLANNING: self.release_warning,
            Stage.INVESTIGATION: self.adopt_plan,
        }
        for reached, step in steps.items():
            await step()
            if reached is stage:
                return
