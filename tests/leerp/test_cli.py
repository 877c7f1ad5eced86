"""The command line: answers, errors that say what to do, exit codes. No service is needed here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import update

from infra import audit
from infra.database import Database
from infra.settings import Settings
from infra.tables_audit import audit_row
from leerp.cli import COMMANDS
from leerp.demo.desks import OFFICERS
from tests.e2e.support import numbered_report
from tests.leerp.typed import DONE, DOWN, REFUSED, USAGE, Run, store


@pytest.mark.parametrize("listing", ["incidents", "reports", "quarantine"])
def test_an_empty_listing_says_so_and_is_an_empty_list_in_json(run: Run, listing: str) -> None:
    shown, as_json = run(listing, "list"), run(listing, "list", "--json")

    assert shown.code == as_json.code == DONE
    assert "no " in shown.out or "nothing" in shown.out
    assert json.loads(as_json.out) == []


def test_an_incident_that_is_not_there_is_refused_with_the_way_to_find_one(run: Run) -> None:
    answer = run("incidents", "show", "inc-000000000000")

    assert answer.code == REFUSED
    assert "leerp incidents list" in answer.err


def test_an_unknown_source_group_is_a_usage_error_that_names_the_groups(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "report.json"
    file.write_bytes(b"{}")
    answer = run("report", str(file), "--group", "neighbours")

    assert answer.code == USAGE
    assert "law-enforcement" in answer.err


def test_a_report_of_20_mb_is_refused_before_anything_is_sent(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "large.json"
    file.write_bytes(b" " * 20_000_000)
    answer = run("report", str(file), "--group", "csirt")

    assert answer.code == REFUSED
    assert "20,000,000 bytes" in answer.err


def test_reporting_while_nothing_is_up_says_which_command_starts_it(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "report.json"
    file.write_bytes(numbered_report("cli", 1))
    answer = run("report", str(file), "--group", "csirt")

    assert answer.code == DOWN
    assert "leerp up" in answer.err


def test_a_home_that_never_was_up_is_down_and_not_made(
    run: Run, home: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    answer = run("incidents", "list", "--home", str(elsewhere))

    assert answer.code == DOWN
    assert "leerp up" in answer.err
    assert not elsewhere.exists()
    assert home.exists()


def test_an_officers_command_needs_an_officer(run: Run, home: Path) -> None:
    incident = store(home, numbered_report("cli", 1))
    answer = run("incidents", "detect", incident, "--reason", "seen")

    assert answer.code == REFUSED
    assert "--as OFFICER" in answer.err


def test_an_unknown_officer_is_refused(run: Run, home: Path) -> None:
    incident = store(home, numbered_report("cli", 1))
    answer = run("incidents", "assess", incident, "--text", "seen", "--as", "nobody")

    assert answer.code == REFUSED
    assert "nobody" in answer.err


@pytest.mark.requirement("R11", "R12")
def test_a_provider_keeps_the_last_word_on_its_grade_and_the_other_view_is_recorded(
    run: Run, home: Path
) -> None:
    incident = store(home, numbered_report("cli", 1))
    report = json.loads(run("reports", "list", "--json").out)[0]["id"]
    arguments = ("--source", "C", "--info", "4", "--reason", "contradicted")
    answer = run("incidents", "grade", incident, report, *arguments, "--as", OFFICERS[0].id)
    shown = json.loads(run("reports", "show", report, "--json").out)

    assert answer.code == REFUSED
    assert "provider" in answer.err
    assert shown["grade"] == "B2"
    assert [e["kind"] for e in shown["evaluations"]] == ["provider", "proposal"]


def test_text_of_a_report_cannot_drive_the_officers_terminal(run: Run, home: Path) -> None:
    body = numbered_report("cli", 1).replace(b"encrypted", b"encrypted \\u202e [red]x[/red]")
    store(home, body)
    answer = run("reports", "list")

    assert "\u202e" not in answer.out
    assert "\\u202e [red]x[/red]" in answer.out


def test_an_input_file_that_is_not_toml_is_refused_with_its_line(
    run: Run, home: Path, tmp_path: Path
) -> None:
    incident = store(home, numbered_report("cli", 1))
    file = tmp_path / "finding.toml"
    file.write_text("a = 1\nb = = 2\n")
    answer = run("incidents", "state", incident, "--file", str(file), "--as", OFFICERS[0].id)

    assert answer.code == REFUSED
    assert "line 2" in answer.err


@pytest.mark.requirement("R15")
def test_a_finding_with_a_wrong_field_is_refused_by_its_name(
    run: Run, home: Path, tmp_path: Path
) -> None:
    incident = store(home, numbered_report("cli", 1))
    file = tmp_path / "finding.json"
    file.write_text(json.dumps({"triggers": [{"trigger": "T3", "text": "minister asks"}]}))
    answer = run("incidents", "state", incident, "--file", str(file), "--as", OFFICERS[0].id)

    assert answer.code == REFUSED
    assert "T3 needs a reference" in answer.err


def test_the_published_schema_of_a_report_names_its_format(run: Run) -> None:
    answer = run("schema", "leerp-report")
    found = json.loads(answer.out)

    assert answer.code == DONE
    assert found["properties"]["format"] == {"const": "leerp-report/1"}
    assert {"format", "source_id", "title", "times"} <= set(found["required"])
    assert run("schema", "poem").code == REFUSED


def test_an_altered_audit_row_is_named_and_the_exit_code_says_so(run: Run, home: Path) -> None:
    store(home, numbered_report("cli", 1))
    assert run("audit", "verify").code == DONE
    database = Database(Settings.load(home).database_url)
    with database.write() as connection:
        audit.append(connection, "another", actor="test", subject="test")
        connection.execute(update(audit_row).where(audit_row.c.n == 2).values(content=b"{}"))
    database.close()
    answer = run("audit", "verify", "--json")

    assert answer.code == REFUSED
    assert json.loads(answer.out)["bad_row"] == 2


def test_the_audit_trail_is_exported_a_row_a_line(run: Run, home: Path) -> None:
    store(home, numbered_report("cli", 1))
    rows = [json.loads(line) for line in run("audit", "export").out.splitlines()]

    assert [row["n"] for row in rows] == list(range(1, len(rows) + 1))
    assert "batch_settled" in {row["event"] for row in rows}


def test_the_directory_is_listed_and_checked(run: Run) -> None:
    listed = json.loads(run("directory", "list", "--json").out)
    checked = run("directory", "check")

    assert len(listed) == 13
    assert {row["keys"] for row in listed} == {2}
    assert checked.code == DONE


def test_commands_are_brought_when_they_are_used_so_that_the_list_of_them_is_there_at_once() -> (
    None
):
    """In a process of its own: what is imported stays so."""
    program = (
        "import sys, leerp.cli; "
        "print([m for m in ('sqlalchemy', 'temporalio', 'aiokafka', 'fastapi') if m in sys.modules])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert printed.stdout.strip() == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_is_listed_has_help_of_its_own(run: Run, name: str) -> None:
    answer = run(name, "--help")
    assert answer.code == DONE
    assert f"leerp {name}" in answer.out
