"""All that a release needs confirmed, at once; and why a lock is closed, and what would open it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given

from notifications.confirmations import RULES, check_release
from notifications.directory import Recipient
from notifications.grants import OF_THE_RECIPIENT, Permission, PermissionKind
from notifications.lock_explanation import explain
from notifications.lock_rules import Lock
from notifications.locks import Locks
from notifications.products import Component, Product, Purpose, Variant
from protocol.markings import Classification, HandlingCode, Marking, Tlp
from protocol.parties import RecipientClass
from tests.notifications.lock_worlds import products, recipients
from tests.notifications.samples import NOW, contact, recipient

C, K = RecipientClass, PermissionKind
POLICE = "Police of Exampleland"


def part(name: str, **marking: object) -> Component:
    return Component(
        id=name,
        item=f"item-{name}",
        marking=Marking.model_validate({"tlp": "GREEN", **marking}),
        provider=POLICE,
        purpose=Purpose.PROTECTION,
    )


PERSON = replace(part("person"), personal_data=True)
PRODUCT = Product(
    components=(
        part("h1", handling_codes={"H1"}),
        part("h2", handling_codes={"H2"}),
        part("h3", handling_codes={"H3"}, handling_text="not on paper"),
        part("red", tlp="RED"),
        replace(part("lowered"), lowered="report-1"),
    )
)
TOLD = (
    recipient(C.JUDICIAL, may_receive_up_to=Tlp.RED),
    recipient(C.EU_BODY, may_receive_up_to=Tlp.RED),
)


def granted(kind: PermissionKind, *names: str, provider: str = POLICE) -> Permission:
    return Permission(
        id=7,
        kind=kind,
        provider=provider,
        recipients=frozenset(names),
        given_at=NOW - timedelta(hours=1),
        expires_at=NOW + timedelta(hours=1),
        items=frozenset({"report-1"} if kind is K.DOWNGRADE else ()),
        evidence="letter 7",
        by="o.two",
    )


def locks(of: Product = PRODUCT, *given_: Permission, proceedings: bool = False) -> Locks:
    return Locks(of, permissions=given_, now=NOW, proceedings=proceedings)


@pytest.mark.requirement("R32")
def test_a_release_names_every_confirmation_at_once_with_who_lacks_it() -> None:
    judicial = TOLD[0].id
    found = check_release(locks(PRODUCT, granted(K.H2, judicial), proceedings=True), TOLD[:1])
    assert {need.kind: (need.missing, set(need.confirmed)) for need in found.needs} == {
        K.H2: (set(), {judicial}),
        K.H3_READ: ({judicial}, set()),
        K.TLP_RED: ({judicial}, set()),
        K.DOWNGRADE: ({judicial}, set()),
        K.JUDICIAL_USE: ({judicial}, set()),
    }
    assert {need.kind for need in found.missing} == {
        *(K.H3_READ, K.TLP_RED, K.DOWNGRADE, K.JUDICIAL_USE),
    }
    h2 = next(need for need in found.needs if need.kind is K.H2)
    assert (h2.provider, h2.components, h2.rule) == (POLICE, {"h2"}, RULES[K.H2])
    assert h2.confirmed[judicial].evidence == "letter 7"


@pytest.mark.requirement("R32")
def test_personal_data_third_countries_and_private_partners_are_confirmed_too() -> None:
    own = Component(id="own", marking=Marking(tlp=Tlp.GREEN), purpose=Purpose.INFORMATION)
    people = (
        recipient(C.EU_BODY),
        recipient(C.INTERPOL, transfer_agreement=True),
        recipient(C.PRIVATE_PARTNER),
    )
    found = check_release(locks(Product(components=(own, PERSON))), people)
    missing = {(need.kind, need.provider): need.missing for need in found.needs}
    assert missing == {
        (K.PERSONAL_DATA, POLICE): {"eu-body-1"},
        (K.TRANSFER, ""): {"interpol-1"},
        (K.TRANSFER, POLICE): {"interpol-1"},
        (K.PRIVATE_PARTNER, ""): {"private-partner-1"},
    }
    commands = {need.record("inc-1") for need in found.missing}
    assert any(
        "--standing --kind private-partner --own --recipient private-partner-1" in c
        for c in commands
    )
    assert any(f"inc-1 --kind transfer --provider '{POLICE}'" in c for c in commands)
    assert all("--evidence ID --as OFFICER" in c for c in commands)


def test_what_no_record_can_open_is_not_asked_for() -> None:
    found = check_release(locks(), (recipient(C.CRISIS_COMMUNICATION),))
    assert found.needs == ()
    assert not found.previews[0].decision.allowed


@given(to=recipients(), of=products())
def test_with_all_that_is_missing_recorded_nothing_is_missing_and_more_may_go(
    to: Recipient, of: Product
) -> None:
    before = check_release(locks(of), (to,))
    given_ = [
        replace(
            granted(need.kind, to.id, provider=need.provider),
            items=frozenset({"report-1", "report-2"} if need.kind is K.DOWNGRADE else ()),
        )
        for need in before.missing
    ]
    after = check_release(locks(of, *given_), (to,))
    assert after.missing == ()
    assert {need.kind for need in after.needs} == {need.kind for need in before.needs}
    order = list(Variant)
    was, now = before.previews[0].decision, after.previews[0].decision
    if was.allowed:
        assert now.allowed
        assert order.index(now.variant) <= order.index(was.variant)
    if given_ and before.previews[0].contact == after.previews[0].contact:
        assert now.allowed
    assert all(need.provider == "" for need in before.needs if need.kind in OF_THE_RECIPIENT)


@pytest.mark.requirement("R32")
def test_each_component_says_why_it_is_closed_and_what_would_open_it() -> None:
    to = TOLD[0]
    found = explain(locks(PRODUCT, granted(K.H2, to.id)), PRODUCT, to, 0)
    assert found.decision.variant is Variant.TECHNICAL
    full = found.variants[0]
    lines = {(line.component, line.rule): line for line in full.lines}
    assert lines["h2", "H2"].open
    assert lines["h2", "H2"].opened_by == "h2 7, letter 7, o.two"
    red = lines["red", "TLP:RED"]
    assert (red.open, red.lock, red.item) == (False, Lock.TLP, "item-red")
    assert "tlp-red of Police of Exampleland" in red.remedy
    assert {line.component for line in full.lines if not line.open} == {"h3", "red", "lowered"}
    sanitised = found.variants[1]
    assert "handling code H2" in {each.reason for each in sanitised.omissions}


@pytest.mark.requirement("R31")
def test_what_stands_in_the_way_of_the_whole_variant_says_where_to_put_it_right() -> None:
    secret = Product(components=(part("x", classification=Classification.RESTRICTED),))
    to = recipient(contacts=(contact(key=""),), may_receive_up_to=Tlp.CLEAR)
    (full,) = explain(locks(secret), secret, to, 0).variants
    remedies = {line.rule: line.remedy for line in full.lines if not line.component}
    assert set(remedies) == {"clearance", "channel", "key", "addressee"}
    assert "directory" in remedies["clearance"]
    assert "another channel" in remedies["channel"]
    assert "import a key" in remedies["key"]


@pytest.mark.requirement("R32")
def test_h1_goes_to_justice_with_its_legend_but_not_into_proceedings() -> None:
    only_h1 = Product(components=(part("h1", handling_codes={"H1"}),))
    to = recipient(C.JUDICIAL)
    assert locks(only_h1).decide(to, to.contacts[0]).allowed
    for_court = locks(only_h1, proceedings=True).decide(to, to.contacts[0])
    assert (for_court.allowed, for_court.lock) == (False, Lock.HANDLING)
    permitted = locks(only_h1, granted(K.JUDICIAL_USE, to.id), proceedings=True)
    assert permitted.decide(to, to.contacts[0]).allowed
    assert HandlingCode.H1 in only_h1.variant(Variant.FULL).marking.handling_codes
