"""`leerp rehearse`: the shipped scenarios hour by hour, and what is wrong with a bad one by its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from leerp.scenario_files import read_scenario, shipped
from tests.leerp.typed import DONE, REFUSED, Run


def rehearsed(run: Run, name: str) -> list[dict[str, Any]]:
    answer = run("rehearse", name, "--json")
    assert answer.code == DONE
    hours: list[dict[str, Any]] = json.loads(answer.out)["hours"]
    return hours


def turns(hours: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Time, report and recommendation of each turn of the recommendation."""
    return [
        (turn["at"][11:16], turn["by"], turn["recommendation"][1])
        for hour in hours
        for turn in hour["turns"]
        if turn["recommendation"][0] != turn["recommendation"][1]
    ]


@pytest.mark.requirement("R11", "R13", "R15", "R16")
def test_wannacry_is_held_and_then_launched_by_the_report_of_the_health_service(run: Run) -> None:
    hours = rehearsed(run, "wannacry")
    assert turns(hours) == [
        ("11:00", "ccn-cert", "monitor"),
        ("12:15", "press-portugal", "hold-corroborate"),
        ("15:00", "nhs-england", "launch"),
    ]
    by_hour = {hour["begins"][11:16]: hour for hour in hours}
    assert len(hours) == 14
    assert by_hour["14:00"]["recommendation"] == "hold-corroborate"
    assert by_hour["15:00"]["recommendation"] == "launch"
    assert (by_hour["15:00"]["class"], by_hour["15:00"]["triggers"]) == ("C4", ["T1", "T2", "T5"])
    assert {hour["recommendation"] for hour in hours[8:]} == {"launch"}


@pytest.mark.requirement("R8", "R10")
def test_a_fibre_cut_goes_from_monitor_to_out_of_scope(run: Run) -> None:
    hours = rehearsed(run, "fibre-cut")
    assert turns(hours) == [
        ("08:05", "csirt", "monitor"),
        ("12:20", "officers' findings", "out-of-scope"),
    ]


@pytest.mark.requirement("R15", "R18")
def test_a_phishing_wave_never_launches_and_is_never_held(run: Run) -> None:
    hours = rehearsed(run, "phishing-wave")
    assert {hour["recommendation"] for hour in hours} == {"normal-procedure"}
    assert hours[-1]["class"] == "C1"
    assert hours[-1]["reach"] == "P4"


def test_every_shipped_scenario_names_its_sources_and_marks_what_is_approximate(run: Run) -> None:
    assert set(shipped()) == {"fibre-cut", "phishing-wave", "wannacry"}
    assert set(json.loads(run("rehearse", "--json").out)[0]) == {"name", "title"}
    told = read_scenario("wannacry")
    assert len(told.sources) > 3
    exact = {each.at.strftime("%H:%M") for each in told.arrivals if not each.approximate}
    assert exact == {"09:25", "15:00"}


def test_a_person_sees_the_hours_the_turning_report_and_the_sources(run: Run) -> None:
    answer = run("rehearse", "wannacry")
    assert "15:00-16:00" in answer.out
    assert "15:00 UTC hold-corroborate -> launch: NHS England declares" in answer.out
    assert "about 12:15 UTC monitor -> hold-corroborate" in answer.out
    assert "source: National Audit Office" in answer.out


GOOD = """
title: t
sources: [invented]
begins: 2026-03-02T08:00:00Z
arrivals:
  - at: 2026-03-02T08:05:00Z
    note: n
    report: {report: a, origin: o}
"""


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (GOOD.replace("origin: o", "origin: o, grade: Q9"), "line 8, arrivals.0.report.grade"),
        (GOOD.replace("sources: [invented]\n", ""), "sources: Field required"),
        (GOOD.replace("T08:05:00Z", "T08:05:00"), "line 6, arrivals.0.at"),
        (GOOD.replace("note: n", "note: n\n    withdraw: a"), "exactly one of"),
        (GOOD.replace("arrivals:", "arrivals: ["), "line"),
        (GOOD.replace("T08:05", "T07:05"), "before the scenario begins"),
        ("[]", "input"),
        ("", "input"),
    ],
)
def test_a_wrong_scenario_is_refused_by_line_and_field(
    run: Run, tmp_path: Path, wrong: str, named: str
) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(wrong)
    answer = run("rehearse", str(file))
    assert answer.code == REFUSED
    assert named in " ".join(answer.err.split())


def test_a_scenario_that_is_not_there_says_where_the_shipped_ones_are_listed(run: Run) -> None:
    answer = run("rehearse", "stuxnet")
    assert answer.code == REFUSED
    assert "leerp rehearse" in answer.err


def test_a_file_of_ones_own_is_rehearsed(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(GOOD)
    assert [hour["class"] for hour in rehearsed(run, str(file))] == ["C0"]
