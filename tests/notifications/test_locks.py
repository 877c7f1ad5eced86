from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from notifications.directory import Recipient
from notifications.grants import Permission, PermissionKind
from notifications.lock_rules import Lock
from notifications.locks import LockDecision, open_locks
from notifications.matrix import Column
from notifications.products import Component, Product, Purpose, Variant
from protocol.markings import Classification, HandlingCode, Marking, Pap, Tlp
from protocol.parties import INTERNAL_CLASSES, RecipientClass
from tests.notifications.samples import NOW, certificate, contact, recipient

C = RecipientClass
K = PermissionKind
PROVIDER = "Police of Exampleland"
PUBLIC = {"classification": Classification.PUBLIC, "tlp": Tlp.CLEAR, "pap": Pap.CLEAR}
POLICE = [*sorted(INTERNAL_CLASSES), C.DUTY_MANAGER, C.LE_POC]


def component(name: str = "case", **changes: object) -> Component:
    marking = Marking.model_validate({**PUBLIC, **changes})
    return Component(id=name, marking=marking, provider=PROVIDER)


def permission(kind: PermissionKind, *recipients: str, provider: str = PROVIDER) -> Permission:
    return Permission(
        kind=kind,
        provider=provider,
        recipients=frozenset(recipients),
        given_at=NOW - timedelta(hours=1),
        expires_at=NOW + timedelta(hours=1),
        items=frozenset({"report-1"} if kind is K.DOWNGRADE else ()),
    )


def all_permissions(to: Recipient) -> list[Permission]:
    """Every provider's word on everything, and the centre's own."""
    return [
        permission(kind, to.id, provider=provider)
        for kind in PermissionKind
        if kind is not K.LIFE_THREAT
        for provider in (PROVIDER, "")
    ]


def decide(to: Recipient, *parts: Component, permissions: list[Permission] | None = None,
           number: int = 0) -> LockDecision:  # fmt: skip
    return open_locks(
        to,
        to.contacts[number],
        Product(components=parts),
        permissions=permissions or [],
        now=NOW,
    )


PARTS: dict[Column, Component] = {
    Column.PUBLIC: component(),
    Column.CLEAR: component(),
    Column.GREEN: component(tlp=Tlp.GREEN),
    Column.AMBER: component(tlp=Tlp.AMBER),
    Column.AMBER_STRICT: component(tlp=Tlp.AMBER_STRICT),
    Column.RED: component(tlp=Tlp.RED),
    Column.BPL: component(classification=Classification.BPL),
    Column.H1: component(handling_codes={HandlingCode.H1}),
    Column.H2: component(handling_codes={HandlingCode.H2}),
    Column.H3: component(handling_codes={HandlingCode.H3}, handling_text="not on paper"),
    Column.EUCI: component(classification=Classification.RESTRICTED),
    Column.REGISTERED: component(classification=Classification.CONFIDENTIAL),
    Column.LOWERED: replace(component(tlp=Tlp.GREEN), lowered="report-1"),
    Column.FIRST_USE: component(tlp=Tlp.GREEN),
}


def standing(to: Recipient) -> list[Permission]:
    """What the centre has confirmed of its own word."""
    return [permission(kind, to.id, provider="") for kind in (K.TRANSFER, K.PRIVATE_PARTNER)]


def case_file() -> tuple[Component, ...]:
    """What an EWN looks like to the locks: a case, a technical part, a summary."""
    bpl = Marking(tlp=Tlp.GREEN)
    return (
        Component(id="case", marking=bpl, purpose=Purpose.CRIME, personal_data=True),
        Component(id="technical", marking=bpl, purpose=Purpose.PROTECTION),
        Component(id="summary", marking=bpl, purpose=Purpose.INFORMATION),
    )


@pytest.mark.requirement("R32")
def test_each_class_gets_the_variant_that_is_meant_for_it() -> None:
    got = {}
    for name in C:
        to = recipient(name, transfer_agreement=name is C.INTERPOL)
        got[name] = decide(to, *case_file(), permissions=standing(to)).variant
    assert got == {
        **dict.fromkeys([*POLICE, C.JUDICIAL, C.INTERPOL], Variant.FULL),
        C.EU_BODY: Variant.TECHNICAL,
        C.CSIRT_NETWORK: Variant.TECHNICAL,
        C.PRIVATE_PARTNER: Variant.SANITISED,
        C.CRISIS_COMMUNICATION: Variant.SUMMARY,
    }


def test_interpol_without_a_transfer_agreement_is_held() -> None:
    to = recipient(C.INTERPOL)
    decision = decide(to, *case_file(), permissions=standing(to))
    assert not decision.allowed
    assert decision.lock is Lock.HANDLING
    assert "transfer agreement" in decision.reasons[0]


def certificate_on_an_unknown_curve() -> str:
    key = ec.generate_private_key(ec.SECP256K1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Desk")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.requirement("R31")
@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "no certificate"),
        (certificate(-400, 30), "valid from"),
        (certificate(10, 30), "valid from"),
        (certificate_on_an_unknown_curve(), "RSA"),
    ],
    ids=["none", "expired", "not yet valid", "a curve that is not used"],
)
def test_without_a_usable_key_nothing_above_public_goes(key: str, words: str) -> None:
    to = recipient(contacts=(contact(key=key),))
    decision = decide(to, PARTS[Column.BPL])
    assert not decision.allowed
    assert decision.lock is Lock.CLASSIFICATION
    assert words in decision.reasons[0]
    assert "example.invalid" not in " ".join(decision.reasons)
    assert decide(to, PARTS[Column.PUBLIC]).allowed


def test_a_recipient_that_is_not_cleared_is_held() -> None:
    decision = decide(recipient(clearance=Classification.PUBLIC), PARTS[Column.BPL])
    assert (decision.allowed, decision.lock) == (False, Lock.CLASSIFICATION)


