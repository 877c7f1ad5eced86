"""Workflows as a careless edit would leave them: with commands in another order."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from temporalio import workflow

from protocol.ladder import FollowUp
from protocol.stages import Stage
from workflows.campaign import Campaign
from workflows.desk import STAGE_ATTRIBUTE, Desk
from workflows.incident import Incident
from workflows.messages import CampaignInput, CampaignOutcome, IncidentInput, IncidentOutcome


@workflow.defn(name="Campaign")
class ImpatientCampaign(Campaign):
    """Turns to the next contact first and reminds the first one afterwards."""

    @workflow.init
    def __init__(self, order: CampaignInput) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, order: CampaignInput) -> CampaignOutcome:
        return await super().run(order)

    async def _climb_the_ladder(self, sent_at: datetime) -> None:
        swapped = {
            FollowUp.REMIND: FollowUp.NEXT_CONTACT,
            FollowUp.NEXT_CONTACT: FollowUp.REMIND,
        }
        for rung in self._order.rules.rungs():
            if await self._quiet_until(sent_at + rung.after):
                do = swapped.get(rung.do, rung.do)
                await self._take(replace(rung, do=do), sent_at + rung.after)


class HastyDesk(Desk):
    """Shows a stage before it is on record."""

    async def enter(self, stage: Stage) -> None:
        workflow.upsert_search_attributes([STAGE_ATTRIBUTE.value_set(stage.value)])
        await super().enter(stage)


@workflow.defn(name="Incident")
class HastyIncident(Incident):
    """The incident at such a desk."""

    @workflow.init
    def __init__(self, case: IncidentInput) -> None:
        super().__init__(case)
        self._desk = HastyDesk(case)

    @workflow.run
    async def run(self, case: IncidentInput) -> IncidentOutcome:
        return await super().run(case)
