"""``leerp reports grade|history|proposals|answer`` as a person types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from leerp.demo.officers import DUTY_OFFICER
from protocol.report import Indicator, IndicatorType, Reporter
from tests.e2e.support import numbered_report
from tests.intake.samples import body_of, content
from tests.leerp.typed import DONE, REFUSED, USAGE, Run, store
from tests.leerp.typed import store_of_source as sourced

pytestmark = pytest.mark.requirement("R11", "R12")

WHO = ("--reason", "seen by us", "--as", DUTY_OFFICER)


def quiet(name: str, *shorts: str, **changes: Any) -> bytes:
    return body_of(content(name, *shorts, reporter=Reporter(name=f"CSIRT {name}"), **changes))


def ids(run: Run) -> dict[str, str]:
    """By title."""
    return {row["title"]: row["id"] for row in json.loads(run("reports", "list", "--json").out)}


def shown(run: Run, report: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("reports", "history", report, "--json").out)
    return found


def test_a_report_is_graded_by_its_id_alone(run: Run, home: Path) -> None:
    incident = store(home, quiet("a", "hash-1"))
    own = ids(run)["Report a"]
    done = run("reports", "grade", own, "--grade", "B2", *WHO)
    again = run("reports", "grade", own, "--grade", "A2", *WHO, "--json")

    assert (done.code, done.out.strip()) == (DONE, f"{own} is graded B2")
    assert json.loads(again.out) == {"report": own, "incident": incident, "grade": "A2"}
    assert [e["grade"] for e in shown(run, own)["history"]] == ["X4", "B2", "A2"]


def test_digit_3_is_given_with_the_ids_and_shown_with_them(run: Run, home: Path) -> None:
    store(home, quiet("a", "hash-1"), quiet("b", "hash-1"))
    found = ids(run)
    own, other = found["Report a"], found["Report b"]
    without = run("reports", "grade", own, "--grade", "B3", *WHO)
    given = run("reports", "grade", own, "--grade", "B3", "--by", other, *WHO)
    words = run("reports", "history", own).out

    assert without.code == REFUSED
    assert "--by" in without.err
    assert given.code == DONE
    assert f"borne out by {other}" in words
    assert "B3 (europol4x4) reads b1 (admiralty)" in words
    inside = shown(run, own)["incident"]
    same = ("incidents", "grade", inside, own, "--source", "A", "--info", "3", "--by", other)
    assert run(*same, *WHO).code == DONE
    assert shown(run, own)["grade"] == "A3"


def test_a_proposal_waits_is_answered_and_stays_in_the_history(run: Run, home: Path) -> None:
    store(home, numbered_report("cli", 1))
    (own,) = ids(run).values()
    assert "no proposal waits" in run("reports", "proposals").out
    proposed = run("reports", "grade", own, "--grade", "C4", *WHO)
    (waiting,) = json.loads(run("reports", "proposals", "--json").out)
    said = ("--person", "Ms Desk", "--way", "siena", "--at", "2000-01-01T10:00")
    early = run("reports", "answer", own, "agreed", *said, *WHO)
    agreed = run("reports", "answer", own, "agreed", *said[:4], *WHO)
    words = run("reports", "history", own).out

    assert proposed.code == REFUSED
    assert f"leerp reports answer {own}" in proposed.err.replace("\n", " ")
    assert (waiting["report"], waiting["in_force"], waiting["proposed"]) == (own, "B2", "C4")
    assert early.code == REFUSED
    assert agreed.out.strip() == f"{own} is graded C4, as its provider agreed"
    assert "agreed by Ms Desk over siena" in words
    assert "C4 (agreed, in force)" in words
    assert json.loads(run("reports", "proposals", "--json").out) == []


def test_a_providers_refusal_is_answered_in_json(run: Run, home: Path) -> None:
    store(home, numbered_report("cli", 1))
    (own,) = ids(run).values()
    run("reports", "grade", own, "--grade", "C4", *WHO)
    said = ("--person", "Ms Desk", "--way", "mail", "--json")
    refused = run("reports", "answer", own, "refused", *said, *WHO)

    assert json.loads(refused.out) == {"report": own, "answer": "refused", "grade": "C4"}
    assert shown(run, own)["grade"] == "B2"
    assert [e.get("state") for e in shown(run, own)["history"]] == [None, "refused"]


def test_a_source_is_counted_before_it_is_graded(run: Run, home: Path) -> None:
    sourced(home, "cert-ee", quiet("a"), quiet("b", first_hand=True))
    of_source = ("reports", "grade", "--source", "cert-ee", "--grade", "B2", *WHO)
    counted = run(*of_source, "--dry-run")
    unasked = run(*of_source)
    assert "X2 -> B2" in counted.out
    assert "nothing was changed" in counted.out
    assert unasked.code == REFUSED
    assert "Grade 2 reports of 2 incidents B2?" in unasked.err
    assert {row["grade"] for row in json.loads(run("reports", "list", "--json").out)} == {
        "X4",
        "X2",
    }

    done = json.loads(run(*of_source, "--yes", "--json").out)
    again = run(*of_source, "--yes")
    assert done["done"] is True
    assert sorted(done["reports"]) == sorted(ids(run).values())
    assert "2" in again.out
    assert "have that grade already" in again.out


def test_the_letter_of_a_source_is_changed_alone(run: Run, home: Path) -> None:
    sourced(home, "cert-ee", quiet("a"), quiet("b", first_hand=True))
    letter = ("reports", "grade", "--source", "cert-ee", "--letter", "B", "--yes", *WHO)
    assert "graded 2 reports B*" in run(*letter).out
    rows = json.loads(run("reports", "list", "--json").out)
    assert {row["title"]: row["grade"] for row in rows} == {"Report a": "B4", "Report b": "B2"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--grade", "B2"),
        ("3-none", "--source", "cert-ee", "--grade", "B2"),
        ("3-none", "--grade", "B9"),
        ("--source", "cert-ee"),
        ("--source", "cert-ee", "--grade", "B2", "--letter", "B"),
        ("--source", "cert-ee", "--grade", "B2", "--by", "3-none"),
        ("--reporter", "CSIRT", "--grade", "B2"),
    ],
)
def test_what_makes_no_sense_is_refused(run: Run, arguments: tuple[str, ...]) -> None:
    answer = run("reports", "grade", *arguments, *WHO)
    assert answer.code == REFUSED
    assert answer.err.startswith("refused:")


def test_a_time_or_an_answer_that_is_none_is_refused(run: Run, home: Path) -> None:
    store(home, numbered_report("cli", 1))
    (own,) = ids(run).values()
    said = ("--person", "Ms Desk", "--way", "mail")
    assert run("reports", "answer", own, "perhaps", *said, *WHO).code == USAGE
    late = run("reports", "answer", own, "agreed", *said, "--at", "noon", *WHO)
    assert (late.code, "2026-11-21T14:30" in late.err) == (REFUSED, True)
    assert run("reports", "history", "3-none").code == REFUSED


def test_a_grade_that_rests_on_a_withdrawn_report_says_so(run: Run, home: Path) -> None:
    taken_back = content(
        "not b",
        "hash-1",
        reporter=Reporter(name="CSIRT b"),
        relations=({"kind": "withdraws", "id": "b"},),
    )
    store(home, quiet("a", "hash-1"), quiet("b", "hash-1"))
    found = ids(run)
    own, other = found["Report a"], found["Report b"]
    run("reports", "grade", own, "--grade", "B3", "--by", other, *WHO)
    assert shown(run, own)["history"][-1]["fallen"] == []
    store(home, body_of(taken_back), first=2)

    assert shown(run, own)["history"][-1]["fallen"] == [other]
    assert "look at this grade again" in run("reports", "history", own).out


def test_a_machines_confidence_is_shown_and_is_no_grade(run: Run, home: Path) -> None:
    seen = Indicator(type=IndicatorType.IP, value="198.51.100.7", confidence_raw="70")
    store(home, quiet("a", indicators=(seen,)))
    own = ids(run)["Report a"]

    (confidence,) = shown(run, own)["confidence"]
    assert (confidence["stix"], confidence["credibility"], confidence["level"]) == (70, "2", "high")
    assert shown(run, own)["grade"] == "X4"
    assert "not a grade" in run("reports", "history", own).out
