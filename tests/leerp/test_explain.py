"""``leerp incidents explain``, and the words that it and ``leerp classify`` share."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from activities.evidence import load_evidence, load_findings
from classification.assessment import assess
from classification.findings import Findings
from infra import casefile
from infra.database import Database
from infra.settings import Settings
from leerp.explanation_view import explained, sections
from protocol.report import Disruption
from tests.classification.builders import PROFILE, make_evidence
from tests.intake.samples import body_of, content
from tests.leerp.typed import Run, store

pytestmark = pytest.mark.requirement("R13", "R17")


def assess_stored(home: Path, incident_id: str, **changed: str) -> None:
    """Keep the assessment of an incident as its workflow does."""
    settings = Settings.load(home)
    database = Database(settings.database_url)
    with database.write() as connection:
        made = assess(
            load_evidence(connection, incident_id),
            load_findings(connection, incident_id),
            settings.profile(),
        )
        document = made.model_dump(mode="json") | changed
        casefile.add_artefact(
            connection, incident_id, "assessment", document, by="classification", channel="test"
        )
    database.close()


def test_the_newest_assessment_is_explained_in_words_and_as_data(run: Run, home: Path) -> None:
    incident = store(home, body_of(content("a", "hash-1")))
    assess_stored(home, incident)
    words = run("incidents", "explain", incident).out
    said = json.loads(run("incidents", "explain", incident, "--json").out)

    now = said["explanation"]["assessment"]
    assert f"{now['threat_class']} by {now['impact']}/{now['reach']}" in words
    for title in ("It stands on", "What would change it", "How robust it is"):
        assert title in words
    assert (said["version"], said["newer"]) == (1, False)
    assert {goal["goal"] for goal in said["what_would_change"]["goals"]} >= {"higher-class"}


def test_it_says_when_more_is_known_than_the_assessment_saw(run: Run, home: Path) -> None:
    incident = store(home, body_of(content("a", "hash-1")))
    assess_stored(home, incident, recommendation="launch")
    assert "have changed since" in run("incidents", "explain", incident).out
    assert json.loads(run("incidents", "explain", incident, "--json").out)["newer"] is True


def test_what_cannot_be_explained_is_refused_with_what_to_do(run: Run, home: Path) -> None:
    incident = store(home, body_of(content("a", "hash-1")))
    nothing = run("incidents", "explain", incident)
    assert (nothing.code, "is not assessed yet" in nothing.err) == (1, True)
    unknown = run("incidents", "explain", "inc-none")
    assert (unknown.code, "leerp incidents list" in unknown.err) == (1, True)
    assess_stored(home, incident, profile="other/1")
    other = run("incidents", "explain", incident)
    assert (other.code, "other/1" in other.err) == (1, True)
    assert run("incidents", "explain", incident, "--changes", "9").code == 2


def test_one_look_says_why_not_the_next_class_and_which_report_carries_it() -> None:
    of = explained(
        [
            make_evidence("R17", "A2", criteria={"critical-destruction"}, countries={"DE", "FR"}),
            make_evidence("R18", "X4", sectors={"health"}, disruption=Disruption.UNKNOWN),
        ],
        Findings(),
        PROFILE,
    )
    text = "\n".join(line for section in sections(of) for line in section.lines)
    assert "C3 and not C4: that takes a disruption of services" in text
    assert "C3 and not C2: it would fall with impact I1 or reach P1" in text
    assert "critical-destruction (I3): confirmed by one report alone: R17 (A2)" in text
    assert "sector health: NOT confirmed: R18 (X4)" in text
    assert "K1 lowers C4 to C3" in text
    assert "without report R17: C0" in text
    assert "weakest report it stands on: R17 (A2)" in text


def test_many_ways_are_counted_and_none_is_said_to_be_none() -> None:
    quiet = explained([], Findings(), PROFILE)
    text = {s.title: s.lines for s in sections(quiet)}
    assert text["It stands on"][0].startswith("nothing that counts")
    assert any(
        line.startswith("hold corroborate: none with up to 3 of")
        for line in text["What would change it"]
    )
    assert any("other set(s) of" in line for line in text["What would change it"])


def test_many_states_are_read_out_together_and_by_whether_they_are_confirmed() -> None:
    of = explained(
        [
            make_evidence("R1", "A2", countries={"DE", "FR", "ES", "IT", "NL"}),
            make_evidence("R2", "X4", countries={"SE"}),
        ],
        Findings(),
        PROFILE,
        at_most=1,
    )
    lines = {s.title: s.lines for s in sections(of)}["It stands on"]
    assert "  country confirmed: DE, ES, FR, IT, NL" in lines
    assert "  country NOT confirmed: SE" in lines
    assert not any("R1 (A2)" in line and "country" in line for line in lines)
