"""What a cluster could be, if everything that its reports claim holds."""

from __future__ import annotations

import pytest

from classification.findings import Findings, ProbableCountry
from classification.matrix import ReachLevel, ThreatClass
from classification.possible import Possible, possible
from protocol.errors import Refused
from protocol.report import Disruption, ImpactLevel
from tests.classification.builders import PROFILE, RULES, make_evidence

pytestmark = pytest.mark.requirement("R7")


def test_claims_count_whatever_their_grade() -> None:
    reports = [
        make_evidence(
            "2-a",
            "X4",
            criteria={"essential-service-sustained-denial"},
            countries={"FR", "DE"},
            sectors={"health", "energy"},
            disruption=Disruption.OBSERVED,
        ),
        make_evidence("2-b", None, countries={"ES"}),
    ]

    assert possible(reports, Findings(), PROFILE) == Possible(
        threat_class=ThreatClass.C4,
        impact=ImpactLevel.I4,
        reach=ReachLevel.P3,
        countries=("DE", "ES", "FR"),
        sectors=("energy", "health"),
    )


def test_what_was_taken_back_counts_for_nothing() -> None:
    taken_back = make_evidence(
        criteria={"essential-service-sustained-denial"}, countries={"FR", "DE"}, retracted=True
    )
    found = possible([taken_back], Findings(), PROFILE)

    assert (found.threat_class, found.countries, found.sectors) == (ThreatClass.C0, (), ())


def test_states_that_are_probably_affected_widen_the_reach() -> None:
    reports = [make_evidence(countries={"FR"}, self_propagating=True)]
    states = ("DE", "ES", "IT")
    expected = Findings(
        probable_countries=tuple(
            ProbableCountry(officer="o", text="t", country=state, probability=RULES.probable)
            for state in states
        )
    )

    assert possible(reports, Findings(), PROFILE).reach < ReachLevel.P4
    assert possible(reports, expected, PROFILE).reach is ReachLevel.P4


def test_one_report_with_two_contents_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        possible([make_evidence(victims_min=1), make_evidence(victims_min=2)], Findings(), PROFILE)
    assert refused.value.reason == "conflicting-evidence"
