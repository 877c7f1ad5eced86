"""The plan's rules: owners, de-confliction, lawful capture, agreement."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import Refused
from workflows.plans import Plan, check_ready, conflicts, missing_agreements, unlawful_captures


def action(**changes: Any) -> dict[str, Any]:
    return {"action": "trace the wallets", "owner": "NL unit", "due": "24 hours", **changes}


def plan(*actions: dict[str, Any]) -> Plan:
    return Plan.model_validate({"outcome": "one line of inquiry", "actions": actions})


@pytest.mark.requirement("R37")
@pytest.mark.parametrize("field", ["owner", "due", "action"])
def test_an_action_without_owner_due_time_or_content_is_no_action(field: str) -> None:
    given_action = action()
    del given_action[field]
    with pytest.raises(ValueError, match=field):
        plan(given_action)


@pytest.mark.requirement("R38")
def test_two_owners_at_the_same_target_clash_until_both_say_how_it_is_settled() -> None:
    one = action(owner="NL unit", target="Server 1")
    other = action(owner="FR unit", target="server 1")

    assert conflicts(plan(one, other)) == ("Server 1: FR unit, NL unit",)
    assert conflicts(plan({**one, "deconflicted": "NL leads"}, other)) != ()
    assert (
        conflicts(plan({**one, "deconflicted": "NL leads"}, {**other, "deconflicted": "NL leads"}))
        == ()
    )
    assert conflicts(plan(one, action(owner="NL unit", target="server 1"))) == ()


@pytest.mark.requirement("R39")
def test_a_capture_without_custody_is_named() -> None:
    seizure = action(action="image the server", kind="capture", legal_basis="court order")

    assert unlawful_captures(plan(seizure)) == ("image the server",)
    assert unlawful_captures(plan({**seizure, "custody": "sealed, hash list"})) == ()


@pytest.mark.requirement("R37")
def test_every_state_that_owns_an_action_has_to_agree() -> None:
    draft = plan(action(country="NL"), action(country="FR"), action(owner="EC3"))

    assert missing_agreements(draft, frozenset({"NL"})) == ("FR",)
    with pytest.raises(Refused, match="FR") as refused:
        check_ready(draft, frozenset({"NL"}))
    assert refused.value.reason == "not-agreed"
    check_ready(draft, frozenset({"NL", "FR", "DE"}))


@given(st.sets(st.sampled_from(["NL", "FR", "DE", "IT"])), st.sets(st.sampled_from(["NL", "FR"])))
def test_a_plan_is_ready_exactly_when_nobody_is_missing(agreed: set[str], owners: set[str]) -> None:
    draft = plan(action(owner="EC3"), *(action(country=code) for code in sorted(owners)))

    assert bool(missing_agreements(draft, frozenset(agreed))) is not owners.issubset(agreed)
