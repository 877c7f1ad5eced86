"""`leerp assessment` and `leerp tasks`: as typed, in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from activities.assessments import AssessmentActivities, AssessmentOrder
from infra.database import Database
from infra.settings import Settings
from tests.e2e.support import numbered_report
from tests.leerp.typed import DONE, REFUSED, USAGE, Run, audited, store

OFFICER = "a.virtanen"


def assess(home: Path, incident: str) -> None:
    settings = Settings.load(home)
    database = Database(settings.database_url)
    AssessmentActivities(database).assess_incident(
        AssessmentOrder(incident_id=incident, profile=settings.profile())
    )
    database.close()


@pytest.fixture
def held(home: Path) -> str:
    """An incident whose one report nobody has graded."""
    document = {**json.loads(numbered_report("held", 1)), "evaluation": None}
    incident = store(home, json.dumps(document).encode())
    assess(home, incident)
    return incident


def confirmed(run: Run, home: Path, incident: str) -> None:
    (row,) = json.loads(run("reports", "list", "--json").out)
    done = run(
        "incidents", "grade", incident, row["id"], "--source", "B", "--info", "2",
        "--reason", "called them", "--as", OFFICER,
    )  # fmt: skip
    assert done.code == DONE
    assess(home, incident)


@pytest.mark.requirement("R13", "R17")
def test_two_versions_are_compared_in_words_and_as_json(run: Run, home: Path, held: str) -> None:
    confirmed(run, home, held)
    versions = json.loads(run("assessment", "list", held, "--json").out)
    assert [row["recommendation"] for row in versions] == ["hold-corroborate", "launch"]
    words = run("assessment", "compare", held, "1", "2")
    assert words.code == DONE
    assert "Recommendation hold-corroborate -> launch." in words.out
    assert "Graded anew: 1 report(s)" in words.out
    found = json.loads(run("assessment", "compare", held, "1", "2", "--json").out)
    assert found["gates"]["gained"] == ["G4"]
    assert found["reports"]["regraded"] == 1
    assert "Hospital" not in words.out


def test_a_version_that_is_not_there_is_refused_and_zero_is_no_version(run: Run, held: str) -> None:
    assert run("assessment", "compare", held, "1", "9").code == REFUSED
    assert run("assessment", "compare", held, "0", "1").code == USAGE
    assert "leerp incidents show" in run("assessment", "list", "inc-none").out


@pytest.mark.requirement("R1", "R11")
def test_a_task_is_listed_taken_and_reported(run: Run, home: Path, held: str) -> None:
    listed = json.loads(run("tasks", "list", "--json").out)
    assert {row["state"] for row in listed} == {"open"}
    assert listed[0]["claim"].startswith("impact I4 by the criterion")
    assert "risk-to-life" in run("tasks", "list").out
    shown = run("tasks", "show", held, "1")
    assert "B2 or better" in " ".join(shown.out.split())

    report = ("tasks", "report", held, "1", "--result", "refuted", "--reason", "they deny it")
    assert "take it first" in " ".join(run(*report, "--as", OFFICER).err.split())
    taken = run("tasks", "take", held, "1", "--as", OFFICER)
    assert taken.code == DONE
    assert OFFICER in taken.out
    given = run("tasks", "assign", held, "2", "--to", OFFICER, "--as", "m.rossi", "--json")
    assert json.loads(given.out)["owner"] == OFFICER
    assert json.loads(run(*report, "--as", OFFICER, "--json").out)["state"] == "refuted"
    assert json.loads(run("tasks", "list", "--json").out)[0]["number"] == 2
    of_incident = json.loads(run("tasks", "list", "--incident", held, "--json").out)
    assert of_incident[0]["reason"] == "they deny it"
    assert len(audited(home, "task_closed")) == 1


def test_the_incident_shows_its_tasks_and_how_its_recommendation_changed(
    run: Run, home: Path, held: str
) -> None:
    confirmed(run, home, held)
    shown = run("incidents", "show", held)
    assert "overtaken" in shown.out
    assert "hold-corroborate" in shown.out
    details = json.loads(run("incidents", "show", held, "--json").out)
    assert [(c["before"], c["after"]) for c in details["recommendations"]] == [
        ("hold-corroborate", "launch")
    ]
    assert json.loads(run("incidents", "list", "--json").out)[0]["tasks"] == 0


def test_without_tasks_it_says_when_there_are_any(run: Run) -> None:
    assert "when a launch is held" in run("tasks", "list").out


def test_a_task_of_nobodys_incident_is_refused(run: Run) -> None:
    answer = run("tasks", "take", "inc-none", "1", "--as", OFFICER)
    assert answer.code == REFUSED
    assert "leerp incidents list" in answer.err
