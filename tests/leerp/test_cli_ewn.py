"""``leerp incidents ewn`` and ``blueprint``: what officers see of a warning before and after release."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from activities.assessments import AssessmentActivities, AssessmentOrder
from infra.database import Database
from infra.settings import Settings
from leerp.demo.officers import DUTY_OFFICER, given
from tests.e2e.support import numbered_report
from tests.leerp.typed import DONE, REFUSED, USAGE, Run, audited, store
from tests.workflows.case import decided
from workflows.drafting import Drafting

ACTING = ("--as", DUTY_OFFICER)


@pytest.fixture
def case(home: Path) -> str:
    """An incident with a drafted warning, of which one more version was drafted."""
    found = store(home, numbered_report("cli", 0), numbered_report("cli", 1))
    settings = Settings.load(home)
    database = Database(settings.database_url)
    AssessmentActivities(database).assess_incident(
        AssessmentOrder(incident_id=found, profile=settings.profile())
    )
    drafting = Drafting(
        database, settings.profile(), exercise=False, officer=DUTY_OFFICER, channel="test"
    )
    decided(database, drafting.centre(found, given("centre")), "centre-recorded")
    drafting.ewn(found, given("ewn"))
    drafting.ewn(found, {**given("ewn"), "change": "ports added", "outlook": "stable"})
    database.close()
    return found


@pytest.mark.requirement("R31", "R32")
def test_a_variant_is_read_as_its_readers_will_and_in_their_language(run: Run, case: str) -> None:
    full = run("incidents", "ewn", case, *ACTING)
    assert full.code == DONE
    assert f"LEERP-{case}-EWN-1" in full.out  # what it supersedes
    assert "Next six hours: stable instead of worsening" in " ".join(full.out.split())
    german = run("incidents", "ewn", case, "--variant", "sanitised", "--language", "de", *ACTING)
    assert "Dies ist die bereinigte Fassung" in german.out
    first = run("incidents", "ewn", case, "--version", "1", "--json", *ACTING)
    assert json.loads(first.out)["version"] == 1


@pytest.mark.requirement("R32")
def test_the_difference_says_what_is_left_out_and_why(run: Run, case: str) -> None:
    shown = run("incidents", "ewn", case, "--variant", "technical", "--diff", *ACTING)
    assert "for police and justice only" in shown.out
    found = json.loads(
        run("incidents", "ewn", case, "--variant", "technical", "--diff", "--json", *ACTING).out
    )
    assert found["readers"] == ["csirt-network", "eu-body"]
    assert {"provenance", "law_enforcement"} <= {each["component"] for each in found["left_out"]}
    assert all(each["reason"] and each["section"] for each in found["left_out"])


@pytest.mark.requirement("R33")
def test_the_check_says_what_the_gate_finds_and_whom_it_would_reach(run: Run, case: str) -> None:
    shown = run("incidents", "ewn", case, "--check", *ACTING)
    assert shown.code == DONE
    assert "passes the gate" in shown.out
    found = json.loads(run("incidents", "ewn", case, "--check", "--json", *ACTING).out)
    assert found["passes"]
    assert found["author"] == DUTY_OFFICER
    reach = {each["recipient_class"]: each for each in found["reach"]}
    assert reach["csirt-network"]["variants"].keys() <= {"technical", "sanitised", "summary"}
    assert sum(sum(each["variants"].values()) + each["held"] for each in found["reach"]) > 0


@pytest.mark.requirement("R1", "R31")
@pytest.mark.parametrize("ending", ["html", "txt", "pdf"])
def test_a_variant_is_written_to_a_file_of_the_officers_own_and_that_is_on_record(
    run: Run, case: str, home: Path, tmp_path: Path, ending: str
) -> None:
    file = tmp_path / f"warning.{ending}"
    made = run("incidents", "ewn", case, "--variant", "summary", "-o", str(file), *ACTING)
    assert made.code == DONE
    assert "EUROPOL UNCLASSIFIED" in made.out
    assert file.stat().st_size > 500
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (row,) = audited(home, "ewn_exported")
    assert row["detail"]["variant"] == "summary"


@pytest.mark.requirement("R34")
def test_the_blueprint_hook_is_written_as_files(run: Run, case: str, tmp_path: Path) -> None:
    made = run("incidents", "blueprint", case, "--out", str(tmp_path / "hook"), "--json", *ACTING)
    assert made.code == DONE
    names = {Path(name).name for name in json.loads(made.out)["files"]}
    stem = f"LEERP-{case}-EWN-2-blueprint"
    assert {f"{stem}.json", f"{stem}.txt", f"{stem}-en.pdf"} <= names
    hook = json.loads((tmp_path / "hook" / f"{stem}.json").read_text())
    assert hook["outlook"] == "stable"
    assert any(tag.startswith("nis2:nature-root-cause") for tag in hook["tags"])


def test_what_cannot_be_is_refused_with_the_way_out(run: Run, case: str, tmp_path: Path) -> None:
    for arguments, code, said in (
        (("ewn", case), REFUSED, "--as"),
        (("ewn", "inc-none", *ACTING), REFUSED, "has no ewn yet"),
        (("ewn", case, "--version", "9", *ACTING), REFUSED, "version 9"),
        (("ewn", case, "--language", "xx", *ACTING), REFUSED, "en, de, fr"),
        (("ewn", case, "-o", str(tmp_path / "x.doc"), *ACTING), REFUSED, "--format"),
        (("ewn", case, "--variant", "whole", *ACTING), USAGE, ""),
    ):
        answer = run("incidents", *arguments)
        assert answer.code == code
        assert said in answer.err
