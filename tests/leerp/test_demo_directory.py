from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.database import Database
from infra.settings import Settings
from leerp.demo.attack import LENGTH, wannacry
from leerp.demo.desks import SILENT
from leerp.demo.directory import DOCUMENT, mailboxes, make_demo_directory
from notifications.directory import Directory
from notifications.directory_check import check
from notifications.directory_import import import_directory
from protocol.countries import EU_MEMBER_STATES
from protocol.parties import RecipientClass, Role


def imported(folder: Path, tmp_path: Path) -> tuple[Database, Directory]:
    database = Database(f"sqlite:///{tmp_path / 'leerp.db'}")
    database.migrate()
    import_directory(database, (folder / DOCUMENT).read_text(), by="a.virtanen")
    with database.read() as connection:
        return database, Directory.load(connection)


@pytest.mark.requirement("R23", "R24", "R25", "R72")
def test_every_class_is_there_and_the_check_finds_nothing_wrong(
    demo_folder: Path, tmp_path: Path
) -> None:
    _, directory = imported(demo_folder, tmp_path)
    assert {r.recipient_class for r in directory.recipients} == set(RecipientClass)
    assert all(len(r.contacts) == 2 for r in directory.recipients)
    assert check(directory, datetime.now(UTC)) == []


@pytest.mark.requirement("R25")
def test_each_of_the_27_member_states_has_its_point_of_contact(
    demo_folder: Path, tmp_path: Path
) -> None:
    _, directory = imported(demo_folder, tmp_path)
    contacts = directory.of_class(RecipientClass.LE_POC)
    assert sorted(str(r.country) for r in contacts) == sorted(EU_MEMBER_STATES)


def test_names_are_marked_as_made_up_and_addresses_are_reserved(
    demo_folder: Path, tmp_path: Path
) -> None:
    _, directory = imported(demo_folder, tmp_path)
    assert all(r.organisation.endswith("(simulated)") for r in directory.recipients)
    addresses = [c.email for r in directory.recipients for c in r.contacts]
    assert all(address.endswith(".invalid") for address in addresses)
    assert set(addresses) >= SILENT
    assert len(SILENT) == 2


@pytest.mark.requirement("R48")
def test_two_different_officers_can_open_each_gate(demo_folder: Path) -> None:
    document = json.loads((demo_folder / DOCUMENT).read_text())
    roles = {o["id"]: {Role(r) for r in o["roles"]} for o in document["officers"]}
    for gate in Settings().profile().roles.values():
        assert roles["a.virtanen"] & gate.propose
        assert roles["m.rossi"] & gate.approve


def test_those_who_report_in_the_attack_are_found_by_their_names(
    demo_folder: Path, tmp_path: Path
) -> None:
    _, directory = imported(demo_folder, tmp_path)
    bodies = "\n".join(r.body.decode() for r in wannacry(datetime.now(UTC) - LENGTH))
    known = [r for r in directory.recipients if any(name in bodies for name in r.principals)]
    assert {r.recipient_class for r in known} >= {
        RecipientClass.LE_POC,
        RecipientClass.CSIRT_NETWORK,
        RecipientClass.PRIVATE_PARTNER,
        RecipientClass.EU_BODY,
        RecipientClass.JUDICIAL,
    }


def test_private_keys_are_for_their_owner_only_and_fit_their_certificates(
    demo_folder: Path,
) -> None:
    for box in mailboxes(demo_folder):
        assert stat.S_IMODE(box.key_file.stat().st_mode) == 0o600
        assert box.key().public_key() == box.certificate().public_key()


def test_made_again_it_is_the_same_and_its_import_changes_nothing(
    demo_folder: Path, tmp_path: Path
) -> None:
    database, _ = imported(demo_folder, tmp_path)
    again = make_demo_directory(demo_folder)
    result = import_directory(database, again.read_text(), by="s.lindqvist")
    assert (result.new, result.version) == (False, 1)


def test_a_lost_key_is_made_anew_with_its_certificate(demo_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    for file in demo_folder.iterdir():
        if file.is_file():
            (folder / file.name).write_bytes(file.read_bytes())
    lost, *others = mailboxes(folder)
    before = others[0].certificate()
    lost.key_file.unlink()
    make_demo_directory(folder)
    assert lost.key().public_key() == lost.certificate().public_key()
    assert others[0].certificate() == before
