from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from infra import audit
from infra.tables import directory_version
from infra.tables import officer as officer_table
from infra.tables import recipient as recipient_table
from infra.tables_audit import audit_row
from notifications.directory import Directory, Recipient, officer
from notifications.directory_check import check
from notifications.directory_import import import_directory
from protocol.errors import NotFound, Refused
from protocol.parties import RecipientClass, Role
from tests.notifications.samples import (
    NOW,
    certificate,
    contact,
    directory_text,
    everybody,
    make_database,
    recipient,
)


@pytest.mark.requirement("R25")
def test_an_import_is_a_version_with_its_recipients_officers_and_audit_row(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    result = import_directory(database, directory_text(everybody()), by="o.one")
    assert (result.version, result.new) == (1, True)
    assert (result.recipients, result.officers) == (len(RecipientClass), 3)
    with database.read() as connection:
        directory = Directory.load(connection)
        rows = list(audit.export(connection))
        assert audit.verify(connection).verified
    assert directory.version == 1
    assert set(directory.recipients) == set(everybody())
    assert [row["event"] for row in rows] == ["directory_imported"]


@pytest.mark.requirement("R25")
def test_the_same_content_again_stays_the_same_version(tmp_path: Path) -> None:
    database = make_database(tmp_path, everybody())
    spaced = json.dumps(json.loads(directory_text(everybody())), indent=4)
    result = import_directory(database, spaced, by="o.admin")
    assert (result.version, result.new) == (1, False)
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(audit_row)) == 1


def test_a_changed_directory_is_a_new_version_and_the_old_one_stays(tmp_path: Path) -> None:
    database = make_database(tmp_path, everybody())
    result = import_directory(database, directory_text([recipient()]), by="o.admin")
    assert (result.version, result.new) == (2, True)
    with database.read() as connection:
        assert len(Directory.load(connection).recipients) == 1
        assert len(Directory.load(connection, 1).recipients) == len(RecipientClass)


def test_officers_that_a_new_directory_does_not_name_have_no_rights_any_more(
    tmp_path: Path,
) -> None:
    database = make_database(tmp_path, everybody())
    document = json.loads(directory_text(everybody()))
    document["officers"] = document["officers"][:2]
    import_directory(database, json.dumps(document), by="o.admin")
    with database.read() as connection:
        assert officer(connection, "o.one").roles == (Role.DUTY_OFFICER,)
        with pytest.raises(NotFound, match="leerp directory officers"):
            officer(connection, "o.two")


def change(*place: str | int, to: Any) -> Callable[[dict[str, Any]], None]:
    """Set one value of a directory's document."""

    def apply(document: dict[str, Any]) -> None:
        inner: Any = document
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = to

    return apply


FIRST = ("recipients", 0)
CASES = {
    "address": change(*FIRST, "contacts", 0, "email", to="a\r\nBcc: x@example.invalid"),
    "certificate": change(*FIRST, "contacts", 1, "certificate", to="not PEM"),
    "class": change(*FIRST, "recipient_class", to="friend"),
    "twice": change("recipients", 1, "id", to="le-poc-1"),
    "same address": change(*FIRST, "contacts", 1, "email", to="DESK0@example.invalid"),
    "no reason": change(
        *FIRST, to={**recipient(RecipientClass.PRIVATE_PARTNER).model_dump(mode="json"),
                    "value_to_investigation": ""}
    ),
    "role": change("officers", 0, "roles", to=["emperor"]),
    "officer twice": change("officers", 1, "id", to="o.one"),
    "no administrator": change("officers", 1, "roles", to=["launch"]),
    "no id": change(*FIRST, to={"organisation": "x"}),
    "extra": change(*FIRST, "notes", to="x"),
    "nobody": change("recipients", to=[]),
}  # fmt: skip


