"""``leerp incidents facts``: intervals, conflicts, grades and officers' words, as typed and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from leerp.demo.officers import DUTY_OFFICER
from protocol.report import Affected, Cause, CauseClaim, Impact, Reporter
from tests.intake.samples import body_of, content
from tests.leerp.typed import REFUSED, Run, store

pytestmark = pytest.mark.requirement("R7", "R13")


def told(name: str, low: int, high: int | None, cause: Cause) -> bytes:
    counted = Affected(kind="person", value="customers", count_min=low, count_max=high)
    return body_of(
        content(
            name,
            "hash-1",
            reporter=Reporter(name=f"CSIRT {name}"),
            affected=(counted, Affected(kind="country", value="EE")),
            impact=Impact(criteria=("critical-destruction",), services=("Blood bank",)),
            cause=CauseClaim(value=cause, clear=True),
        )
    )


@pytest.fixture
def incident(home: Path) -> str:
    return store(
        home,
        told("a", 120, None, Cause.MALICIOUS),
        told("b", 10, 5_000, Cause.NATURAL),
    )


def test_facts_are_shown_with_interval_reports_grades_and_conflict(run: Run, incident: str) -> None:
    found = json.loads(run("incidents", "facts", incident, "--json").out)
    victims = next(n for n in found["numbers"] if n["scope"] == "EE")
    causes = {f["value"]: f for f in found["facts"] if f["subject"] == "cause"}

    assert (found["incident"], found["reports"], found["presumed"]) == (incident, 2, False)
    assert (victims["low"], victims["high"]) == (120, 5_000)
    assert causes["natural"]["in_conflict"] is True
    assert [v["grade"] for v in causes["natural"]["contradiction"]["best"]] == ["X4"]

    words = run("incidents", "facts", incident).out
    assert "between 120 and 5,000" in words
    assert "CONFLICT" in words
    assert "blood bank" in words
    assert "(X4)" in words


def test_an_officers_fact_is_stated_with_its_reason_and_shown(
    run: Run, incident: str, tmp_path: Path
) -> None:
    file = tmp_path / "fact.toml"
    file.write_text(
        '[[facts]]\nsubject = "victims"\nat_least = 300\ntext = "the operator rang"\n'
        '[[facts]]\nsubject = "country"\nvalue = "LV"\ntext = "seen in a log"\n',
        encoding="utf-8",
    )
    given = run("incidents", "state", incident, "--file", str(file), "--as", DUTY_OFFICER)
    words = run("incidents", "facts", incident).out

    assert given.out.strip() == "findings version 1"
    assert f"{DUTY_OFFICER} states victims over all at least 300: the operator rang" in words
    assert f"{DUTY_OFFICER} states country LV: seen in a log" in words
    file.write_text('[[facts]]\nsubject = "country"\ntext = "x"\n', encoding="utf-8")
    wrong = run("incidents", "state", incident, "--file", str(file), "--as", DUTY_OFFICER)
    assert wrong.code == REFUSED
    assert "needs a value" in wrong.err


def test_an_incident_without_stated_facts_and_one_that_is_not_there(run: Run, home: Path) -> None:
    own = store(home, body_of(content("quiet", "hash-1")))
    words = run("incidents", "facts", own).out
    assert "no report states an effect yet" in words
    assert "a crime is presumed (R8)" in words
    none = run("incidents", "facts", "inc-000000000000")
    assert none.code == REFUSED
    assert "no incident inc-000000000000" in none.err
