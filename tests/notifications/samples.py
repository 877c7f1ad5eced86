"""Recipients, contents and directories that the tests of this half of the room share."""

from __future__ import annotations

import functools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from infra.database import Database
from notifications.certificates import self_signed
from notifications.content import ContactPoint
from notifications.directory import Contact, Recipient
from notifications.directory_import import import_directory
from notifications.directory_proposals import confirm
from notifications.ewn import EarlyWarning
from notifications.ewn_draft import EwnInput, draft_ewn
from notifications.ewn_sections import Confidence, Fact, IndicatorLine, Likelihood, Outlook
from notifications.notices import InitialNotice
from protocol.grades import Grade
from protocol.markings import Classification, Marking, Pap, Tlp
from protocol.parties import RecipientClass
from tests.notifications.standing import confirm_partners

NOW = datetime.now(UTC).replace(microsecond=0)
POINTS = (
    ContactPoint(name="ECC duty desk", phone="+31 70 000 0000", secure_channel="SIENA ECC-1"),
)


@functools.cache
def certificate(valid_from_days: int = 0, lifetime_days: int = 365) -> str:
    """A certificate in PEM, made once for each span of validity."""
    made = self_signed(
        "Desk",
        "desk@example.invalid",
        now=NOW + timedelta(days=valid_from_days),
        lifetime=timedelta(days=lifetime_days),
    )
    return made.certificate_pem()


def contact(number: int = 0, *, key: str | None = None) -> Contact:
    return Contact(
        name=f"Desk {number}",
        email=f"desk{number}@example.invalid",
        certificate=certificate() if key is None else key,
    )


def recipient(recipient_class: RecipientClass = RecipientClass.LE_POC, **changes: Any) -> Recipient:
    values: dict[str, Any] = {
        "id": f"{recipient_class}-1",
        "recipient_class": recipient_class,
        "organisation": f"Organisation of {recipient_class}",
        "contacts": (contact(0), contact(1)),
        "clearance": Classification.BPL,
        "may_receive_up_to": Tlp.AMBER,
        "value_to_investigation": "analyses samples",
    }
    return Recipient(**values | changes)


def everybody(**changes: Any) -> list[Recipient]:
    """One recipient of each class, INTERPOL with its agreement."""
    return [
        recipient(name, transfer_agreement=name is RecipientClass.INTERPOL, **changes)
        for name in RecipientClass
    ]


def directory_text(recipients: list[Recipient]) -> str:
    officers = [
        {"id": "o.one", "name": "One", "organisation": "EC3", "roles": ["duty-officer"]},
        {"id": "o.admin", "name": "Admin", "organisation": "EC3", "roles": ["duty-manager"]},
        {"id": "o.two", "name": "Two", "organisation": "EC3", "roles": ["launch", "release"]},
    ]
    return json.dumps(
        {"recipients": [r.model_dump(mode="json") for r in recipients], "officers": officers}
    )


def make_database(folder: Path, recipients: list[Recipient] | None = None) -> Database:
    database = Database(f"sqlite:///{folder / 'leerp.db'}")
    database.migrate()
    if recipients is not None:
        import_directory(database, directory_text(recipients), by="o.admin")
        confirm_partners(database)
    return database


def import_and_confirm(database: Database, recipients: list[Recipient]) -> None:
    """Another directory comes into force, by two people where it takes two."""
    result = import_directory(database, directory_text(recipients), by="o.admin")
    if result.proposal is not None:
        confirm(database, result.proposal, by="o.one", checked_by="called the desk back")


def initial(**changes: Any) -> InitialNotice:
    values: dict[str, Any] = {
        "incident_id": "INC-1",
        "exercise": False,
        "issued_at": NOW,
        "triggered_at": NOW,
        "contact_points": POINTS,
    }
    return InitialNotice(**values | changes)


def fact(text: str = "Ransom notes seen in three hospitals", **changes: Any) -> Fact:
    values: dict[str, Any] = {
        "text": text,
        "earliest": NOW - timedelta(hours=3),
        "latest": NOW - timedelta(hours=2),
        "grade": Grade.parse("B2"),
        "grade_rationale": "reliable in most instances",
        "provider": "Police of Exampleland",
    }
    return Fact(**values | changes)


def indicator(value: str = "http://bad.example.invalid/x", **changes: Any) -> IndicatorLine:
    values: dict[str, Any] = {
        "type": "url",
        "value": value,
        "first_seen": NOW - timedelta(hours=3),
        "valid_until": NOW + timedelta(days=30),
        "grade": Grade.parse("B2"),
        "provider": "CSIRT of Exampleland",
    }
    return IndicatorLine(**values | changes)


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


def officer_input(**changes: Any) -> EwnInput:
    values: dict[str, Any] = {
        "bottom_line": ("Ransomware spreads by itself.", "Hospitals are hit.", "Patch now."),
        "meaning": "A worm encrypts systems that lack one update.",
        "outlook": Outlook.WORSENING,
        "likelihood": Likelihood.VERY_LIKELY,
        "likelihood_of": "further spread within six hours",
        "confidence": Confidence.MODERATE,
        "preserve": ("firewall logs with source ports", "memory of one infected host"),
        "report_back": "SIENA ECC-1",
    }
    return EwnInput(**values | changes)


def ewn(
    facts: tuple[Fact, ...] | None = None,
    indicators: tuple[IndicatorLine, ...] | None = None,
    *,
    exercise: bool = False,
    **changes: Any,
) -> EarlyWarning:
    return draft_ewn(
        ASSESSMENT,
        officer_input(**changes),
        incident_id="INC-1",
        number=1,
        facts=(
            fact(),
            fact("A suspect was named", personal_data=True, provider="Police of Otherland"),
        )
        if facts is None
        else facts,
        indicators=(
            indicator(),
            indicator("203.0.113.9", type="ip", marking=Marking(pap=Pap.RED)),
        )
        if indicators is None
        else indicators,
        inputs=("2-0011", "3-0022"),
        contact_points=POINTS,
        author="o.one",
        triggered_at=NOW - timedelta(minutes=20),
        now=NOW,
        valid_for=timedelta(hours=6),
        acknowledge_within=timedelta(minutes=15),
        exercise=exercise,
    )
