from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from notifications.directory import Contact, Officer, Recipient
from notifications.directory_diff import Change, officers_changed, recipients_changed
from notifications.directory_document import DirectoryDocument
from protocol.markings import Classification
from protocol.parties import RecipientClass, Role
from tests.notifications.directories import NUDGES, documents, openpgp_key
from tests.notifications.samples import certificate, contact, recipient

pytestmark = pytest.mark.requirement("R25")


@settings(max_examples=40)
@given(one=documents(), other=documents())
def test_a_difference_is_empty_exactly_when_both_hold_the_same(
    one: DirectoryDocument, other: DirectoryDocument
) -> None:
    same = {r.id: r for r in one.recipients} == {r.id: r for r in other.recipients}
    assert (recipients_changed(one.recipients, other.recipients) == ()) is same
    assert recipients_changed(one.recipients, tuple(reversed(one.recipients))) == ()


@settings(max_examples=25)
@given(one=documents(), other=documents())
def test_a_difference_shows_no_secret(one: DirectoryDocument, other: DirectoryDocument) -> None:
    shown = " ".join(
        change.before + change.after
        for change in recipients_changed(one.recipients, other.recipients)
    )
    assert not any(nudge in shown for nudge in NUDGES)
    assert "-----BEGIN" not in shown


def police(*contacts: Contact, **changes: Any) -> Recipient:
    return recipient(contacts=contacts or (contact(0), contact(1)), **changes)


def changed(new: Recipient, old: Recipient | None = None) -> list[Change]:
    return list(recipients_changed([old or police()], [new]))


def with_first(**changes: Any) -> Recipient:
    return police(contact(0).model_copy(update=changes), contact(1))


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "other@example.invalid"},
        {"phone": "+32 2 555"},
        {"certificate": certificate(-400, 30)},
        {"certificate": ""},
        {"openpgp_key": openpgp_key()},
        {"nudges": ("ntfy://host/topic",)},
        {"requiretls": True},
    ],
)
def test_where_a_warning_goes_and_who_can_read_it_takes_two(changes: dict[str, Any]) -> None:
    (change,) = changed(with_first(**changes))
    assert change.field in changes
    assert change.second_person
    assert (change.subject, change.contact) == ("le-poc-1", "desk0@example.invalid")


@pytest.mark.parametrize(
    "new",
    [
        with_first(hours="mon 08:00-09:00"),
        with_first(name="Another name"),
        with_first(languages=("fr",)),
        police(contact(1), contact(0)),
        police(contact(0)),
        police(clearance=Classification.RESTRICTED),
    ],
)
def test_what_leads_no_warning_astray_takes_one(new: Recipient) -> None:
    (change,) = changed(new)
    assert not change.second_person


def test_another_contact_of_an_organisation_takes_two_a_new_organisation_one() -> None:
    (added,) = changed(police(contact(0), contact(1), contact(2)))
    assert (added.field, added.second_person) == ("added", True)
    (new,) = recipients_changed([], [police()])
    assert (new.field, new.second_person) == ("added", False)


def test_who_has_left_and_returns_is_held_against_what_it_was() -> None:
    back = with_first(email="thief@example.invalid")
    changes = recipients_changed([], [back], known={"le-poc-1": police()})
    assert {(c.field, c.second_person) for c in changes} == {("added", False), ("email", True)}
    same = recipients_changed([], [police()], known={"le-poc-1": police()})
    assert [change.field for change in same] == ["added"]


def test_a_changed_order_of_contacts_is_said() -> None:
    (change,) = changed(police(contact(1), contact(0)))
    assert change.field == "order"
    assert change.after == "desk1@example.invalid, desk0@example.invalid"


def test_a_contact_with_another_name_and_address_is_another_contact() -> None:
    new = contact(2).model_copy(update={"name": "Stranger"})
    changes = changed(police(contact(0), new))
    assert [(c.field, c.second_person) for c in changes] == [("removed", False), ("added", True)]


def test_a_class_is_shown_as_people_write_it() -> None:
    (change,) = changed(police().model_copy(update={"recipient_class": RecipientClass.JUDICIAL}))
    assert (change.before, change.after) == ("le-poc", "judicial")


def officer(name: str, *roles: Role) -> Officer:
    return Officer(id=name, name=name, organisation="EC3", roles=roles)


MANAGER, DUTY = officer("m", Role.DUTY_MANAGER), officer("d", Role.DUTY_OFFICER)


@pytest.mark.parametrize(
    ("before", "after", "second_person"),
    [
        ([MANAGER, DUTY], [MANAGER, DUTY, officer("x", Role.DUTY_OFFICER)], True),
        ([MANAGER, DUTY], [MANAGER, DUTY, officer("x", Role.ANALYST)], False),
        ([MANAGER, DUTY], [MANAGER, officer("d", Role.DUTY_OFFICER, Role.DUTY_MANAGER)], True),
        ([MANAGER, DUTY], [MANAGER], False),
        ([MANAGER], [MANAGER, DUTY], False),
    ],
)
def test_nobody_makes_up_the_second_person_alone(
    before: list[Officer], after: list[Officer], second_person: bool
) -> None:
    (change,) = officers_changed(before, after)
    assert change.second_person is second_person
