"""Who stands in the demo's directory: invented desks of every class of R23 and R24, and officers.

Source: R23 to R26, R72; domain 4.4. All names are made up and say so, all addresses are reserved.
"""

from __future__ import annotations

from dataclasses import dataclass

from leerp.demo import cast
from leerp.demo.cast import invented
from notifications.directory import Officer
from protocol.countries import EU_MEMBER_STATES
from protocol.parties import RecipientClass, Role

CONTACT_NAMES = ("Duty desk", "Deputy duty desk")
_LOCAL_PARTS = ("duty", "deputy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A recipient before it has keys."""

    id: str
    recipient_class: RecipientClass
    organisation: str
    country: str | None = None
    principals: tuple[str, ...] = ()
    value_to_investigation: str = ""

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(address(self.id, contact) for contact in range(len(CONTACT_NAMES)))


def address(recipient_id: str, contact: int) -> str:
    """Mail address of a recipient's first (0) or second (1) contact."""
    return f"{_LOCAL_PARTS[contact]}@{recipient_id}.invalid"


SILENT = frozenset({address("le-poc-mt", 0), address("le-poc-si", 0)})
"""First contacts that never answer, so that the second ones are reached."""


def _points_of_contact() -> tuple[Desk, ...]:
    return tuple(
        Desk(
            id=f"le-poc-{state.lower()}",
            recipient_class=RecipientClass.LE_POC,
            organisation=cast.police_of(state),
            country=state,
            principals=(cast.police_of(state),),
        )
        for state in sorted(EU_MEMBER_STATES)
    )


def _liaison() -> tuple[Desk, ...]:
    return tuple(
        Desk(
            id=f"liaison-{state.lower()}",
            recipient_class=RecipientClass.LIAISON_BUREAU,
            organisation=invented(f"Liaison bureau {state}"),
            country=state,
        )
        for state in ("DE", "ES", "FR", "NL")
    )


def _of_class(recipient_class: RecipientClass, *rows: tuple[str, str]) -> tuple[Desk, ...]:
    return tuple(
        Desk(
            id=desk_id,
            recipient_class=recipient_class,
            organisation=invented(name),
            principals=(invented(name),),
        )
        for desk_id, name in rows
    )


_PRIVATE = tuple(
    Desk(
        id=f"partner-{name.split()[0].lower()}",
        recipient_class=RecipientClass.PRIVATE_PARTNER,
        organisation=name,
        principals=(name,),
        value_to_investigation="sees the malware at many customers and can sinkhole its domains",
    )
    for name in cast.PRIVATE_SENDERS[:2]
)
_CSIRTS = Desk(
    id="csirts-network",
    recipient_class=RecipientClass.CSIRT_NETWORK,
    organisation=invented("CSIRTs Network, chair"),
    principals=tuple(cast.csirt_of(state) for state in cast.CSIRT_STATES),
)

DESKS = (
    *_of_class(
        RecipientClass.EUROPOL_UNIT,
        ("ec3-intelligence", "EC3 cyber intelligence desk"),
        ("ec3-forensics", "EC3 digital forensics desk"),
        ("operational-centre", "Operational centre 24/7 desk"),
    ),
    *_liaison(),
    *_of_class(RecipientClass.JCAT, ("j-cat", "J-CAT desk")),
    *_points_of_contact(),
    _CSIRTS,
    *_of_class(RecipientClass.CSIRT_NETWORK, ("csirts-secretariat", "CSIRTs Network, secretariat")),
    *_of_class(
        RecipientClass.JUDICIAL,
        ("eurojust", "Eurojust"),
        ("judicial-network", "European judicial cybercrime network desk"),
    ),
    *_of_class(
        RecipientClass.EU_BODY,
        ("enisa", "ENISA"),
        ("cert-eu", "CERT-EU"),
        ("commission", "European Commission duty desk"),
        ("council-secretariat", "General Secretariat of the Council duty desk"),
    ),
    *_of_class(RecipientClass.INTERPOL, ("interpol", "INTERPOL command centre desk")),
    *_PRIVATE,
    *_of_class(
        RecipientClass.CRISIS_COMMUNICATION, ("crisis-communication", "Crisis communication desk")
    ),
    *_of_class(RecipientClass.DUTY_MANAGER, ("duty-manager", "Duty manager of the centre")),
)
"""All recipients; each has two contacts."""

CENTRE = invented("Europol EC3")


def _officer(officer_id: str, name: str, *roles: Role) -> Officer:
    return Officer(id=officer_id, name=invented(name), organisation=CENTRE, roles=roles)


OFFICERS = (
    _officer("a.virtanen", "A. Virtanen", Role.DUTY_OFFICER),
    _officer("m.rossi", "M. Rossi", Role.DUTY_OFFICER, Role.LAUNCH, Role.RELEASE),
    _officer("k.novak", "K. Novák", Role.ANALYST),
    _officer("s.lindqvist", "S. Lindqvist", Role.DUTY_MANAGER),
)
