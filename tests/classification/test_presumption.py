"""Who handles the crime while it is presumed."""

from __future__ import annotations

import pytest

from classification.presumption import Presumption, crime_routes
from protocol.parties import RecipientClass

pytestmark = pytest.mark.requirement("R9")


def test_each_affected_state_is_served_by_its_police_and_judiciary() -> None:
    routes = crime_routes(Presumption.PRESUMED_CRIMINAL, ["FR", "DE", "FR"])
    assert [route.country for route in routes] == ["DE", "FR"]
    assert all(r.to == (RecipientClass.LE_POC, RecipientClass.JUDICIAL) for r in routes)


def test_states_outside_the_union_are_reached_through_interpol() -> None:
    (route,) = crime_routes(Presumption.PRESUMED_CRIMINAL, ["US"])
    assert route.to == (RecipientClass.INTERPOL,)


def test_a_rebutted_presumption_routes_nothing() -> None:
    assert crime_routes(Presumption.REBUTTED, ["DE"]) == ()
