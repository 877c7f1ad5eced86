"""The dissemination matrix: what stands between each class of recipient and each marking.

Source: domain 4.4, its table row by row; what it does not name is closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from protocol.parties import RecipientClass


class Column(StrEnum):
    """The columns of the matrix."""

    PUBLIC = "PUBLIC"
    CLEAR = "TLP:CLEAR"
    GREEN = "TLP:GREEN"
    AMBER = "TLP:AMBER"
    AMBER_STRICT = "TLP:AMBER+STRICT"
    RED = "TLP:RED"
    BPL = "BPL with H0 or H1"
    H1 = "H1 in proceedings"
    H2 = "H2"
    H3 = "H3"
    LOWERED = "lowered marking"
    FIRST_USE = "first use"
    EUCI = "R-UE and above"
    REGISTERED = "C-UE and above"


class Opening(StrEnum):
    """What it takes to open a lock; the value is the explanation for people."""

    YES = "may be sent"
    LEGEND = "may be sent; H1 keeps its legend against use in proceedings"
    ADDRESSEE = "only to an addressee whom the directory allows that much"
    NAMED = "only to an addressee named in a permission record"
    AGREED = "only where every source has agreed, by a permission record"
    TECHNICAL = "the technical part; personal and case data only with a permission record"
    SANITISED = "only the sanitised variant, without personal and case data"
    SUMMARY = "only the summary"
    BASIS = "only with a transfer agreement and every provider's permission record"
    PERMISSION = "only with every provider's permission record"
    PERMISSION_AND_BASIS = "only with every provider's permission record and a transfer agreement"
    READ = "only after somebody has read the text and recorded how it is met"
    PROCEEDINGS = "only with every provider's permission record for use in proceedings"
    CONSENT = "only while the provider's recorded consent to the lower marking stands"
    CONFIRMED = "only after somebody has confirmed this partner, by a record that names it"
    CLEARED = "only to who is cleared, over a channel accredited for it"
    AGREEMENT = "only with an agreement, to who is cleared, over a channel accredited for it"
    REGISTER = "only to recipients registered for it by name; each copy is in the audit trail"
    NO = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One answer of the matrix with its explanation."""

    opening: Opening
    explanation: str


_NAMES = {
    RecipientClass.EUROPOL_UNIT: "Europol units",
    RecipientClass.LIAISON_BUREAU: "liaison bureaux",
    RecipientClass.JCAT: "the J-CAT",
    RecipientClass.DUTY_MANAGER: "the duty manager",
    RecipientClass.LE_POC: "24/7 points of contact",
    RecipientClass.JUDICIAL: "judicial bodies",
    RecipientClass.EU_BODY: "EU bodies",
    RecipientClass.CSIRT_NETWORK: "the CSIRTs Network",
    RecipientClass.INTERPOL: "INTERPOL",
    RecipientClass.PRIVATE_PARTNER: "private partners",
    RecipientClass.CRISIS_COMMUNICATION: "crisis communication",
}

_PUBLIC = "the public"
_O = Opening
_HEAD = (
    *(Column.GREEN, Column.AMBER, Column.AMBER_STRICT, Column.RED),
    *(Column.BPL, Column.H1, Column.H2, Column.EUCI, Column.REGISTERED),
)
_EUROPOL = (
    *(_O.YES, _O.YES, _O.YES, _O.NAMED),
    *(_O.YES, _O.PROCEEDINGS, _O.PERMISSION, _O.CLEARED, _O.REGISTER),
)
_ROWS = {
    RecipientClass.EUROPOL_UNIT: _EUROPOL,
    RecipientClass.LIAISON_BUREAU: _EUROPOL,
    RecipientClass.JCAT: _EUROPOL,
    RecipientClass.DUTY_MANAGER: _EUROPOL,
    RecipientClass.LE_POC: (
        *(_O.YES, _O.YES, _O.ADDRESSEE, _O.NAMED),
        *(_O.YES, _O.PROCEEDINGS, _O.PERMISSION, _O.CLEARED, _O.REGISTER),
    ),
    RecipientClass.JUDICIAL: (
        *(_O.YES, _O.YES, _O.ADDRESSEE, _O.NAMED),
        *(_O.LEGEND, _O.PROCEEDINGS, _O.PERMISSION, _O.CLEARED, _O.REGISTER),
    ),
    RecipientClass.EU_BODY: (
        *(_O.YES, _O.YES, _O.ADDRESSEE, _O.NAMED),
        *(_O.TECHNICAL, _O.NO, _O.PERMISSION, _O.CLEARED, _O.REGISTER),
    ),
    RecipientClass.CSIRT_NETWORK: (
        *(_O.YES, _O.YES, _O.ADDRESSEE, _O.NAMED),
        *(_O.SANITISED, _O.NO, _O.PERMISSION, _O.CLEARED, _O.REGISTER),
    ),
    RecipientClass.INTERPOL: (
        *(_O.YES, _O.AGREED, _O.NO, _O.NO),
        *(_O.BASIS, _O.PROCEEDINGS, _O.PERMISSION_AND_BASIS, _O.AGREEMENT, _O.REGISTER),
    ),
    RecipientClass.PRIVATE_PARTNER: (
        *(_O.YES, _O.AGREED, _O.NO, _O.NAMED),
        *(_O.SANITISED, _O.NO, _O.PERMISSION, _O.NO, _O.NO),
    ),
    RecipientClass.CRISIS_COMMUNICATION: (
        *(_O.YES, _O.SUMMARY, _O.NO, _O.NO),
        *(_O.SUMMARY, _O.NO, _O.PERMISSION, _O.CLEARED, _O.REGISTER),
    ),
}
_EVERYBODY = {
    Column.PUBLIC: _O.YES,
    Column.CLEAR: _O.YES,
    Column.H3: _O.READ,
    Column.LOWERED: _O.CONSENT,
    Column.FIRST_USE: _O.YES,
}


def _cells(openings: Mapping[Column, Opening], name: str) -> dict[Column, Cell]:
    return {
        column: Cell(
            opening=openings[column], explanation=f"{column} to {name}: {openings[column]}"
        )
        for column in Column
    }


def _row(recipient_class: RecipientClass) -> dict[Column, Cell]:
    openings = _EVERYBODY | dict(zip(_HEAD, _ROWS[recipient_class], strict=True))
    if recipient_class is RecipientClass.PRIVATE_PARTNER:
        openings[Column.FIRST_USE] = _O.CONFIRMED
    return _cells(openings, _NAMES[recipient_class])


MATRIX = {recipient_class: _row(recipient_class) for recipient_class in RecipientClass}
"""Every class with every column."""
PUBLIC = _cells(
    dict.fromkeys(Column, _O.NO)
    | dict.fromkeys((Column.PUBLIC, Column.CLEAR, Column.FIRST_USE), _O.YES)
    | {Column.LOWERED: _O.CONSENT},
    _PUBLIC,
)
"""The public, which is no recipient: what may be published at all."""
