"""Findings: what officers state is checked by name and shape, and signed."""

from __future__ import annotations

from typing import Any

import pytest

from infra import casefile
from infra.database import Database
from notifications.directory_import import import_directory
from protocol.errors import NotFound, Refused
from protocol.grades import Grade
from tests.workflows import cast
from tests.workflows.case import PROFILE, assessed_incident
from workflows.casework import Casework

T5 = {"trigger": "T5", "text": "wards are closed"}


@pytest.fixture
def case(database: Database) -> str:
    import_directory(database, cast.directory(), by="test")
    return assessed_incident(database)


def desk_of(database: Database, officer: str = cast.DUTY) -> Casework:
    return Casework(database, PROFILE, officer=officer, channel="test")


@pytest.mark.requirement("R15")
@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ({}, "nothing is stated"),
        ({"trigers": [T5]}, "trigers"),
        ({"triggers": ["T3"]}, "triggers.0"),
        ({"triggers": T5}, "triggers"),
        ({"triggers": [{**T5, "refrence": "x"}]}, "triggers.0.refrence"),
        ({"triggers": [{**T5, "officer": "m.rossi"}]}, "triggers.0.officer"),
        ({"cause": "malicious"}, "cause"),
        ({"cause": [{"cause": "malicious", "text": "x"}]}, "cause"),
        ({"cause": {"cause": "ghosts", "text": "x"}}, "cause.cause"),
        ({"probable_countries": [{"country": "FR", "probability": 2, "text": "x"}]}, "probability"),
        ({"triggers": None, "propagation": 1}, "propagation"),
    ],
)
def test_a_finding_of_the_wrong_name_or_shape_is_refused_by_its_field(
    database: Database, case: str, statement: dict[str, Any], named: str
) -> None:
    with pytest.raises(Refused, match=named) as refused:
        desk_of(database).state(case, statement)
    assert refused.value.reason == "bad-finding"
    with database.read() as connection:
        assert casefile.find_artefact(connection, case, "findings") is None


@pytest.mark.requirement("R15")
def test_findings_are_added_to_and_signed_with_the_officers_id(
    database: Database, case: str
) -> None:
    desk_of(database).state(case, {"triggers": [T5]})
    made = desk_of(database, cast.ANALYST).state(
        case, {"triggers": [T5], "cause": {"cause": "malicious", "text": "ransom note"}}
    )
    assert [t["officer"] for t in made.document["triggers"]] == [cast.DUTY, cast.ANALYST]
    assert made.document["cause"]["officer"] == cast.ANALYST


@pytest.mark.requirement("R16")
def test_only_the_launch_role_sets_the_rules_aside(database: Database, case: str) -> None:
    override = {"override": {"reason": "hospitals cannot wait"}}
    for officer in (cast.DUTY, cast.ANALYST, cast.MANAGER):
        with pytest.raises(Refused, match="launch") as refused:
            desk_of(database, officer).state(case, override)
        assert refused.value.reason == "wrong-role"
    with pytest.raises(Refused, match="table"):
        desk_of(database, cast.THIRD).state(case, {"override": ["x"]})
    made = desk_of(database, cast.THIRD).state(case, override)
    assert made.document["override"] == {"officer": cast.THIRD, "reason": "hospitals cannot wait"}


def test_a_report_of_another_incident_is_not_graded(database: Database, case: str) -> None:
    with pytest.raises(NotFound, match="2-0"):
        desk_of(database).grade(case, "2-0", Grade.parse("B2"), reason="seen")
