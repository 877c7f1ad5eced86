"""Random directories, with all that a field may hold."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from hypothesis import strategies as st
from pydantic import TypeAdapter
from pysequoia import Tsk

from notifications.directory import Contact, Officer, Recipient, Title
from notifications.directory_document import DirectoryDocument
from notifications.directory_hours import DAYS
from protocol.markings import Classification, Tlp
from protocol.parties import RecipientClass, Role
from tests.notifications.samples import certificate

_TITLE: TypeAdapter[str] = TypeAdapter(Title)
_CHARACTERS = st.characters(
    exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufffe\uffff"
)
_WORDS = st.text(_CHARACTERS, max_size=30).map(lambda text: f"x{text}") | st.sampled_from(
    ["=1+1", "'=x", "@SUM(A1)", "-5", "+32 2 555", "a;b,c\\n", "yes", "07", "_x0041_", "''"]
)
NUDGES = ("ntfy://host/a,b;c", "=x://y", "mailto://u:p@h?x='")

titles = _WORDS.map(_TITLE.validate_python)
lines = st.just("") | titles
clocks = st.builds(lambda h, m: f"{h:02}:{m:02}", st.integers(0, 23), st.integers(0, 59))
openings = st.builds(
    lambda first, last, times: f"{first}-{last} {times[0]}-{times[1]}",
    st.sampled_from(DAYS),
    st.sampled_from(DAYS),
    st.lists(clocks, min_size=2, max_size=2, unique=True),
)
hours = st.lists(openings, max_size=3).map("; ".join)


@functools.cache
def openpgp_key() -> str:
    """The public half of a key, armoured."""
    return str(Tsk.generate("Desk <desk@example.invalid>").extract_certificate())


def contact(email: str) -> st.SearchStrategy[Contact]:
    return st.builds(
        Contact,
        name=titles,
        email=st.just(email),
        phone=lines,
        certificate=st.sampled_from(["", certificate(), certificate(-400, 30)]),
        openpgp_key=st.sampled_from(["", openpgp_key()]),
        languages=st.lists(
            st.sampled_from(["en", "fr", "de", "el"]), min_size=1, max_size=3, unique=True
        ),
        time_zone=st.sampled_from(["UTC", "Europe/Brussels", "America/St_Johns"]),
        hours=hours,
        clearance=st.none() | st.sampled_from(Classification),
        accredited_up_to=st.sampled_from(Classification),
        requiretls=st.booleans(),
        nudges=st.lists(st.sampled_from(NUDGES), max_size=2),
    )


@st.composite
def recipients(draw: st.DrawFn, name: str) -> Recipient:
    addresses = [f"desk{n}@{name}.invalid" for n in range(draw(st.integers(1, 3)))]
    private = draw(st.sampled_from(RecipientClass))
    return Recipient(
        id=name,
        recipient_class=private,
        organisation=draw(titles),
        country=draw(st.none() | st.sampled_from(["DE", "FR"])),
        contacts=tuple(draw(contact(address)) for address in addresses),
        clearance=draw(st.sampled_from(Classification)),
        may_receive_up_to=draw(st.sampled_from(Tlp)),
        transfer_agreement=draw(st.booleans()),
        principals=tuple(draw(st.lists(titles, max_size=2))),
        value_to_investigation=draw(titles),
    )


OFFICERS = (
    Officer(id="o.admin", name="=Admin", organisation="EC3", roles=(Role.DUTY_MANAGER,)),
    Officer(id="o.one", name="One", organisation="EC3", roles=(Role.DUTY_OFFICER, Role.LAUNCH)),
)


@st.composite
def documents(
    draw: st.DrawFn, names: Sequence[str] = ("org-a", "org-b", "org-c")
) -> DirectoryDocument:
    """A directory of some of these organisations."""
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    return DirectoryDocument(
        recipients=tuple(draw(recipients(name)) for name in sorted(chosen)), officers=OFFICERS
    )
