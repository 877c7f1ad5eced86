"""What commands show of a source."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from intake.source_outcomes import Outcomes, Suggestion, outcomes, suggest
from intake.source_traffic import Traffic, traffic
from intake.sources import Registered
from protocol.profile import SourceRules


def summary(registered: Registered, sent: Traffic | None, found: Suggestion) -> dict[str, Any]:
    """A source's fields, its letter, the one that outcomes suggest, and when anything last came from it."""
    return {
        **registered.source.row(),
        "letter": registered.letter,
        "suggested": found.letter if found.outcomes.reports else None,
        "judged": bool(registered.letters),
        "records": sent.records if sent else 0,
        "last_heard": sent.last_hour if sent else None,
        "registered_at": registered.registered_at,
        "retired_at": registered.retired_at,
    }


def details(
    connection: Connection, registered: Registered, rules: SourceRules, now: datetime
) -> dict[str, Any]:
    """The same with topics, history, traffic and what outcomes suggest."""
    principal = registered.source.principal
    sent = traffic(connection, busiest_since=now - rules.quota_looked_back).get(principal)
    found = suggest(outcomes(connection).get(principal, Outcomes()), rules)
    return {
        **summary(registered, sent, found),
        "principal": principal,
        "topics": list(registered.source.topics),
        "letters": [
            {
                "at": each.at,
                "by": each.by,
                "before": each.before,
                "letter": each.letter,
                "reason": each.reason,
            }
            for each in registered.letters
        ],
        "refused": sent.refused if sent else 0,
        "busiest_hour": sent.busiest if sent else 0,
        "suggestion": {
            "letter": found.letter,
            "why": found.words,
            "confirmed": found.outcomes.confirmed,
            "refuted": found.outcomes.refuted,
            "reports": found.outcomes.reports,
            "low": round(found.low, 3),
            "high": round(found.high, 3),
        },
    }


def letter_words(letter: Mapping[str, Any]) -> str:
    """One letter of ``details`` in a line."""
    return (
        f"{letter['at']:%Y-%m-%d %H:%M} {letter['before']} -> {letter['letter']} by {letter['by']}: "
        f"{letter['reason']}"
    )
