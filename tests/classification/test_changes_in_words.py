"""What would change it, as an officer reads it."""

from __future__ import annotations

import pytest

from classification.findings import Findings
from classification.sensitivity import Goal, what_would_change
from protocol.report import Disruption
from tests.classification.builders import PROFILE, make_evidence

pytestmark = pytest.mark.requirement("R13", "R15")


def test_it_is_said_in_words_that_a_person_can_act_on() -> None:
    body = (
        make_evidence("R17", "B3", criteria={"control-plane-taken"}, countries={"DE", "FR"}),
        make_evidence("R18", "B4", sectors={"energy"}),
    )
    said = what_would_change(body, Findings(), PROFILE)
    ways = {goal.goal: goal for goal in said.goals}
    words = {
        goal: {" and ".join(c.words for c in way.changes) for way in ways[goal].ways}
        for goal in ways
    }
    assert (said.threat_class, said.recommendation) == ("C3", "hold-corroborate")
    assert "report R17 (B3) were graded B2" in words[Goal.LAUNCH]
    assert (
        "a disruption of services, observed or within 72 hours, were reported"
        in words[Goal.HIGHER_CLASS]
    )
    assert "control-plane-taken were refuted" in words[Goal.LOWER_CLASS]
    assert any(
        "reported natural as the clear cause and an officer confirmed natural" in way
        for way in words[Goal.OUT_OF_SCOPE]
    )


def test_a_trigger_or_a_further_state_is_named_where_it_decides() -> None:
    monitored = (make_evidence("R1", criteria={"significant-incident"}, countries={"DE", "FR"}),)
    ways = {goal.goal: goal for goal in what_would_change(monitored, Findings(), PROFILE).goals}
    words = [way.changes[0].words for way in ways[Goal.LAUNCH].ways]
    assert any(word.startswith("T3 (or T4, T6, T7, T8) were stated") for word in words)
    assert any(word.startswith("T1 were stated") for word in words)
    local = (make_evidence("R1", criteria={"significant-incident"}, countries={"DE"}),)
    ways = {goal.goal: goal for goal in what_would_change(local, Findings(), PROFILE).goals}
    assert "one more member state were reported affected" in [
        way.changes[0].words for way in ways[Goal.HIGHER_CLASS].ways
    ]


def test_what_no_few_changes_can_reach_is_said_to_be_out_of_their_reach() -> None:
    lost = {"criteria": {"essential-service-sustained-denial"}, "disruption": Disruption.OBSERVED}
    states = ("AT", "BE", "DE", "ES", "FR", "IT", "NL")
    body = [
        make_evidence(f"R{n}{s}", "A1", countries={s}, sectors={"health"}, **lost)
        for n in range(8)
        for s in states
    ]
    said = what_would_change(body, Findings(), PROFILE)
    ways = {goal.goal: goal for goal in said.goals}
    assert (said.threat_class, said.recommendation) == ("C4", "launch")
    assert (ways[Goal.NO_EU_NEXUS].size, ways[Goal.NO_EU_NEXUS].searched) == (None, 3)
    assert ways[Goal.LOWER_CLASS].size == 1
    assert {way.threat_class for way in ways[Goal.LOWER_CLASS].ways} == {"C1", "C3"}
    assert not any(c.report for g in said.goals for w in g.ways for c in w.changes)
