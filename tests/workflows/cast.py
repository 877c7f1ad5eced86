"""Who takes part in the workflow tests: recipients of every class, officers, and what they report."""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from infra.kafka import topic_of
from intake.formats.own import NAME as OWN
from intake.records import RawRecord
from notifications.certificates import self_signed
from notifications.directory import Contact, Officer, Recipient
from protocol.grades import Grade
from protocol.parties import RecipientClass, Role, SourceGroup
from protocol.report import (
    Affected,
    CauseClaim,
    Evaluation,
    Impact,
    Indicator,
    IndicatorType,
    ReportContent,
    Reporter,
    TimeKind,
    TimeWindow,
)

DUTY, SECOND, THIRD = "a.virtanen", "m.rossi", "l.meyer"
ANALYST, MANAGER, STRANGER = "k.novak", "s.lindqvist", "n.nobody"
JUDGE = "e.justa"
OFFICERS = (
    Officer(id=DUTY, name="A", organisation="EC3", roles=(Role.DUTY_OFFICER,)),
    Officer(
        id=SECOND,
        name="M",
        organisation="EC3",
        roles=(Role.DUTY_OFFICER, Role.LAUNCH, Role.RELEASE),
    ),
    Officer(id=THIRD, name="L", organisation="EC3", roles=(Role.LAUNCH, Role.RELEASE)),
    Officer(id=ANALYST, name="K", organisation="EC3", roles=(Role.ANALYST,)),
    Officer(id=MANAGER, name="S", organisation="EC3", roles=(Role.DUTY_MANAGER,)),
    Officer(id=JUDGE, name="E", organisation="Eurojust", roles=(Role.JUDICIAL,)),
)
POLICE, CSIRT, OPERATOR = "Police of Exampleland", "CSIRT of Exampleland", "Grid operator"
REPORTS_AS = {
    "le-poc-de": (POLICE,),
    "csirt-network": (CSIRT,),
}
MANAGER_DESK = "duty-manager"
SHARED_HASH = "5f" * 32


@functools.cache
def certificate() -> str:
    """One for all: what a mail says is not read here, only who gets it and when."""
    made = self_signed("Desk", "desk@example.invalid", now=datetime.now(UTC))
    return made.certificate_pem()


@functools.cache
def old_certificate() -> str:
    """One that has expired."""
    year = timedelta(days=365)
    made = self_signed(
        "Desk", "desk@example.invalid", now=datetime.now(UTC) - 2 * year, lifetime=year
    )
    return made.certificate_pem()


def _key_of(recipient_id: str, without_key: str, wrong_key: Collection[str]) -> str:
    if recipient_id == without_key:
        return ""
    return old_certificate() if recipient_id in wrong_key else certificate()


def address(recipient_id: str, contact: int = 0) -> str:
    return f"{('duty', 'deputy')[contact]}@{recipient_id}.invalid"


def directory(
    *,
    without_key: str = "",
    wrong_key: Collection[str] = (),
    also: tuple[str, ...] = (),
    leaving_out: RecipientClass | None = None,
) -> str:
    """The import document: two points of contact, one desk of every other class, two contacts each.

    ``also`` are further points of contact; ``without_key`` names one that has no certificate,
    ``wrong_key`` those with an expired one, ``leaving_out`` a class with nobody in it.
    """
    ids = [(RecipientClass.LE_POC, name) for name in ("le-poc-de", "le-poc-fr", *also)]
    ids += [(name, str(name)) for name in RecipientClass if name is not RecipientClass.LE_POC]
    recipients = [
        Recipient(
            id=recipient_id,
            recipient_class=name,
            organisation=f"Organisation {recipient_id}",
            contacts=tuple(
                Contact(
                    name=f"Desk {n}",
                    email=address(recipient_id, n),
                    certificate=_key_of(recipient_id, without_key, wrong_key),
                )
                for n in range(2)
            ),
            transfer_agreement=name is RecipientClass.INTERPOL,
            principals=REPORTS_AS.get(recipient_id, ()),
            value_to_investigation="analyses samples",
        )
        for name, recipient_id in ids
        if name is not leaving_out
    ]
    return json.dumps(
        {
            "recipients": [r.model_dump(mode="json") for r in recipients],
            "officers": [o.model_dump(mode="json") for o in OFFICERS],
        }
    )


def report(
    *,
    reporter: str = POLICE,
    group: SourceGroup = SourceGroup.LAW_ENFORCEMENT,
    grade: str = "B2",
    countries: tuple[str, ...] = ("DE", "ES", "FR", "NL"),
    criteria: tuple[str, ...] = ("essential-service-disrupted",),
    cause: CauseClaim | None = None,
) -> RawRecord:
    """A hospital is hit, in several states; all reports share one hash, so they are one incident.

    With an empty ``grade`` its provider has not graded it, so that the centre may.
    """
    now, name = datetime.now(UTC), uuid.uuid4().hex
    affected = [Affected(kind="country", value=code) for code in countries]
    affected += [Affected(kind="organisation", value=f"Hospital {n}") for n in range(5)]
    content = ReportContent(
        source_id=name,
        title=f"Hospital encrypted, case {name}",
        reporter=Reporter(name=reporter),
        first_hand=True,
        evaluation=Evaluation(scheme="europol4x4", original=grade, grade=Grade.parse(grade))
        if grade
        else None,
        times=(
            TimeWindow(
                kind=TimeKind.OBSERVED,
                earliest=now - timedelta(hours=2),
                latest=now - timedelta(hours=1),
            ),
        ),
        affected=(*affected, Affected(kind="sector", value="health")),
        impact=Impact(criteria=criteria, disruption="observed", self_propagating=True),
        cause=cause or CauseClaim(),
        indicators=(Indicator(type=IndicatorType.SHA256, value=SHARED_HASH),),
    )
    return RawRecord(
        topic=topic_of(group),
        partition=0,
        offset=0,
        group=group,
        principal=reporter,
        headers={},
        body=json.dumps({"format": OWN, **content.model_dump(mode="json")}).encode(),
        received_at=now,
    )
