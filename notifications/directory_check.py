"""What in the directory would keep somebody from being warned.

Source: R25, R72; domain 4.4.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import phonenumbers

from infra.settings import Settings
from notifications.directory import Contact, Directory, Recipient, Record, key_problem
from notifications.directory_hours import is_open, parse_hours
from notifications.openpgp import openpgp_key
from notifications.own_keys import own_keys
from notifications.phrases import LANGUAGES
from notifications.trust import PINNED, Trust
from protocol.errors import Refused
from protocol.parties import RecipientClass

EXPIRES_SOON = timedelta(days=30)
CENTRE = "this centre"
_WEEK = timedelta(days=7)
_LOOK_EVERY = timedelta(minutes=15)
"""Time zones lie apart by multiples of it, and so do the hours of desks."""


class Finding(Record):
    """Something in the directory that would keep somebody from being warned."""

    problem: str
    subject: str
    """Recipient id, class where nobody is in it, or the centre itself."""
    contact: int | None = None
    message: str


def check(
    directory: Directory,
    now: datetime,
    *,
    languages: Collection[str] = LANGUAGES,
    trust: Trust = PINNED,
) -> list[Finding]:
    """What will go wrong with this directory, in its order; empty when all is well.

    ``languages`` are those that notices are written in.
    """
    findings = [
        found
        for recipient in directory.recipients
        for found in _of_organisation(recipient, now, languages, trust)
    ]
    findings += _shared_addresses(directory)
    return findings + [
        Finding(
            problem="empty-class",
            subject=name,
            message=f"nobody of class {name}: add one, or say with each notice why it is left out",
        )
        for name in RecipientClass
        if not directory.of_class(name)
    ]


def own_findings(settings: Settings, now: datetime) -> list[Finding]:
    """What is wrong, or soon will be, with the keys that the centre signs with.

    Raises:
        Refused: one of them cannot be read.
    """
    early = settings.smime.warn_before
    return [
        Finding(problem=f"own-key-{key.life(now, early)}", subject=CENTRE, message=advice)
        for key in own_keys(settings.keys)
        if (advice := key.advice(now, early))
    ]


def _of_organisation(
    recipient: Recipient, now: datetime, languages: Collection[str], trust: Trust
) -> Iterator[Finding]:
    if len(recipient.contacts) == 1:
        message = "only one contact: when it is silent there is nobody else to try (R72)"
        yield Finding(problem="one-contact", subject=recipient.id, message=message)
    if gap := _unstaffed(recipient, now):
        message = (
            f"nobody is there on {gap:%a %Y-%m-%d at %H:%M} UTC, for one: agree on hours (R25)"
        )
        yield Finding(problem="nobody-there", subject=recipient.id, message=message)
    for number, contact in enumerate(recipient.contacts):
        for problem, message in (
            *_of_keys(contact, now, trust),
            *_of_channels(recipient, contact),
            *_of_language(contact, languages),
        ):
            yield Finding(problem=problem, subject=recipient.id, contact=number, message=message)


def broken_keys(contact: Contact, at: datetime, trust: Trust = PINNED) -> Iterator[tuple[str, str]]:
    """Each of a contact's keys that is of no use at that time: a code, and what to do."""
    certificate = contact.x509()
    try:
        if contact.openpgp_key:
            openpgp_key(contact.openpgp_key).require(at)
    except Refused as refused:
        yield refused.reason, str(refused)
    if certificate is None and contact.openpgp_key:
        return
    if problem := key_problem(contact, at, trust):
        yield problem


def _of_keys(contact: Contact, now: datetime, trust: Trust) -> Iterator[tuple[str, str]]:
    if broken := list(broken_keys(contact, now, trust)):
        yield from broken
        return
    soon, certificate = now + EXPIRES_SOON, contact.x509()
    ends = openpgp_key(contact.openpgp_key).usable_until() if contact.openpgp_key else None
    if ends is not None and ends <= soon:
        yield "openpgp-expires-soon", "the OpenPGP key expires in 30 days: ask for a new one"
    if certificate is not None and certificate.not_valid_after_utc <= soon:
        yield "expires-soon", "the certificate expires in 30 days: ask for a new one"


def _of_channels(recipient: Recipient, contact: Contact) -> Iterator[tuple[str, str]]:
    if contact.phone and not _possible_number(contact.phone, recipient.country):
        yield "phone-invalid", "no valid telephone number: write it as +32 2 555 12 12"
    clearance = recipient.clearance if contact.clearance is None else contact.clearance
    if clearance > contact.accredited_up_to:
        message = (
            f"cleared up to {clearance.name}, but its mail is accredited up to "
            f"{contact.accredited_up_to.name} only: what is above that needs another way"
        )
        yield "above-channel", message


def _possible_number(text: str, country: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, country))
    except phonenumbers.NumberParseException:
        return False


def _of_language(contact: Contact, languages: Collection[str]) -> Iterator[tuple[str, str]]:
    if not set(contact.languages) & set(languages):
        message = (
            f"reads {', '.join(contact.languages)}, and notices are written in "
            f"{', '.join(sorted(languages))}: add a language that is read there too, or a table of phrases"
        )
        yield "language-without-template", message


def _unstaffed(recipient: Recipient, now: datetime) -> datetime | None:
    """The first time of the coming week at which no contact is there."""
    desks = [(parse_hours(c.hours), ZoneInfo(c.time_zone)) for c in recipient.contacts]
    if any(not openings for openings, _ in desks):
        return None
    start = now.replace(minute=0, second=0, microsecond=0)
    times = (start + n * _LOOK_EVERY for n in range(_WEEK // _LOOK_EVERY))
    return next((at for at in times if not any(is_open(*desk, at) for desk in desks)), None)


def _shared_addresses(directory: Directory) -> Iterable[Finding]:
    """A warning for one organisation must not arrive at another."""
    pairs = sorted(
        (c.email.casefold(), r.id, n)
        for r in directory.recipients
        for n, c in enumerate(r.contacts)
    )
    for _, group in groupby(pairs, key=lambda pair: pair[0]):
        _, *others = group
        for _, name, number in others:
            message = "another organisation has this address too: ask both whose it is"
            yield Finding(problem="shared-address", subject=name, contact=number, message=message)
