from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra import audit
from infra.database import Database
from notifications.directory import Directory, Recipient
from notifications.directory_import import ImportResult, import_directory
from notifications.directory_proposals import (
    ProposalState,
    confirm,
    decline,
    proposals,
    standing,
)
from notifications.directory_versions import versions
from protocol.errors import NotFound, Refused
from protocol.parties import RecipientClass
from tests.notifications.samples import contact, directory_text, make_database, recipient

pytestmark = pytest.mark.requirement("R25")

KNOWN = recipient(contacts=(contact(0).model_copy(update={"phone": "+32 2 555 12 12"}), contact(1)))
STOLEN = recipient(
    contacts=(contact(0).model_copy(update={"email": "thief@example.invalid"}), contact(1))
)
WORDS = "called +32 2 555 12 12, spoke to the duty officer"


@pytest.fixture
def home(tmp_path: Path) -> Database:
    return make_database(tmp_path, [KNOWN, recipient(RecipientClass.JCAT)])


def put(home: Database, *recipients: Recipient, by: str = "o.admin") -> ImportResult:
    return import_directory(home, directory_text(list(recipients)), by=by)


def in_force(home: Database) -> Directory:
    with home.read() as connection:
        return Directory.load(connection)


def audited(home: Database) -> list[dict[str, Any]]:
    with home.read() as connection:
        assert audit.verify(connection).verified
        return list(audit.export(connection))


def test_the_first_directory_needs_nobody_else(home: Database) -> None:
    assert in_force(home).version == 1
    with home.read() as connection:
        assert proposals(connection, settled=True) == []


def test_another_address_waits_and_nothing_changes_meanwhile(home: Database) -> None:
    result = put(home, STOLEN, recipient(RecipientClass.JCAT))
    assert (result.version, result.new, result.proposal) == (1, False, 1)
    assert in_force(home).version == 1
    assert [row["event"] for row in audited(home)] == ["directory_imported", "directory_proposed"]


def test_the_proposal_says_what_changes_and_whom_to_call_on_the_known_number(
    home: Database,
) -> None:
    put(home, STOLEN, recipient(RecipientClass.JCAT))
    with home.read() as connection:
        found = standing(connection, 1)
    assert {change.field for change in found.changes} == {"email", "phone"}
    (call,) = found.call_back
    assert (call.recipient, call.phone) == ("le-poc-1", "+32 2 555 12 12")


def test_another_officer_confirms_and_it_comes_into_force(home: Database) -> None:
    put(home, STOLEN, recipient(RecipientClass.JCAT))
    assert confirm(home, 1, by="o.one", checked_by=WORDS) == 2
    assert in_force(home).by_id()["le-poc-1"].contacts[0].email == "thief@example.invalid"
    with home.read() as connection:
        (settled,) = proposals(connection, settled=True)
        newest = versions(connection)[0]
        assert proposals(connection) == []
    assert (settled.state, settled.settled_by, settled.words) == (
        ProposalState.CONFIRMED,
        "o.one",
        WORDS,
    )
    assert (newest["by"], newest["confirmed_by"], newest["proposal"]) == ("o.admin", "o.one", 1)
    *_, imported, confirmed = audited(home)
    assert imported["detail"]["confirmed_by"] == "o.one"
    assert confirmed["detail"]["proposer"] == "o.admin"
    assert "555" not in str(confirmed)
    assert "example.invalid" not in str(audited(home))


@pytest.mark.parametrize(
    ("by", "words", "reason"),
    [
        ("o.admin", WORDS, "same-officer"),
        ("o.two", WORDS, "wrong-role"),
        ("o.nobody", WORDS, "unknown-officer"),
        ("o.one", " \n ", "not-checked"),
    ],
)
def test_who_may_not_confirm_is_refused_and_that_is_noted(
    home: Database, by: str, words: str, reason: str
) -> None:
    put(home, STOLEN)
    with pytest.raises(Refused) as refused:
        confirm(home, 1, by=by, checked_by=words)
    assert refused.value.reason == reason
    assert in_force(home).version == 1
    last = audited(home)[-1]
    assert (last["event"], last["detail"]["reason"]) == ("command_refused", reason)


def test_what_was_declined_cannot_be_confirmed(home: Database) -> None:
    put(home, STOLEN)
    decline(home, 1, by="o.one", reason="they know nothing of it")
    with pytest.raises(Refused, match=r"declined by o\.one"):
        confirm(home, 1, by="o.one", checked_by=WORDS)
    with home.read() as connection:
        (settled,) = proposals(connection, settled=True)
    assert (settled.state, settled.words) == (ProposalState.DECLINED, "they know nothing of it")


def test_a_decline_needs_its_reason(home: Database) -> None:
    put(home, STOLEN)
    with pytest.raises(Refused, match="--reason"):
        decline(home, 1, by="o.one", reason="")


def test_a_proposal_goes_stale_when_another_version_comes_into_force(home: Database) -> None:
    put(home, STOLEN, recipient(RecipientClass.JCAT))
    put(home, KNOWN)
    with home.read() as connection:
        assert proposals(connection) == []
        (stale,) = proposals(connection, settled=True)
        assert standing(connection, 1).changes == ()
    assert stale.state is ProposalState.STALE
    with pytest.raises(Refused) as refused:
        confirm(home, 1, by="o.one", checked_by=WORDS)
    assert refused.value.reason == "stale"
    decline(home, 1, by="o.one", reason="overtaken")


def test_the_same_import_again_is_the_same_proposal(home: Database) -> None:
    assert put(home, STOLEN).proposal == put(home, STOLEN).proposal == 1
    assert [row["event"] for row in audited(home)].count("directory_proposed") == 1


def test_leaving_and_returning_is_no_way_around_the_second_person(home: Database) -> None:
    assert put(home, recipient(RecipientClass.JCAT)).version == 2
    assert put(home, recipient(RecipientClass.JCAT), STOLEN).proposal == 1
    assert put(home, recipient(RecipientClass.JCAT), KNOWN).version == 3


def test_an_unknown_proposal_is_not_found(home: Database) -> None:
    with pytest.raises(NotFound, match="leerp directory proposals"):
        confirm(home, 7, by="o.one", checked_by=WORDS)


def test_whom_nobody_can_phone_is_said(tmp_path: Path) -> None:
    home = make_database(tmp_path, [recipient()])
    put(home, STOLEN)
    with home.read() as connection:
        (call,) = standing(connection, 1).call_back
    assert "no number" in call.phone