def test_the_directory_limits_the_tlp_of_every_class() -> None:
    decision = decide(recipient(C.JCAT, may_receive_up_to=Tlp.GREEN), PARTS[Column.AMBER])
    assert (decision.allowed, decision.lock) == (False, Lock.TLP)


def test_a_permission_counts_only_in_its_time_for_its_provider_and_recipient() -> None:
    to = recipient()
    good = permission(PermissionKind.H2, to.id)
    late = replace(good, given_at=NOW - timedelta(2), expires_at=NOW)
    early = replace(good, given_at=NOW + timedelta(seconds=1))
    other = permission(PermissionKind.H2, to.id, provider="somebody else")
    elsewhere = permission(PermissionKind.H2, "le-poc-2")
    for wrong in (late, early, other, elsewhere):
        assert not decide(to, PARTS[Column.H2], permissions=[wrong]).allowed
    assert decide(to, PARTS[Column.H2], permissions=[good]).allowed
    whole_class = permission(PermissionKind.H2, C.LE_POC)
    assert decide(to, PARTS[Column.H2], permissions=[whole_class]).allowed


def test_red_needs_the_addressee_by_name() -> None:
    to = recipient(may_receive_up_to=Tlp.RED)
    whole_class = permission(PermissionKind.TLP_RED, C.LE_POC)
    by_name = permission(PermissionKind.TLP_RED, to.id)
    assert not decide(to, PARTS[Column.RED], permissions=[whole_class]).allowed
    assert decide(to, PARTS[Column.RED], permissions=[by_name]).allowed


def test_a_reduced_variant_says_what_was_left_out() -> None:
    decision = decide(recipient(C.CSIRT_NETWORK), *case_file())
    assert decision.allowed
    assert any("sanitised" in reason for reason in decision.reasons)
    assert "left out: personal data (1)" in decision.reasons


markings = st.builds(
    lambda level, tlp, pap, codes: Marking(
        classification=level, tlp=tlp, pap=pap, handling_codes=codes, handling_text="read it"
    ),
    st.sampled_from(Classification),
    st.sampled_from(Tlp),
    st.sampled_from(Pap),
    st.frozensets(st.sampled_from(HandlingCode)),
)
components = st.builds(
    Component,
    id=st.uuids().map(str),
    marking=markings,
    provider=st.sampled_from(["", PROVIDER]),
    purpose=st.sampled_from(Purpose),
    personal_data=st.booleans(),
    source_identity=st.booleans(),
)
recipients = st.builds(
    lambda name, level, tlp, agreed, keyed: recipient(
        name,
        clearance=level,
        may_receive_up_to=tlp,
        transfer_agreement=agreed,
        contacts=(contact(key=None if keyed else ""),),
    ),
    st.sampled_from(C),
    st.sampled_from(Classification),
    st.sampled_from(Tlp),
    st.booleans(),
    st.booleans(),
)
PLAIN = Component(id="plain", marking=Marking(**PUBLIC), purpose=Purpose.INFORMATION)


def openness(decision: LockDecision) -> int:
    return -list(Variant).index(decision.variant) if decision.allowed else -len(Variant)


@pytest.mark.requirement("R32")
@given(to=recipients, parts=st.lists(components, max_size=4), extra=components, some=st.booleans())
def test_one_more_component_never_opens_a_lock(
    to: Recipient, parts: list[Component], extra: Component, some: bool
) -> None:
    permissions = all_permissions(to) if some else []
    before = decide(to, PLAIN, *parts, permissions=permissions)
    after = decide(to, PLAIN, *parts, extra, permissions=permissions)
    assert openness(after) <= openness(before)


@pytest.mark.requirement("R31", "R32")
@given(to=recipients, parts=st.lists(components, min_size=1, max_size=5))
def test_what_goes_out_is_never_more_than_the_recipient_may_have(
    to: Recipient, parts: list[Component]
) -> None:
    product = Product(components=tuple(parts))
    decision = decide(to, *parts)
    if not decision.allowed:
        return
    kept = product.variant(decision.variant)
    assert kept.marking.classification <= min(to.clearance, to.contacts[0].accredited_up_to)
    if kept.guarded:
        assert to.contacts[0].certificate
    assert list(Tlp).index(kept.marking.tlp) <= list(Tlp).index(to.may_receive_up_to)
    non_police = {C.CSIRT_NETWORK, C.PRIVATE_PARTNER, C.CRISIS_COMMUNICATION, C.EU_BODY}
    if to.recipient_class in non_police:
        assert not any(part.personal_data for part in kept.components)


@pytest.mark.requirement("R32")
@given(parts=st.lists(components, min_size=1, max_size=6), variant=st.sampled_from(Variant))
def test_a_reduced_variant_never_carries_what_it_dropped(
    parts: list[Component], variant: Variant
) -> None:
    reduced = Product(components=tuple(parts)).variant(variant)
    dropped = {omission.component for omission in reduced.omissions}
    kept = {part.id for part in reduced.components}
    assert kept.isdisjoint(dropped)
    assert kept | dropped == {part.id for part in parts}
    if variant is not Variant.FULL:
        for part in reduced.components:
            assert not part.personal_data
            assert not part.source_identity
            assert part.marking.pap is not Pap.RED
            assert part.purpose is not Purpose.CRIME
            assert HandlingCode.H2 not in part.marking.handling_codes


@given(parts=st.lists(components, min_size=1, max_size=6))
def test_a_products_marking_is_as_strict_as_each_of_its_components(parts: list[Component]) -> None:
    marking = Product(components=tuple(parts)).variant(Variant.FULL).marking
    for part in parts:
        assert marking.combined_with(part.marking) == marking
