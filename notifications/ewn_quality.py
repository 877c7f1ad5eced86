"""The quality gate of a warning: pure rules, each finding with its place and what to do about it.

Shown before anybody approves, and asked once more when the warning is released and frozen.
Source: domain 5.3 (quality gate); R29 to R34, R67.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from notifications.content import NONE_IDENTIFIED
from notifications.ewn import SECTIONS, EarlyWarning, early_warning
from notifications.ewn_draft import FIRST_ISSUE
from notifications.ewn_musts import MUST, STATED
from notifications.ewn_told import told_all_the_same
from notifications.products import Variant
from protocol.errors import Refused
from protocol.markings import Classification, HandlingCode, Pap


class Rule(StrEnum):
    """The rules of the gate."""

    MUST = "must"
    STATED = "stated"
    FORM = "form"
    GRADED = "graded"
    UTC = "utc"
    EVIDENCE = "evidence"
    DUE = "due"
    IN_TIME = "in-time"
    CLOSED_LOCK = "closed-lock"
    TOLD = "told"
    RED_INDICATOR = "red-indicator"
    CHANGE = "change"
    FOUR_EYES = "four-eyes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that the gate found. What does not ``stop`` the release wants an officer's look."""

    rule: Rule
    section: str
    field: str
    what: str
    do: str
    stops: bool = True

    def __str__(self) -> str:
        return f"section {self.section}, {self.field}: {self.what}: {self.do}"


def check_document(document: Mapping[str, Any]) -> list[Finding]:
    """The gate for a notice as it is stored, whole or not; see ``check_ewn``."""
    missing = [*_missing(document)]
    try:
        return [*missing, *check_ewn(early_warning(document))]
    except Refused as refused:
        if missing:
            return missing
        return [_finding(Rule.FORM, "", "the notice", str(refused), "put it right and draft again")]


def check_ewn(ewn: EarlyWarning) -> list[Finding]:
    """What must be put right before release, and what an officer should look at."""
    return [
        *_ungraded(ewn),
        *_evidence(ewn),
        *_not_utc(ewn),
        *_due(ewn),
        *_locks(ewn),
        *_told(ewn),
        *_wise(ewn),
    ]


def check_release(
    ewn: EarlyWarning, *, author: str, approver: str, override: str, now: datetime
) -> list[Finding]:
    """The gate at the moment when ``approver`` releases what ``author`` drafted.

    ``override`` is the reason for which one person does both in an emergency, empty for none.
    """
    findings = check_ewn(ewn)
    if author == approver and not override.strip():
        findings.append(
            _finding(
                Rule.FOUR_EYES,
                "changes",
                "by",
                f"{author} wrote this version and would release it",
                "let another officer approve it, or, in an emergency, give --override REASON",
            )
        )
    if ewn.header.next_update <= now:
        findings.append(
            _finding(
                Rule.IN_TIME,
                "header",
                "next_update",
                "the next update is due already",
                "draft a new version",
            )
        )
    return findings


def require(findings: Sequence[Finding]) -> None:
    """Pass only a warning that nothing stops.

    Raises:
        Refused: ``ewn-incomplete``, naming section, field and what to do for each finding.
    """
    if stopping := [str(finding) for finding in findings if finding.stops]:
        raise Refused("ewn-incomplete", "; ".join(stopping))


def _missing(document: Mapping[str, Any]) -> Iterator[Finding]:
    for rule, wanted, do in (
        (Rule.MUST, MUST, "fill it in"),
        (Rule.STATED, STATED, f"fill it in, or say {NONE_IDENTIFIED!r} or 'unknown'"),
    ):
        for section, fields in wanted.items():
            given = document.get(section)
            for field in fields:
                value = given.get(field) if isinstance(given, Mapping) else None
                if _blank(value):
                    yield _finding(rule, section, field, "is missing", do)
    if _blank(document.get("issued_at")):
        yield _finding(Rule.MUST, "header", "issued_at", "is missing", "fill it in")
    if _blank(document.get("changes")):
        yield _finding(Rule.MUST, "changes", "changes", "is missing", "say what this version is")


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | tuple) and not value)


