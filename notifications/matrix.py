"""The dissemination matrix: what stands between each class of recipient and each marking.

Source: domain 4.4, its table row by row; what it does not name is closed.
"""

from __future__ import annotations

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
    H2 = "H2"
    H3 = "H3"
    EUCI = "R-UE and above"


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
    NOT_BY_MAIL = "needs clearance and an accredited channel, and mail is not accredited"
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

_O = Opening
_HEAD = (Column.AMBER, Column.AMBER_STRICT, Column.RED, Column.BPL, Column.H2, Column.EUCI)
_POLICE = (_O.YES, _O.ADDRESSEE, _O.NAMED, _O.YES, _O.PERMISSION, _O.NOT_BY_MAIL)
_ROWS = {
    RecipientClass.EUROPOL_UNIT: _POLICE,
    RecipientClass.LIAISON_BUREAU: _POLICE,
    RecipientClass.JCAT: _POLICE,
    RecipientClass.DUTY_MANAGER: _POLICE,
    RecipientClass.LE_POC: _POLICE,
    RecipientClass.JUDICIAL: (
        _O.YES, _O.ADDRESSEE, _O.NAMED, _O.LEGEND, _O.PERMISSION, _O.NOT_BY_MAIL,
    ),
    RecipientClass.EU_BODY: (
        _O.YES, _O.ADDRESSEE, _O.NAMED, _O.TECHNICAL, _O.PERMISSION, _O.NOT_BY_MAIL,
    ),
    RecipientClass.CSIRT_NETWORK: (
        _O.YES, _O.ADDRESSEE, _O.NAMED, _O.SANITISED, _O.PERMISSION, _O.NOT_BY_MAIL,
    ),
    RecipientClass.INTERPOL: (
        _O.AGREED, _O.NO, _O.NO, _O.BASIS, _O.PERMISSION_AND_BASIS, _O.NOT_BY_MAIL,
    ),
    RecipientClass.PRIVATE_PARTNER: (
        _O.AGREED, _O.NO, _O.NAMED, _O.SANITISED, _O.PERMISSION, _O.NO,
    ),
    RecipientClass.CRISIS_COMMUNICATION: (
        _O.SUMMARY, _O.NO, _O.NO, _O.SUMMARY, _O.PERMISSION, _O.NOT_BY_MAIL,
    ),
}  # fmt: skip
_EVERYBODY = {
    Column.PUBLIC: _O.YES,
    Column.CLEAR: _O.YES,
    Column.GREEN: _O.YES,
    Column.H3: _O.READ,
}


def _row(recipient_class: RecipientClass) -> dict[Column, Cell]:
    openings = _EVERYBODY | dict(zip(_HEAD, _ROWS[recipient_class], strict=True))
    return {
        column: Cell(
            opening=openings[column],
            explanation=f"{column} to {_NAMES[recipient_class]}: {openings[column]}",
        )
        for column in Column
    }


MATRIX = {recipient_class: _row(recipient_class) for recipient_class in RecipientClass}
"""Every class with every column."""
