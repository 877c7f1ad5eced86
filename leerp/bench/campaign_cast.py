"""Whom the bench warns, and of what: made up, and the same in every run."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from notifications.certificates import Identity
from notifications.content import ContactPoint
from notifications.ewn import EarlyWarning
from notifications.ewn_draft import EwnInput, draft_ewn
from notifications.ewn_sections import Confidence, Fact, IndicatorLine, Likelihood, Outlook
from notifications.notices import ClosureNotice
from protocol.countries import EU_MEMBER_STATES
from protocol.grades import Grade
from protocol.parties import EXTERNAL_CLASSES, INTERNAL_CLASSES, RecipientClass
from protocol.stages import Containment

INCIDENT = "inc-0123456789ab"
CLOSURE, EWN = f"{INCIDENT}.closure.1", f"{INCIDENT}.ewn.1"
CLASSES = tuple(sorted(INTERNAL_CLASSES | EXTERNAL_CLASSES))
COUNTRIES = tuple(sorted(EU_MEMBER_STATES))
DOMAINS = 50
POINTS = (
    ContactPoint(name="Duty desk (bench)", phone="+31 70 000 0000", secure_channel="SIENA BENCH"),
)
ASSESSMENT: dict[str, Any] = {
    "cause": "presumed-malicious",
    "threat_class": "C4",
    "class_before_cap": "C4",
    "impact": "I3",
    "reach": "P4",
    "matrix": "leerp-tcm/1",
    "triggers": [{"id": "T1", "reason": "it spreads by itself"}],
    "countries": ["DE", "ES", "FR"],
    "sectors": ["health"],
    "organisations": 40,
    "victims_min": 230,
}


def directory(recipients: int, identity: Identity | None) -> str:
    """An import document with so many recipients: one of each class, the others points of contact.

    They share one key, since what is measured is not the keys, or have none.
    """
    pem = identity.certificate_pem() if identity else ""
    classes = [*CLASSES, *[RecipientClass.LE_POC] * (recipients - len(CLASSES))][:recipients]
    officer = {"id": "bench", "name": "Bench", "organisation": "EC3", "roles": ["duty-manager"]}
    return json.dumps(
        {
            "recipients": [
                _recipient(number, name, pem)
                for number, name in enumerate([*classes, RecipientClass.DUTY_MANAGER])
            ],
            "officers": [officer],
        }
    )


def closure(now: datetime) -> ClosureNotice:
    """Of which those without a key get the bare fact: a signed mail of 6 kB."""
    return ClosureNotice(
        incident_id=INCIDENT,
        exercise=True,
        issued_at=now,
        closed_at=now,
        containment=Containment.OPERATIONAL_SUCCESS,
        statement="Nothing in it has happened.",
    )


def warning(now: datetime, indicators: int = 3) -> EarlyWarning:
    """A warning as long as its list of indicators."""
    return draft_ewn(
        ASSESSMENT,
        EwnInput(
            bottom_line=("Ransomware spreads by itself.", "Hospitals are hit.", "Patch now."),
            meaning="A worm encrypts systems that lack one update.",
            outlook=Outlook.WORSENING,
            likelihood=Likelihood.VERY_LIKELY,
            likelihood_of="further spread within six hours",
            confidence=Confidence.MODERATE,
            preserve=("firewall logs with source ports", "memory of one infected host"),
            report_back="SIENA BENCH",
        ),
        incident_id=INCIDENT,
        number=1,
        facts=[_fact(now)],
        indicators=[_indicator(number, now) for number in range(indicators)],
        inputs=("2-0011", "3-0022"),
        contact_points=POINTS,
        author="bench",
        triggered_at=now,
        now=now,
        valid_for=timedelta(hours=6),
        acknowledge_within=timedelta(minutes=15),
        exercise=True,
    )


def _recipient(number: int, recipient_class: RecipientClass, pem: str) -> dict[str, Any]:
    return {
        "id": f"bench-{number:05}",
        "recipient_class": recipient_class,
        "organisation": f"Unit {number} (bench)",
        "country": COUNTRIES[number % len(COUNTRIES)],
        "transfer_agreement": True,
        "value_to_investigation": "sees the traffic (bench)",
        "contacts": [
            {
                "name": f"Desk {number}.{contact}",
                "email": f"desk{contact}.{number:05}@unit{number % DOMAINS}.bench.invalid",
                "certificate": pem,
            }
            for contact in (1, 2)
        ],
    }


def _fact(now: datetime) -> Fact:
    return Fact(
        text="Ransom notes seen in three hospitals",
        earliest=now - timedelta(hours=3),
        latest=now - timedelta(hours=2),
        grade=Grade.parse("B2"),
        grade_rationale="reliable in most instances",
        provider="EC3",
        own=True,
    )


def _indicator(number: int, now: datetime) -> IndicatorLine:
    return IndicatorLine(
        type="url",
        value=f"http://host{number:04}.bench.invalid/path/{number:08x}",
        first_seen=now - timedelta(hours=3),
        valid_until=now + timedelta(days=30),
        grade=Grade.parse("B2"),
        provider="EC3",
        own=True,
    )
