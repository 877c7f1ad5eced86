"""Who may change the registry, and that nothing of it is ever forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.database import Database
from intake.source_registry import register, restore, retire, set_letter
from intake.sources import get_source, load_sources
from protocol.errors import NotFound, Refused
from protocol.grades import SourceReliability
from tests.intake.registry import (
    ANALYST,
    MANAGER,
    PROSECUTOR,
    events,
    refusal,
    registered,
    source,
    staff,
)

A, B, C, X = SourceReliability


@pytest.fixture(autouse=True)
def staffed(database: Database) -> None:
    staff(database)


def known(database: Database, source_id: str = "cert-ee") -> Any:
    with database.read() as connection:
        return get_source(connection, source_id)


@pytest.mark.requirement("R11")
def test_a_new_source_is_x_until_a_person_has_judged_it(database: Database) -> None:
    registered(database, source())

    assert known(database).letter is X
    assert known(database).letters == ()


@pytest.mark.requirement("R11", "R12")
@settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(st.sampled_from(SourceReliability), st.sampled_from([ANALYST, MANAGER]))))
def test_every_letter_stays_in_the_history_with_who_when_and_why(
    database: Database, judged: list[tuple[SourceReliability, str]]
) -> None:
    name = f"feed-{len(sources(database))}"
    registered(database, source(name))
    for number, (letter, officer) in enumerate(judged):
        set_letter(database, name, letter, reason=f"reason {number}", by=officer)

    history = known(database, name).letters
    assert [(each.letter, each.by) for each in history] == judged
    assert [each.reason for each in history] == [f"reason {n}" for n in range(len(judged))]
    assert [each.before for each in history] == [X, *[letter for letter, _ in judged]][
        : len(judged)
    ]
    assert sorted(each.at for each in history) == [each.at for each in history]


def sources(database: Database) -> list[str]:
    with database.read() as connection:
        return [each.source.id for each in load_sources(connection, retired=True)]


Act = Callable[[Database, str], object]
ADMINISTRATION: dict[str, Act] = {
    "sources add": lambda database, by: register(database, source("new"), by=by),
    "sources retire": lambda database, by: retire(database, "cert-ee", reason="gone", by=by),
    "sources restore": lambda database, by: restore(database, "old", reason="back", by=by),
}


@pytest.mark.parametrize("command", ADMINISTRATION)
@pytest.mark.parametrize("officer", [ANALYST, "nobody"])
def test_only_a_duty_manager_administers_and_a_refusal_is_on_record(
    database: Database, command: str, officer: str
) -> None:
    registered(database, source(), source("old"))
    retire(database, "old", reason="gone", by=MANAGER)
    with pytest.raises(Refused):
        ADMINISTRATION[command](database, officer)

    assert sources(database) == ["cert-ee", "old"]
    assert [known(database, name).retired_at is None for name in ("cert-ee", "old")] == [
        True,
        False,
    ]
    (refused,) = events(database, "command_refused")
    assert (refused["actor"], refused["detail"]["command"]) == (officer, command)


@pytest.mark.parametrize(
    ("officer", "reason"), [(PROSECUTOR, "wrong-role"), ("administrator", "unknown-officer")]
)
def test_a_letter_is_set_by_an_officer_who_works_on_incidents(
    database: Database, officer: str, reason: str
) -> None:
    registered(database, source())
    with pytest.raises(Refused) as caught:
        set_letter(database, "cert-ee", A, reason="good", by=officer)

    assert refusal(caught) == reason
    assert known(database).letter is X


def test_before_there_are_officers_nobody_can_judge_a_source(database_without: Database) -> None:
    register(database_without, source(), by="administrator")
    with pytest.raises(Refused) as caught:
        set_letter(database_without, "cert-ee", A, reason="good", by="administrator")
    assert refusal(caught) == "unknown-officer"


@pytest.fixture
def database_without(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = Database(f"sqlite:///{tmp_path_factory.mktemp('bare') / 'leerp.db'}")
    made.migrate()
    yield made
    made.close()


@pytest.mark.parametrize("reason", ["", "  \n", "a\x00b", "x" * 2_001])
def test_a_letter_needs_a_reason_that_can_be_kept(database: Database, reason: str) -> None:
    registered(database, source())
    with pytest.raises(Refused) as caught:
        set_letter(database, "cert-ee", A, reason=reason, by=ANALYST)

    assert refusal(caught) in {"no-reason", "bad-reason"}
    assert known(database).letters == ()


def test_an_id_is_given_once(database: Database) -> None:
    registered(database, source())
    with pytest.raises(Refused, match="sources import"):
        register(database, source(name="Another"), by=MANAGER)
    retire(database, "cert-ee", reason="gone", by=MANAGER)
    with pytest.raises(Refused, match="sources restore"):
        register(database, source(name="Another"), by=MANAGER)

    assert known(database).source == source()


def test_a_retired_source_keeps_its_history_and_comes_back_to_be_judged_anew(
    database: Database,
) -> None:
    registered(database, source(), letter=B)
    retire(database, "cert-ee", reason="login stolen", by=MANAGER)
    with database.read() as connection:
        assert load_sources(connection) == []
    with pytest.raises(Refused) as caught:
        set_letter(database, "cert-ee", A, reason="good", by=ANALYST)
    assert refusal(caught) == "source-retired"

    restore(database, "cert-ee", reason="new login", by=MANAGER)
    assert known(database).retired_at is None
    assert [(each.before, each.letter) for each in known(database).letters] == [(X, B), (B, X)]


def test_what_is_not_as_the_command_expects_is_refused(database: Database) -> None:
    registered(database, source())
    with pytest.raises(Refused, match="not retired"):
        restore(database, "cert-ee", reason="back", by=MANAGER)
    retire(database, "cert-ee", reason="gone", by=MANAGER)
    with pytest.raises(Refused, match="retired already"):
        retire(database, "cert-ee", reason="gone", by=MANAGER)
    with pytest.raises(NotFound, match="sources list"):
        set_letter(database, "cert-xx", A, reason="good", by=ANALYST)


@pytest.mark.requirement("R1")
def test_every_change_is_in_the_audit_trail_without_names_and_addresses(
    database: Database,
) -> None:
    registered(database, source(quota=500), letter=B)
    retire(database, "cert-ee", reason="gone", by=MANAGER)
    restore(database, "cert-ee", reason="back", by=MANAGER)

    (added,) = events(database, "source_registered")
    assert (added["actor"], added["subject"]) == (MANAGER, "cert-ee")
    assert added["detail"]["values"]["quota"] == 500
    assert "duty@cert.invalid" not in str(added)
    graded = events(database, "source_graded")
    assert [(row["actor"], row["detail"]["letter"]) for row in graded] == [
        (ANALYST, "B"),
        (MANAGER, "X"),
    ]
    assert graded[0]["detail"]["reason"] == "known for years"
    assert len(events(database, "source_retired") + events(database, "source_restored")) == 2
