"""Random directories, markings and permissions for the properties of the locks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from notifications.directory import Contact, Recipient
from notifications.grants import Permission, PermissionKind
from notifications.locks import LockDecision, Locks
from notifications.products import Component, Product, Purpose, Variant
from protocol.markings import Classification, HandlingCode, Marking, Pap, Tlp
from protocol.parties import RecipientClass
from tests.notifications.samples import NOW, certificate, contact, recipient

PROVIDERS = ("", "Police of Exampleland", "CSIRT of Otherland")
REPORTS = ("report-1", "report-2")
levels, tlps = st.sampled_from(Classification), st.sampled_from(Tlp)
markings = st.builds(
    lambda level, tlp, pap, codes: Marking(
        classification=level, tlp=tlp, pap=pap, handling_codes=codes, handling_text="read it"
    ),
    levels,
    tlps,
    st.sampled_from(Pap),
    st.frozensets(st.sampled_from(HandlingCode), max_size=3),
)


@st.composite
def components(draw: st.DrawFn, number: int = 0) -> Component:
    """A component with an id of its own."""
    return Component(
        id=f"part-{number}",
        item=f"item-{number}",
        marking=draw(markings),
        provider=draw(st.sampled_from(PROVIDERS)),
        purpose=draw(st.sampled_from(Purpose)),
        personal_data=draw(st.booleans()),
        source_identity=draw(st.booleans()),
        lowered=draw(st.sampled_from(("", *REPORTS))),
    )


@st.composite
def products(draw: st.DrawFn) -> Product:
    size = draw(st.integers(1, 4))
    return Product(components=tuple(draw(components(number)) for number in range(size)))


@st.composite
def contacts(draw: st.DrawFn, number: int) -> Contact:
    keys = (certificate(), "", certificate(-400, 30), certificate(10, 30))
    found = contact(number, key=draw(st.sampled_from(keys)))
    changes = {
        "clearance": draw(st.none() | levels),
        "accredited_up_to": draw(levels),
    }
    return found.model_copy(update=changes)


@st.composite
def recipients(draw: st.DrawFn, number: int = 0) -> Recipient:
    name = draw(st.sampled_from(RecipientClass))
    return recipient(
        name,
        id=f"r-{number}",
        clearance=draw(levels),
        may_receive_up_to=draw(tlps),
        transfer_agreement=draw(st.booleans()),
        contacts=tuple(draw(contacts(n)) for n in range(draw(st.integers(1, 2)))),
    )


@st.composite
def permissions(draw: st.DrawFn, of: Product, to: tuple[Recipient, ...]) -> Permission:
    """A record about this product, which may fit or not, and may be over or not begun."""
    kind = draw(st.sampled_from(PermissionKind))
    names = [name for each in to for name in (each.id, str(each.recipient_class))]
    begins = draw(st.sampled_from((-48, -1, 1)))
    items = draw(st.frozensets(st.sampled_from(("item-0", "item-1", *REPORTS)), max_size=3))
    return Permission(
        kind=kind,
        provider=draw(st.sampled_from(PROVIDERS)),
        recipients=draw(st.frozensets(st.sampled_from(names), min_size=1)),
        given_at=NOW + timedelta(hours=begins),
        expires_at=NOW + timedelta(hours=begins + draw(st.sampled_from((24, 72)))),
        items=items,
        purposes=draw(st.frozensets(st.sampled_from(Purpose), max_size=2)),
        product=of.digest if kind is PermissionKind.LIFE_THREAT and draw(st.booleans()) else "",
    )


def generous(of: Product, to: Recipient) -> list[Permission]:
    """Every record of every provider for this recipient."""
    every = Permission(
        kind=PermissionKind.H2,
        provider="",
        recipients=frozenset({to.id}),
        given_at=NOW - timedelta(hours=1),
        expires_at=NOW + timedelta(hours=1),
    )
    return [
        replace(
            every,
            kind=kind,
            provider=provider,
            items=frozenset(REPORTS if kind is PermissionKind.DOWNGRADE else ()),
            product=of.digest if kind is PermissionKind.LIFE_THREAT else "",
        )
        for kind in PermissionKind
        for provider in PROVIDERS
    ]


def decide(to: Recipient, of: Product, given: list[Permission]) -> LockDecision:
    return Locks(of, permissions=given, now=NOW).decide(to, to.contacts[0])


def delivered(of: Product, decision: LockDecision) -> set[str]:
    """Ids of the components that this decision lets go."""
    if not decision.allowed:
        return set()
    return {part.id for part in of.variant(decision.variant).components}


def openness(decision: LockDecision) -> int:
    """More for a fuller variant, least for none."""
    return -list(Variant).index(decision.variant) if decision.allowed else -len(Variant)
