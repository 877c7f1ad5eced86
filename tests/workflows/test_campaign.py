"""A campaign by itself: the ladder of reminders on virtual time, with real mails and rows."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from temporalio.client import WorkflowHandle

from infra import audit
from infra.casefile import Artefact
from infra.tables import artefact, campaign, notification
from infra.tables_acknowledgement import campaign_end
from protocol.stages import NoticeKind
from tests.workflows.cast import MANAGER_DESK, address
from tests.workflows.conftest import Houses
from tests.workflows.house import House
from tests.workflows.people import People
from workflows.campaign import Campaign
from workflows.commands import reference
from workflows.messages import CampaignInput, CampaignOutcome

pytestmark = [pytest.mark.asyncio, pytest.mark.temporal]

Handle = WorkflowHandle[Campaign, CampaignOutcome]
RECIPIENTS = 11
FIRST, REMINDER, SECOND_CONTACT = (0, 0), (0, 1), (1, 0)
"""Number of the contact, number of the reminder."""
A_BIT = timedelta(minutes=1)
REMIND, TURN, ESCALATE = (timedelta(minutes=m) for m in (15, 30, 60))


async def start(home: House, incident: str, draft: Artefact, **changes: Any) -> tuple[str, Handle]:
    """Start the campaign of a warning, as an incident does when two people have released it."""
    campaign_id = f"{incident}.ewn.1"
    values: dict[str, Any] = {
        "campaign_id": campaign_id,
        "incident_id": incident,
        "kind": NoticeKind.EWN,
        "revision": 1,
        "rules": home.app.settings.profile().notices[NoticeKind.EWN],
        "content": reference(draft),
        "exercise": True,
    }
    handle: Handle = await home.env.client.start_workflow(
        Campaign.run,
        CampaignInput(**values | changes),
        id=f"campaign-{campaign_id}",
        task_queue=home.app.settings.temporal.task_queue,
    )
    home.also_replay(handle.id)
    return campaign_id, handle


async def drafted(home: House) -> People:
    """An incident that is far enough for a warning to be drafted."""
    people = await People.called(home)
    people.centre_on_record()
    return people


async def warning(home: House) -> tuple[str, Handle]:
    """A warning of which every mail had its first try."""
    people = await drafted(home)
    campaign_id, handle = await start(home, people.incident, people.ewn())
    await home.until_sent(campaign_id)
    return campaign_id, handle


def to(home: House, campaign_id: str, step: tuple[int, int]) -> dict[str, str]:
    """Recipients with a mail of this step of the ladder, and its state."""
    mails = home.mails(campaign_id)
    return {name: state for (name, *of), state in mails.items() if tuple(of) == step}


def told_manager(home: House, campaign_id: str) -> list[str]:
    """Recipients of whose silence the duty manager was told."""
    rows = home.rows(select(campaign.c.content).where(campaign.c.id == f"{campaign_id}.silent"))
    return [name for row in rows for name in row.content["detail"]]


@pytest.mark.requirement("R33", "R72")
async def test_silence_climbs_the_ladder_from_reminder_to_duty_manager_and_gives_up(
    home: House,
) -> None:
    notice, handle = await warning(home)
    await home.pass_time(REMIND - A_BIT)
    assert len(home.mails(notice)) == RECIPIENTS

    await home.pass_time(2 * A_BIT)
    assert to(home, notice, REMINDER) == dict.fromkeys(home.recipients(notice), "accepted")
    assert to(home, notice, SECOND_CONTACT) == {}

    await home.pass_time(TURN - REMIND)
    assert to(home, notice, SECOND_CONTACT) == dict.fromkeys(home.recipients(notice), "accepted")
    assert told_manager(home, notice) == []

    await home.pass_time(ESCALATE - TURN)
    assert sorted(told_manager(home, notice)) == sorted(home.recipients(notice))
    await home.until_sent(f"{notice}.silent")
    assert home.recipients(f"{notice}.silent") == {MANAGER_DESK}

    result = await handle.result()
    assert result == CampaignOutcome(
        campaign_id=notice,
        recipients=RECIPIENTS,
        acknowledged=0,
        escalated=True,
        unsettled=RECIPIENTS,
    )
    (end,) = home.rows(select(campaign_end).where(campaign_end.c.campaign_id == notice))
    assert set(end.unsettled) == home.recipients(notice)
    assert home.recipients(f"{notice}.ended") == {MANAGER_DESK}
    assert len(home.mails(notice)) == 3 * RECIPIENTS
    times = home.sink.tries
    assert (times[address("interpol")], times[address("interpol", 1)]) == (2, 1)


async def test_a_campaign_gives_up_after_a_day(home: House) -> None:
    _, handle = await warning(home)
    await home.pass_time(timedelta(hours=23))
    assert (await handle.describe()).close_time is None
    await home.pass_time(timedelta(hours=2))
    assert await home.ended(handle.id)


@pytest.mark.requirement("R33")
async def test_when_all_have_acknowledged_the_campaign_is_over_at_once(home: House) -> None:
    notice, handle = await warning(home)
    await home.acknowledge(notice)
    assert await home.ended(handle.id)
    result = await handle.result()
    assert (result.acknowledged, result.escalated) == (RECIPIENTS, False)
    assert len(home.mails(notice)) == RECIPIENTS


@pytest.mark.requirement("R72")
async def test_only_those_who_are_silent_are_asked_again(home: House) -> None:
    notice, _ = await warning(home)
    await home.acknowledge(notice, *(home.recipients(notice) - {"le-poc-de", "interpol"}))
    await home.pass_time(REMIND + A_BIT)
    assert set(to(home, notice, REMINDER)) == {"le-poc-de", "interpol"}

    await home.acknowledge(notice, "le-poc-de")
    await home.pass_time(TURN - REMIND)
    assert set(to(home, notice, SECOND_CONTACT)) == {"interpol"}

    await home.pass_time(ESCALATE - TURN)
    assert told_manager(home, notice) == ["interpol"]


async def test_the_second_contacts_word_counts_for_the_organisation(home: House) -> None:
    notice, handle = await warning(home)
    await home.acknowledge(notice, *(home.recipients(notice) - {"interpol"}))
    await home.pass_time(TURN + A_BIT)
    await home.acknowledge(notice, "interpol")
    assert await home.ended(handle.id)
    assert told_manager(home, notice) == []


async def test_a_word_that_is_repeated_or_late_changes_nothing(home: House) -> None:
    notice, handle = await warning(home)
    await home.acknowledge(notice, "le-poc-de", "interpol")
    for count in (2, 1, 0):
        await handle.signal("acknowledged", {"count": count})
    await home.acknowledge(notice, "le-poc-de")
    await home.pass_time(REMIND + A_BIT)
    assert len(to(home, notice, REMINDER)) == RECIPIENTS - 2
    await home.acknowledge(notice)
    assert await home.ended(handle.id)


async def test_the_duty_manager_is_not_told_when_only_the_word_of_the_last_is_late(
    home: House,
) -> None:
    notice, handle = await warning(home)
    await home.acknowledge(notice, word=False)
    await home.pass_time(ESCALATE + A_BIT)
    assert len(home.mails(notice)) == RECIPIENTS
    assert told_manager(home, notice) == []
    await home.pass_word()
    assert await home.ended(handle.id)


async def test_a_recipient_that_is_held_keeps_the_ladder_going(home: House) -> None:
    home.import_directory(without_key="le-poc-fr")
    notice, handle = await warning(home)
    assert to(home, notice, FIRST)["le-poc-fr"] == "held"
    (row,) = home.rows(
        select(notification.c.reason).where(
            notification.c.campaign_id == notice, notification.c.recipient_id == "le-poc-fr"
        )
    )
    assert "no certificate" in row.reason

    await home.acknowledge(notice, *(home.recipients(notice) - {"le-poc-fr"}))
    await home.pass_time(ESCALATE + A_BIT)
    assert told_manager(home, notice) == ["le-poc-fr"]
    assert home.sink.tries[address("le-poc-fr")] == 0
    result = await handle.result()
    assert (result.acknowledged, result.escalated) == (RECIPIENTS - 1, True)


@pytest.mark.requirement("R32")
async def test_a_draft_that_was_altered_after_its_release_is_never_sent(home: House) -> None:
    people = await drafted(home)
    draft = people.ewn()

    def store(meaning: str) -> None:
        document = {**draft.document, "notice": {**draft.document["notice"]}}
        document["notice"]["assessment"] = {
            **document["notice"]["assessment"], "meaning": meaning,
        }  # fmt: skip
        with home.database.write() as connection:
            connection.execute(
                update(artefact)
                .where(artefact.c.incident_id == people.incident, artefact.c.kind == "ewn")
                .values(document=document)
            )

    store("Nothing to worry about.")
    notice, _ = await start(home, people.incident, draft)
    await home.pass_time(timedelta(minutes=10))
    assert home.campaigns(people.incident) == []
    assert home.sink.taken == []

    store(draft.document["notice"]["assessment"]["meaning"])  # put right, it goes out
    await home.pass_time(timedelta(minutes=1))
    await home.until_sent(notice)


@pytest.mark.requirement("R34")
async def test_of_a_warning_for_the_police_alone_nothing_goes_to_the_unions_mechanisms(
    home: House,
) -> None:
    people = await drafted(home)
    draft = people.ewn(marking={"handling_codes": ["H2"]})
    hook = f"{people.incident}.blueprint.1"
    _, handle = await start(
        home,
        people.incident,
        draft,
        campaign_id=hook,
        kind=NoticeKind.BLUEPRINT,
        rules=home.app.settings.profile().notices[NoticeKind.BLUEPRINT],
    )
    assert (await handle.result()).recipients == 0
    assert home.campaigns(people.incident) == []
    with home.database.read() as connection:
        said = [(row["event"], row["subject"]) for row in audit.export(connection)]
    assert ("nobody_to_tell", hook) in said


async def test_a_mail_that_the_relay_puts_off_is_tried_again_later(home: House) -> None:
    home.sink.put_off.add(address("interpol"))
    notice, _ = await warning(home)
    assert to(home, notice, FIRST)["interpol"] == "retry_due"
    assert sorted(to(home, notice, FIRST).values()) == ["accepted"] * (RECIPIENTS - 1) + [
        "retry_due"
    ]
    home.sink.put_off.clear()
    await home.pass_time_until(lambda: to(home, notice, FIRST)["interpol"] == "accepted")
    (row,) = home.rows(
        select(notification).where(
            notification.c.campaign_id == notice, notification.c.recipient_id == "interpol"
        )
    )
    assert row.attempt == home.sink.tries[address("interpol")] >= 2
    assert [m for to_, _, m in home.sink.taken if to_ == address("interpol")] == [row.message_id]


@pytest.mark.requirement("R72")
async def test_a_mail_that_is_put_off_for_hours_does_not_hold_up_the_ladder(
    houses: Houses, tmp_path: Path
) -> None:
    async with houses.built(tmp_path, retry_after=timedelta(minutes=10)) as home:
        home.sink.put_off.update({address("interpol"), address("interpol", 1)})
        notice, handle = await warning(home)
        await home.acknowledge(notice, *(home.recipients(notice) - {"interpol", "le-poc-de"}))
        await home.pass_time(REMIND + A_BIT)
        assert set(to(home, notice, REMINDER)) == {"le-poc-de"}
        await home.pass_time(TURN - REMIND)
        assert to(home, notice, SECOND_CONTACT) == {
            "interpol": "retry_due",
            "le-poc-de": "accepted",
        }
        await home.pass_time(ESCALATE - TURN)
        assert sorted(told_manager(home, notice)) == ["interpol", "le-poc-de"]
        history = await handle.fetch_history()
        assert len(history.events) < 200


async def test_a_large_campaign_is_sent_in_ranges_that_leave_a_short_history(
    home: House,
) -> None:
    home.import_directory(also=tuple(f"le-poc-x{n}" for n in range(30)))
    people = await drafted(home)
    rules = home.app.settings.profile().notices[NoticeKind.EWN]
    notice, handle = await start(
        home,
        people.incident,
        people.ewn(),
        rules=rules.model_copy(update={"acknowledge": False}),
        batch=8,
    )
    result = await handle.result()
    assert result.recipients == RECIPIENTS + 30
    assert set(home.mails(notice).values()) == {"accepted"}
    assert len(home.sink.taken) == RECIPIENTS + 30
    order = await handle.query(Campaign.order)
    assert order.campaign_id == notice
