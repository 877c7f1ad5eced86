from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, update

from infra.database import Database
from infra.tables import acknowledgement, notification
from infra.tables_audit import audit_row
from notifications.directory import Recipient
from notifications.followups import Appended, CampaignCounts, counts, remind, second_contact
from notifications.outbox import State
from protocol.errors import NotFound
from tests.notifications.samples import NOW, certificate, contact, ewn, make_database, recipient
from tests.notifications.test_campaigns import CAMPAIGN, KEY, do_freeze, order, rows

LATER = NOW + timedelta(minutes=15)


def frozen(folder: Path, *people: Recipient) -> Database:
    database = make_database(folder, list(people))
    do_freeze(database, order(ewn(), recipients=tuple(p.id for p in people)))
    return database


def set_state(database: Database, recipient_id: str, state: str, **where: Any) -> None:
    with database.write() as connection:
        connection.execute(
            update(notification)
            .where(notification.c.recipient_id == recipient_id)
            .where(*(notification.c[name] == value for name, value in where.items()))
            .values(state=state, attempt=1)
        )


def acknowledge(database: Database, recipient_id: str) -> None:
    with database.write() as connection:
        row = connection.execute(
            select(notification).where(notification.c.recipient_id == recipient_id)
        ).first()
        assert row is not None
        connection.execute(
            insert(acknowledgement).values(
                campaign_id=CAMPAIGN,
                recipient_id=recipient_id,
                notification_id=row.id,
                contact=row.contact,
                at=NOW,
            )
        )


def do_remind(database: Database, revision: int = 1, **changes: Any) -> Appended:
    with database.write() as connection:
        values = {"message_key": KEY, "now": LATER, **changes}
        return remind(connection, CAMPAIGN, revision=revision, **values)


def do_second(database: Database, **changes: Any) -> Appended:
    with database.write() as connection:
        values = {"message_key": KEY, "now": LATER, **changes}
        return second_contact(connection, CAMPAIGN, **values)


def count(database: Database) -> CampaignCounts:
    with database.read() as connection:
        return counts(connection, CAMPAIGN)


def people(*ids: str) -> list[Recipient]:
    return [recipient(id=name) for name in ids]


@pytest.mark.requirement("R33")
def test_only_who_was_reached_and_is_silent_is_reminded(tmp_path: Path) -> None:
    database = frozen(tmp_path, *people("a-silent", "b-acked", "c-queued", "d-refused"))
    for name in ("a-silent", "b-acked"):
        set_state(database, name, "accepted")
    set_state(database, "d-refused", "refused")
    acknowledge(database, "b-acked")
    assert do_remind(database) == Appended(size=5, added=1)
    row = rows(database)[4]
    assert (row["recipient_id"], row["contact"], row["revision"]) == ("a-silent", 0, 1)
    assert (row["state"], row["cursor"], row["due_at"]) == ("queued", 4, LATER)
    assert len({r["message_id"] for r in rows(database)}) == 5


def test_a_reminder_is_made_once_for_each_revision(tmp_path: Path) -> None:
    database = frozen(tmp_path, *people("a"))
    set_state(database, "a", "accepted")
    assert do_remind(database) == Appended(size=2, added=1)
    assert do_remind(database) == Appended(size=2, added=0)
    assert do_remind(database, revision=2) == Appended(size=3, added=1)
    assert [row["revision"] for row in rows(database)] == [0, 1, 2]


def test_a_repeat_leaves_no_second_audit_row(tmp_path: Path) -> None:
    database = frozen(tmp_path, *people("a"))
    set_state(database, "a", "accepted")
    for _ in range(2):
        do_remind(database)
        do_second(database)
    with database.read() as connection:
        # directory, freeze, reminder, second contact
        assert connection.scalar(select(func.count()).select_from(audit_row)) == 4


@pytest.mark.requirement("R32")
def test_a_reminder_whose_lock_has_closed_since_is_held(tmp_path: Path) -> None:
    soon = recipient(id="a", contacts=(contact(0, key=certificate(0, 2)),))
    database = frozen(tmp_path, soon)
    set_state(database, "a", "accepted")
    do_remind(database, now=NOW + timedelta(days=3))
    row = rows(database)[1]
    assert (row["state"], row["due_at"]) == ("held", None)
    assert "valid from" in row["reason"]
    assert count(database).accepted == 1


@pytest.mark.requirement("R72")
def test_the_second_contact_is_tried_for_all_who_are_silent(tmp_path: Path) -> None:
    database = frozen(tmp_path, *people("a-silent", "b-acked", "c-refused"))
    set_state(database, "a-silent", "accepted")
    set_state(database, "b-acked", "accepted")
    set_state(database, "c-refused", "refused")
    acknowledge(database, "b-acked")
    assert do_second(database) == Appended(size=5, added=2)
    made = [(r["recipient_id"], r["contact"], r["revision"], r["state"]) for r in rows(database)]
    assert made[3:] == [("a-silent", 1, 0, "queued"), ("c-refused", 1, 0, "queued")]
    assert do_second(database) == Appended(size=5, added=0)