def _ungraded(ewn: EarlyWarning) -> Iterator[Finding]:
    for n, fact in enumerate(ewn.facts.timeline, 1):
        if fact.grade is None:
            yield _finding(
                Rule.GRADED,
                "facts",
                f"timeline.{n}.grade",
                f"fact {n} is not graded",
                "give it a 4x4 grade, X4 if unjudged",
            )


def _evidence(ewn: EarlyWarning) -> Iterator[Finding]:
    if all(line.casefold() == NONE_IDENTIFIED for line in ewn.preservation.preserve):
        yield _finding(
            Rule.EVIDENCE,
            "preservation",
            "preserve",
            "no evidence to preserve is named",
            "name at least one piece of evidence to preserve",
        )


def _not_utc(ewn: EarlyWarning) -> Iterator[Finding]:
    for place, at in _times(ewn.model_dump(), ()):
        if at.utcoffset() != timedelta(0):
            section = place[0] if place[0] in SECTIONS else "header"
            field = ".".join(place[1:] or place)
            yield _finding(Rule.UTC, section, field, "the time is not in UTC", "give it as UTC")


def _due(ewn: EarlyWarning) -> Iterator[Finding]:
    for field in ("acknowledge_by", "next_update"):
        if getattr(ewn.header, field) <= ewn.issued_at:
            yield _finding(
                Rule.DUE,
                "header",
                field,
                "next update and acknowledgement must be due after issue",
                "give a later time",
            )


def _locks(ewn: EarlyWarning) -> Iterator[Finding]:
    """A reduced variant holds nothing that is closed to it; the full one can be sent by mail."""
    product = ewn.product()
    for variant in Variant:
        for component in product.variant(variant).components:
            if why := component.dropped_from(variant):
                yield _finding(
                    Rule.CLOSED_LOCK,
                    "marking",
                    component.id,
                    f"{variant} holds it: {why}",
                    "drop it",
                )
    full = product.variant(Variant.FULL).marking
    if full.classification >= Classification.RESTRICTED:
        yield _finding(
            Rule.CLOSED_LOCK,
            "marking",
            "classification",
            "the full variant is classified above what mail may carry: nobody gets it",
            "send it over an accredited channel, or leave out what is so classified",
            stops=False,
        )
    if codes := sorted(full.handling_codes & {HandlingCode.H2, HandlingCode.H3}):
        yield _finding(
            Rule.CLOSED_LOCK,
            "marking",
            "handling_codes",
            f"the full variant is under {' '.join(codes)}: without a permission record for each "
            "recipient it goes out reduced",
            "ask the providers, and record what they permit with 'leerp incidents permit'",
            stops=False,
        )


def _told(ewn: EarlyWarning) -> Iterator[Finding]:
    for told in told_all_the_same(ewn):
        yield _finding(
            Rule.TOLD,
            told.section,
            told.field,
            f"it names indicator {told.indicator}, which the {told.variant} variant leaves out",
            "say it without the value",
        )


def _wise(ewn: EarlyWarning) -> Iterator[Finding]:
    """What is allowed and seldom meant."""
    red = [
        line for line in ewn.indicators if ewn.marking.combined_with(line.marking).pap is Pap.RED
    ]
    if red and ewn.preservation.do_not == (NONE_IDENTIFIED,):
        yield _finding(
            Rule.RED_INDICATOR,
            "preservation",
            "do_not",
            f"{len(red)} indicator(s) are PAP:RED, and nothing says that they must not be blocked",
            "say so under do_not",
            stops=False,
        )
    newest = ewn.changes[-1]
    if ewn.header.version > 1 and newest.text == FIRST_ISSUE:
        yield _finding(
            Rule.CHANGE,
            "changes",
            "text",
            f"version {ewn.header.version} says of itself that it is the first issue",
            "say in one line (change) why there is a new version",
            stops=False,
        )


def _finding(
    rule: Rule, section: str, field: str, what: str, do: str, *, stops: bool = True
) -> Finding:
    name = SECTIONS.get(section, section or "the notice")
    return Finding(rule=rule, section=name, field=field, what=what, do=do, stops=stops)


def _times(value: Any, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], datetime]]:
    match value:
        case datetime():
            yield place, value
        case dict():
            for key, inner in value.items():
                yield from _times(inner, (*place, str(key)))
        case tuple() | list():
            for n, inner in enumerate(value, 1):
                yield from _times(inner, (*place, str(n)))
        case _:
            return
