"""A test call of the directory: the very workflow, mails and links of a warning, on virtual time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from temporalio.client import Client

from notifications.drills import DrillReport, drill_report, drills
from protocol.errors import NotFound, Refused, ServiceDown
from protocol.parties import RecipientClass
from protocol.stages import NoticeKind
from tests.workflows.cast import ANALYST, DUTY, MANAGER_DESK, address
from tests.workflows.house import CHANNEL, House
from workflows.drills import DrillCommands, Started

pytestmark = [pytest.mark.asyncio, pytest.mark.temporal, pytest.mark.requirement("R25", "R72")]

EVERYBODY = len(RecipientClass) + 1  # two points of contact in a class


def commands(home: House, *, reachable: bool = True, knows_drills: bool = True) -> DrillCommands:
    async def temporal() -> Client:
        if not reachable:
            raise ServiceDown("away")
        return home.env.client

    profile = home.app.settings.profile()
    if not knows_drills:
        rest = {kind: r for kind, r in profile.notices.items() if kind is not NoticeKind.DRILL}
        profile = profile.model_copy(update={"notices": rest})
    return DrillCommands(
        home.database,
        temporal,
        profile=profile,
        task_queue=home.app.settings.temporal.task_queue,
    )


async def start(home: House, *classes: RecipientClass, by: str = DUTY) -> Started:
    started = await commands(home).start(classes, by=by, channel=CHANNEL)
    home.also_replay(f"campaign-{started.campaign}")
    await home.until_sent(started.campaign)
    return started


def report(home: House, started: Started) -> DrillReport:
    with home.database.read() as connection:
        return drill_report(connection, started.drill)


async def test_everybody_is_called_and_the_mail_says_that_it_is_an_exercise(home: House) -> None:
    started = await start(home)
    assert home.recipients(started.campaign) == {
        each.recipient for each in report(home, started).organisations
    }
    assert len(home.sink.taken) == EVERYBODY
    assert {to for to, _, _ in home.sink.taken} >= {address(MANAGER_DESK), address("le-poc-fr")}
    assert all("EXERCISE" in subject for _, subject, _ in home.sink.taken)
    (row,) = home.audited("drill_ordered")
    assert (row["actor"], row["subject"]) == (DUTY, started.drill)


async def test_the_report_says_who_answered_and_who_did_not(home: House) -> None:
    started = await start(home, RecipientClass.LE_POC)
    before = report(home, started)
    assert (before.recipients, before.answered, before.median_seconds) == (2, 0, None)

    await home.acknowledge(started.campaign, "le-poc-de")
    found = report(home, started)
    assert (found.exercise, found.answered, found.silent) == (True, 1, ("le-poc-fr",))
    german, french = found.organisations
    assert (german.answered_by, german.delivered) == ("Desk 0", True)
    assert german.seconds == found.slowest_seconds == found.median_seconds
    assert german.seconds is not None
    assert (french.answered, french.seconds, french.answered_by) == (False, None, "")
    assert found.keys_failed == found.undelivered == ()
    with home.database.read() as connection:
        assert [each.drill for each in drills(connection)] == [started.drill]


async def test_a_drill_ends_when_everybody_has_answered(home: House) -> None:
    started = await start(home, RecipientClass.INTERPOL, RecipientClass.LE_POC)
    await home.acknowledge(started.campaign)
    assert await home.ended(f"campaign-{started.campaign}")
    assert report(home, started).silent == ()


async def test_who_is_silent_is_called_at_the_second_contact_and_reported_to_the_manager(
    home: House,
) -> None:
    started = await start(home, RecipientClass.INTERPOL)
    await home.pass_time(timedelta(minutes=61))
    await home.until_sent(f"{started.campaign}.silent")
    (interpol,) = report(home, started).organisations
    assert interpol.tried == ("Desk 0: accepted", "Desk 1: accepted")
    assert address(MANAGER_DESK) in {to for to, _, _ in home.sink.taken}


async def test_a_key_that_is_missing_is_named_though_the_mail_went_in_clear(home: House) -> None:
    home.import_directory(without_key="le-poc-fr")
    found = report(home, await start(home, RecipientClass.LE_POC))
    assert found.keys_failed == ("le-poc-fr",)
    french = found.organisations[1]
    assert french.delivered
    assert "Desk 0: no certificate" in french.keys[0]


async def test_a_class_without_anybody_is_left_out_and_said(home: House) -> None:
    home.import_directory(leaving_out=RecipientClass.JUDICIAL)
    started = await start(home)
    assert started.left_out == (RecipientClass.JUDICIAL,)
    assert report(home, started).empty_classes == (RecipientClass.JUDICIAL,)
    with pytest.raises(Refused) as refused:
        await commands(home).start([RecipientClass.JUDICIAL], by=DUTY)
    assert refused.value.reason == "nobody"


@pytest.mark.parametrize(
    ("by", "reason"), [(ANALYST, "wrong-role"), ("n.nobody", "unknown-officer")]
)
async def test_who_may_not_start_a_drill_is_refused_and_nobody_is_called(
    home: House, by: str, reason: str
) -> None:
    with pytest.raises(Refused) as refused:
        await commands(home).start((), by=by)
    assert refused.value.reason == reason
    assert [row["detail"]["reason"] for row in home.audited("command_refused")] == [reason]
    assert home.audited("drill_ordered") == []


async def test_a_profile_without_drills_has_none(home: House) -> None:
    with pytest.raises(Refused, match=r"notices\.drill"):
        await commands(home, knows_drills=False).start((), by=DUTY)


async def test_without_temporal_the_officer_is_told_that_nobody_was_called(home: House) -> None:
    with pytest.raises(ServiceDown, match="nobody was called"):
        await commands(home, reachable=False).start((), by=DUTY)
    with home.database.read() as connection:
        with pytest.raises(NotFound, match="drill list"):
            drill_report(connection, "drill-000000000000")
        assert drills(connection) == []
