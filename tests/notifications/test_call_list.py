"""The call list, what came of calls, and an officer's word for what became of a recipient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from infra import audit
from infra.database import Database
from infra.tables import relay
from infra.tables_acknowledgement import call, settlement
from notifications import ladder
from notifications.call_list import CallResult, Said, calls, record_call, settle
from notifications.directory import Recipient
from notifications.followups import counts, unsettled
from protocol.errors import NotFound, Refused
from tests.notifications.samples import contact, ewn, make_database, recipient
from tests.notifications.test_campaigns import CAMPAIGN, do_freeze, order
from tests.notifications.test_followups import LATER, acknowledge, do_second
from tests.notifications.test_ladder import DUTY, desk, take

pytestmark = pytest.mark.requirement("R33")


def phone(number: int, *, days_from_now: int | None = None, **changes: Any) -> Any:
    made = contact(number) if days_from_now is None else desk(number, days_from_now)
    return made.model_copy(update={"phone": f"+49 30 00000{number}", **changes})


PEOPLE = [
    recipient(id="a", country="DE", contacts=(phone(0, languages=("de", "en")), phone(1))),
    recipient(id="b", contacts=(phone(0, days_from_now=1), contact(1))),
    recipient(id="c", contacts=(contact(0),)),
]


def frozen(folder: Path, *people: Recipient, exercise: bool = False) -> Database:
    chosen = people or tuple(PEOPLE)
    database = make_database(folder, [*chosen, DUTY])
    do_freeze(database, order(ewn(exercise=exercise), recipients=tuple(p.id for p in chosen)))
    return database


def listed(database: Database, *, everybody: bool = False) -> list[dict[str, Any]]:
    with database.read() as connection:
        return calls(connection, CAMPAIGN, LATER, everybody=everybody)


def said(name: str = "a", reason: str = "spoke with the desk") -> Said:
    return Said(
        campaign_id=CAMPAIGN, recipient_id=name, officer="o.one", channel="test", reason=reason
    )


def called(
    database: Database, result: CallResult, name: str = "a", number: int | None = None
) -> bool:
    with database.write() as connection:
        return record_call(connection, said(name), result, contact=number, now=LATER)


def test_the_list_is_empty_until_the_ladder_puts_somebody_on_it(tmp_path: Path) -> None:
    database = frozen(tmp_path)
    assert listed(database) == []
    assert len(listed(database, everybody=True)) == 3
    acknowledge(database, "c")
    take(database, ladder.list_calls)
    assert [entry["recipient"] for entry in listed(database)] == ["a", "b"]


def test_it_says_whom_to_phone_when_in_which_language_and_what_to_say(tmp_path: Path) -> None:
    entries = listed(frozen(tmp_path, exercise=True), everybody=True)
    first = entries[0]
    assert (first["name"], first["phone"], first["contact"]) == ("Desk 0", "+49 30 000000", 1)
    assert first["open_now"]
    assert first["local_time"] == f"{LATER:%a %H:%M}"
    assert first["languages"] == ["de", "en"]
    assert first["say"].startswith("EXERCISE. Hier ist das Koordinierungszentrum")
    assert "INC-1" not in first["say"]
    assert [entry["open_now"] for entry in entries[1:]] == [False, False]
    assert "no number" in next(e["phone"] for e in entries if e["recipient"] == "c")


@pytest.mark.parametrize("result", [r for r in CallResult if r is not CallResult.REACHED])
def test_a_call_that_reached_nobody_leaves_it_on_the_list(
    tmp_path: Path, result: CallResult
) -> None:
    database = frozen(tmp_path)
    assert not called(database, result)
    (entry,) = [e for e in listed(database, everybody=True) if e["recipient"] == "a"]
    assert (entry["calls"], entry["last"]) == (1, f"{result} (o.one)")
    assert entry["contact"] == 2, "the other contact is next"


def test_a_wrong_number_is_not_phoned_again(tmp_path: Path) -> None:
    database = frozen(tmp_path)
    called(database, CallResult.WRONG_NUMBER)
    called(database, CallResult.WRONG_NUMBER)
    (entry,) = [e for e in listed(database, everybody=True) if e["recipient"] == "a"]
    assert entry["contact"] is None


def test_a_call_that_reached_somebody_settles_with_the_phone_as_proof(tmp_path: Path) -> None:
    database = frozen(tmp_path)
    assert called(database, CallResult.REACHED)
    with database.read() as connection:
        row = connection.execute(select(settlement)).one()
        assert (row.recipient_id, row.proof, row.by) == ("a", "phone", "o.one")
        assert unsettled(connection, CAMPAIGN) == ("b", "c")
        found = counts(connection, CAMPAIGN)
        assert (found.settled, found.acknowledged) == (1, 0)
        assert [r.kind for r in connection.execute(select(relay))] == ["campaign"]
        trail = str(list(audit.export(connection)))
    assert "spoke with the desk" not in trail
    do_second(database)
    with pytest.raises(Refused, match="settled already"):
        called(database, CallResult.NO_ANSWER)


def test_an_officers_word_settles_what_nobody_else_could(tmp_path: Path) -> None:
    database = frozen(tmp_path)
    with database.write() as connection:
        settle(connection, said("c", "told by SIENA"), LATER)
        assert connection.scalar(select(settlement.c.reason)) == "told by SIENA"
        assert connection.scalar(select(settlement.c.proof)) == "officer"
        with pytest.raises(Refused, match="settled already"):
            settle(connection, said("c"), LATER)


@pytest.mark.parametrize("reason", ["", "  "])
def test_no_word_without_what_became_of_it(tmp_path: Path, reason: str) -> None:
    database = frozen(tmp_path)
    with database.write() as connection:
        with pytest.raises(Refused, match="--reason"):
            settle(connection, said(reason=reason), LATER)
        with pytest.raises(Refused, match="--note"):
            record_call(
                connection, said(reason=reason), CallResult.REACHED, contact=None, now=LATER
            )
        assert connection.execute(select(call)).all() == []


def test_who_is_not_in_the_campaign_or_has_no_such_contact_is_named(tmp_path: Path) -> None:
    database = frozen(tmp_path)
    with pytest.raises(NotFound, match="no mail to duty"):
        called(database, CallResult.REACHED, "duty")
    with pytest.raises(NotFound, match="--contact"):
        called(database, CallResult.REACHED, "a", 3)
    with pytest.raises(NotFound, match="no contact of c has a telephone number"):
        called(database, CallResult.REACHED, "c")
    assert called(database, CallResult.REACHED, "c", 1)
    with pytest.raises(NotFound, match="campaign list"), database.read() as connection:
        calls(connection, "nothing", LATER)
