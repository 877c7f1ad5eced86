"""Random officers give random commands to the real workflow: no notice leaves without two of them."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, select

from infra.casefile import Artefact, all_artefacts
from infra.tables import campaign
from infra.tables_decisions import decision
from leerp.demo.officers import given
from protocol.errors import NotFound, Refused
from protocol.parties import Role
from protocol.stages import Containment, Gate, NoticeKind, Recommendation, Stage
from tests.workflows.cast import ANALYST, DUTY, MANAGER, OFFICERS, SECOND, STRANGER, THIRD
from tests.workflows.conftest import Houses
from tests.workflows.house import House
from tests.workflows.people import People
from workflows.gatekeeping import GATE_DRAFTS

pytestmark = [pytest.mark.asyncio, pytest.mark.temporal]

SEEDS = range(1, 7)
COMMANDS = 45
WHO = (DUTY, DUTY, SECOND, SECOND, THIRD, THIRD, ANALYST, MANAGER, STRANGER)
RIGHT_STEP = 0.75
"""How often somebody does what the stage asks for, if perhaps the wrong person."""
GATE_OF = {
    NoticeKind.INITIAL: Gate.LAUNCH,
    NoticeKind.EWN: Gate.EWN_RELEASE,
    NoticeKind.PLAN: Gate.PLAN_ADOPTION,
    NoticeKind.CLOSURE: Gate.CLOSURE,
}
ROLES: dict[str, frozenset[Role]] = {o.id: frozenset(o.roles) for o in OFFICERS}

Command = Callable[[], Awaitable[Any]]


class Crowd:
    """Everybody at once, with a dice."""

    def __init__(self, home: House, people: People, dice: random.Random) -> None:
        self._home = home
        self._incident = people.incident
        self._dice = dice
        self._drafts: dict[str, list[Artefact]] = {
            "threat-assessment": [people.threat_assessment(), people.threat_assessment()],
            "outcome": [people.outcome(Recommendation.MONITOR)],
            "centre": [people.centre_on_record()],
            "ewn": [people.ewn(), people.ewn(change="ports added"), people.ewn(change="more")],
            "invitation": [people.drafting.invitation(self._incident, given("invitation"))],
            "plan": [people.plan(), people.plan(outcome="NL leads alone.")],
            "closure": [people.closure(), people.closure(Containment.NORMAL_PROCEDURE)],
        }

    async def command(self) -> None:
        """Give one command; whether it is carried out is not ours to say."""
        await settled(self._home, self._incident)
        step = self._right_step if self._dice.random() < RIGHT_STEP else self._any_step
        try:
            await (await step())()
        except (Refused, NotFound):
            return

    async def _right_step(self) -> Command:
        status = await self._home.status(self._incident)
        match status.stage:
            case Stage.COORDINATION:
                return self._record("centre")
            case Stage.PLANNING if "invitation" not in status.done:
                return self._record("invitation")
        wanted = {
            Stage.CLASSIFICATION: (Gate.LAUNCH,),
            Stage.WARNING: (Gate.EWN_RELEASE,),
            Stage.PLANNING: (Gate.PLAN_ADOPTION,),
            Stage.INVESTIGATION: (Gate.EWN_RELEASE, Gate.PLAN_ADOPTION, Gate.CLOSURE),
        }
        gate = self._dice.choice(wanted.get(status.stage, tuple(Gate)))
        waits = any(pending.gate is gate for pending in status.pending)
        return self._approve(gate) if waits else self._propose(gate)

    async def _any_step(self) -> Command:
        gate, kind = self._dice.choice(list(Gate)), self._dice.choice(list(self._drafts))
        return self._dice.choice(
            [
                self._propose(gate),
                self._approve(gate),
                self._decline(gate),
                self._record(kind),
                lambda: self._anybody().reopen(self._incident, reason="new victims"),
            ]
        )

    def _propose(self, gate: Gate) -> Command:
        kind = GATE_DRAFTS[gate]
        if kind not in self._drafts or self._dice.random() < 0.05:
            kind = self._dice.choice(list(self._drafts))
        draft = self._dice.choice(self._drafts[kind])
        return lambda: self._anybody().propose(
            self._incident,
            gate,
            draft,
            reason="as agreed",
            containment=Containment.OPERATIONAL_SUCCESS,
            outcome=Recommendation.MONITOR,
        )

    def _approve(self, gate: Gate) -> Command:
        drafts = self._drafts.get(GATE_DRAFTS[gate], [])
        attentive = self._dice.random() < 0.7 or not drafts
        other = "" if attentive else self._dice.choice(drafts).digest

        async def approve() -> None:
            pending = (await self._home.status(self._incident)).pending
            waiting = next((p.digest for p in pending if p.gate is gate), "")
            await self._anybody().approve(self._incident, gate, digest=other or waiting)

        return approve

    def _decline(self, gate: Gate) -> Command:
        return lambda: self._anybody().decline(self._incident, gate, reason="not yet")

    def _record(self, kind: str) -> Command:
        draft = self._dice.choice(self._drafts[kind])
        return lambda: self._anybody().record(self._incident, draft)

    def _anybody(self) -> Any:
        return self._home.officer(self._dice.choice(WHO))


def agreed_digests(home: House, incident_id: str, notice: Row[Any]) -> set[str]:
    """Texts that were proposed and, later, approved by somebody else, all before the notice left."""
    gate = GATE_OF[NoticeKind(notice.kind)]
    rows = home.rows(
        select(decision)
        .where(decision.c.incident_id == incident_id, decision.c.at <= notice.at)
        .order_by(decision.c.at)
    )
    rules = home.app.settings.profile().roles[gate]
    found = set()
    for approval in rows:
        if approval.command != f"{gate}-approved":
            continue
        before = [
            row
            for row in rows
            if row.command == f"{gate}-proposed"
            and row.detail["digest"] == approval.detail["digest"]
            and row.at <= approval.at
            and row.officer != approval.officer
            and ROLES[row.officer] & rules.propose
        ]
        if before and ROLES[approval.officer] & rules.approve:
            found.add(approval.detail["digest"])
    return found


def texts(home: House, incident_id: str, notice: Row[Any]) -> set[str]:
    """Digests of the drafts that this notice may have come from."""
    kind = GATE_DRAFTS[GATE_OF[NoticeKind(notice.kind)]]
    with home.database.read() as connection:
        drafts = all_artefacts(connection, incident_id, kind)
    if kind == "threat-assessment":  # the launch opens the way for the centre's own notice
        return {draft.digest for draft in drafts}
    return {draft.digest for draft in drafts if draft.document["notice"] == notice.content}


async def settled(home: House, incident_id: str) -> None:
    """Wait until every mail of what was started had its first try, so that the dice decide alone."""
    handle = home.env.client.get_workflow_handle(f"incident-{incident_id}")
    if (await handle.describe()).close_time is None:
        await home.when(incident_id, lambda status: all(c.sent for c in status.campaigns))


@pytest.mark.requirement("R1", "R16", "R32", "R37", "R48")
async def test_whatever_random_officers_do_no_notice_leaves_without_its_two_approvals(
    houses: Houses, tmp_path: Path
) -> None:
    left: set[str] = set()
    for seed in SEEDS:
        dice = random.Random(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        async with houses.built(folder) as home:
            people = await People.called(home)
            crowd = Crowd(home, people, dice)
            for _ in range(COMMANDS):
                await crowd.command()
            await settled(home, people.incident)
            for notice in home.rows(
                select(campaign).where(
                    campaign.c.incident_id == people.incident, campaign.c.kind.in_(GATE_OF)
                )
            ):
                left.add(notice.kind)
                agreed = agreed_digests(home, people.incident, notice)
                assert agreed & texts(home, people.incident, notice), f"seed {seed}: {notice.id}"
    assert left == set(GATE_OF), "the officers did not get far enough to prove anything"
