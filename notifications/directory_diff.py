"""What changed from one directory to another, in words, and which changes need a second person.

Keys are shown by fingerprint and nudges without their secret, so that a difference may be shown and
kept anywhere the directory's addresses may. Source: R25; seed 000 (spoofing is a concern of the network).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from pysequoia import Cert

from notifications.directory import Contact, Officer, Recipient, Record
from protocol.markings import Classification
from protocol.parties import Role

SENSITIVE = frozenset({"email", "phone", "certificate", "openpgp_key", "nudges", "requiretls"})
"""Where a warning goes, and who can read it on the way: whoever forges one of these gets the mail."""
ADDED, REMOVED, ORDER = "added", "removed", "order"
CONFIRMING = frozenset({Role.DUTY_MANAGER, Role.DUTY_OFFICER})
"""Who may be the second person: whoever can phone the desk that is concerned."""


class Change(Record):
    """One difference; ``contact`` is the address of the contact point as it was, or as it is added."""

    subject: str
    """Recipient id, or ``officer`` and the officer's id."""
    contact: str = ""
    field: str
    """The name of a field, or ``added``, ``removed``, ``order`` (of the contacts)."""
    before: str = ""
    after: str = ""
    second_person: bool = False
    """Nobody may make this change alone."""


def recipients_changed(
    before: Iterable[Recipient],
    after: Iterable[Recipient],
    *,
    known: Mapping[str, Recipient] | None = None,
) -> tuple[Change, ...]:
    """Every difference, by recipient id; empty exactly when both hold the same organisations.

    ``known`` are organisations that left the directory before: one that comes back is held against
    what it was, so that leaving and returning is no way around the second person.
    """
    old, new = _by_id(before), _by_id(after)
    return tuple(
        change
        for name in sorted({*old, *new})
        for change in _recipient_changes(
            old.get(name), new.get(name), known=(known or {}).get(name)
        )
    )


def officers_changed(before: Iterable[Officer], after: Iterable[Officer]) -> tuple[Change, ...]:
    """Every difference between officers, by id.

    Who comes to be one that may confirm needs a second person, as long as there is one: else the first
    could make up the second.
    """
    old, new = ({each.id: each for each in side} for side in (before, after))
    others = sum(1 for each in old.values() if CONFIRMING & set(each.roles)) > 1
    found = []
    for name in sorted({*old, *new}):
        was, now = old.get(name), new.get(name)
        before_roles, after_roles = (set(each.roles) if each else set() for each in (was, now))
        gains = bool(CONFIRMING & after_roles - before_roles) and others
        for field, left, right in _officer_fields(was, now):
            found.append(
                Change(
                    subject=f"officer {name}",
                    field=field,
                    before=left,
                    after=right,
                    second_person=gains and field in {ADDED, "roles"},
                )
            )
    return tuple(found)


def shown(field: str, value: Any) -> str:
    """A value for people: a key as its fingerprint, a nudge without its secret."""
    match field:
        case _ if value in ("", (), None):
            return ""
        case "certificate":
            certificate = x509.load_pem_x509_certificate(value.encode())
            return f"SHA-256 {certificate.fingerprint(hashes.SHA256()).hex()}"
        case "openpgp_key":
            return f"OpenPGP {Cert.from_bytes(value.encode()).fingerprint} ({_digest(value)})"
        case "nudges":
            return ", ".join(f"{nudge.partition(':')[0]} ({_digest(nudge)})" for nudge in value)
        case _:
            return _plain(value)


def _plain(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case Classification():
            return value.name
        case tuple():
            return ", ".join(str(each) for each in value)
        case _:
            return str(value)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


def _by_id(recipients: Iterable[Recipient]) -> dict[str, Recipient]:
    return {recipient.id: recipient for recipient in recipients}


def _recipient_changes(
    old: Recipient | None, new: Recipient | None, *, known: Recipient | None
) -> Iterator[Change]:
    if new is None:
        if old is not None:
            yield Change(subject=old.id, field=REMOVED, before=old.organisation)
        return
    if old is None:
        yield Change(subject=new.id, field=ADDED, after=new.organisation)
        if known is None:
            return
    was = old or known
    if was is None:
        return
    for field in _differing(was, new, leaving_out="contacts"):
        before, after = getattr(was, field), getattr(new, field)
        yield Change(
            subject=new.id, field=field, before=shown(field, before), after=shown(field, after)
        )
    yield from _contact_changes(new.id, was.contacts, new.contacts)


def _contact_changes(
    subject: str, before: Sequence[Contact], after: Sequence[Contact]
) -> Iterator[Change]:
    pairs = _pairs(before, after)
    for old in before:
        if old not in [was for was, _ in pairs]:
            yield Change(subject=subject, contact=old.email, field=REMOVED, before=old.name)
    for was, now in pairs:
        if was is None:
            yield Change(
                subject=subject,
                contact=now.email,
                field=ADDED,
                after=now.name,
                second_person=True,
            )
            continue
        for field in _differing(was, now):
            yield Change(
                subject=subject,
                contact=was.email,
                field=field,
                before=shown(field, getattr(was, field)),
                after=shown(field, getattr(now, field)),
                second_person=field in SENSITIVE,
            )
    stayed = [was for was, _ in pairs if was is not None]
    order = [each for each in before if each in stayed]
    if stayed != order:
        yield Change(
            subject=subject,
            field=ORDER,
            before=", ".join(each.email for each in order),
            after=", ".join(each.email for each in stayed),
        )


def _pairs(
    before: Sequence[Contact], after: Sequence[Contact]
) -> list[tuple[Contact | None, Contact]]:
    """Each contact of ``after`` with the one that it was: of the same address, else of the same name."""
    left = list(before)
    matched: dict[int, Contact] = {}
    for name in ("email", "name"):
        for number, each in enumerate(after):
            said = str(getattr(each, name)).casefold()
            found = next((old for old in left if getattr(old, name).casefold() == said), None)
            if found is not None and number not in matched:
                matched[number] = found
                left.remove(found)
    return [(matched.get(number), each) for number, each in enumerate(after)]


def _differing(old: Record, new: Record, *, leaving_out: str = "") -> list[str]:
    names = [name for name in type(old).model_fields if name != leaving_out]
    return [name for name in names if getattr(old, name) != getattr(new, name)]


def _officer_fields(was: Officer | None, now: Officer | None) -> Iterator[tuple[str, str, str]]:
    if was is None and now is not None:
        yield ADDED, "", f"{now.name}: {_plain(now.roles)}"
    elif now is None and was is not None:
        yield REMOVED, f"{was.name}: {_plain(was.roles)}", ""
    elif was is not None and now is not None:
        for field in _differing(was, now):
            yield field, _plain(getattr(was, field)), _plain(getattr(now, field))
