"""What a cluster claims: bounded, joined, and the same as its reports claim together."""

from __future__ import annotations

import pytest
from hypothesis import given

from classification.claimed import NOTHING, Claimed, together
from classification.collecting import collect
from classification.evidence import Evidence
from protocol.profile import MOST_VICTIMS_NAMED
from tests.classification.builders import RULES, bodies, make_evidence

pytestmark = pytest.mark.requirement("R7")


@given(bodies())
def test_a_clusters_claims_are_those_of_its_reports(body: list[Evidence]) -> None:
    claimed = together([NOTHING, *(Claimed.of(item, RULES) for item in body)])
    assert claimed.picture(RULES) == collect(body, RULES).claimed(RULES)


def test_the_victims_of_states_add_up_and_each_states_largest_number_counts() -> None:
    reports = [
        make_evidence("2-a", countries={"DE"}, victims_min=300),
        make_evidence("2-b", countries={"DE"}, victims_min=200),
        make_evidence("2-c", countries={"FR"}, victims_min=500),
        make_evidence("2-d", countries={"FR", "ES"}, victims_min=600),
    ]
    claimed = together([Claimed.of(item, RULES) for item in reports])
    assert claimed.picture(RULES).victims == 800
    assert Claimed.of(reports[3], RULES).picture(RULES).victims == 600


def test_each_state_that_is_named_has_a_victim_at_least() -> None:
    claimed = Claimed.of(make_evidence(countries={"AT", "DE", "FR"}), RULES)
    assert claimed.picture(RULES).victims == 3
    assert Claimed.of(make_evidence(), RULES).picture(RULES).victims == 0


def test_one_victim_of_a_state_is_one_and_not_two() -> None:
    one = Claimed.of(make_evidence(countries={"DE"}, victims_min=1), RULES)
    other = Claimed.of(make_evidence("2-b", countries={"FR"}, victims_min=1), RULES)
    assert together([one, other]).victims == {"": 1, "DE": 1, "FR": 1}


def test_of_very_many_names_the_first_in_order_are_kept_and_never_fewer_than_are_asked_for() -> (
    None
):
    names = [f"organisation {n:04}" for n in range(MOST_VICTIMS_NAMED + 5)]
    parts = [Claimed.of(make_evidence(organisations={name}), RULES) for name in names]
    assert together(parts).organisations == frozenset(names[:MOST_VICTIMS_NAMED])
    assert together(parts[:MOST_VICTIMS_NAMED]).organisations == frozenset(
        names[:MOST_VICTIMS_NAMED]
    )


def test_claims_are_kept_as_json_that_sorts_its_lists_and_leaves_out_what_nobody_claims() -> None:
    claimed = Claimed.of(make_evidence(countries={"FR", "DE"}, victims_min=7), RULES)
    data = claimed.to_json()
    assert data == {
        "countries": ["DE", "FR"], "disruption": ["unknown"], "victims": {"": 7},
    }  # fmt: skip
    assert Claimed.from_json(data) == claimed
