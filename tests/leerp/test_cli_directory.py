from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.support import directory
from tests.leerp.typed import DONE, DOWN, REFUSED, Answer, Run, audited

pytestmark = pytest.mark.requirement("R25")

MANAGER, DUTY_OFFICER = "s.lindqvist", "a.virtanen"


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """The directory in force, with another address of one contact."""
    document = json.loads(directory(12))
    document["recipients"][0]["contacts"][0]["email"] = "other@example.invalid"
    file = tmp_path / "changed.json"
    file.write_text(json.dumps(document))
    return file


def said(answer: Answer) -> Any:
    assert answer.code == DONE, answer.err
    return json.loads(answer.out)


@pytest.mark.parametrize("ending", ["json", "csv", "xlsx", "vcf"])
def test_a_round_trip_through_a_file_changes_nothing(run: Run, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"directory.{ending}"
    assert run("directory", "export", "--output", str(file)).code == DONE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = said(run("directory", "import", str(file), "--as", MANAGER, "--json"))
    assert (again["new"], again["version"], again["proposal"]) == (False, 1, None)
    dry = run("directory", "import", str(file), "--dry-run")
    assert "nothing would change" in dry.out


def test_a_change_of_an_address_goes_by_two_officers(run: Run, changed: Path, home: Path) -> None:
    dry = run("directory", "import", str(changed), "--dry-run")
    assert "other@example.invalid" in dry.out
    assert "wait for a second officer" in dry.out
    assert audited(home, "directory_proposed") == []

    proposed = run("directory", "import", str(changed), "--as", MANAGER)
    assert proposed.code == DONE
    assert "proposal 1 waits for a second officer" in " ".join(proposed.out.split())
    (waiting,) = said(run("directory", "proposals", "--json"))
    assert (waiting["number"], waiting["by"], waiting["state"]) == (1, MANAGER, "open")
    shown = run("directory", "proposals", "1")
    assert "call back" in shown.out
    assert "other@example.invalid" in shown.out

    alone = run("directory", "confirm", "1", "--checked-by", "me", "--as", MANAGER)
    assert (alone.code, "another officer" in " ".join(alone.err.split())) == (REFUSED, True)
    unchecked = run("directory", "confirm", "1", "--as", DUTY_OFFICER)
    assert (unchecked.code, "--checked-by" in unchecked.err) == (REFUSED, True)
    confirmed = said(
        run(
            "directory",
            "confirm",
            "1",
            "--checked-by",
            "I called them",
            "--as",
            DUTY_OFFICER,
            "--json",
        )
    )
    assert confirmed == {"proposal": 1, "version": 2}
    newest, first = said(run("directory", "versions", "--json"))
    assert (newest["confirmed_by"], first["confirmed_by"]) == (DUTY_OFFICER, None)
    (change,) = said(run("directory", "diff", "--json"))
    assert (change["field"], change["after"]) == ("email", "other@example.invalid")
    assert "same organisations" in run("directory", "diff", "2", "2").out
    assert "no change" in run("directory", "proposals").out


def test_a_proposal_is_declined_with_a_reason(run: Run, changed: Path) -> None:
    run("directory", "import", str(changed), "--as", MANAGER)
    declined = run(
        "directory", "decline", "1", "--reason", "they did not ask", "--as", DUTY_OFFICER
    )
    assert (declined.code, "declined" in declined.out) == (DONE, True)
    (settled,) = said(run("directory", "proposals", "--all", "--json"))
    assert (settled["state"], settled["words"]) == ("declined", "they did not ask")
    assert (
        run("directory", "confirm", "1", "--checked-by", "x", "--as", DUTY_OFFICER).code == REFUSED
    )


def test_a_card_says_what_it_leaves_as_it_is(run: Run, tmp_path: Path) -> None:
    known = json.loads(directory(12))["recipients"][0]
    email, recipient_id = known["contacts"][0]["email"], known["id"]
    file = tmp_path / "contact.vcf"
    file.write_text(
        "BEGIN:VCARD\nVERSION:4.0\nFN:Renamed\n"
        f"EMAIL:{email}\nX-LEERP-RECIPIENT:{recipient_id}\nEND:VCARD\n"
    )
    answer = run("directory", "import", str(file), "--as", MANAGER)
    assert answer.code == DONE
    assert f"all but the contacts of {recipient_id} stays as it is" in " ".join(answer.out.split())
    assert "Renamed" in run("directory", "show", recipient_id).out


def test_an_organisation_is_shown_without_secrets(run: Run, tmp_path: Path) -> None:
    document = json.loads(directory(12))
    name = document["recipients"][0]["id"]
    document["recipients"].append(
        {**document["recipients"][0], "id": "le-poc-new", "contacts": [
            {**document["recipients"][0]["contacts"][0], "email": "new@example.invalid",
             "nudges": ["ntfys://user:secret@host/topic"], "hours": "mon-fri 08:00-18:00"}]}
    )  # fmt: skip
    file = tmp_path / "more.json"
    file.write_text(json.dumps(document))
    assert said(run("directory", "import", str(file), "--as", MANAGER, "--json"))["version"] == 2
    shown = said(run("directory", "show", "le-poc-new", "--json"))
    assert "secret" not in json.dumps(shown)
    (desk,) = shown["contacts"]
    assert desk["nudges"].startswith("ntfys (")
    assert desk["certificate"].startswith("SHA-256 ")
    assert desk["hours"] == "mon-fri 08:00-18:00"
    assert (
        said(run("directory", "show", name, "--json"))["contacts"][0]["hours"] == "round the clock"
    )
    gone = run("directory", "show", "le-poc-new", "--version", "1")
    assert (gone.code, "leerp directory list" in gone.err) == (REFUSED, True)


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_template_is_written_for_people_to_fill_in(run: Run, tmp_path: Path, ending: str) -> None:
    file = tmp_path / "form"
    answer = run("directory", "template", "--format", ending, "--output", str(file))
    assert (answer.code, file.stat().st_size > 300) == (DONE, True)


def test_a_wrong_cell_is_named_and_nothing_is_imported(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "directory.csv"
    run("directory", "export", "--output", str(file))
    file.write_text(file.read_text().replace("@", " at ", 1))
    answer = run("directory", "import", str(file), "--as", MANAGER)
    assert (answer.code, "row 2, column email" in answer.err) == (REFUSED, True)


def test_the_check_asks_name_servers_only_when_told(run: Run) -> None:
    problems = {row["problem"] for row in said(run("directory", "check", "--json"))}
    assert not any(problem.startswith("domain") for problem in problems)


def test_the_check_names_a_key_of_our_own_that_ends_soon(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEERP_SMIME__WARN_BEFORE", "P4000D")
    own = [row for row in said(run("directory", "check", "--json")) if "own-key" in row["problem"]]
    assert [(row["problem"], row["subject"]) for row in own] == [
        ("own-key-expires-soon", "this centre"),
        ("own-key-expires-soon", "this centre"),
    ]


def test_a_drill_needs_temporal_and_says_so(run: Run) -> None:
    assert "no drill yet" in run("directory", "drill", "list").out
    answer = run("directory", "drill", "start", "--as", DUTY_OFFICER)
    assert answer.code == DOWN
    assert "leerp up" in answer.err
    assert run("directory", "drill", "report", "drill-0").code == REFUSED
