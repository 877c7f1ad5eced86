"""Withdrawing a notice: nothing more goes out, and exactly those who got it are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from infra import audit
from infra.database import Database
from infra.tables import notification
from notifications.campaigns import FreezeOrder, freeze
from notifications.followups import remind, second_contact, unsettled
from notifications.handling import Act, Order, add, handle
from notifications.outbox import State
from notifications.rows import RowMaker
from notifications.withdrawal import Withdrawn, agree, propose, who_got_it, withdrawal_notice
from protocol.errors import NotFound, Refused
from tests.notifications.samples import contact, ewn, make_database, recipient
from tests.notifications.test_campaigns import CAMPAIGN, KEY, do_freeze, order, rows
from tests.notifications.test_followups import LATER, do_second, people, set_state

WHO = ("a-got", "b-waits", "c-refused", "d-unknown", "e-put-off", "f-under-way")


def frozen(folder: Path) -> Database:
    database = make_database(folder, [*people(*WHO), recipient(id="late")])
    do_freeze(database, order(ewn(), recipients=WHO))
    set_state(database, "a-got", "accepted")
    set_state(database, "c-refused", "refused")
    set_state(database, "d-unknown", "unknown")
    set_state(database, "e-put-off", "retry_due")
    set_state(database, "f-under-way", "sending")
    return database


def do_propose(database: Database, reason: str = "wrong facts", who: str = "o.two") -> Withdrawn:
    with database.write() as connection:
        return propose(connection, CAMPAIGN, officer=who, reason=reason, channel="test", now=LATER)


def do_agree(database: Database, who: str = "o.admin") -> Withdrawn:
    with database.write() as connection:
        return agree(connection, CAMPAIGN, officer=who, channel="test", now=LATER)


def states(database: Database) -> dict[str, str]:
    return {row["recipient_id"]: row["state"] for row in rows(database)}


def test_one_proposes_and_what_waits_is_held_a_second_one_agrees(tmp_path: Path) -> None:
    database = frozen(tmp_path)
    assert do_propose(database) == Withdrawn(campaign_id=CAMPAIGN, approved=False, held=2, told=2)
    assert states(database) == {
        "a-got": "accepted",
        "b-waits": "held",
        "c-refused": "refused",
        "d-unknown": "unknown",
        "e-put-off": "held",
        "f-under-way": "sending",
    }
    with pytest.raises(Refused, match="second, different person"):
        do_agree(database, "o.two")
    done = do_agree(database)
    assert (done.approved, done.told) == (True, 2)
    assert do_agree(database) == Withdrawn(campaign_id=CAMPAIGN, approved=True, held=0, told=2)
    with database.read() as connection:
        events = [row["event"] for row in audit.export(connection)]
    assert events.count("campaign_withdrawn") == 1


def test_who_may_have_it_is_told_contact_by_contact(tmp_path: Path) -> None:
    database = frozen(tmp_path)
    do_second(database)
    set_state(database, "c-refused", "accepted", contact=1)
    with database.write() as connection:
        connection.execute(
            update(notification)
            .where(notification.c.recipient_id == "f-under-way", notification.c.contact == 0)
            .values(data_started=True)
        )
    do_propose(database)
    do_agree(database)
    got = (("a-got", 0), ("d-unknown", 0), ("f-under-way", 0), ("c-refused", 1))
    with database.write() as connection:
        assert who_got_it(connection, CAMPAIGN) == got
        notice = withdrawal_notice(connection, CAMPAIGN, issued_at=LATER)
        made = freeze(
            connection,
            FreezeOrder(
                campaign_id=f"{CAMPAIGN}.w", revision=1, content=notice, contacts=got, by="worker"
            ),
            message_key=KEY,
            now=LATER,
        )
    assert (made.size, made.queued, made.held) == (4, 4, 0)
    assert (notice.withdraws, notice.was_issued_at) == (ewn().header.id, ewn().issued_at)
    assert notice.statement == "wrong facts"


@pytest.mark.requirement("R32")
def test_who_has_lost_the_right_meanwhile_still_hears_the_bare_fact(tmp_path: Path) -> None:
    database = frozen(tmp_path)
    do_propose(database)
    do_agree(database)
    with database.write() as connection:
        notice = withdrawal_notice(connection, CAMPAIGN, issued_at=LATER)
        maker = RowMaker(
            campaign_id="w", product=notice.product(), permissions=(), message_key=KEY, now=LATER
        )
        keyless = recipient(id="a-got", contacts=(contact(0, key=""),))
        decision = maker.decide(keyless, 0)
    assert decision.allowed
    assert decision.variant == "summary"


def test_nothing_of_it_goes_out_any_more(tmp_path: Path) -> None:
    database = frozen(tmp_path)
    do_propose(database)
    do_agree(database)
    with database.write() as connection:
        maker = RowMaker.of(connection, CAMPAIGN, message_key=KEY, now=LATER)
        for act in (Act.RELEASE, Act.RESEND):
            with pytest.raises(Refused, match="withdrawn"):
                handle(
                    connection,
                    maker,
                    Order(
                        act=act, recipients=frozenset(), officer="o", reason="why", channel="test"
                    ),
                )
        with pytest.raises(Refused, match="withdrawn"):
            add(connection, maker, "late", officer="o", reason="why", channel="test")
        assert remind(connection, CAMPAIGN, revision=1, message_key=KEY, now=LATER).added == 0
        assert second_contact(connection, CAMPAIGN, message_key=KEY, now=LATER).added == 0
        assert unsettled(connection, CAMPAIGN) == ()


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    database = frozen(tmp_path)
    with pytest.raises(Refused, match="nobody has proposed"):
        do_agree(database)
    with pytest.raises(Refused, match="--reason"):
        do_propose(database, " ")
    do_propose(database)
    with pytest.raises(Refused, match="has proposed it"):
        do_propose(database)
    do_agree(database)
    with pytest.raises(Refused, match="agreed already"):
        do_agree(database, "o.three")
    with pytest.raises(NotFound), database.write() as connection:
        agree(connection, "nothing", officer="o", channel="test", now=LATER)


@pytest.mark.requirement("R24", "R32")
def test_a_recipient_is_added_late_with_its_locks_tried(tmp_path: Path) -> None:
    keyless = recipient(id="z-keyless", contacts=(contact(0, key=""),))
    database = make_database(tmp_path, [*people("a", "late"), keyless])
    do_freeze(database, order(ewn(), recipients=("a",)))
    with database.write() as connection:
        maker = RowMaker.of(connection, CAMPAIGN, message_key=KEY, now=LATER)

        def put_in(name: str) -> tuple[int, dict[str, str]]:
            done = add(connection, maker, name, officer="o", reason="asked for", channel="test")
            return done.size, done.closed

        assert put_in("late") == (2, {})
        size, closed = put_in("z-keyless")
        assert size == 3
        assert "no certificate" in closed["z-keyless"]
        with pytest.raises(Refused, match="resend"):
            put_in("a")
        with pytest.raises(NotFound, match="directory"):
            put_in("nobody")
    assert [(r["recipient_id"], r["state"]) for r in rows(database)][1:] == [
        ("late", State.QUEUED),
        ("z-keyless", State.HELD),
    ]
