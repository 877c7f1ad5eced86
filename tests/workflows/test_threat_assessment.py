"""Completing the Initial Threat Assessment of a case, and taking it out of the house."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from classification.initial import InitialThreatAssessment
from infra import audit, casefile
from infra.database import Database
from infra.tables import report
from notifications.authority import Attempt
from notifications.change_words import WAYS_READ
from notifications.directory_import import import_directory
from notifications.threat_assessment import ThreatDocument, as_json
from protocol.errors import NotFound, Refused
from protocol.grades import Grade
from protocol.markings import HandlingCode, Marking, Tlp
from tests.workflows import cast
from tests.workflows.case import (
    PROFILE,
    assessed_incident,
    change_original,
    decided,
    drafting_of,
)
from workflows.casework import Casework
from workflows.threat_assessment import EXPORT, KIND, export_threat_assessment

H2 = {"handling_codes": ["H2"]}


@pytest.fixture
def case(database: Database) -> str:
    import_directory(database, cast.directory(), by="test")
    return assessed_incident(database)


def desk_of(database: Database, officer: str = cast.DUTY) -> Casework:
    return Casework(database, PROFILE, officer=officer, channel="test")


def complete(database: Database, case: str) -> InitialThreatAssessment:
    made = desk_of(database).complete_assessment(case, situation="hospitals are hit")
    return InitialThreatAssessment.model_validate(made.document)


def export(
    database: Database, case: str, *, officer: str = cast.DUTY, version: int | None = None
) -> ThreatDocument:
    attempt = Attempt(officer=officer, command=EXPORT, subject=case, channel="test")
    made, content = export_threat_assessment(
        database, attempt, "json", lambda _: b"as it is written", version=version
    )
    assert content == b"as it is written"
    return made


def ids(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.scalars(select(report.c.id).order_by(report.c.id)))


def mark(database: Database, report_id: str, marking: dict[str, Any]) -> None:
    """Give one report another marking."""
    stated = Marking.model_validate(marking).model_dump(mode="json")
    change_original(database, report_id, marking=stated)


def rows(database: Database, event: str) -> Iterator[dict[str, Any]]:
    with database.read() as connection:
        assert audit.verify(connection).verified
        yield from [row for row in audit.export(connection) if row["event"] == event]


@pytest.mark.requirement("R11", "R12", "R16", "R17")
def test_it_says_which_reports_it_stands_on_under_which_grades(
    database: Database, case: str
) -> None:
    made = complete(database, case)
    assert made.completion.incident_id == case
    assert made.completion.exercise
    assert made.completion.assessment_version == 1
    assert (made.completion.officer_name, made.completion.organisation) == ("A", "EC3")
    assert [(str(c.grade), c.reports) for c in made.reports.grades] == [("B2", 3)]
    named = [line.named for line in made.reports.listed if line.named]
    assert [each.report_id for each in named] == ids(database)
    assert {each.source for each in named} == {"National unit (simulated)"}
    assert {(e.evaluated_by, e.evaluation) for e in named} == {("provider", "europol4x4 B2")}


@pytest.mark.requirement("R13", "R15")
def test_it_says_what_would_change_the_result_and_no_more_of_it_than_is_read(
    database: Database, case: str
) -> None:
    made = complete(database, case)
    goals = made.what_would_change.goals
    assert any(goal.total > len(goal.ways) for goal in goals)
    assert max(len(goal.ways) for goal in goals) == WAYS_READ
    named = {change.report for goal in goals for way in goal.ways for change in way.changes}
    listed = {line.named.report_id for line in made.reports.listed if line.named}
    assert named - {None} <= listed
    assert named & listed


@pytest.mark.requirement("R11")
def test_what_is_known_by_now_is_assessed_with_the_reports_that_say_so(
    database: Database, case: str
) -> None:
    first = complete(database, case)
    with database.write() as connection:
        connection.execute(update(report).values(source_grade="X", information_grade="4"))
    second = complete(database, case)
    assert (first.assessment.recommendation, first.assessment.unjudged) == ("launch", 0)
    assert (second.assessment.recommendation, second.assessment.unjudged) == ("hold-corroborate", 3)
    assert [(str(c.grade), c.reports) for c in second.reports.grades] == [("X4", 3)]


@pytest.mark.requirement("R32")
def test_a_source_that_may_not_be_named_leaves_no_trace_but_its_grade(
    database: Database, case: str
) -> None:
    hidden, *others = ids(database)
    mark(database, hidden, H2)
    made = complete(database, case)
    text = made.model_dump_json()
    assert hidden not in text
    assert all(other in text for other in others)
    (line,) = [each for each in made.reports.listed if each.suppressed]
    assert (str(line.grade), line.suppressed) == ("B2", "handling code H2")
    assert made.marking.handling_codes == {HandlingCode.H2}


@pytest.mark.requirement("R31", "R32")
@pytest.mark.parametrize(
    ("marking", "why"),
    [
        ({"handling_codes": ["H3"], "handling_text": "for J-CAT"}, "handling code H3"),
        ({"tlp": "RED"}, "TLP:RED"),
        ({"pap": "RED"}, "PAP:RED"),
        ({"classification": 2}, "classified RESTRICTED or above"),
        ({"handling_codes": ["H1"]}, ""),
        ({"tlp": "AMBER+STRICT"}, ""),
    ],
)
def test_the_marking_says_whether_a_source_is_named(
    database: Database, case: str, marking: dict[str, Any], why: str
) -> None:
    first = ids(database)[0]
    mark(database, first, marking)
    made = complete(database, case)
    assert [line.suppressed for line in made.reports.listed if line.suppressed] == [why] * bool(why)
    assert (first in made.model_dump_json()) is not bool(why)


@pytest.mark.requirement("R32")
def test_an_approved_downgrade_counts(database: Database, case: str) -> None:
    first = ids(database)[0]
    mark(database, first, {"tlp": "RED"})
    draft = drafting_of(database).downgrade(case, first, {"tlp": "AMBER"}, consent="mail 12")
    assert complete(database, case).marking.tlp is Tlp.RED
    decided(database, draft, "downgrade-approved")
    made = complete(database, case)
    assert made.marking.tlp is Tlp.AMBER
    assert made.reports.suppressed == 0


@pytest.mark.requirement("R11")
def test_a_grade_that_the_officer_gives_shows_where_it_comes_from(
    database: Database, case: str
) -> None:
    first = ids(database)[0]
    with database.write() as connection:
        connection.execute(update(report).where(report.c.id == first).values(provider_graded=False))
    desk_of(database).grade(case, first, Grade.parse("A1"), reason="seen by ourselves")
    line = complete(database, case).reports.listed[0]
    assert line.named is not None
    assert (str(line.grade), line.named.evaluated_by) == ("A1", "centre")


@pytest.mark.requirement("R12")
def test_a_proposal_is_no_evaluation_in_force(database: Database, case: str) -> None:
    first = ids(database)[0]
    with pytest.raises(Refused):
        desk_of(database).grade(case, first, Grade.parse("A1"), reason="seen by ourselves")
    assert all(
        line.named and line.named.evaluated_by == "provider"
        for line in complete(database, case).reports.listed
    )
    for report_id in ids(database):
        change_original(database, report_id, of_grade={"scheme": ""})
    with pytest.raises(Refused, match=r"R12.*of 3 report\(s\)") as refused:
        complete(database, case)
    assert refused.value.reason == "no-system"


@pytest.mark.requirement("R13")
def test_an_assessment_under_another_profile_is_refused(database: Database, case: str) -> None:
    other = PROFILE.model_copy(update={"version": PROFILE.version + 1})
    desk = Casework(database, other, officer=cast.DUTY, channel="test")
    with pytest.raises(Refused, match="assess it again") as refused:
        desk.complete_assessment(case, situation="hospitals are hit")
    assert refused.value.reason == "other-profile"


@pytest.mark.requirement("R11")
def test_with_all_reports_withdrawn_it_is_refused(database: Database, case: str) -> None:
    with database.write() as connection:
        for found in connection.execute(select(report.c.id, report.c.evidence)).all():
            connection.execute(
                update(report)
                .where(report.c.id == found.id)
                .values(evidence={**found.evidence, "retracted": True})
            )
    with pytest.raises(Refused, match="R11") as refused:
        complete(database, case)
    assert refused.value.reason == "no-evidence"


@pytest.mark.requirement("R17")
@pytest.mark.parametrize(("text", "reason"), [(" ", "no-situation"), ("x" * 10_001, "bad-input")])
def test_a_text_that_is_missing_or_too_long_is_refused_and_nothing_is_kept(
    database: Database, case: str, text: str, reason: str
) -> None:
    with pytest.raises(Refused, match="situation") as refused:
        desk_of(database).complete_assessment(case, situation=text)
    assert refused.value.reason == reason
    with database.read() as connection:
        assert casefile.find_artefact(connection, case, KIND) is None
    assert [row["detail"]["reason"] for row in rows(database, "command_refused")] == [reason]


@pytest.mark.requirement("R1")
def test_completing_and_exporting_are_in_the_audit_trail(database: Database, case: str) -> None:
    mark(database, ids(database)[0], H2)
    complete(database, case)
    made = export(database, case, officer=cast.SECOND)
    (recorded,) = rows(database, "threat_assessment_recorded")
    (completed,) = rows(database, "threat_assessment_completed")
    (exported,) = rows(database, "threat_assessment_exported")
    assert recorded["detail"] == {"version": 1, "digest": made.digest}
    assert completed["actor"] == cast.DUTY
    assert completed["detail"] == {
        "version": 1,
        "threat_class": "C4",
        "recommendation": "launch",
        "reports": 3,
        "suppressed": 1,
    }
    assert (exported["actor"], exported["subject"]) == (cast.SECOND, case)
    assert exported["detail"] == {"version": 1, "digest": made.digest, "form": "json"}


@pytest.mark.requirement("R16")
def test_each_version_can_be_read_and_says_whether_it_is_the_newest(
    database: Database, case: str
) -> None:
    complete(database, case)
    desk_of(database, cast.ANALYST).complete_assessment(case, situation="more are hit")
    first, newest = export(database, case, version=1), export(database, case)
    assert (first.version, first.newest_version) == (1, 2)
    assert (newest.version, newest.newest_version) == (2, 2)
    assert newest.content.completion.officer == cast.ANALYST
    assert newest.content.situation == "more are hit"
    with pytest.raises(NotFound, match="newest is 2"):
        export(database, case, version=3)


@pytest.mark.requirement("R16")
def test_it_says_what_people_decided_on_this_very_text(database: Database, case: str) -> None:
    complete(database, case)
    with database.read() as connection:
        first = casefile.get_artefact(connection, case, KIND)
    assert export(database, case).steps == ()
    decided(database, first, "launch-proposed")
    decided(database, first, "no-launch-approved")
    (step,) = export(database, case).steps
    assert (step.state, step.officer, step.organisation) == ("proposed", cast.SECOND, "EC3")
    complete(database, case)
    assert export(database, case).steps == ()


@pytest.mark.requirement("R16")
def test_the_digest_is_that_of_the_text_that_people_agree_on(database: Database, case: str) -> None:
    made = desk_of(database).complete_assessment(case, situation="hospitals are hit")
    exported = json.loads(as_json(export(database, case)))
    assert exported["digest"] == made.digest == casefile.digest_of(exported["document"])


@pytest.mark.requirement("R1")
@pytest.mark.parametrize(
    ("officer", "reason"), [("nobody", "unknown-officer"), (cast.JUDGE, "wrong-role")]
)
def test_who_may_not_work_on_incidents_takes_nothing_out(
    database: Database, case: str, officer: str, reason: str
) -> None:
    complete(database, case)
    with pytest.raises(Refused) as refused:
        export(database, case, officer=officer)
    assert refused.value.reason == reason
    assert [row["detail"]["command"] for row in rows(database, "command_refused")] == [EXPORT]
    assert list(rows(database, "threat_assessment_exported")) == []


def test_what_is_not_there_yet_says_how_to_make_it(database: Database, case: str) -> None:
    with pytest.raises(NotFound, match="leerp incidents assess"):
        export(database, case)
    with pytest.raises(NotFound, match="leerp incidents list"):
        export(database, "inc-none")


def test_a_version_of_an_earlier_release_is_to_be_made_anew(database: Database, case: str) -> None:
    with database.write() as connection:
        casefile.add_artefact(
            connection, case, KIND, {"situation": "old"}, by=cast.DUTY, channel="test"
        )
    with pytest.raises(Refused, match="complete it anew") as refused:
        export(database, case)
    assert refused.value.reason == "old-form"


@pytest.mark.requirement("R16")
def test_an_ended_incidents_document_can_still_be_read(database: Database, case: str) -> None:
    complete(database, case)
    with database.write() as connection:
        casefile.end_incident(connection, case, datetime.now(UTC), {})
    assert export(database, case).version == 1


def test_a_title_with_nothing_to_see_at_its_begin_is_still_told(
    database: Database, case: str
) -> None:
    with database.write() as connection:
        connection.execute(update(report).values(title="\u200b" * 300 + "seen"))
    named = complete(database, case).reports.listed[0].named
    assert named is not None
    assert named.title == "seen"
