"""Who may draft on which incident, on what footing; and what is refused leaves its trace."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from infra import audit, casefile
from infra.casefile import Artefact
from infra.database import Database
from infra.tables import artefact, incident, report
from infra.tables_decisions import decision
from leerp.demo.officers import given
from notifications.directory_import import import_directory
from protocol.errors import NotFound, Refused
from protocol.parties import RecipientClass
from protocol.stages import Containment, Recommendation
from tests.workflows import cast
from tests.workflows.case import PROFILE, assessed_incident, change_original, decided, drafting_of
from tests.workflows.people import DESK
from workflows.casework import Casework
from workflows.drafting import Drafting
from workflows.ewn_facts import ewn_facts

METHODS: dict[str, Callable[[Drafting, str], object]] = {
    "centre": lambda d, i: d.centre(i, given("centre")),
    "ewn": lambda d, i: d.ewn(i, given("ewn")),
    "invitation": lambda d, i: d.invitation(i, given("invitation")),
    "plan": lambda d, i: d.plan(i, given("plan")),
    "agreement": lambda d, i: d.agreement(i, "FR", "liaison officer"),
    "agreed plan": lambda d, i: d.agreed_plan(i),
    "closure": lambda d, i: d.closure(
        i, Containment.NORMAL_PROCEDURE, statement="done", evidence="no victim"
    ),
    "outcome": lambda d, i: d.outcome(i, Recommendation.MONITOR, statement="no", desk=DESK),
    "downgrade": lambda d, i: d.downgrade(i, "2-0", {"tlp": "CLEAR"}, consent="mail 12"),
    "note": lambda d, i: d.note(i, "contribution", "an image"),
}
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=list(METHODS))


@pytest.fixture
def case(database: Database) -> str:
    import_directory(database, cast.directory(), by="test")
    return assessed_incident(database)


def refusals(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as connection:
        return [
            (row["actor"], row["subject"], row["detail"]["reason"])
            for row in audit.export(connection)
            if row["event"] == "command_refused"
        ]


def drafts(database: Database) -> list[str]:
    with database.read() as connection:
        kinds = connection.scalars(select(artefact.c.kind))
        return [kind for kind in kinds if kind != "assessment"]


@pytest.mark.requirement("R1", "R16")
@every_method
def test_nobody_unknown_drafts_anything(
    database: Database, case: str, method: Callable[[Drafting, str], object]
) -> None:
    with pytest.raises(Refused, match="nobody") as refused:
        method(drafting_of(database, "nobody"), case)
    assert refused.value.reason == "unknown-officer"
    assert refusals(database) == [("nobody", case, "unknown-officer")]
    assert drafts(database) == []


@every_method
def test_a_role_that_does_not_work_on_incidents_drafts_nothing(
    database: Database, case: str, method: Callable[[Drafting, str], object]
) -> None:
    with pytest.raises(Refused, match="judicial") as refused:
        method(drafting_of(database, cast.JUDGE), case)
    assert refused.value.reason == "wrong-role"
    assert refusals(database) == [(cast.JUDGE, case, "wrong-role")]
    assert drafts(database) == []


@pytest.mark.parametrize(
    ("status", "reason"), [("merged", "incident-merged"), ("ended", "incident-ended")]
)
@every_method
def test_nothing_is_drafted_for_an_incident_that_is_over(
    database: Database,
    case: str,
    method: Callable[[Drafting, str], object],
    status: str,
    reason: str,
) -> None:
    with database.write() as connection:
        connection.execute(update(incident).values(status=status, merged_into="inc-other"))
    with pytest.raises(Refused) as refused:
        method(drafting_of(database), case)
    assert refused.value.reason == reason
    assert refusals(database) == [(cast.DUTY, case, reason)]
    assert drafts(database) == []


@pytest.mark.requirement("R20")
def test_a_centre_that_nobody_recorded_is_no_footing_for_anything(
    database: Database, case: str
) -> None:
    drafting = drafting_of(database)
    drafting.centre(case, given("centre"))
    drafting.plan(case, {**given("plan"), "actions": [{"action": "a", "owner": "EC3", "due": "d"}]})
    for method in (METHODS["ewn"], METHODS["invitation"], METHODS["agreed plan"]):
        with pytest.raises(NotFound, match="no centre"):
            method(drafting, case)


@pytest.mark.requirement("R20", "R29")
def test_a_warning_reports_back_to_the_centre_that_was_recorded_last(
    database: Database, case: str
) -> None:
    drafting = drafting_of(database)

    def centre_at(phone: str) -> Artefact:
        point = {"name": "ECC", "phone": phone, "secure_channel": "SIENA"}
        return drafting.centre(case, {**given("centre"), "contact_points": [point]})

    for phone in ("+1", "+2"):
        decided(database, centre_at(phone), "centre-recorded")
    drafting_of(database, cast.ANALYST).centre(case, given("centre"))
    warning = drafting.ewn(case, given("ewn"))
    invitation = drafting.invitation(case, given("invitation"))

    header = warning.document["notice"]["header"]
    assert [point["phone"] for point in header["contact_points"]] == ["+2"]
    assert [p["phone"] for p in invitation.document["notice"]["contact_points"]] == ["+2"]


@pytest.mark.requirement("R23", "R24")
def test_a_class_without_anybody_is_named_when_the_draft_is_made(
    database: Database, case: str
) -> None:
    drafting = drafting_of(database)
    decided(database, drafting.centre(case, given("centre")), "centre-recorded")
    without = cast.directory(leaving_out=RecipientClass.INTERPOL)
    import_directory(database, without, by=cast.MANAGER)
    for draft in (drafting.centre, drafting.ewn):
        with pytest.raises(Refused, match="interpol") as refused:
            draft(case, given("centre" if draft == drafting.centre else "ewn"))
        assert refused.value.reason == "class-left-out"
    omissions = {"interpol": "told by telephone"}
    assert drafting.centre(case, {**given("centre"), "omissions": omissions}).version == 2
    listed = [name for name in RecipientClass if name not in {"interpol", "duty-manager"}]
    assert drafting.ewn(case, {**given("ewn"), "dissemination": listed}).version == 1


def change_report(database: Database, **changes: Any) -> str:
    """Alter the first stored report; its id."""
    with database.read() as connection:
        first = connection.scalar(select(report.c.id).order_by(report.c.seq))
    change_original(database, str(first), **changes)
    return str(first)


@pytest.mark.requirement("R29")
def test_times_of_facts_and_indicators_are_in_utc(database: Database, case: str) -> None:
    seen = {"first_seen": "2026-11-01T08:00:00+02:00", "last_seen": "2026-11-01T09:00:00+02:00"}
    change_report(database, indicators=[{"type": "domain", "value": "c2.example", **seen}])
    with database.read() as connection:
        lines = ewn_facts(connection, case).indicators
    (line,) = [line for line in lines if line.value == "c2.example"]
    assert (line.first_seen, line.last_seen) == (
        datetime(2026, 11, 1, 6, tzinfo=UTC),
        datetime(2026, 11, 1, 7, tzinfo=UTC),
    )
    assert line.first_seen is not None
    assert line.first_seen.tzinfo is UTC


@pytest.mark.requirement("R29")
def test_what_does_not_fit_into_a_warning_is_left_out_and_named_by_its_id(
    database: Database, case: str
) -> None:
    odd = change_report(
        database,
        indicators=[
            {"type": "domain", "value": "good.example"},
            {"type": "domain", "value": "\u200b"},
        ],
    )
    drafting = drafting_of(database)
    decided(database, drafting.centre(case, given("centre")), "centre-recorded")
    first = drafting.ewn(case, given("ewn")).document
    change_report(database, title="\u200b")
    second = drafting.ewn(case, given("ewn")).document

    assert first["left_out"] == [f"{odd}/indicator-2"]
    assert "good.example" in {line["value"] for line in first["notice"]["indicators"]}
    assert second["left_out"] == [odd]
    assert odd not in second["notice"]["provenance"]["inputs"]
    assert len(second["notice"]["facts"]["timeline"]) == 2


OWN = {
    "classification": 2,
    "tlp": "AMBER",
    "pap": "RED",
    "handling_codes": ["H1", "H3"],
    "handling_text": "ask first",
}


@pytest.mark.requirement("R32")
@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"tlp": "CLEAR"}, {**OWN, "tlp": "CLEAR"}),
        ({"classification": 0}, {**OWN, "classification": 0}),
        ({"pap": "AMBER", "tlp": "AMBER"}, {**OWN, "pap": "AMBER"}),
        ({"handling_codes": ["H1"]}, {**OWN, "handling_codes": ["H1"], "handling_text": ""}),
        ({"handling_codes": ["H3"]}, {**OWN, "handling_codes": ["H3"]}),
        ({"handling_codes": ["H0"]}, {**OWN, "handling_codes": ["H0"], "handling_text": ""}),
    ],
)
def test_a_downgrade_changes_what_is_named_and_nothing_else(
    database: Database, case: str, parts: dict[str, Any], expected: dict[str, Any]
) -> None:
    told = change_report(database, marking=OWN)
    made = drafting_of(database).downgrade(case, told, parts, consent="mail 12")

    assert made.document["was"] == OWN
    assert made.document["marking"] == expected


@pytest.mark.requirement("R32")
@pytest.mark.parametrize(
    ("parts", "reason", "words"),
    [
        ({}, "nothing-named", "tlp"),
        ({"tlp": None}, "nothing-named", "tlp"),
        ({"tlp": "RED"}, "not-lower", "tlp"),
        ({"classification": 3, "tlp": "CLEAR"}, "not-lower", "classification"),
        ({"handling_codes": ["H2"]}, "not-lower", "handling_codes"),
        ({"tlp": "PURPLE"}, "bad-input", "tlp"),
        ({"handling_text": ""}, "bad-input", "handling_text"),
    ],
)
def test_a_downgrade_that_names_nothing_or_something_stricter_is_refused(
    database: Database, case: str, parts: dict[str, Any], reason: str, words: str
) -> None:
    told = change_report(database, marking=OWN)
    with pytest.raises(Refused, match=words) as refused:
        drafting_of(database).downgrade(case, told, parts, consent="mail 12")
    assert refused.value.reason == reason


def test_desk_work_follows_the_same_rules(database: Database, case: str) -> None:
    def desk_of(officer: str) -> Casework:
        return Casework(database, PROFILE, officer=officer, channel="test")

    for officer, reason in (("nobody", "unknown-officer"), (cast.JUDGE, "wrong-role")):
        with pytest.raises(Refused) as refused:
            desk_of(officer).complete_assessment(case, situation="x")
        assert refused.value.reason == reason
    with database.write() as connection:
        casefile.end_incident(connection, case, datetime.now(UTC), {})
    with pytest.raises(Refused, match="closed"):
        desk_of(cast.DUTY).complete_assessment(case, situation="x")
    assert [reason for _, _, reason in refusals(database)] == [
        "unknown-officer",
        "wrong-role",
        "incident-ended",
    ]
    with database.read() as connection:
        assert connection.execute(select(decision)).all() == []
