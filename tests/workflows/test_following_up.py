"""What follows from answers, calls and withdrawals, on a real worker and relay."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import pytest_asyncio
from sqlalchemy import select
from temporalio.client import Client

from infra.tables import campaign, notification
from notifications.acknowledgement import acknowledge
from notifications.answers import Answer, Given
from notifications.call_list import CallResult, Said, record_call
from notifications.handling import Act
from protocol.errors import Refused
from protocol.stages import NoticeKind
from tests.workflows.cast import MANAGER, MANAGER_DESK, SECOND, address
from tests.workflows.conftest import Houses
from tests.workflows.house import CHANNEL, House
from tests.workflows.test_campaign import (
    A_BIT,
    ESCALATE,
    FIRST,
    RECIPIENTS,
    SECOND_CONTACT,
    to,
    told_manager,
    warning,
)
from tests.workflows.test_sending import say
from workflows.mail_commands import MailCommands, Officer

pytestmark = [pytest.mark.asyncio, pytest.mark.temporal, pytest.mark.requirement("R33")]


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def clock_of_its_own(houses: Houses) -> None:
    """What answers start beside a campaign can leave the test server's one clock locked for the next."""
    await houses.demolish()


def commands(home: House) -> MailCommands:
    async def temporal() -> Client:
        return home.env.client

    return MailCommands(
        home.database,
        temporal,
        task_queue=home.app.settings.temporal.task_queue,
        message_key=home.app.keys.acknowledgement,
    )


async def answer(home: House, notice: str, who: str, said: Answer) -> None:
    """Use the link in the first mail to this recipient."""
    (row,) = home.rows(
        select(notification).where(
            notification.c.campaign_id == notice,
            notification.c.recipient_id == who,
            notification.c.contact == 0,
            notification.c.revision == 0,
        )
    )
    token = home.token(row)
    given = Given(answer=said)
    acknowledge(home.database, home.app.keys.acknowledgement, token, datetime.now(UTC), given)
    await home.pass_word()


@pytest.mark.requirement("R72")
async def test_a_wrong_addressees_next_contact_is_tried_at_once_and_the_duty_manager_told(
    home: House,
) -> None:
    notice, handle = await warning(home)
    await home.acknowledge(notice, *(home.recipients(notice) - {"interpol"}))
    await answer(home, notice, "interpol", Answer.WRONG_ADDRESSEE)
    home.also_replay(f"answering-{notice}")
    await home.until(lambda: to(home, notice, SECOND_CONTACT) == {"interpol": "accepted"})
    about = f"{notice}.answer.{RECIPIENTS}"
    await home.until_sent(about)
    assert home.recipients(about) == {MANAGER_DESK}
    assert home.sink.tries[address("interpol", 1)] == 1
    assert await home.ended(f"answering-{notice}")

    await home.acknowledge(notice, "interpol")
    assert await home.ended(handle.id)


@pytest.mark.requirement("R72")
async def test_a_wrong_addressee_is_followed_up_after_the_campaign_has_ended(home: House) -> None:
    notice, handle = await warning(home)
    await home.acknowledge(notice)
    assert await home.ended(handle.id)
    await answer(home, notice, "le-poc-de", Answer.WRONG_ADDRESSEE)
    home.also_replay(f"answering-{notice}")
    await home.until(lambda: to(home, notice, SECOND_CONTACT) == {"le-poc-de": "accepted"})


async def test_one_that_takes_its_word_back_is_silent_again(home: House) -> None:
    notice, _ = await warning(home)
    await home.acknowledge(notice, *(home.recipients(notice) - {"interpol"}))
    await answer(home, notice, "le-poc-de", Answer.WRONG_ADDRESSEE)
    home.also_replay(f"answering-{notice}")
    await home.pass_time(ESCALATE + A_BIT)
    assert sorted(told_manager(home, notice)) == ["interpol", "le-poc-de"]


