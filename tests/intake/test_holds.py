"""Holds in the database: told to people, shared by processes, ended by time or an officer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from infra import audit
from infra.database import Database
from infra.intake_limits import IntakeSettings
from intake.brakes import Brakes
from intake.holds import list_holds, resume
from intake.keeper import Keeper
from protocol.errors import NotFound

RULES = IntakeSettings(refusal_window=100, refusal_pause=timedelta(minutes=1))
TOPIC = "leerp.intake.csirt.v1.acme"
ASSIGNED = [(TOPIC, 0), (TOPIC, 1)]
QUOTA = 50


def process(database: Database, quota: int | None = None) -> tuple[Brakes, Keeper]:
    brakes = Brakes(RULES, lambda _topic: quota)
    return brakes, Keeper(database, brakes)


def events(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as connection:
        assert audit.verify(connection).verified
        return [(row["event"], row["actor"], row["subject"]) for row in audit.export(connection)]


def shown(database: Database) -> list[tuple[str, str]]:
    with database.read() as connection:
        return [(row["place"], row["reason"]) for row in list_holds(connection)]


def test_a_hold_is_written_once_and_ends_with_its_time(database: Database) -> None:
    now = datetime.now(UTC)
    brakes, keeper = process(database)
    brakes.note(TOPIC, 0, read=100, refused=80, now=now)
    for second in range(3):
        keeper.meet(ASSIGNED, now + timedelta(seconds=second))
    with database.read() as connection:
        (row,) = list_holds(connection)
    assert row["place"] == f"{TOPIC}/0"
    assert row["why"] == "80 of its newest 100 records were refused"
    assert f"leerp quarantine resume {TOPIC}" in row["what_to_do"]
    keeper.meet(ASSIGNED, now + timedelta(minutes=1))
    assert shown(database) == []
    place = f"{TOPIC}/0"
    assert events(database) == [
        ("intake_held", "intake", place),
        ("intake_resumed", "intake", place),
    ]
    with database.read() as connection:
        (ended,) = list_holds(connection, ended=True)
    assert (ended["ended_by"], ended["what_to_do"]) == ("time", "")


def test_an_officers_word_ends_a_hold_and_the_process_reads_on(database: Database) -> None:
    now = datetime.now(UTC)
    brakes, keeper = process(database)
    brakes.note(TOPIC, 0, read=100, refused=80, now=now)
    keeper.meet(ASSIGNED, now)
    with database.write() as connection:
        assert resume(connection, TOPIC, by="o-1", channel="cli") == [f"{TOPIC}/0"]
    assert brakes.closed(TOPIC, 0, now)
    keeper.meet(ASSIGNED, now + timedelta(seconds=1))
    assert not brakes.closed(TOPIC, 0, now + timedelta(seconds=1))
    assert events(database)[-1] == ("intake_resumed", "o-1", f"{TOPIC}/0")
    with database.write() as connection, pytest.raises(NotFound, match="is not held"):
        resume(connection, TOPIC, by="o-1", channel="cli")


def test_a_process_that_begins_or_takes_over_keeps_to_what_is_held(database: Database) -> None:
    now = datetime.now(UTC)
    brakes, keeper = process(database)
    brakes.note(TOPIC, 0, read=100, refused=80, now=now)
    keeper.meet(ASSIGNED, now)
    heir, its_keeper = process(database)
    its_keeper.meet([(TOPIC, 1)], now)
    assert not heir.held(now)
    its_keeper.meet(ASSIGNED, now)
    assert heir.closed(TOPIC, 0, now)
    assert not heir.closed(TOPIC, 1, now)
    assert shown(database) == [(f"{TOPIC}/0", "refusals")]


def test_a_second_hold_right_after_a_failed_trial_is_a_row_of_its_own(database: Database) -> None:
    now = datetime.now(UTC)
    brakes, keeper = process(database)
    brakes.note(TOPIC, 0, read=100, refused=80, now=now)
    keeper.meet(ASSIGNED, now)
    later = now + timedelta(minutes=1)
    tried = brakes.grant(TOPIC, 0, 100, later)
    brakes.note(TOPIC, 0, read=tried, refused=tried, now=later)
    keeper.meet(ASSIGNED, later)
    with database.read() as connection:
        newest, oldest = list_holds(connection, ended=True)
    assert oldest["ended_at"] == later
    assert newest["until"] - newest["since"] == timedelta(minutes=2)


def test_a_quota_is_shared_by_two_processes_and_outlives_both(database: Database) -> None:
    now = datetime.now(UTC)
    first, its_keeper = process(database, QUOTA)
    second, other_keeper = process(database, QUOTA)
    for brakes, partition in ((first, 0), (second, 1)):
        brakes.note(TOPIC, partition, read=QUOTA // 2, refused=0, now=now)
    for keeper in (its_keeper, other_keeper, its_keeper):
        keeper.meet(ASSIGNED, now)
    assert first.closed(TOPIC, 0, now)
    assert second.closed(TOPIC, 1, now)
    assert shown(database) == [(TOPIC, "quota")]
    third, keeper = process(database, QUOTA)
    keeper.meet(ASSIGNED, now)
    assert third.closed(TOPIC, 3, now)


def test_an_officer_gives_a_source_its_hour_anew(database: Database) -> None:
    now = datetime.now(UTC)
    brakes, keeper = process(database, QUOTA)
    brakes.note(TOPIC, 0, read=QUOTA, refused=0, now=now)
    keeper.meet(ASSIGNED, now)
    assert brakes.grant(TOPIC, 0, 10, now) == 0
    with database.write() as connection:
        resume(connection, TOPIC, by="o-1", channel="cli")
    keeper.meet(ASSIGNED, now)
    assert brakes.grant(TOPIC, 0, 2 * QUOTA, now) == QUOTA
