"""What recipients answer: kept, changed, told to whom it concerns, and never in the trail."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import select

from infra import audit
from infra.database import Database
from infra.tables import acknowledgement, relay
from infra.tables_acknowledgement import answer
from notifications.acknowledgement import Use, acknowledge, acknowledge_all, answer_of
from notifications.acknowledgement_book import Acknowledged
from notifications.answers import Answer, Given
from notifications.followups import counts
from notifications.tokens import InvalidToken
from tests.notifications.mailroom import CAMPAIGN, add_row
from tests.notifications.samples import NOW
from tests.notifications.test_acknowledgement import KEY, database_of, relayed, token_for

HELP = Given(answer=Answer.NEED_HELP, person="Ana Ruiz", phone="+34 91 123 45 67")
WRONG = Given(answer=Answer.WRONG_ADDRESSEE)


def say(
    database: Database, given: Given, *, contact: int = 0, minutes: int = 0, owner: str = "poc-000"
) -> Acknowledged:
    token = token_for(owner, contact=contact)
    return acknowledge(database, KEY, token, NOW + timedelta(minutes=minutes), given)


def acknowledged(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(connection.scalars(select(acknowledgement.c.recipient_id)))


def said(database: Database) -> list[tuple[str, str]]:
    with database.read() as connection:
        rows = connection.execute(select(answer).order_by(answer.c.id))
        return [(row.answer, row.phone) for row in rows]


def test_every_answer_is_kept_and_the_newest_counts(tmp_path: Path) -> None:
    database = database_of(tmp_path)
    first = say(database, Given())
    say(database, HELP, minutes=5)
    say(database, Given(answer=Answer.ACTING), minutes=9)
    assert said(database) == [("received", ""), ("need-help", "+34 911 23 45 67"), ("acting", "")]
    with database.read() as connection:
        newest = answer_of(connection, CAMPAIGN, "poc-000")
        assert newest is not None
        assert (newest.answer, newest.proof) == ("acting", "mail-link")
    assert first.first
    assert acknowledged(database) == ["poc-000"]


def test_the_same_answer_again_is_a_repeat_and_nothing_more(tmp_path: Path) -> None:
    database = database_of(tmp_path)
    for _ in range(3):
        say(database, HELP)
    assert len(said(database)) == 1
    with database.read() as connection:
        assert connection.scalar(select(acknowledgement.c.repeats)) == 2


def test_names_and_numbers_are_in_no_audit_row(tmp_path: Path) -> None:
    database = database_of(tmp_path)
    say(database, HELP)
    with database.read() as connection:
        trail = [str(row) for row in audit.export(connection)]
        assert audit.verify(connection).verified
    assert any("need-help" in row for row in trail)
    assert not any("Ruiz" in row or "34 91" in row for row in trail)
    assert "Ruiz" not in repr(Use(token="t", given=HELP))


def test_what_cannot_wait_is_passed_on_at_once(tmp_path: Path) -> None:
    database = database_of(tmp_path)
    say(database, Given())
    assert relayed(database) == [("campaign", CAMPAIGN)]
    say(database, HELP)
    assert relayed(database)[1:] == [("answer", CAMPAIGN)]
    with database.read() as connection:
        found = counts(connection, CAMPAIGN)
    assert (found.acknowledged, found.need_help, found.wrong_addressee) == (1, 1, 0)


def test_a_wrong_addressee_is_not_reached_even_if_it_had_acknowledged(tmp_path: Path) -> None:
    database = database_of(tmp_path)
    say(database, Given())
    done = say(database, WRONG, minutes=1)
    assert not done.first
    assert acknowledged(database) == []
    assert ("answer", CAMPAIGN) in relayed(database)
    with database.read() as connection:
        assert counts(connection, CAMPAIGN).wrong_addressee == 1
    assert say(database, Given(), minutes=2).first
    assert acknowledged(database) == ["poc-000"]


@pytest.mark.requirement("R72")
def test_what_the_second_contact_acknowledged_stands_whatever_the_first_says(
    tmp_path: Path,
) -> None:
    database = database_of(tmp_path)
    add_row(database, 2, "poc-000", contact=1)
    say(database, WRONG)
    assert say(database, Given(), contact=1).first
    say(database, WRONG)
    say(database, WRONG, minutes=3)
    assert acknowledged(database) == ["poc-000"]


def test_a_group_is_written_as_its_words_came_one_by_one(tmp_path: Path) -> None:
    uses = [
        Use(token=token_for("poc-000")),
        Use(token="x"),
        Use(token=token_for("poc-001"), given=HELP),
        Use(token=token_for("poc-000"), given=WRONG),
        Use(token=token_for("poc-001"), given=HELP),
        Use(token=token_for("poc-000"), given=Given(answer=Answer.ACTING)),
    ]
    together, apart = database_of(tmp_path), database_of_other(tmp_path)
    with together.write() as connection:
        done = acknowledge_all(together, connection, KEY, uses, NOW)
    assert isinstance(done[1], InvalidToken)
    for use in uses:
        with apart.write() as connection:
            acknowledge_all(apart, connection, KEY, [use], NOW)
    assert said(together) == said(apart)
    assert acknowledged(together) == acknowledged(apart) == ["poc-000", "poc-001"]
    assert [isinstance(d, Acknowledged) and d.first for d in done] == [
        True, False, True, False, False, True,
    ]  # fmt: skip


def database_of_other(folder: Path) -> Database:
    other = folder / "other"
    other.mkdir()
    return database_of(other)


def test_nothing_is_relayed_for_a_repeat(tmp_path: Path) -> None:
    database = database_of(tmp_path)
    for _ in range(3):
        say(database, Given())
    with database.read() as connection:
        assert len(connection.execute(select(relay)).all()) == 1


@pytest.mark.parametrize("phone", ["123", "call me", "0031 70", "+00 1", "+31" + "7" * 60])
def test_a_number_that_nobody_could_phone_is_refused(phone: str) -> None:
    with pytest.raises(ValidationError):
        Given(phone=phone)


@given(person=st.text(max_size=99))
def test_a_name_is_kept_as_one_visible_line_or_refused(person: str) -> None:
    try:
        kept = Given(person=person).person
    except ValidationError:
        return
    assert "\n" not in kept
    assert Given(person=kept).person == kept
