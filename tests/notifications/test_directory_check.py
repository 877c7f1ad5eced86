from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pysequoia import Tsk

from notifications.directory import Contact, Directory, Recipient
from notifications.directory_check import Finding, check
from notifications.phrases import LANGUAGES
from protocol.markings import Classification
from tests.notifications.samples import NOW, contact, recipient

pytestmark = pytest.mark.requirement("R25", "R72")


def desk(number: int = 0, **changes: Any) -> Contact:
    return Contact.model_validate({**contact(number).model_dump(), **changes})


def findings(*recipients: Recipient, **options: Any) -> list[tuple[str, str, int | None]]:
    found: list[Finding] = check(Directory(version=1, recipients=recipients), NOW, **options)
    assert all(": " in each.message for each in found), "each says what to do"
    return [(f.problem, f.subject, f.contact) for f in found if f.problem != "empty-class"]


def of_desk(**changes: Any) -> list[str]:
    found = findings(recipient(id="here", contacts=(desk(0, **changes), desk(1))))
    assert all((subject, contact) == ("here", 0) for _, subject, contact in found)
    return [problem for problem, _, _ in found]


@pytest.mark.parametrize(
    ("phone", "problems"),
    [
        ("+32 2 555 12 12", []),
        ("02 555 12 12", []),  # of the organisation's own country
        ("", []),
        ("+32 2", ["phone-invalid"]),
        ("call the porter", ["phone-invalid"]),
    ],
)
def test_a_number_that_cannot_be_called_is_named(phone: str, problems: list[str]) -> None:
    contacts = (desk(0, phone=phone), desk(1))
    found = findings(recipient(id="here", country="BE", contacts=contacts))
    assert [problem for problem, _, _ in found] == problems


@pytest.mark.parametrize(
    ("first", "second", "gap"),
    [
        ("mon-fri 08:00-18:00", "mon-fri 18:00-08:00", True),  # the weekend
        ("mon-fri 00:00-24:00", "sat-sun 00:00-24:00", False),
        ("mon-sun 08:00-20:00", "mon-sun 20:00-08:00", False),
        ("mon-sun 08:00-20:00", "mon-sun 20:15-08:00", True),
        ("mon 08:00-09:00", "", False),
    ],
)
def test_an_hour_of_the_week_with_nobody_there_is_named(first: str, second: str, gap: bool) -> None:
    contacts = (desk(0, hours=first), desk(1, hours=second))
    found = findings(recipient(id="here", contacts=contacts))
    assert found == ([("nobody-there", "here", None)] if gap else [])


def test_hours_are_held_together_across_time_zones() -> None:
    brussels = desk(0, hours="mon-sun 08:00-20:00", time_zone="Europe/Brussels")
    elsewhere = desk(1, hours="mon-sun 08:00-20:00", time_zone="Asia/Tokyo")
    assert findings(recipient(id="here", contacts=(brussels, elsewhere)))
    honolulu = desk(1, hours="mon-sun 00:00-24:00", time_zone="Pacific/Honolulu")
    assert not findings(recipient(id="here", contacts=(brussels, honolulu)))


@pytest.mark.parametrize(
    ("days", "problems"),
    [(365, []), (29, ["openpgp-expires-soon"]), (0, ["openpgp-expired"])],
)
def test_an_openpgp_key_that_expires_is_named(days: int, problems: list[str]) -> None:
    lifetime = timedelta(days=days) if days else timedelta(seconds=1)
    made = Tsk.generate(
        "Desk <desk@example.invalid>", validity_seconds=int(lifetime.total_seconds())
    )
    armoured = str(made.extract_certificate())
    later = NOW if days else NOW + timedelta(days=1)
    contacts = (desk(0, openpgp_key=armoured, certificate=""), desk(1))
    directory = Directory(version=1, recipients=(recipient(id="here", contacts=contacts),))
    found = [f.problem for f in check(directory, later) if f.problem != "empty-class"]
    assert found == problems


def test_whom_there_is_no_template_for_is_named() -> None:
    assert of_desk(languages=("el",)) == ["language-without-template"]
    for written in LANGUAGES:
        assert of_desk(languages=(written,)) == []
    assert of_desk(languages=("el", "en")) == []
    greek = recipient(id="here", contacts=(desk(0, languages=("el",)), desk(1)))
    assert findings(greek, languages={"en", "el"}) == []


def test_a_clearance_that_the_channel_cannot_carry_is_named() -> None:
    assert of_desk(clearance=Classification.SECRET) == ["above-channel"]
    assert of_desk(clearance=Classification.SECRET, accredited_up_to=Classification.SECRET) == []


def test_an_address_of_two_organisations_is_named_once_for_each_further_one() -> None:
    shared = [
        recipient(id=name, contacts=(desk(0), desk(1, email=f"deputy@{name}.invalid")))
        for name in ("a", "b", "c")
    ]
    assert findings(*shared) == [("shared-address", "b", 0), ("shared-address", "c", 0)]
