"""What the demo's centre has confirmed before its first incident: whom outside the Union it may tell."""

from __future__ import annotations

from datetime import timedelta

from infra.database import Database
from leerp.demo.desks import DESKS
from leerp.demo.officers import CHANNEL, MANAGER
from notifications.grants import PermissionKind
from notifications.permissions import STANDING
from protocol.parties import RecipientClass
from workflows.permitting import Permitting, Word

CONFIRMATIONS = {
    RecipientClass.PRIVATE_PARTNER: PermissionKind.PRIVATE_PARTNER,
    RecipientClass.INTERPOL: PermissionKind.TRANSFER,
}


def confirm_standing(database: Database) -> None:
    """Record the first use of each private partner, and the basis of transfers to INTERPOL."""
    permitting = Permitting(database, officer=MANAGER, channel=CHANNEL)
    for name, kind in CONFIRMATIONS.items():
        permitting.record(
            Word(
                incident_id=STANDING,
                kind=kind,
                provider="",
                recipients=[desk.id for desk in DESKS if desk.recipient_class is name],
                evidence="simulated agreement 1",
                lasting=timedelta(days=365),
            )
        )
