"""What the command line says when something is wrong: one sentence that helps, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from temporalio.service import RPCError, RPCStatusCode

from infra.settings import ENDPOINTS_FILE
from leerp.demo.officers import DUTY_OFFICER, MANAGER
from leerp.failures import all_explained, explained
from protocol.errors import Refused, ServiceDown
from tests.e2e.support import directory, numbered_report
from tests.leerp.typed import DONE, DOWN, REFUSED, Run, audited, store


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LEERP_SMTP__PORT", "many", "LEERP_SMTP__PORT"),
        ("LEERP_SMTP", "{not json", "smtp"),
        ("LEERP_PROFILE_FILE", "/nowhere/profile.toml", "/nowhere/profile.toml"),
        ("LEERP_CLOCK_FACTOR", "60", "exercise"),
    ],
)
def test_a_bad_setting_is_named_and_nothing_else_is_printed(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    answer = run("incidents", "list")

    assert answer.code == REFUSED
    assert said in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("content", ["{half", "[]", '{"settings": 1}'])
def test_a_corrupt_endpoints_file_is_down_and_says_what_to_start_again(
    run: Run, home: Path, content: str
) -> None:
    (home / ENDPOINTS_FILE).write_text(content)
    answer = run("incidents", "list")

    assert answer.code == DOWN
    assert "leerp up" in answer.err


def test_input_that_is_not_utf_8_is_refused(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "directory.json"
    file.write_bytes(b'{"recipients": "\xff"}')
    answer = run("directory", "import", str(file))

    assert answer.code == REFUSED
    assert "UTF-8" in answer.err


def test_a_folder_in_place_of_a_file_is_refused_by_its_name(run: Run, tmp_path: Path) -> None:
    answer = run("directory", "import", str(tmp_path))

    assert answer.code == REFUSED
    assert tmp_path.name in answer.err.replace("\n", "")


def test_a_blank_telephone_number_is_refused_by_its_field(run: Run, home: Path) -> None:
    incident = store(home, numbered_report("cli", 1))
    arguments = ("--reason", "unclear", "--phone", " ", "--as", DUTY_OFFICER)
    answer = run("incidents", "hold", incident, *arguments)

    assert answer.code == REFUSED
    assert "phone" in answer.err


def test_failures_of_services_are_told_apart_from_wrong_input_and_from_defects() -> None:
    rpc = RPCError("no", RPCStatusCode.PERMISSION_DENIED, b"")
    away = OperationalError("select", None, Exception("away"))
    for failure in (rpc, away, ConnectionRefusedError("no"), TimeoutError()):
        assert isinstance(explained(failure), ServiceDown)
    assert isinstance(explained(PermissionError(13, "denied", "a.toml")), Refused)
    assert explained(KeyError("defect")) is None
    nested = ExceptionGroup("both", [ExceptionGroup("inner", [rpc]), OSError("disk")])
    found = all_explained(nested)
    assert found is not None
    assert [type(each) for each in found] == [ServiceDown, Refused]
    assert all_explained(ExceptionGroup("one", [rpc, KeyError("defect")])) is None


@pytest.mark.requirement("R11")
def test_a_report_is_graded_in_its_own_incident_only(run: Run, home: Path) -> None:
    store(home, numbered_report("cli", 1))
    report = json.loads(run("reports", "list", "--json").out)[0]["id"]
    arguments = ("--source", "C", "--info", "4", "--reason", "contradicted", "--as", DUTY_OFFICER)
    answer = run("incidents", "grade", "inc-000000000000", report, *arguments)

    assert answer.code == REFUSED
    assert "no incident inc-000000000000" in answer.err
    assert len(json.loads(run("reports", "show", report, "--json").out)["evaluations"]) == 1


def test_names_of_nothing_are_refused_with_the_list_to_look_in(run: Run, home: Path) -> None:
    incident = store(home, numbered_report("cli", 1))
    for arguments, advice in (
        (("incidents", "notices", "inc-typo"), "leerp incidents list"),
        (("incidents", "notices", incident, "--campaign", "typo"), "leerp incidents notices"),
        (("incidents", "timeline", "inc-typo"), "leerp incidents list"),
        (("reports", "list", "--incident", "inc-typo"), "leerp incidents list"),
    ):
        answer = run(*arguments)
        assert answer.code == REFUSED
        assert advice in " ".join(answer.err.split())


@pytest.mark.requirement("R25")
def test_only_an_administrator_replaces_the_directory_and_a_refusal_is_on_record(
    run: Run, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "directory.json"
    file.write_text(directory(13))
    unknown = run("directory", "import", str(file))
    wrong = run("directory", "import", str(file), "--as", DUTY_OFFICER)
    right = run("directory", "import", str(file), "--as", MANAGER)

    assert (unknown.code, wrong.code, right.code) == (REFUSED, REFUSED, DONE)
    assert "leerp directory officers" in " ".join(unknown.err.split())
    assert "duty-manager" in wrong.err
    assert "version 2" in right.out
    assert [
        (row["actor"], row["detail"]["reason"]) for row in audited(home, "command_refused")
    ] == [
        ("administrator", "unknown-officer"),
        (DUTY_OFFICER, "wrong-role"),
    ]


def test_only_an_administrator_replays_the_quarantine(run: Run, home: Path) -> None:
    refused = run("quarantine", "replay", "--as", DUTY_OFFICER)

    assert refused.code == REFUSED
    assert run("quarantine", "replay", "--as", MANAGER).code == DONE
    assert [row["subject"] for row in audited(home, "command_refused")] == ["quarantine"]


def test_nobody_leaves_no_draft_but_a_row_in_the_audit_trail(
    run: Run, home: Path, tmp_path: Path
) -> None:
    incident = store(home, numbered_report("cli", 1))
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"outcome": "x", "actions": []}))
    answer = run("incidents", "plan", incident, "--file", str(file), "--as", "nobody")

    assert answer.code == REFUSED
    assert "leerp directory officers" in " ".join(answer.err.split())
    assert json.loads(run("incidents", "show", incident, "--json").out)["drafts"] == {}
    (row,) = audited(home, "command_refused")
    assert (row["actor"], row["subject"], row["channel"]) == ("nobody", incident, "cli")
    assert row["detail"]["reason"] == "unknown-officer"
