"""The directory in words: an organisation and a difference, without any secret."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from notifications.directory import Recipient
from notifications.directory_diff import Change, shown

CHANGE_COLUMNS = ("subject", "contact", "field", "before", "after", "second_person")


def change_rows(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """A row for each change."""
    return [change.model_dump(mode="json") for change in changes]


def organisation(recipient: Recipient, now: datetime) -> dict[str, Any]:
    """All fields, keys as fingerprints; whether each contact is there ``now``."""
    said: dict[str, Any] = {
        name: shown(name, getattr(recipient, name))
        for name in type(recipient).model_fields
        if name != "contacts"
    }
    said["contacts"] = [
        {
            **{name: shown(name, getattr(contact, name)) for name in type(contact).model_fields},
            "hours": contact.hours or "round the clock",
            "there_now": contact.is_open_at(now),
        }
        for contact in recipient.contacts
    ]
    return said
