"""Grading a whole source: counted first, what stands is left alone, one word for each incident."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import func, select, update

from activities.assessments import AssessmentActivities, AssessmentOrder
from infra import audit
from infra.database import Database
from infra.tables import incident, relay
from notifications.directory_import import import_directory
from protocol.errors import NotFound, Refused
from protocol.grades import Grade, InformationAccuracy, SourceReliability
from protocol.parties import DetectedBy, SourceGroup
from protocol.report import Evaluation
from protocol.stages import Recommendation
from tests.e2e.support import numbered_report
from tests.intake.corroborating import digits, finish, history, said, settle, withdrawal
from tests.intake.officers import incidents, report_ids
from tests.intake.samples import major, profile
from tests.workflows import cast
from workflows.bulk_grading import BulkGrading, Change, Plan, Selection

pytestmark = pytest.mark.requirement("R11", "R12")

CERT = Selection(source="cert-ee")
PROVIDED = Evaluation(scheme="europol4x4", original="A2", grade=Grade.parse("A2"))


@pytest.fixture
def staffed(database: Database) -> Database:
    import_directory(database, cast.directory(), by="test")
    return database


def change(text: str) -> Change:
    """``B2``, or ``B*`` for the letter alone."""
    digit = None if text[1] == "*" else InformationAccuracy(text[1])
    return Change(letter=SourceReliability(text[0]), digit=digit)


def desk(database: Database, *, chunk: int = 2, officer: str = cast.DUTY) -> BulkGrading:
    return BulkGrading(database, officer=officer, channel="test", chunk=chunk)


def carry_out(database: Database, text: str, which: Selection = CERT, chunk: int = 2) -> Plan:
    return desk(database, chunk=chunk).carry_out(which, change(text), reason="known well by now")


def of_cert(database: Database, *bodies: Any, **changes: Any) -> None:
    settle(database, *bodies, principals=["cert-ee"] * len(bodies), **changes)


def words(database: Database) -> dict[str, int]:
    """How often each incident waits to be told of a change."""
    with database.read() as connection:
        rows = connection.execute(
            select(relay.c.target, func.count().label("times")).group_by(relay.c.target)
        )
        return {row.target: row.times for row in rows}


def graded(database: Database) -> list[dict[str, Any]]:
    with database.read() as connection:
        assert audit.verify(connection).verified
        return [row for row in audit.export(connection) if row["event"] == "reports_graded"]


def test_every_report_of_the_source_gets_the_grade_and_nobody_elses(staffed: Database) -> None:
    of_cert(staffed, *(said(name) for name in "abcde"))
    settle(staffed, said("z"), said("y"), principals=("cert-fi", "anonymous"))
    done = carry_out(staffed, "B2")

    assert digits(staffed) == dict.fromkeys("abcde", "B2") | {"z": "X4", "y": "X4"}
    assert set(done.reports) == {report_ids(staffed)[name] for name in "abcde"}
    assert (done.before, len(done.by_incident)) == ({"X4": 5}, 5)
    assert [history(staffed, "a")[-1][:2], len(history(staffed, "z"))] == [("centre", "B2"), 1]


def test_the_plan_counts_and_changes_nothing(staffed: Database) -> None:
    of_cert(staffed, said("a"), said("b", first_hand=True), said("c", evaluation=PROVIDED))
    plan = desk(staffed).plan(CERT, change("X2"))

    assert (len(plan.reports), plan.unchanged, plan.provider_graded, plan.closed) == (1, 1, 1, 0)
    assert plan.before == {"X4": 1}
    assert digits(staffed) == {"a": "X4", "b": "X2", "c": "A2"}
    assert graded(staffed) == []


def test_what_the_provider_graded_and_what_is_closed_stands(staffed: Database) -> None:
    of_cert(staffed, said("a"), said("b", evaluation=PROVIDED), said("c"))
    own = said("o", evaluation=PROVIDED, detected_by=DetectedBy.PRIMARY)
    of_cert(staffed, own, group=SourceGroup.OSINT)
    with staffed.write() as connection:
        connection.execute(
            update(incident).where(incident.c.id == incidents(staffed)["c"]).values(status="ended")
        )
    done = carry_out(staffed, "C4")

    assert digits(staffed) == {"a": "C4", "b": "A2", "c": "X4", "o": "C4"}
    assert (done.provider_graded, done.closed, done.unchanged) == (1, 1, 0)


def test_the_letter_alone_leaves_each_digit_and_corroboration_goes_on(staffed: Database) -> None:
    of_cert(staffed, said("a", "hash-1"), said("b", "ip-2", first_hand=True), said("c", "hash-3"))
    settle(staffed, said("other", "hash-1"))
    finish(staffed)
    assert digits(staffed) == {"a": "X3", "b": "X2", "c": "X4", "other": "X3"}
    carry_out(staffed, "B*")

    assert digits(staffed) == {"a": "B3", "b": "B2", "c": "B4", "other": "X3"}
    assert history(staffed, "a")[-1] == ("letter", "B3", ["other"])
    settle(staffed, withdrawal("other", by="Reporter other"), said("new", "hash-3"))
    finish(staffed)
    kept = digits(staffed)
    assert (kept["a"], kept["c"]) == ("B4", "B3")


def test_the_letter_alone_frees_no_digit_that_a_person_gave(staffed: Database) -> None:
    of_cert(staffed, said("a", "hash-1"))
    carry_out(staffed, "C4")
    carry_out(staffed, "B*")
    settle(staffed, said("other", "hash-1"))
    finish(staffed)

    assert digits(staffed)["a"] == "B4"


def test_each_incident_is_assessed_again_once_and_not_for_each_report(staffed: Database) -> None:
    of_cert(staffed, major("a", "hash-1"), *(said(f"a{n}", "hash-1") for n in range(9)))
    of_cert(staffed, major("b", "hash-2"), said("b1", "hash-2"), said("loose"))
    told = words(staffed)
    carry_out(staffed, "B2", chunk=500)
    now = words(staffed)
    one, other, loose = (incidents(staffed)[name] for name in ("a", "b", "loose"))

    assert {name: now[name] - told[name] for name in (one, other)} == {one: 1, other: 1}
    assert loose not in now
    assert [len(row["detail"]["reports"]) for row in graded(staffed)] == [13]


def test_parts_are_whole_and_the_act_may_be_given_again(staffed: Database) -> None:
    of_cert(staffed, *(said(name) for name in "abcde"))
    carry_out(staffed, "B2", chunk=2)
    assert [len(row["detail"]["reports"]) for row in graded(staffed)] == [2, 2, 1]
    again = carry_out(staffed, "B2")

    assert (again.reports, again.unchanged) == ((), 5)
    assert len(graded(staffed)) == 3
    assert len(history(staffed, "a")) == 2


def test_a_name_is_taken_within_an_incident_only(staffed: Database) -> None:
    settle(staffed, said("a", "hash-1", by="CERT"), said("b", "hash-1"), said("c", by="CERT"))
    inside = Selection(reporter="CERT", incident_id=incidents(staffed)["a"])
    carry_out(staffed, "B2", inside)
    assert digits(staffed) == {"a": "B2", "b": "X4", "c": "X4"}
    for nobody in (
        Selection(reporter="CERT"),
        Selection(source="anonymous"),
        Selection(),
        Selection(source="cert-ee", reporter="CERT", incident_id=incidents(staffed)["a"]),
    ):
        with pytest.raises(Refused) as caught:
            carry_out(staffed, "B2", nobody)
        assert caught.value.reason == "no-source"


def test_digit_3_is_not_given_wholesale(staffed: Database) -> None:
    of_cert(staffed, said("a"))
    with pytest.raises(Refused) as caught:
        carry_out(staffed, "B3")
    assert caught.value.reason == "needs-corroboration"


def test_a_source_without_reports_is_said(staffed: Database) -> None:
    settle(staffed, said("a"))
    with pytest.raises(NotFound, match="no report of cert-ee"):
        carry_out(staffed, "B2")
    with pytest.raises(NotFound, match="no incident"):
        carry_out(staffed, "B2", Selection(source="cert-ee", incident_id="inc-0"))


def test_only_who_works_on_incidents_grades_a_source_and_says_why(staffed: Database) -> None:
    of_cert(staffed, said("a"))
    with pytest.raises(Refused, match="needs one of the roles"):
        desk(staffed, officer=cast.JUDGE).carry_out(CERT, change("B2"), reason="good")
    with pytest.raises(Refused, match="reason"):
        desk(staffed).carry_out(CERT, change("B2"), reason=" ")
    assert digits(staffed) == {"a": "X4"}


@pytest.mark.requirement("R13")
def test_the_assessment_after_it_rests_on_the_new_grades(staffed: Database) -> None:
    of_cert(staffed, numbered_report_ungraded(1))
    (own,) = set(incidents(staffed).values())
    assess = AssessmentActivities(staffed).assess_incident
    order = AssessmentOrder(incident_id=own, profile=profile())
    before = assess(order)
    carry_out(staffed, "B2")
    after = assess(order)

    assert before.recommendation is Recommendation.HOLD_CORROBORATE
    assert after.recommendation is Recommendation.LAUNCH
    assert after.version == before.version + 1


def numbered_report_ungraded(number: int) -> bytes:
    document = json.loads(numbered_report("bulk", number))
    del document["evaluation"]
    return json.dumps(document | {"first_hand": False}).encode()