@pytest.mark.requirement("R72")
def test_who_has_no_further_contact_is_named_as_silent(tmp_path: Path) -> None:
    single = recipient(id="a-single", contacts=(contact(0),))
    keyless = recipient(id="b-keyless", contacts=(contact(0), contact(1, key="")))
    held = recipient(id="c-held", contacts=(contact(0, key=""), contact(1, key="")))
    third = recipient(id="d-third", contacts=(contact(0), contact(1, key=""), contact(2)))
    database = frozen(tmp_path, single, keyless, held, third)
    done = do_second(database)
    assert done == Appended(size=5, added=1, silent=("a-single", "b-keyless", "c-held"))
    assert rows(database)[4]["contact"] == 2
    assert do_second(database).silent == done.silent


@pytest.mark.requirement("R72")
def test_a_recipient_held_at_the_first_is_tried_when_the_key_has_become_valid(
    tmp_path: Path,
) -> None:
    early = certificate(1, 30)
    waiting = recipient(id="a", contacts=(contact(0, key=""), contact(1, key=early)))
    database = frozen(tmp_path, waiting)
    assert rows(database)[0]["state"] == "held"
    assert do_second(database, now=NOW + timedelta(days=2)).added == 1
    assert rows(database)[1]["state"] == "queued"


def test_a_third_contact_can_follow(tmp_path: Path) -> None:
    three = recipient(id="a", contacts=(contact(0), contact(1), contact(2)))
    database = frozen(tmp_path, three)
    assert do_second(database).added == 1
    assert do_second(database, contacts=3).added == 1
    assert [row["contact"] for row in rows(database)] == [0, 1, 2]
    assert do_second(database, contacts=4).silent == ("a",)


def test_a_reminder_after_the_second_contact_goes_to_the_contact_reached_last(
    tmp_path: Path,
) -> None:
    database = frozen(tmp_path, *people("a"))
    set_state(database, "a", "accepted")
    do_remind(database)
    do_second(database)
    set_state(database, "a", "accepted")
    do_remind(database, revision=2)
    assert [(r["contact"], r["revision"]) for r in rows(database)] == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 2),
    ]


def test_an_unknown_campaign_is_not_found(tmp_path: Path) -> None:
    database = make_database(tmp_path, people("a"))
    with pytest.raises(NotFound, match="campaign list"):
        do_remind(database)
    with pytest.raises(NotFound, match="campaign list"):
        do_second(database)
    assert count(database).recipients == 0


@pytest.mark.requirement("R33")
def test_a_recipient_counts_once_by_the_best_of_its_mails(tmp_path: Path) -> None:
    held = recipient(id="e-held", contacts=(contact(0, key=""),))
    database = frozen(tmp_path, *people("a", "b", "c", "d"), held)
    set_state(database, "a", "refused")
    set_state(database, "b", "accepted")
    set_state(database, "c", "unknown")
    do_second(database)
    set_state(database, "a", "accepted", contact=1)
    acknowledge(database, "b")
    assert count(database) == CampaignCounts(
        recipients=5,
        accepted=2,
        sending=0,
        queued=2,
        retry_due=0,
        unknown=0,
        refused=0,
        held=1,
        acknowledged=1,
        escalated=1,
        pending=4,
    )


def test_a_mail_that_began_at_the_second_contact_is_no_escalation(tmp_path: Path) -> None:
    late = recipient(id="a", contacts=(contact(0, key=""), contact(1), contact(2)))
    database = frozen(tmp_path, late)
    set_state(database, "a", "accepted")
    assert count(database).escalated == 0
    do_second(database)
    set_state(database, "a", "accepted")
    assert count(database).escalated == 1


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(states=st.lists(st.sampled_from(State), min_size=4, max_size=4), acked=st.booleans())
def test_the_states_of_recipients_always_sum_up(
    tmp_path_factory: pytest.TempPathFactory, states: list[State], acked: bool
) -> None:
    names = ("a", "b", "c", "d")
    database = frozen(tmp_path_factory.mktemp("sum"), *people(*names))
    for name, state in zip(names, states, strict=True):
        set_state(database, name, state)
    if acked:
        acknowledge(database, "a")
    do_remind(database)
    do_second(database)
    now = count(database)
    assert now.recipients == 4
    assert sum(getattr(now, str(state)) for state in State) == 4
    assert [row["cursor"] for row in rows(database)] == list(range(len(rows(database))))
