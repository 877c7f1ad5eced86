"""What holds of the locks whatever directory, markings and permissions there are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.directory import key_problem
from notifications.grants import PermissionKind
from notifications.locks import Locks
from notifications.mail import Envelope, build
from notifications.products import Product, Variant
from notifications.rendering import Rendered
from notifications.smime import is_sealed
from protocol.errors import Refused
from protocol.markings import Classification, HandlingCode, Marking, Pap, Tlp
from protocol.parties import RecipientClass
from tests.notifications.lock_worlds import (
    components,
    decide,
    delivered,
    generous,
    markings,
    openness,
    permissions,
    products,
    recipients,
)
from tests.notifications.mailroom import signer
from tests.notifications.samples import NOW

POLICE = {
    *(RecipientClass.EUROPOL_UNIT, RecipientClass.LIAISON_BUREAU, RecipientClass.JCAT),
    *(RecipientClass.LE_POC, RecipientClass.DUTY_MANAGER, RecipientClass.JUDICIAL),
    RecipientClass.INTERPOL,
}


@pytest.mark.requirement("R32")
@given(data=st.data(), to=recipients(), of=products())
def test_taking_a_permission_away_never_opens_anything(data: Any, to: Any, of: Product) -> None:
    some = data.draw(st.lists(permissions(of, (to,)), max_size=4))
    given_ = some + (generous(of, to) if data.draw(st.booleans()) else [])
    gone = data.draw(st.integers(0, max(len(given_) - 1, 0)))
    fewer = [p for n, p in enumerate(given_) if n != gone]
    assert openness(decide(to, of, fewer)) <= openness(decide(to, of, given_))


@pytest.mark.requirement("R32")
@given(data=st.data(), to=recipients(), of=products())
def test_a_narrower_scope_never_opens_anything(data: Any, to: Any, of: Product) -> None:
    wide = generous(of, to)
    number = data.draw(st.integers(0, len(wide) - 1))
    narrow = replace(
        wide[number],
        items=wide[number].items & {"report-1"} or frozenset({"item-0"}),
        purposes=frozenset({data.draw(st.sampled_from(list(of.components))).purpose}),
    )
    narrowed = [narrow if n == number else p for n, p in enumerate(wide)]
    assert openness(decide(to, of, narrowed)) <= openness(decide(to, of, wide))


@pytest.mark.requirement("R31", "R32")
@given(data=st.data(), to=recipients(), of=products())
def test_less_right_in_the_directory_never_opens_anything(data: Any, to: Any, of: Product) -> None:
    given_ = generous(of, to)
    point = to.contacts[0]
    less = data.draw(
        st.sampled_from(
            [
                {"clearance": Classification.PUBLIC,
                 "contacts": (point.model_copy(update={"clearance": None}),)}
                if point.clearance is None
                else {"contacts": (point.model_copy(update={"clearance": Classification.PUBLIC}),)},
                {"contacts": (point.model_copy(update={"accredited_up_to": Classification.PUBLIC}),)},
                {"contacts": (point.model_copy(update={"certificate": ""}),)},
                {"may_receive_up_to": Tlp.CLEAR},
                {"transfer_agreement": False},
            ]
        )
    )  # fmt: skip
    after = decide(to.model_copy(update=less), of, given_)
    assert openness(after) <= openness(decide(to, of, given_))


def stricter(own: Marking, other: Marking) -> Marking:
    return own.combined_with(other)


@pytest.mark.requirement("R31", "R32")
@given(data=st.data(), to=recipients(), of=products(), extra=markings)
def test_a_stricter_marking_never_lets_its_component_go_where_it_did_not(
    data: Any, to: Any, of: Product, extra: Marking
) -> None:
    given_ = [p for p in generous(of, to) if p.kind is not PermissionKind.LIFE_THREAT]
    if data.draw(st.booleans()):
        given_ = data.draw(st.lists(permissions(of, (to,)), max_size=4))
        given_ = [p for p in given_ if p.kind is not PermissionKind.LIFE_THREAT]
    number = data.draw(st.integers(0, len(of.components) - 1))
    before = decide(to, of, given_)
    changed = data.draw(
        st.sampled_from(
            [
                replace(
                    of.components[number], marking=stricter(of.components[number].marking, extra)
                ),
                replace(of.components[number], personal_data=True),
                replace(of.components[number], source_identity=True),
            ]
        )
    )
    parts = tuple(changed if n == number else p for n, p in enumerate(of.components))
    after_product = Product(components=parts)
    after = decide(to, after_product, given_)
    name = of.components[number].id
    if name not in delivered(of, before):
        # Without it the rest may go as a barer variant, but it itself goes nowhere new.
        assert name not in delivered(after_product, after)
    if name in delivered(after_product, after):
        assert openness(after) <= openness(before)


@pytest.mark.requirement("R32")
@given(of=products())
def test_sanitising_never_raises_a_marking_and_drops_what_must_not_stay(of: Product) -> None:
    full = of.variant(Variant.FULL).marking
    for variant in (Variant.SANITISED, Variant.SUMMARY):
        reduced = of.variant(variant)
        if reduced.components:
            assert full.combined_with(reduced.marking) == full.combined_with(full)
        for part in reduced.components:
            assert not part.source_identity
            assert not part.personal_data
            assert part.marking.pap is not Pap.RED
    summary, sanitised = of.variant(Variant.SUMMARY), of.variant(Variant.SANITISED)
    assert set(summary.components) <= set(sanitised.components) <= set(of.components)


@pytest.mark.requirement("R31", "R32")
@given(data=st.data(), to=recipients(), of=products())
def test_what_goes_was_allowed_to_go_by_every_rule_that_is_told_apart_here(
    data: Any, to: Any, of: Product
) -> None:
    given_ = generous(of, to) if data.draw(st.booleans()) else []
    decision = decide(to, of, given_)
    if not decision.allowed:
        assert decision.reasons
        assert decision.lock is not None
        return
    kept, point = of.variant(decision.variant), to.contacts[0]
    cleared = to.clearance if point.clearance is None else point.clearance
    names = {code for part in kept.components for code in part.marking.handling_codes}
    assert all(part.marking.classification <= cleared for part in kept.components)
    assert all(part.marking.classification <= point.accredited_up_to for part in kept.components)
    assert all(
        list(Tlp).index(part.marking.tlp) <= list(Tlp).index(to.may_receive_up_to)
        for part in kept.components
    )
    if any(
        p.marking.classification > Classification.PUBLIC or p.personal_data for p in kept.components
    ):
        assert key_problem(point, NOW) is None
    if not given_:
        assert not names & {HandlingCode.H2, HandlingCode.H3}
        assert not any(part.marking.tlp is Tlp.RED for part in kept.components)
        assert not any(part.lowered for part in kept.components)
        assert not any(
            p.marking.classification >= Classification.CONFIDENTIAL for p in kept.components
        )
        if to.recipient_class not in POLICE:
            assert not any(part.personal_data for part in kept.components)
        if to.recipient_class in {RecipientClass.PRIVATE_PARTNER, RecipientClass.INTERPOL}:
            assert not kept.guarded


ENVELOPE = Envelope(
    notification_id="n-1",
    message_id="<1@leerp.invalid>",
    sender="leerp@ec3.invalid",
    to="desk0@example.invalid",
    date=NOW,
    exercise=False,
)
SECRET = "what nobody on the way may read"


@pytest.mark.requirement("R31")
@settings(max_examples=40)
@given(to=recipients(), of=products())
def test_no_plaintext_leaves_where_encryption_is_required(to: Any, of: Product) -> None:
    decision = decide(to, of, generous(of, to))
    kept = of.variant(decision.variant)
    words = Rendered(subject=SECRET, text=f"{SECRET}\n", html=f"<p>{SECRET}</p>")

    def written() -> bytes:
        return build(words, ENVELOPE, marking=kept.marking, contact=to.contacts[0], signer=signer())

    if decision.allowed and kept.guarded:
        sealed = written()
        assert is_sealed(message_from_bytes(sealed))
        assert SECRET.encode() not in sealed
    elif kept.marking.classification > Classification.PUBLIC and key_problem(to.contacts[0], NOW):
        with pytest.raises(Refused):
            written()


@given(data=st.data(), of=products())
def test_who_is_alike_in_all_that_counts_is_answered_alike(data: Any, of: Product) -> None:
    """What is remembered of one recipient never answers for another who differs."""
    people = tuple(data.draw(recipients(number)) for number in range(3))
    given_ = data.draw(st.lists(permissions(of, people), max_size=4))
    together = Locks(of, permissions=given_, now=NOW)
    for each in (*people, *people):
        for point in each.contacts:
            alone = Locks(of, permissions=given_, now=NOW)
            assert together.decide(each, point) == alone.decide(each, point)


@given(data=st.data(), to=recipients(), of=products())
def test_a_decision_is_what_the_findings_of_all_components_add_up_to(
    data: Any, to: Any, of: Product
) -> None:
    """What is tried once for all components that are alike is what each of them would get."""
    doubled = tuple(
        replace(part, id=f"{part.id}-{n}", item=f"{part.item}-{n}" if n else part.item)
        for part in of.components
        for n in range(2)
    )
    twice = Product(components=doubled)
    given_ = data.draw(st.lists(permissions(twice, (to,)), max_size=4))
    given_ += generous(twice, to) if data.draw(st.booleans()) else []
    locks = Locks(twice, permissions=given_, now=NOW)
    fullest = None
    for variant in reversed(Variant):
        found = locks.findings(to, to.contacts[0], variant)
        if found and all(each.open for each in found):
            fullest = variant
    decision = locks.decide(to, to.contacts[0])
    assert (decision.variant if decision.allowed else None) == fullest


@given(of=products(), extra=components(9))
def test_a_product_that_differs_in_anything_has_another_digest(of: Product, extra: Any) -> None:
    assert Product(components=(*of.components, extra)).digest != of.digest
    assert Product(components=of.components).digest == of.digest
    assert Product(components=of.components, content="other").digest != of.digest
    first = replace(of.components[0], provider="somebody else")
    assert Product(components=(first, *of.components[1:])).digest != of.digest


@pytest.mark.requirement("R32")
@given(data=st.data(), to=recipients(), of=products())
def test_locks_that_move_in_time_say_what_fresh_ones_say(data: Any, to: Any, of: Product) -> None:
    given_ = data.draw(st.lists(permissions(of, (to,)), max_size=4))
    moving = Locks(of, permissions=given_, now=NOW)
    point = to.contacts[0]
    for hours in data.draw(st.lists(st.integers(-72, 96), min_size=1, max_size=4)):
        moving = moving.at(NOW + timedelta(hours=hours))
        fresh = Locks(of, permissions=given_, now=NOW + timedelta(hours=hours)).decide(to, point)
        assert moving.decide(to, point) == fresh
        assert moving.best(to, point) == (fresh.variant if fresh.allowed else None)
