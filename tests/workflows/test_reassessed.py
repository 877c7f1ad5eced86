"""Versions of the assessment in the case file: what each saw, and what changed between two of them.

On SQLite and on a real PostgreSQL alike.
"""

from __future__ import annotations

import pytest

from infra.database import Database
from protocol.errors import NotFound
from tests.workflows import cast
from tests.workflows.case import PROFILE
from tests.workflows.reassessing import Case
from workflows import overview, reassessed
from workflows.casework import Casework


@pytest.fixture
def case(any_database: Database) -> Case:
    return Case(any_database)


@pytest.mark.requirement("R13", "R17")
def test_between_two_versions_reports_came_were_graded_and_withdrawn_and_findings_stated(
    case: Case,
) -> None:
    first, second = case.receive(1), case.receive(2)
    case.assess()
    third = case.receive(3)
    case.assess()
    case.grade(first)
    case.receive(4, relations=[{"kind": "withdraws", "id": "case-2"}])
    Casework(case.database, PROFILE, officer=cast.DUTY, channel="test").state(
        case.incident, {"triggers": [{"trigger": "T5", "text": "wards are closed"}]}
    )
    last = case.assess().version
    with case.database.read() as connection:
        step = reassessed.compared(connection, case.incident, 1, 2)
        whole = reassessed.compared(connection, case.incident, 1, last)
        back = reassessed.compared(connection, case.incident, last, 1)
    assert (step.reports.added.ids, step.reports.regraded) == ((third,), 0)
    assert whole.reports.added.total == 2
    assert [(r.report, r.before, r.after) for r in whole.reports.regradings] == [
        (first, "X2", "B2")
    ]
    assert whole.reports.withdrawn.ids == (second,)
    assert str(whole.recommendation) == "hold-corroborate -> launch"
    assert str(whole.findings) == "0 -> 1"
    assert back.reports.removed.total == 2
    assert back.reports.restored.ids == (second,)
    assert not any("wards" in sentence for sentence in whole.why)


def test_a_version_that_is_not_there_says_where_the_versions_are_listed(case: Case) -> None:
    case.receive(1)
    case.assess()
    with case.database.read() as connection, pytest.raises(NotFound, match="assessment list"):
        reassessed.compared(connection, case.incident, 1, 7)


@pytest.mark.requirement("R16")
def test_another_recommendation_is_an_event_in_the_audit_trail_and_in_the_overview(
    case: Case,
) -> None:
    first = case.receive(1)
    case.assess()
    case.grade(first)
    case.assess()
    case.assess()
    (event,) = case.audited("recommendation_changed")
    said = event["detail"]
    assert (said["before"], said["after"], said["version"]) == ("hold-corroborate", "launch", 2)
    with case.database.read() as connection:
        details = overview.incident_details(connection, case.incident)
        line = overview.timeline(connection, case.incident)
        (listed,) = overview.incidents(connection)
    (change,) = details["recommendations"]
    assert (change["before"], change["after"], change["class"]) == (
        "hold-corroborate",
        "launch",
        "C4",
    )
    assert "recommendation" in {entry["what"] for entry in line}
    assert listed["tasks"] == 0
