"""A night in short: servers that are dead, mailboxes that are gone, wrong keys, and silence.

At its end each recipient is in a state that a person can act on, and nothing counts as accepted that
was not. The ladder climbs on the clock of the time-skipping server; mails, rows and relay are real.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from infra.tables import notification
from notifications.campaign_trouble import kinds
from notifications.campaign_view import CampaignView, Standing
from notifications.self_audit_round import findings_of
from tests.faults.scale import LONG, Scale
from tests.workflows.cast import address
from tests.workflows.conftest import Houses, houses
from tests.workflows.house import House
from tests.workflows.test_campaign import drafted, start, told_manager

__all__ = ["houses"]

pytestmark = [pytest.mark.asyncio, pytest.mark.temporal]

DEAD, REFUSING, WRONG_KEY, SILENT = 0.10, 0.05, 0.03, 0.20
PATIENCE_S = 300.0
RETRY = timedelta(minutes=10)
STEPS = (timedelta(minutes=16), timedelta(minutes=15), timedelta(minutes=31))
"""To a little after the reminder, the second contact and the word to the duty manager."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """Who meets with what; nobody with two things."""

    dead: frozenset[str]
    refusing: frozenset[str]
    wrong_key: frozenset[str]
    silent: frozenset[str]
    well: frozenset[str]

    @classmethod
    def of(cls, size: int) -> Night:
        names = [f"le-poc-n{number:03}" for number in range(size)]
        parts = []
        for share in (DEAD, REFUSING, WRONG_KEY, SILENT):
            count = max(1, round(share * size))
            parts.append(frozenset(names[:count]))
            names = names[count:]
        dead, refusing, wrong_key, silent = parts
        return cls(
            dead=dead,
            refusing=refusing,
            wrong_key=wrong_key,
            silent=silent,
            well=frozenset(names),
        )

    @property
    def everybody(self) -> frozenset[str]:
        return self.dead | self.refusing | self.wrong_key | self.silent | self.well


async def pass_the_night(home: House, night: Night) -> str:
    """Warn everybody, let the well acknowledge, and climb the ladder to its end; the campaign."""
    home.import_directory(also=tuple(sorted(night.everybody)), wrong_key=night.wrong_key)
    home.sink.put_off |= {address(name, contact) for name in night.dead for contact in (0, 1)}
    home.sink.refused |= {address(name, contact) for name in night.refusing for contact in (0, 1)}
    people = await drafted(home)
    notice, _ = await start(home, people.incident, people.ewn())
    await home.until_sent(notice)
    of_the_house = home.recipients(notice) - night.everybody
    await home.acknowledge(notice, *(night.well | of_the_house))
    for step in STEPS:
        await home.pass_time(step)
    await home.until_sent(f"{notice}.silent")
    await home.until(lambda: "sending" not in home.mails(notice).values())
    return notice


@pytest.mark.timeout(600)
@pytest.mark.requirement("R33", "R72")
async def test_after_a_bad_night_each_recipient_is_in_a_state_that_a_person_can_act_on(
    houses: Houses,
    tmp_path: Path,
    scale: Scale,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tests.workflows.house.PATIENCE_S", PATIENCE_S)
    night = Night.of(300 if scale is LONG else 40)
    async with houses.built(tmp_path, retry_after=RETRY) as home:
        notice = await pass_the_night(home, night)
        now = datetime.now(UTC) + timedelta(hours=1)
        with home.database.read() as connection:
            view = CampaignView.load(connection, notice, now)
            found = findings_of(connection, home.app.settings, [notice], now)
            rows = connection.execute(
                select(notification).where(notification.c.campaign_id == notice)
            ).all()
        standings = {person.id: person.standing for person in view.people}

        assert night.everybody <= set(standings)
        assert {standings[name] for name in night.well} == {Standing.ACKNOWLEDGED}
        assert {standings[name] for name in night.silent} == {Standing.SILENT}
        assert {standings[name] for name in night.refusing} == {Standing.TROUBLE}
        assert {standings[name] for name in night.wrong_key} == {Standing.TROUBLE}
        assert {standings[name] for name in night.dead} == {Standing.WAITING}
        unsettled = night.everybody - night.well
        assert set(told_manager(home, notice)) == unsettled

        taken = {(to, message) for to, _, message in home.sink.taken}
        accepted = {
            (address(row.recipient_id, row.contact), row.message_id)
            for row in rows
            if row.state == "accepted"
        }
        assert accepted == {mail for mail in taken if mail[1] in {row.message_id for row in rows}}
        assert len(home.sink.taken) == len(taken)
        unreached = night.dead | night.refusing | night.wrong_key
        assert not {to for to, _ in taken} & {address(n, c) for n in unreached for c in (0, 1)}
        assert all(home.sink.tries[address(name)] == 0 for name in night.wrong_key)
        assert {each.problem for each in found} <= {"not-sent"}

    with capsys.disabled():
        _tell(view, Counter(row.state for row in rows), len(home.sink.taken))


def _tell(view: CampaignView, states: Counter[str], taken: int) -> None:
    """The figures for the note."""
    standings = Counter(str(person.standing) for person in view.people)
    sys.stdout.write(
        f"\n{len(view.people)} recipients: {dict(standings)}; mails: {dict(states)};"
        f" taken by the relay: {taken}\n"
    )
    for row in kinds(view, "resend"):
        sys.stdout.write(f"  {row['mails']} {row['state']}: {row['what_to_do']}\n")
