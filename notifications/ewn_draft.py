"""A draft EWN from the assessment, the graded facts and what the officer adds.

What follows from the assessment is filled in; what needs judgement is asked for. Pure: the caller says
what time it is. Source: domain 5.3; R29, R30.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from classification.findings import TriggerId
from classification.triggers import MEANINGS
from notifications.content import (
    NONE_IDENTIFIED,
    UNKNOWN,
    ContactPoint,
    Part,
    Stated,
    Words,
    Written,
)
from notifications.ewn import EarlyWarning, early_warning
from notifications.ewn_changes import changes_between
from notifications.ewn_sections import (
    MAX_BOTTOM_LINES,
    Confidence,
    CrossBorder,
    Fact,
    IndicatorLine,
    LawEnforcement,
    Likelihood,
    Malicious,
    Mitigation,
    Outlook,
    Precedence,
    Request,
)
from protocol.markings import Marking
from protocol.parties import EXTERNAL_CLASSES, INTERNAL_CLASSES, RecipientClass

FIRST_ISSUE = "first issue"
NOTHING_BEFORE = "nothing, this is the first"
NONE: Stated = (NONE_IDENTIFIED,)
ALTERNATIVES: Stated = (
    "technical failure or natural cause: no clear indication so far, an attack is presumed",
)
VICTIMS = "at least {victims} (organisations: at least {organisations}); the upper bound is unknown"
NO_VICTIMS = "unknown: no report gives a number"
CAP = "K1: not {class}, as no disruption is observed or imminent"
GAPS: Stated = ("not yet assessed: extent, way in and author are open",)
SEVERITY = {"I0": "white", "I1": "green", "I2": "yellow", "I3": "yellow", "I4": "red"}
ROOT_CAUSE = {
    "malicious": "malicious-actions",
    "presumed-malicious": "malicious-actions",
    "technical-failure": "system-failures",
    "natural": "natural-phenomena",
    "human-error": "human-errors",
    "third-party": "third-party-failures",
}
_CRIMINAL = {"malicious": Malicious.CONFIRMED, "presumed-malicious": Malicious.PRESUMED}


class EwnInput(Part):
    """What the officer adds to the assessment; the fields without a default need a person."""

    bottom_line: tuple[Words, ...] = Field(min_length=1, max_length=MAX_BOTTOM_LINES)
    meaning: Words
    outlook: Outlook
    likelihood: Likelihood
    likelihood_of: Words
    confidence: Confidence
    preserve: tuple[Words, ...] = Field(min_length=1)
    report_back: Words
    marking: Marking = Marking()
    precedence: Precedence = Precedence.IMMEDIATE
    dissemination: tuple[RecipientClass, ...] = tuple(
        name for name in RecipientClass if name in INTERNAL_CLASSES | EXTERNAL_CLASSES
    )
    alternatives: tuple[Words, ...] = Field(default=ALTERNATIVES, min_length=1)
    gaps: tuple[Words, ...] = Field(default=GAPS, min_length=1)
    law_enforcement: LawEnforcement = LawEnforcement()
    do_not: Stated = NONE
    mitigation: Mitigation = Mitigation()
    services: Stated = NONE
    vector: Words = UNKNOWN
    tooling: Stated = NONE
    notes: Stated = NONE
    requests: tuple[Request, ...] = ()
    shared_with: Stated = NONE
    permissions: Stated = NONE
    change: Words = FIRST_ISSUE
    language: Written = "en"
    """What this is written in (ISO 639-1)."""


def draft_ewn(
    assessment: Mapping[str, Any],
    officer: EwnInput,
    *,
    incident_id: str,
    number: int,
    facts: Sequence[Fact],
    indicators: Sequence[IndicatorLine],
    inputs: Sequence[str],
    contact_points: Sequence[ContactPoint],
    author: str,
    triggered_at: datetime,
    now: datetime,
    valid_for: timedelta,
    acknowledge_within: timedelta,
    exercise: bool,
    previous: EarlyWarning | None = None,
) -> EarlyWarning:
    """Draft the ``number``-th EWN (from 1) of an incident, replacing ``previous``.

    ``assessment`` is ``classification.assessment.Assessment`` in JSON form, ``inputs`` are the ids of
    what the facts were taken from (R29), ``author`` an officer's id.

    Raises:
        Refused: ``ewn-incomplete``; names the section and the field.
    """
    change = {"version": number, "at": now, "by": author, "text": officer.change}
    earlier = previous.changes if previous else ()
    document = {
        "incident_id": incident_id,
        "exercise": exercise,
        "issued_at": now,
        "language": officer.language,
        "marking": officer.marking,
        "header": {
            "id": ewn_id(incident_id, number),
            "version": number,
            "supersedes": previous.header.id if previous else NOTHING_BEFORE,
            "precedence": officer.precedence,
            "next_update": now + valid_for,
            "contact_points": tuple(contact_points),
            "acknowledge_by": now + acknowledge_within,
            "dissemination": officer.dissemination,
        },
        "facts": _facts(assessment, officer, facts),
        "indicators": tuple(indicators),
        "provenance": {
            "inputs": tuple(inputs),
            "providers": tuple(dict.fromkeys(fact.provider for fact in facts)),
            "permissions": officer.permissions,
        },
        "changes": (*earlier, change),
        **_status(assessment, officer, triggered_at),
        **_officers(officer),
        **_blueprint(assessment, officer),
    }
    made = early_warning(document)
    if previous is None:
        return made
    newest = made.changes[-1].model_copy(update={"items": changes_between(previous, made)})
    return made.model_copy(update={"changes": (*earlier, newest)})


def ewn_id(incident_id: str, number: int) -> str:
    """``LEERP-<case>-EWN-<n>``."""
    return f"LEERP-{incident_id}-EWN-{number}"


def _facts(
    assessment: Mapping[str, Any], officer: EwnInput, facts: Sequence[Fact]
) -> dict[str, Any]:
    return {
        "timeline": tuple(facts),
        "sectors": tuple(assessment["sectors"]) or (UNKNOWN,),
        "countries": tuple(assessment["countries"]) or (UNKNOWN,),
        "victims": _victims(assessment),
        "services": officer.services,
        "vector": officer.vector,
        "tooling": officer.tooling,
    }


def _victims(assessment: Mapping[str, Any]) -> str:
    numbers = {"victims": assessment["victims_min"], "organisations": assessment["organisations"]}
    return VICTIMS.format_map(numbers) if any(numbers.values()) else NO_VICTIMS


def _status(
    assessment: Mapping[str, Any], officer: EwnInput, triggered_at: datetime
) -> dict[str, Any]:
    several = len(assessment["countries"]) > 1
    capped = assessment["threat_class"] != assessment["class_before_cap"]
    cap = CAP.format_map({"class": assessment["class_before_cap"]})
    return {
        "bottom_line": {
            "lines": officer.bottom_line,
            "malicious": _CRIMINAL.get(assessment["cause"], Malicious.DOUBTFUL),
            # One state known so far does not prove that there is only one.
            "cross_border": CrossBorder.YES if several else CrossBorder.UNKNOWN,
        },
        "status": {
            "triggered": True,
            "at": triggered_at,
            "threat_class": assessment["threat_class"],
            "impact": assessment["impact"],
            "reach": assessment["reach"],
            "matrix": assessment["matrix"],
            "triggers": tuple(
                f"{t['id']} {MEANINGS[TriggerId(t['id'])]}" for t in assessment["triggers"]
            ),
            "notes": (cap, *officer.notes) if capped else officer.notes,
        },
    }


def _officers(officer: EwnInput) -> dict[str, Any]:
    return {
        "assessment": {
            "meaning": officer.meaning,
            "outlook": officer.outlook,
            "likelihood": officer.likelihood,
            "likelihood_of": officer.likelihood_of,
            "confidence": officer.confidence,
            "alternatives": officer.alternatives,
            "gaps": officer.gaps,
        },
        "law_enforcement": officer.law_enforcement,
        "preservation": {"preserve": officer.preserve, "do_not": officer.do_not},
        "mitigation": officer.mitigation,
        "requests": {"actions": officer.requests, "report_back": officer.report_back},
    }


def _blueprint(assessment: Mapping[str, Any], officer: EwnInput) -> dict[str, Any]:
    return {
        "blueprint": {
            "root_cause": ROOT_CAUSE[assessment["cause"]],
            "severity": SEVERITY[assessment["impact"]],
            "outlook": officer.outlook,
            "sectors": tuple(assessment["sectors"]) or (UNKNOWN,),
            "shared_with": officer.shared_with,
        }
    }
