"""How robust a result is: weakest report, sources and reports that it cannot do without."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings

from classification.assessment import assess
from classification.evidence import Evidence
from classification.findings import Findings
from classification.robustness import robustness
from protocol.report import Disruption
from tests.classification.builders import PROFILE, bodies, make_evidence, stated

pytestmark = pytest.mark.requirement("R11", "R13")
FOUND = Findings(triggers=(stated("T4"),))


def result(body: list[Evidence]) -> tuple[str, str]:
    made = assess(body, FOUND, PROFILE)
    return made.threat_class, made.recommendation


@given(body=bodies())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_decisive_is_found_by_leaving_each_out(body: list[Evidence]) -> None:
    now, said = result(body), robustness(body, FOUND, PROFILE)
    live = [item for item in body if not item.retracted]
    without_report = {
        item.report_id: then
        for item in live
        if (then := result([other for other in live if other is not item])) != now
    }
    without_source = {
        origin: then
        for origin in {item.origin for item in live}
        if (then := result([other for other in live if other.origin != origin])) != now
    }
    assert {
        each.name: (each.threat_class, each.recommendation) for each in said.without_source
    } == without_source
    assert said.decisive_sources == len(without_source)
    assert said.decisive_reports == len(without_report)
    for each in said.without_report:
        assert without_report[each.name] == (each.threat_class, each.recommendation)


@given(body=bodies())
def test_sources_that_carry_the_class_carry_it_alone(body: list[Evidence]) -> None:
    said = robustness(body, Findings(), PROFILE)
    live = [item for item in body if not item.retracted]
    origins = {item.origin for item in live}
    now = assess(body, Findings(), PROFILE).threat_class
    alone = [
        assess([i for i in live if i.origin == origin], Findings(), PROFILE).threat_class
        for origin in origins
    ]
    assert (said.origins, said.carrying) == (len(origins), sum(each >= now for each in alone))


def test_the_weakest_report_is_the_last_that_the_class_needs() -> None:
    body = [
        make_evidence("2-a", "A1", criteria={"control-plane-taken"}, countries={"DE"}),
        make_evidence("2-b", "B3", countries={"FR"}),
        make_evidence("2-c", "X4", countries={"DE"}),
    ]
    weakest = robustness(body, Findings(), PROFILE).weakest
    assert weakest is not None
    assert (weakest.report, weakest.grade, weakest.reports) == ("2-b", "B3", 2)
    quiet = [dataclasses.replace(item, criteria=frozenset()) for item in body[:1]]
    assert robustness(quiet, Findings(), PROFILE).weakest is None


def test_reports_that_are_alike_are_told_as_one_with_their_number() -> None:
    lost = {"criteria": {"essential-service-disrupted"}, "disruption": Disruption.OBSERVED}
    states = ("AT", "BE", "DE", "ES")
    body = [make_evidence(f"2-{s}", "A1", countries={s}, **lost) for s in states]
    said = robustness(body, Findings(), PROFILE)
    assert said.decisive_reports == 0
    twice = [make_evidence(f"2-{n}", "A1", countries={"DE"}, organisations={f"o{n}"}) for n in "ab"]
    needed = make_evidence("2-c", "A1", criteria={"significant-incident"})
    said = robustness([*twice, needed], Findings(), PROFILE)
    assert [(each.name, each.reports) for each in said.without_report] == [("2-a", 2), ("2-c", 1)]
    assert said.decisive_reports == 3
