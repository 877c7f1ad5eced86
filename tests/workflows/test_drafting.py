"""Drafts: what officers write becomes a checked version of the case file, or is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from infra import audit, casefile
from infra.casefile import Artefact
from infra.database import Database
from infra.tables_decisions import decision
from leerp.demo.officers import given
from notifications.directory_import import import_directory
from protocol.errors import NotFound, Refused
from protocol.markings import Tlp
from protocol.stages import Containment
from tests.workflows import cast
from tests.workflows.case import assessed_incident, decided, drafting_of
from workflows.decided import approved_downgrades
from workflows.drafting import Drafting
from workflows.ewn_facts import ewn_facts


@pytest.fixture
def incident(database: Database) -> str:
    """A detected and assessed incident with three reports, and a directory with its officers."""
    import_directory(database, cast.directory(), by="test")
    return assessed_incident(database)


@pytest.fixture
def drafting(database: Database) -> Drafting:
    return drafting_of(database)


@pytest.fixture
def centre(drafting: Drafting, incident: str, database: Database) -> Artefact:
    """The recorded centre of the incident."""
    made = drafting.centre(incident, given("centre"))
    decided(database, made, "centre-recorded")
    return made


def without(document: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != field}


@pytest.mark.requirement("R20", "R21", "R22", "R28")
def test_the_centre_names_the_skills_that_nobody_brings(drafting: Drafting, incident: str) -> None:
    team = {"malware analyst": "EC3 laboratory"}
    made = drafting.centre(
        incident, {**given("centre"), "team": team, "shifts": ["06-14", "14-22"]}
    )

    assert made.document["skills_missing"] == ["digital forensic expert", "operational analyst"]
    assert made.document["shifts"] == ["06-14", "14-22"]
    assert made.document["notice"]["contact_points"]
    assert len(made.document["command_post"]) == 3


@pytest.mark.requirement("R20", "R28")
@pytest.mark.parametrize("field", ["contact_points", "command_post"])
def test_a_centre_without_points_of_contact_or_command_post_is_refused(
    drafting: Drafting, incident: str, field: str
) -> None:
    with pytest.raises(Refused, match=field) as refused:
        drafting.centre(incident, without(given("centre"), field))
    assert refused.value.reason == "bad-input"


@pytest.mark.requirement("R29", "R30", "R31")
@pytest.mark.usefixtures("centre")
def test_a_warning_is_drafted_from_graded_facts_and_numbered(
    drafting: Drafting, incident: str, database: Database
) -> None:
    first = drafting.ewn(incident, given("ewn"))
    second = drafting.ewn(incident, {**given("ewn"), "change": "new victims"})

    notice = first.document["notice"]
    assert notice["header"]["id"] == f"LEERP-{incident}-EWN-1"
    assert {fact["grade"]["source"] for fact in notice["facts"]["timeline"]} == {"B"}
    assert len(notice["provenance"]["inputs"]) == 3
    assert second.document["notice"]["header"]["supersedes"] == f"LEERP-{incident}-EWN-1"
    assert [c["text"] for c in second.document["notice"]["changes"]] == [
        "first issue",
        "new victims",
    ]
    with database.read() as connection:
        assert audit.verify(connection).verified


@pytest.mark.requirement("R30")
@pytest.mark.parametrize("field", ["bottom_line", "outlook", "preserve", "report_back"])
@pytest.mark.usefixtures("centre")
def test_a_warning_without_a_must_field_is_refused_by_its_name(
    drafting: Drafting, incident: str, field: str
) -> None:
    with pytest.raises(Refused, match=field):
        drafting.ewn(incident, without(given("ewn"), field))


def test_a_warning_needs_a_centre_to_report_back_to(drafting: Drafting, incident: str) -> None:
    with pytest.raises(NotFound, match="no centre"):
        drafting.ewn(incident, given("ewn"))


@pytest.mark.requirement("R24")
@pytest.mark.usefixtures("centre")
def test_a_class_that_is_left_off_the_list_of_a_warning_is_noted_as_an_omission(
    drafting: Drafting, incident: str
) -> None:
    made = drafting.ewn(incident, {**given("ewn"), "dissemination": ["le-poc"]})

    assert "interpol" in made.document["omissions"]
    assert "le-poc" not in made.document["omissions"]


@pytest.mark.requirement("R35", "R36")
@pytest.mark.parametrize(
    "change", [{"place": ""}, {"starts_at": "soon"}, {"secure_channel": False}]
)
@pytest.mark.usefixtures("centre")
def test_an_invitation_needs_date_and_place_and_a_call_a_secure_channel(
    drafting: Drafting, incident: str, change: dict[str, Any]
) -> None:
    with pytest.raises(Refused) as refused:
        drafting.invitation(incident, {**given("invitation"), **change})
    assert refused.value.reason == "bad-input"


@pytest.mark.requirement("R37", "R41")
@pytest.mark.usefixtures("centre")
def test_the_plan_to_adopt_carries_who_agreed_and_an_agreement_ends_with_a_new_draft(
    drafting: Drafting, incident: str
) -> None:
    drafting.plan(incident, given("plan"))
    for country in ("FR", "NL", "DE"):
        drafting.agreement(incident, country, "liaison officer")
    adopted = drafting.agreed_plan(incident)

    assert adopted.document["notice"]["agreed_by"] == ["DE", "FR", "NL"]
    assert all(action["owner"] for action in adopted.document["notice"]["actions"])

    drafting.plan(incident, {**given("plan"), "outcome": "another one"})
    with pytest.raises(Refused, match="DE, FR, NL"):
        drafting.agreed_plan(incident)


@pytest.mark.requirement("R48")
def test_closure_without_evidence_is_refused(drafting: Drafting, incident: str) -> None:
    with pytest.raises(Refused, match="evidence"):
        drafting.closure(incident, Containment.OPERATIONAL_SUCCESS, statement="done", evidence=" ")
    made = drafting.closure(
        incident, Containment.NORMAL_PROCEDURE, statement="done", evidence="no victim for a day"
    )
    assert made.document["notice"]["containment"] == "normal-procedure"


@pytest.mark.requirement("R42")
def test_contributions_are_kept_in_versions_with_who_made_them(
    drafting: Drafting, incident: str, database: Database
) -> None:
    for text in ("FR: image", "NL: wallets"):
        drafting.note(incident, "contribution", text)
    with database.read() as connection:
        pooled = casefile.all_artefacts(connection, incident, "contribution")
    assert [(each.version, each.by) for each in pooled] == [(1, "a.virtanen"), (2, "a.virtanen")]


@pytest.mark.requirement("R32")
def test_a_lower_marking_counts_only_after_a_second_person_approved_it(
    drafting: Drafting, incident: str, database: Database
) -> None:
    with database.read() as connection:
        report_id = ewn_facts(connection, incident).inputs[0]
    clear = {"tlp": "CLEAR", "classification": 0, "handling_codes": ["H0"]}
    draft = drafting.downgrade(incident, report_id, clear, consent="mail of the provider, 12")
    with database.read() as connection:
        assert approved_downgrades(connection, incident) == {}
    decided(database, draft, "downgrade-approved")
    with database.read() as connection:
        facts = ewn_facts(connection, incident)
    assert Tlp.CLEAR in {fact.marking.tlp for fact in facts.timeline}


def test_a_downgrade_needs_the_providers_consent_and_a_report_of_the_incident(
    drafting: Drafting, incident: str, database: Database
) -> None:
    with pytest.raises(Refused, match="consent"):
        drafting.downgrade(incident, "2-0", {"tlp": "CLEAR"}, consent="")
    with pytest.raises(NotFound, match="2-0"):
        drafting.downgrade(incident, "2-0", {"tlp": "CLEAR"}, consent="mail 12")
    with database.read() as connection:
        assert connection.execute(select(decision)).all() == []
