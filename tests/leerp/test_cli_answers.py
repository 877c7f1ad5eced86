"""What the commands of officers answer, for people and as JSON. No service is needed here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra import casefile
from infra.database import Database
from infra.settings import Settings
from leerp.demo.desks import OFFICERS
from leerp.demo.officers import DUTY_OFFICER
from tests.e2e.support import numbered_report
from tests.leerp.typed import DONE, REFUSED, Run, audited, store

PERMISSION = ("--kind", "h2", "--provider", "National unit", "--evidence", "mail-12")


@pytest.fixture
def incident(home: Path) -> str:
    return store(home, numbered_report("cli", 1))


def written(folder: Path, document: object) -> str:
    file = folder / "input.json"
    file.write_text(json.dumps(document))
    return str(file)


def test_desk_work_answers_in_json(run: Run, incident: str, tmp_path: Path) -> None:
    who = ("--as", DUTY_OFFICER, "--json")
    finding = written(tmp_path, {"triggers": [{"trigger": "T5", "text": "wards are closed"}]})
    stated = json.loads(run("incidents", "state", incident, "--file", finding, *who).out)
    plan = {"outcome": "agreed", "actions": [{"action": "seize", "owner": "FR", "due": "now"}]}
    planned = run("incidents", "plan", incident, "--file", written(tmp_path, plan), *who)
    permitted = run("incidents", "permit", incident, *PERMISSION, "--recipient", "le-poc", *who)

    assert stated["findings"]["triggers"][0]["officer"] == DUTY_OFFICER
    assert json.loads(planned.out)["version"] == 1
    assert json.loads(permitted.out)["incident"] == incident


def test_a_detection_and_a_grade_answer_in_json(run: Run, home: Path) -> None:
    body = json.loads(numbered_report("quiet", 1))
    del body["evaluation"]
    body["impact"] = {}
    incident = store(home, json.dumps(body).encode())
    report = json.loads(run("reports", "list", "--json").out)[0]["id"]
    who = ("--reason", "seen by us", "--as", DUTY_OFFICER, "--json")
    detected = run("incidents", "detect", incident, *who)
    graded = run("incidents", "grade", incident, report, "--source", "B", "--info", "2", *who)

    assert json.loads(detected.out) == {"incident": incident, "status": "detected"}
    assert json.loads(graded.out) == {"incident": incident, "grade": "B2", "reports": [report]}


def test_the_audit_export_takes_json_for_an_answer(run: Run, incident: str) -> None:
    lines = run("audit", "export", "--json").out.splitlines()

    assert incident
    assert [json.loads(line)["n"] for line in lines] == list(range(1, len(lines) + 1))


def test_the_officers_are_listed_with_their_roles(run: Run) -> None:
    listed = json.loads(run("directory", "officers", "--json").out)

    assert {row["id"]: row["roles"] for row in listed} == {o.id: list(o.roles) for o in OFFICERS}
    assert DUTY_OFFICER in run("directory", "officers").out


def test_a_report_says_in_words_why_it_is_in_its_incident(run: Run, home: Path) -> None:
    incident = store(home, numbered_report("cli", 1), numbered_report("cli", 2))
    last, first = (row["id"] for row in json.loads(run("reports", "list", "--json").out))
    joined = json.loads(run("reports", "show", last, "--json").out)["links"]

    assert f"opened {incident}" in run("reports", "show", first).out
    assert [link["incident_id"] for link in joined] == [incident]
    assert f"joined {incident}, sharing" in joined[0]["words"]
    assert "sha256" in joined[0]["words"]


@pytest.mark.requirement("R32")
def test_a_permission_is_for_known_recipients_and_names_its_provider_in_the_audit_trail(
    run: Run, home: Path, incident: str
) -> None:
    who = ("--as", DUTY_OFFICER)
    nobody = run("incidents", "permit", incident, *PERMISSION, "--recipient", "le-pocc", *who)
    nowhere = run("incidents", "permit", "inc-typo", *PERMISSION, "--recipient", "le-poc", *who)
    given = run("incidents", "permit", incident, *PERMISSION, "--recipient", "r-0000", *who)

    assert (nobody.code, nowhere.code, given.code) == (REFUSED, REFUSED, DONE)
    assert "le-pocc" in nobody.err
    assert "leerp directory list" in " ".join(nobody.err.split())
    (row,) = audited(home, "permission_recorded")
    assert row["detail"]["provider"] == "National unit"
    assert row["detail"]["recipients"] == ["r-0000"]


def test_an_incident_shows_its_drafts_and_what_waits_for_a_second_person(
    run: Run, home: Path, incident: str, tmp_path: Path
) -> None:
    plan = {"outcome": "agreed", "actions": [{"action": "seize", "owner": "FR", "due": "now"}]}
    run("incidents", "plan", incident, "--file", written(tmp_path, plan), "--as", DUTY_OFFICER)
    decide(home, incident, "launch-proposed", "no-launch-proposed", "launch-approved")
    decide(home, incident, "ewn-release-proposed", "closure-proposed", "closure-declined")
    shown = json.loads(run("incidents", "show", incident, "--json").out)
    printed = run("incidents", "show", incident).out

    assert [(p["gate"], p["proposer"]) for p in shown["pending"]] == [("ewn-release", DUTY_OFFICER)]
    assert shown["drafts"]["plan-draft"]["by"] == DUTY_OFFICER
    assert "plan-draft" in printed
    assert shown["drafts"]["plan-draft"]["digest"] in printed
    assert "digest of ewn-release-proposed" in printed


def decide(home: Path, incident: str, *commands: str) -> None:
    """As the workflow writes it down."""
    database = Database(Settings.load(home).database_url)
    for command in commands:
        with database.write() as connection:
            casefile.record_decision(
                connection,
                command_id=command,
                incident_id=incident,
                command=command,
                officer=DUTY_OFFICER,
                organisation="EC3",
                detail={"digest": f"digest of {command}"},
            )
    database.close()
