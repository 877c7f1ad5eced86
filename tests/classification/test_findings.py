"""What officers state, and what they must name with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from classification.findings import CampaignFacts, Findings, ProbableCountry, StatedTrigger
from tests.classification.builders import stated

pytestmark = pytest.mark.requirement("R15")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("trigger", ["T1", "T2", "T6"])
def test_triggers_that_follow_from_facts_cannot_be_stated(trigger: str) -> None:
    with pytest.raises(ValidationError, match="is not stated as such"):
        stated(trigger)


@pytest.mark.parametrize("trigger", ["T3", "T4", "T7", "T8"])
def test_a_stated_trigger_names_what_it_rests_on(trigger: str) -> None:
    assert stated(trigger, "Council Presidency").reference == "Council Presidency"
    with pytest.raises(ValidationError, match=f"{trigger} needs a reference"):
        stated(trigger, " ")


def test_risk_to_life_needs_no_reference() -> None:
    assert stated("T5", "").reference == ""


@pytest.mark.parametrize(("officer", "text"), [("", "why"), ("officer-1", "  ")])
def test_a_statement_has_an_author_and_a_text(officer: str, text: str) -> None:
    with pytest.raises(ValidationError):
        StatedTrigger.model_validate({"trigger": "T5", "officer": officer, "text": text})


def test_a_campaign_cannot_end_before_it_begins() -> None:
    with pytest.raises(ValidationError, match="before its first"):
        CampaignFacts(
            officer="officer-1",
            text="same wallet",
            incident_ids=("i-1",),
            states=("DE",),
            first=NOON,
            last=NOON - timedelta(seconds=1),
        )


def test_probable_countries_are_those_that_reach_the_threshold() -> None:
    found = Findings(
        probable_countries=tuple(
            ProbableCountry(officer="officer-1", text="customers", country=c, probability=p)
            for c, p in (("DE", 0.55), ("FR", 0.54))
        )
    )
    assert found.countries_at_least(0.55) == {"DE"}


def test_findings_of_a_later_version_are_still_read() -> None:
    assert Findings.model_validate({"not_yet_invented": 1}) == Findings()
