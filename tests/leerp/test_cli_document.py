"""``leerp incidents assess`` and ``document``: completing the threat assessment, and writing it out."""

from __future__ import annotations

import io
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

from activities.assessments import AssessmentActivities, AssessmentOrder
from infra.database import Database
from infra.settings import Settings
from leerp.demo.officers import DUTY_OFFICER
from tests.e2e.support import SECRET_TITLE, numbered_report
from tests.leerp.typed import DONE, DOWN, REFUSED, USAGE, Run, audited, store

ACTING = ("--as", DUTY_OFFICER)
TEXT = "Hospitals in five states turn patients away."


@pytest.fixture
def case(home: Path) -> str:
    """An incident of two reports that was assessed."""
    found = store(home, numbered_report("cli", 0), numbered_report("cli", 1))
    settings = Settings.load(home)
    database = Database(settings.database_url)
    AssessmentActivities(database).assess_incident(
        AssessmentOrder(incident_id=found, profile=settings.profile())
    )
    database.close()
    return found


@pytest.fixture
def completed(run: Run, case: str) -> str:
    assert run("incidents", "assess", case, "--text", TEXT, *ACTING).code == DONE
    return case


@pytest.mark.requirement("R17")
def test_the_text_comes_from_an_option_a_file_or_standard_input(
    run: Run, case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "situation.txt"
    file.write_text(f"{TEXT}\nSecond paragraph.\n", encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"From a pipe.")))
    for option, value, kept in (
        ("--text", TEXT, TEXT),
        ("--text-file", str(file), f"{TEXT}\nSecond paragraph."),
        ("--text-file", "-", "From a pipe."),
    ):
        answer = run("incidents", "assess", case, option, value, *ACTING, "--json")
        assert json.loads(answer.out)["situation"] == kept


@pytest.mark.requirement("R17")
def test_without_a_text_or_with_two_it_is_refused(run: Run, case: str, tmp_path: Path) -> None:
    odd = tmp_path / "odd.txt"
    odd.write_bytes(b"\xff\xfe")
    for options, said in (
        ((), "R17"),
        (("--text", "a", "--text-file", str(odd)), "not both"),
        (("--text-file", str(odd)), "no UTF-8"),
        (("--text-file", str(tmp_path / "none")), "No such file"),
    ):
        answer = run("incidents", "assess", case, *options, *ACTING)
        assert answer.code == REFUSED
        assert said in " ".join(answer.err.split())


def test_the_officer_is_told_how_to_read_it_and_what_comes_next(run: Run, case: str) -> None:
    answer = run("incidents", "assess", case, "--text", TEXT, *ACTING)
    said = " ".join(answer.out.split())
    assert "threat assessment version 1: C4 (I4P4), recommendation launch" in said
    assert f"leerp incidents document {case} -o FILE.pdf" in said
    assert f"leerp incidents launch {case}" in said


@pytest.mark.requirement("R1", "R16")
def test_it_is_written_as_pdf_page_and_data_for_its_officer_alone(
    run: Run, home: Path, completed: str, tmp_path: Path
) -> None:
    for name, begin in (("a.pdf", b"%PDF-"), ("a.html", b"<!DOCTYPE html>"), ("a.json", b"{")):
        file = tmp_path / name
        answer = run("incidents", "document", completed, "-o", str(file), *ACTING)
        assert answer.code == DONE
        assert "TLP:AMBER" in answer.out
        assert file.read_bytes().startswith(begin)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert TEXT in " ".join(PdfReader(tmp_path / "a.pdf").pages[0].extract_text().split())
    assert SECRET_TITLE in (tmp_path / "a.html").read_text(encoding="utf-8")
    forms = [row["detail"]["form"] for row in audited(home, "threat_assessment_exported")]
    assert forms == ["pdf", "html", "json"]


def test_the_answer_in_json_says_what_was_written(run: Run, completed: str, tmp_path: Path) -> None:
    file = tmp_path / "of any name"
    answer = run(
        "incidents", "document", completed, "-o", str(file), "--format", "json", *ACTING, "--json"
    )
    said, written = json.loads(answer.out), json.loads(file.read_bytes())
    assert said["digest"] == written["digest"]
    assert (said["version"], said["format"], said["file"]) == (1, "json", str(file))
    assert said["marking"] == written["marking_lines"]


def test_what_cannot_be_written_is_refused_with_what_to_do(
    run: Run, case: str, tmp_path: Path
) -> None:
    document = ("incidents", "document", case)
    none_yet = run(*document, "-o", str(tmp_path / "a.pdf"), *ACTING)
    assert (none_yet.code, "leerp incidents assess" in none_yet.err) == (REFUSED, True)
    assert not (tmp_path / "a.pdf").exists()
    assert run("incidents", "assess", case, "--text", TEXT, *ACTING).code == DONE
    for options, said in (
        (("-o", str(tmp_path / "a.doc"), *ACTING), "--format pdf | html | json"),
        (("-o", str(tmp_path / "a.json")), "--as OFFICER"),
        (("-o", str(tmp_path / "a.json"), "--version", "7", *ACTING), "newest is 1"),
        (("-o", str(tmp_path / "no" / "a.json"), *ACTING), "choose another file"),
    ):
        answer = run(*document, *options)
        assert answer.code == REFUSED
        assert said in " ".join(answer.err.split())
    assert run(*document, *ACTING).code == USAGE


WITHOUT_PANGO = """
import sys, cffi
def missing(*_): raise OSError("cannot load library 'libpango-1.0-0'")
cffi.FFI.dlopen = missing
from leerp.cli import main
main()
"""


def test_without_pango_one_is_told_what_to_install_and_nothing_counts_as_exported(
    home: Path, completed: str, tmp_path: Path
) -> None:
    file = tmp_path / "a.pdf"
    asked = ("incidents", "document", completed, "-o", str(file), "--home", str(home), *ACTING)
    answer = subprocess.run(
        [sys.executable, "-c", WITHOUT_PANGO, *asked], capture_output=True, text=True, check=False
    )
    assert answer.returncode == DOWN
    assert "leerp doctor" in " ".join(answer.stderr.split())
    assert "Traceback" not in answer.stderr
    assert not file.exists()
    assert audited(home, "threat_assessment_exported") == []