async def test_a_call_that_reached_the_last_one_ends_the_campaign(home: House) -> None:
    notice, handle = await warning(home)
    await home.acknowledge(notice, *(home.recipients(notice) - {"interpol"}))
    said = Said(
        campaign_id=notice,
        recipient_id="interpol",
        officer=SECOND,
        channel=CHANNEL,
        reason="the desk has it",
    )
    with home.database.write() as connection:
        connection.exec_driver_sql(
            "update recipient set document = json_set(document, '$.contacts[0].phone', '+33 1')"
        )
        record_call(connection, said, CallResult.REACHED, contact=None, now=datetime.now(UTC))
    await home.pass_word()
    assert await home.ended(handle.id)
    assert (await handle.result()).unsettled == 0


async def test_a_recipient_added_late_is_waited_for_like_the_others(home: House) -> None:
    home.import_directory(also=("le-poc-late",))
    notice, handle = await warning(home)
    home.import_directory(also=("le-poc-late", "le-poc-later"))
    by = Officer(id=MANAGER, channel=CHANNEL, reason="Member State asked")
    await commands(home).add(notice, "le-poc-later", by)
    home.also_replay(f"sending-{notice}")
    await home.until(lambda: to(home, notice, FIRST).get("le-poc-later") == "accepted")
    await home.pass_word()
    await home.acknowledge(notice, *(home.recipients(notice) - {"le-poc-later"}))
    assert (await handle.describe()).close_time is None
    await home.acknowledge(notice, "le-poc-later")
    assert await home.ended(handle.id)
    assert (await handle.result()).recipients == RECIPIENTS + 2


async def test_two_people_withdraw_a_notice_and_exactly_those_who_got_it_are_told(
    home: House,
) -> None:
    home.sink.put_off.add(address("interpol"))
    home.import_directory(without_key="le-poc-fr")
    notice, handle = await warning(home)
    rules = home.app.settings.profile().notices[NoticeKind.WITHDRAWAL]
    proposed = await commands(home).withdraw(
        notice, Officer(id=SECOND, channel=CHANNEL, reason="wrong facts"), rules
    )
    assert (proposed.approved, proposed.held, proposed.told) == (False, 1, RECIPIENTS - 2)
    with pytest.raises(Refused, match="second, different person"):
        await commands(home).withdraw(notice, Officer(id=SECOND, channel=CHANNEL), rules)

    for _ in range(2):  # said again, nothing is done twice
        await commands(home).withdraw(notice, Officer(id=MANAGER, channel=CHANNEL), rules)
    about = f"{notice}.withdrawn"
    home.also_replay(f"campaign-{about}")
    assert await home.ended(f"campaign-{about}")
    assert await home.ended(handle.id)
    got = home.recipients(notice) - {"interpol", "le-poc-fr"}
    assert home.recipients(about) == got
    assert set(home.mails(about).values()) == {"accepted"}
    assert to(home, notice, FIRST)["interpol"] == "held"
    sent, told = (
        home.rows(select(campaign.c.content).where(campaign.c.id == name))[0].content
        for name in (notice, about)
    )
    assert told["withdraws"] == sent["header"]["id"]
    with pytest.raises(Refused, match="withdrawn"):
        await say(home, notice, Act.RELEASE, "interpol")


@pytest.mark.requirement("R72")
async def test_a_refused_mail_is_sent_again_to_the_address_that_was_corrected(home: House) -> None:
    notice, _ = await warning(home)
    with home.database.write() as connection:
        connection.execute(
            notification.update()
            .where(notification.c.campaign_id == notice, notification.c.recipient_id == "interpol")
            .values(state="refused", accepted_at=None)
        )
        connection.exec_driver_sql(
            "update recipient set document = json_set(document, '$.contacts[0].email', "
            "'new-duty@interpol.invalid') where id = 'interpol'"
        )
        connection.exec_driver_sql("update directory_version set version = version + 1")
        connection.exec_driver_sql("update recipient set version = version + 1")
    await say(home, notice, Act.RESEND, "interpol", reason="the address was corrected")
    await home.until(lambda: to(home, notice, FIRST)["interpol"] == "accepted")
    assert home.sink.tries["new-duty@interpol.invalid"] == 1
