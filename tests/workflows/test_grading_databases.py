"""Grades, proposals and outcomes on SQLite and on a real PostgreSQL alike."""

from __future__ import annotations

import pytest

from infra.database import Database
from intake.grade_log import grade_log
from intake.source_outcomes import Outcome, Outcomes, outcomes, record_outcome
from notifications.directory_import import import_directory
from protocol.grades import Grade, InformationAccuracy, SourceReliability
from protocol.report import Evaluation
from tests.intake.corroborating import digits, said, settle
from tests.intake.officers import report_ids
from tests.intake.samples import profile
from tests.workflows import cast
from workflows.bulk_grading import BulkGrading, Change, Selection
from workflows.grading import Grading
from workflows.proposals import Answer, State, Way, proposals_of, waiting_proposals


@pytest.fixture
def home(any_database: Database) -> Database:
    """A database of each kind, with officers."""
    import_directory(any_database, cast.directory(), by="test")
    return any_database


@pytest.mark.requirement("R11", "R12")
def test_a_source_is_graded_and_the_providers_word_is_asked_for(home: Database) -> None:
    own = Evaluation(scheme="europol4x4", original="A2", grade=Grade.parse("A2"))
    settle(
        home,
        said("a"),
        said("b", evaluation=own),
        said("c", "hash-1"),
        principals=["cert-ee"] * 3,
    )
    change = Change(letter=SourceReliability.B, digit=InformationAccuracy.FIRST_HAND)
    bulk = BulkGrading(home, officer=cast.DUTY, channel="test")
    done = bulk.carry_out(Selection(source="cert-ee"), change, reason="known")
    ids = report_ids(home)
    one = Grading(home, profile().correlation, officer=cast.DUTY, channel="test")
    one.grade(ids["b"], Grade.parse("C4"), reason="contradicted")
    with home.read() as connection:
        (waiting,) = waiting_proposals(connection)
    one.answer(ids["b"], Answer.AGREED, person="Ms Desk", way=Way.MAIL, reason="so be it")
    record_outcome(home, ids["b"], Outcome.REFUTED, reason="a sinkhole", by=cast.ANALYST)
    record_outcome(home, ids["c"], Outcome.CONFIRMED, reason="seen", by=cast.ANALYST)

    assert (len(done.reports), done.provider_graded) == (2, 1)
    assert (waiting["in_force"], waiting["proposed"]) == ("A2", "C4")
    assert digits(home) == {"a": "B2", "b": "C4", "c": "B2"}
    with home.read() as connection:
        assert [each["state"] for each in proposals_of(connection, ids["b"])] == [State.AGREED]
        assert len(grade_log(connection, ids["b"])["history"]) == 3
        assert outcomes(connection) == {"cert-ee": Outcomes(confirmed=1, refuted=1, reports=2)}
