"""Steps that write to others: liaison bureaux, the call list, the duty manager; and the end."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from infra import audit
from infra.database import Database
from infra.tables import campaign, notification
from infra.tables_acknowledgement import call_due, campaign_end
from notifications import ladder
from notifications.acknowledgement import acknowledge
from notifications.answers import Answer, Given
from notifications.directory_hours import DAYS
from notifications.followups import turn_misdirected, unsettled
from notifications.ladder import Step
from notifications.open_recipients import EVERY_CLASS
from notifications.tokens import make_token
from protocol.parties import RecipientClass
from tests.notifications.samples import NOW, contact, ewn, make_database, recipient
from tests.notifications.test_campaigns import CAMPAIGN, KEY, do_freeze, order, rows
from tests.notifications.test_followups import LATER, do_second, set_state

DUTY = recipient(RecipientClass.DUTY_MANAGER, id="duty")
STEP = Step(campaign_id=CAMPAIGN, classes=EVERY_CLASS, due_at=LATER, message_key=KEY, now=LATER)
PEOPLE = [
    recipient(id="de-1", country="DE", organisation="BKA"),
    recipient(id="de-2", country="DE", organisation="LKA"),
    recipient(id="fr-1", country="FR", organisation="PJ"),
    recipient(id="nowhere-1"),
]
BUREAUX = [
    recipient(RecipientClass.LIAISON_BUREAU, id=f"lb-{c.lower()}", country=c) for c in ("DE", "ES")
]


def frozen(folder: Path, *also: Any) -> Database:
    database = make_database(folder, [*PEOPLE, *BUREAUX, DUTY, *also])
    do_freeze(database, order(ewn(), recipients=tuple(p.id for p in PEOPLE)))
    for each in PEOPLE:
        set_state(database, each.id, "accepted")
    return database


def say(database: Database, name: str, given: Given, number: int = 0) -> None:
    with database.read() as connection:
        row = connection.execute(
            select(notification).where(
                notification.c.campaign_id == CAMPAIGN,
                notification.c.recipient_id == name,
                notification.c.contact == number,
            )
        ).first()
    assert row is not None
    token = make_token(
        KEY,
        notification_id=row.id,
        campaign_id=CAMPAIGN,
        recipient_id=name,
        contact=number,
        revision=row.revision,
        expires_at=NOW + timedelta(days=1),
    )
    acknowledge(database, KEY, token, NOW, given)


def content(database: Database, about: str) -> dict[str, Any]:
    with database.read() as connection:
        found: dict[str, Any] = connection.scalar(
            select(campaign.c.content).where(campaign.c.id == about)
        ) or {}  # fmt: skip
        return found


def recipients(database: Database, about: str) -> list[str]:
    with database.read() as connection:
        return list(
            connection.scalars(
                select(notification.c.recipient_id).where(notification.c.campaign_id == about)
            )
        )


def take(database: Database, step: Any, **changes: Any) -> list[str]:
    with database.write() as connection:
        return [told.campaign_id for told in step(connection, STEP, **changes)]


@pytest.mark.requirement("R33", "R72")
def test_the_liaison_bureau_of_a_country_is_asked_for_its_own_and_no_other(tmp_path: Path) -> None:
    database = frozen(tmp_path)
    say(database, "de-2", Given())
    about = f"{CAMPAIGN}.liaison.DE"
    assert take(database, ladder.ask_liaison_officers) == [about]
    assert recipients(database, about) == ["lb-de"]
    assert content(database, about)["detail"] == ["BKA"]
    with database.read() as connection:
        missing = [
            row["detail"]["country"]
            for row in audit.export(connection)
            if row["event"] == "liaison_bureau_missing"
        ]
    assert missing == ["FR"]


def test_a_step_that_is_repeated_writes_nothing_twice(tmp_path: Path) -> None:
    database = frozen(tmp_path)
    for step in (ladder.ask_liaison_officers, ladder.list_calls, ladder.escalate):
        assert take(database, step)
    with database.read() as connection:
        before = connection.execute(select(notification)).all()
    for step in (ladder.ask_liaison_officers, ladder.list_calls, ladder.escalate):
        take(database, step)
    with database.read() as connection:
        assert connection.execute(select(notification)).all() == before


def test_only_whom_no_mail_has_reached_goes_over_another_channel(tmp_path: Path) -> None:
    database = frozen(tmp_path)
    assert take(database, ladder.turn_to_other_channel) == []
    set_state(database, "fr-1", "refused")
    (about,) = take(database, ladder.turn_to_other_channel)
    assert content(database, about)["detail"] == ["fr-1"]
    assert recipients(database, about) == ["duty"]


def test_the_call_list_has_those_who_are_silent(tmp_path: Path) -> None:
    database = frozen(tmp_path)
    say(database, "de-1", Given())
    take(database, ladder.list_calls)
    with database.read() as connection:
        listed = set(connection.scalars(select(call_due.c.recipient_id)))
    assert listed == {"de-2", "fr-1", "nowhere-1"}


@pytest.mark.requirement("R33")
def test_the_end_names_everybody_who_is_not_settled_once_and_for_all(tmp_path: Path) -> None:
    database = frozen(tmp_path)
    say(database, "de-1", Given())
    with database.write() as connection:
        told, left = ladder.conclude(connection, STEP, tell=True)
    assert left == 3
    assert content(database, told[0].campaign_id)["detail"] == ["nowhere-1", "de-2", "fr-1"]
    say(database, "de-2", Given())
    with database.write() as connection:
        ladder.conclude(connection, STEP, tell=False)
        assert connection.scalar(select(campaign_end.c.unsettled)) == ["nowhere-1", "de-2", "fr-1"]
        assert unsettled(connection, CAMPAIGN) == ("nowhere-1", "fr-1")


def test_a_cry_for_help_and_a_wrong_address_are_told_once_each(tmp_path: Path) -> None:
    database = frozen(tmp_path)
    say(database, "de-1", Given(answer=Answer.NEED_HELP, person="Ana", phone="+34911234567"))
    say(database, "fr-1", Given(answer=Answer.WRONG_ADDRESSEE))
    (about,) = take(database, ladder.tell_answers)
    assert content(database, about)["detail"] == [
        "de-1 (contact 1) needs help; ask Ana +34 911 23 45 67",
        "fr-1 (contact 1) is not the one to be told",
    ]
    assert take(database, ladder.tell_answers) == []
    say(database, "de-2", Given(answer=Answer.NEED_HELP))
    assert take(database, ladder.tell_answers) != [about]


@pytest.mark.requirement("R72")
def test_a_wrong_addressees_next_contact_is_tried_once(tmp_path: Path) -> None:
    database = frozen(tmp_path)
    say(database, "fr-1", Given(answer=Answer.WRONG_ADDRESSEE))
    for _ in range(2):
        with database.write() as connection:
            turn_misdirected(connection, CAMPAIGN, message_key=KEY, now=LATER)
    made = [(r["recipient_id"], r["contact"]) for r in rows(database) if r["contact"]]
    assert made == [("fr-1", 1)]
    say(database, "fr-1", Given(answer=Answer.WRONG_ADDRESSEE), number=1)
    with database.write() as connection:
        done = turn_misdirected(connection, CAMPAIGN, message_key=KEY, now=LATER)
    assert (done.added, done.silent) == (0, ("fr-1",))


def desk(number: int, days_from_now: int) -> Any:
    """A desk that is staffed on one day of the week only."""
    day = DAYS[(LATER.weekday() + days_from_now) % 7]
    return contact(number).model_copy(update={"hours": f"{day} 00:00-24:00"})


def tried(folder: Path, *contacts: Any) -> list[int]:
    people = recipient(id="a", contacts=(contact(0), *contacts))
    database = make_database(folder, [people])
    do_freeze(database, order(ewn(), recipients=("a",)))
    for number in range(len(contacts)):
        do_second(database, contacts=number + 2)
    return [row["contact"] for row in rows(database)][1:]


@pytest.mark.requirement("R72")
def test_a_desk_that_is_closed_now_is_passed_over_for_one_that_is_not(tmp_path: Path) -> None:
    assert tried(tmp_path, desk(1, 1), desk(2, 0), desk(3, 2)) == [2, 1, 3]


@pytest.mark.requirement("R72")
def test_of_those_that_are_there_one_that_is_always_there_is_tried_first(tmp_path: Path) -> None:
    assert tried(tmp_path, desk(1, 0), desk(2, 1), contact(3)) == [3, 1, 2]
