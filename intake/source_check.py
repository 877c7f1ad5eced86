"""What an administrator has to see to in the registry of sources.

Source: domain 6.2; reliability F-K10.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from intake.source_traffic import Traffic
from intake.sources import Registered
from protocol.profile import SourceRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something about a source; ``mend`` says whether somebody must do something about it."""

    source: str
    finding: str
    message: str
    mend: bool = True


def check_sources(
    registered: Sequence[Registered],
    sent: Mapping[str, Traffic],
    rules: SourceRules,
    now: datetime,
) -> list[Finding]:
    """What is wrong with the sources in service, by their ids, and who sends without being one."""
    known = {each.source.principal for each in registered}
    findings = [
        finding
        for each in registered
        for finding in (
            *_of_people(each, rules, now),
            *_of_traffic(each, sent.get(each.source.principal, Traffic()), rules, now),
        )
    ]
    return findings + [
        Finding(
            source=principal,
            finding="not-in-service",
            message="sends on a topic of its own, but is retired or was never registered: nothing of"
            " it is recognised; withdraw its login, or register it",
        )
        for principal in sorted(set(sent) - known)
        if _is_recent(sent[principal], rules, now)
    ]


def _of_people(each: Registered, rules: SourceRules, now: datetime) -> Iterator[Finding]:
    name = each.source.id
    if not each.source.contact:
        yield Finding(
            source=name,
            finding="no-contact",
            message="nobody to ask: give it a contact with 'leerp sources import'",
        )
    if not each.letters:
        yield Finding(
            source=name,
            finding="no-letter",
            message=f"nobody has judged it: 'leerp sources grade {name} --letter ...'",
        )
    elif now - each.letters[-1].at > rules.letter_valid_for:
        yield Finding(
            source=name,
            finding="old-letter",
            message=f"its letter {each.letter} is of {each.letters[-1].at:%Y-%m-%d}: judge it anew,"
            " with the same letter or another",
        )


def _of_traffic(
    each: Registered, sent: Traffic, rules: SourceRules, now: datetime
) -> Iterator[Finding]:
    name, quota = each.source.id, each.source.quota
    if quota is not None and sent.busiest > quota:
        yield Finding(
            source=name,
            finding="over-quota",
            message=f"sent {sent.busiest} records in one hour, its quota is {quota}: ask why",
        )
    if sent.last_hour is None:
        overdue = now - each.registered_at > rules.silent_after
        yield Finding(
            source=name,
            finding="never-used",
            message=f"registered on {each.registered_at:%Y-%m-%d}, and nothing came yet"
            + (": ask whether it can log in, or retire it" if overdue else ""),
            mend=overdue,
        )
    elif not _is_recent(sent, rules, now):
        yield Finding(
            source=name,
            finding="silent",
            message=f"nothing since {sent.last_hour:%Y-%m-%d %H} h: ask why, or retire it",
        )


def _is_recent(sent: Traffic, rules: SourceRules, now: datetime) -> bool:
    return sent.last_hour is not None and now - sent.last_hour <= rules.silent_after
