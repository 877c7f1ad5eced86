from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from infra import audit
from infra.tables import audit_row, directory_version
from infra.tables import officer as officer_table
from infra.tables import recipient as recipient_table
from notifications.directory import Directory, check, officer
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
    assert (result.recipients, result.officers) == (len(RecipientClass), 2)
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
    result = import_directory(database, spaced, by="o.two")
    assert (result.version, result.new) == (1, False)
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(audit_row)) == 1


def test_a_changed_directory_is_a_new_version_and_the_old_one_stays(tmp_path: Path) -> None:
    database = make_database(tmp_path, everybody())
    result = import_directory(database, directory_text([recipient()]), by="o.one")
    assert (result.version, result.new) == (2, True)
    with database.read() as connection:
        assert len(Directory.load(connection).recipients) == 1
        assert len(Directory.load(connection, 1).recipients) == len(RecipientClass)


def test_officers_that_a_new_directory_does_not_name_have_no_rights_any_more(
    tmp_path: Path,
) -> None:
    database = make_database(tmp_path, everybody())
    document = json.loads(directory_text(everybody()))
    document["officers"] = document["officers"][:1]
    import_directory(database, json.dumps(document), by="o.one")
    with database.read() as connection:
        assert officer(connection, "o.one").roles == (Role.DUTY_OFFICER,)
        with pytest.raises(NotFound, match="leerp directory list"):
            officer(connection, "o.two")


def broken(change: str) -> str:
    document: dict[str, Any] = json.loads(
        directory_text([recipient(), recipient(RecipientClass.JCAT)])
    )
    first = document["recipients"][0]
    match change:
        case "address":
            first["contacts"][0]["email"] = "nobody\r\nBcc: x@example.invalid"
        case "certificate":
            first["contacts"][1]["certificate"] = "not PEM"
        case "class":
            first["recipient_class"] = "friend"
        case "twice":
            document["recipients"][1]["id"] = first["id"]
        case "same address":
            first["contacts"][1]["email"] = first["contacts"][0]["email"].upper()
        case "no reason":
            first["recipient_class"], first["value_to_investigation"] = "private-partner", ""
        case "role":
            document["officers"][0]["roles"] = ["emperor"]
        case "officer twice":
            document["officers"][1]["id"] = document["officers"][0]["id"]
        case "no id":
            del first["id"]
        case "extra":
            first["notes"] = "x"
        case "list":
            return "[]"
        case "text":
            return "{not json"
        case _:
            document["recipients"] = []
    return json.dumps(document)


@pytest.mark.requirement("R25", "R26")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("address", ["'le-poc-1'", "contacts.0.email"]),
        ("certificate", ["'le-poc-1'", "contacts.1.certificate"]),
        ("class", ["'le-poc-1'", "recipient_class"]),
        ("twice", ["'le-poc-1'"[1:-1], "twice"]),
        ("same address", ["'le-poc-1'", "same address"]),
        ("no reason", ["'le-poc-1'", "R26"]),
        ("role", ["officer 'o.one'", "roles.0"]),
        ("officer twice", ["officer o.one", "twice"]),
        ("no id", ["number 0", "id"]),
        ("extra", ["'le-poc-1'", "notes"]),
        ("list", ["the directory"]),
        ("text", ["not readable JSON"]),
        ("empty", ["recipients"]),
    ],
)
def test_a_wrong_entry_is_named_and_nothing_is_written(
    tmp_path: Path, change: str, words: list[str]
) -> None:
    database = make_database(tmp_path)
    with pytest.raises(Refused) as refused:
        import_directory(database, broken(change), by="o.one")
    assert refused.value.reason == "directory-invalid"
    assert all(word in str(refused.value) for word in words)
    assert "Bcc" not in str(refused.value)
    with database.read() as connection:
        for table in (directory_version, recipient_table, officer_table, audit_row):
            assert connection.scalar(select(func.count()).select_from(table)) == 0


def test_a_deeply_nested_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="not readable JSON"):
        import_directory(make_database(tmp_path), "[" * 100_000, by="o.one")


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
    assert check(Directory(version=1, recipients=tuple(everybody())), NOW + timedelta(days=1)) == []