@pytest.mark.requirement("R25", "R26")
@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("address", ["recipient 'le-poc-1'", "contacts.0.email"]),
        ("certificate", ["recipient 'le-poc-1'", "contacts.1.certificate"]),
        ("class", ["recipient 'le-poc-1'", "recipient_class"]),
        ("twice", ["recipient le-poc-1", "twice"]),
        ("same address", ["recipient 'le-poc-1'", "same address"]),
        ("no reason", ["recipient 'private-partner-1'", "R26"]),
        ("role", ["officer 'o.one'", "roles.0"]),
        ("officer twice", ["officer o.one", "twice"]),
        ("no administrator", ["officers", "duty-manager"]),
        ("no id", ["number 0", "id"]),
        ("extra", ["recipient 'le-poc-1'", "notes"]),
        ("nobody", ["recipients"]),
    ],
)
def test_a_wrong_entry_is_named_and_nothing_is_written(
    tmp_path: Path, case: str, words: list[str]
) -> None:
    database = make_database(tmp_path)
    document = json.loads(directory_text([recipient(), recipient(RecipientClass.JCAT)]))
    CASES[case](document)
    with pytest.raises(Refused) as refused:
        import_directory(database, json.dumps(document), by="o.one")
    assert refused.value.reason == "directory-invalid"
    assert all(word in str(refused.value) for word in words)
    assert "Bcc" not in str(refused.value)
    with database.read() as connection:
        for table in (directory_version, recipient_table, officer_table, audit_row):
            assert connection.scalar(select(func.count()).select_from(table)) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [("{not json", "not readable JSON"), ("[" * 100_000, "not readable JSON"), ("[]", "directory")],
)
def test_what_is_no_directory_at_all_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        import_directory(make_database(tmp_path), text, by="o.one")


def test_recipients_stand_in_the_order_of_class_country_and_id(tmp_path: Path) -> None:
    recipients = [
        recipient(id="b", country="FR"),
        recipient(id="a", country="FR"),
        recipient(id="c", country="DE"),
        recipient(RecipientClass.EUROPOL_UNIT, id="z"),
    ]
    database = make_database(tmp_path, recipients)
    with database.read() as connection:
        directory = Directory.load(connection)
    assert [r.id for r in directory.recipients] == ["z", "c", "a", "b"]
    assert [r.id for r in directory.of_class(RecipientClass.LE_POC)] == ["c", "a", "b"]


def test_without_a_directory_the_advice_is_to_import_one(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    with database.read() as connection, pytest.raises(NotFound, match="leerp directory import"):
        Directory.load(connection)


def test_organisations_are_found_by_the_names_they_report_under(tmp_path: Path) -> None:
    database = make_database(
        tmp_path, [recipient(principals=("User:police-de",)), recipient(RecipientClass.JCAT)]
    )
    with database.read() as connection:
        directory = Directory.load(connection)
    assert [r.id for r in directory.by_principals(["User:police-de", "x"])] == ["le-poc-1"]


@pytest.mark.requirement("R72")
def test_the_check_names_what_would_keep_somebody_from_being_warned() -> None:
    recipients = [
        recipient(id="good"),
        recipient(id="single", contacts=(contact(0),)),
        recipient(id="keyless", contacts=(contact(0), contact(1, key=""))),
        recipient(id="expired", contacts=(contact(0, key=certificate(-400, 30)), contact(1))),
        recipient(id="soon", contacts=(contact(0, key=certificate(0, 29)), contact(1))),
    ]
    findings = check(Directory(version=1, recipients=tuple(recipients)), NOW)
    named = [(f.problem, f.subject, f.contact) for f in findings]
    assert named[:4] == [
        ("one-contact", "single", None),
        ("no-key", "keyless", 1),
        ("certificate-expired", "expired", 0),
        ("expires-soon", "soon", 0),
    ]
    empty = {f.subject for f in findings if f.problem == "empty-class"}
    assert empty == set(RecipientClass) - {RecipientClass.LE_POC}


def test_a_complete_directory_has_no_findings() -> None:
    recipients = [with_own_addresses(each) for each in everybody()]
    directory = Directory(version=1, recipients=tuple(recipients))
    assert check(directory, NOW + timedelta(days=1)) == []


def with_own_addresses(each: Recipient) -> Recipient:
    contacts = tuple(
        c.model_copy(update={"email": f"desk{n}@{each.id}.invalid"})
        for n, c in enumerate(each.contacts)
    )
    return each.model_copy(update={"contacts": contacts})
