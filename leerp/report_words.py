"""Facts about a report in words, for a person who reads them in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def seen_words(facts: Mapping[str, Any]) -> str:
    """How often it was delivered, and from when to when."""
    first, last = minute(facts["first_seen_at"]), minute(facts["last_seen_at"])
    if facts["seen"] == 1:
        return f"seen once, {first} UTC"
    return f"seen {facts['seen']} times from {first} to {last} UTC"


def standing_words(facts: Mapping[str, Any]) -> str:
    """Whether it counts, and by which report it does not."""
    ids = facts["withdrawn_by"] or facts["superseded_by"]
    return f"{facts['standing']} by {', '.join(ids)}" if ids else str(facts["standing"])


def told_words(facts: Mapping[str, Any]) -> str:
    """Of how many sources and source groups it is."""
    return f"{facts['sources']} source(s) of {facts['groups']} group(s)"


def grade_words(entry: Mapping[str, Any]) -> str:
    """One evaluation in one line."""
    holds = ", in force" if entry["in_force"] else ""
    return (
        f"{minute(entry['at'])} UTC: {entry['grade']} ({entry['kind']}{holds}) by {entry['by']}: "
        f"{entry['reason']}"
    )


def minute(text: str) -> str:
    """A time of a record, to the minute."""
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"
