"""The table of domain 4.4, typed off the document cell by cell, against what the locks decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from notifications.confirmations import AGREEMENTS, RULES
from notifications.directory import Recipient
from notifications.grants import Permission, PermissionKind
from notifications.lock_explanation import explain_publication
from notifications.locks import Locks
from notifications.matrix import MATRIX, PUBLIC, Column, Opening
from notifications.products import Component, Product, Purpose, Variant
from protocol.markings import Classification, HandlingCode, Marking, Pap, Tlp
from protocol.parties import RecipientClass
from tests.notifications.samples import NOW, contact, recipient

K = PermissionKind
PROVIDER = "Police of Exampleland"
# Words of the table. "yes": no record needed. "addressee": the directory must allow that much.
# The name of a kind of record: only with that record. "agreement": the directory's transfer agreement.
# "sanitised", "technical", "summary": which content may be in it. "cleared": person and channel.
YES, NO, ADDRESSEE, NAMED, PERM = "yes", "no", "addressee", "tlp-red", "h2"
AGREED, TECHNICAL, SANITISED, SUMMARY = "source-agreement", "technical", "sanitised", "summary"
BASIS, PERM_BASIS, CLEARED, AGREEMENT = "agreement transfer", "agreement h2", "cleared", "agreement"
USE, READ, LOWER, FIRST, REGISTER = (
    *("judicial-use", "h3-read", "downgrade", "private-partner", "registered"),
)

HEAD = ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED", "BPL", "H2", "R-UE")
TABLE = {  # domain 4.4, row by row
    "europol-unit": (YES, YES, YES, YES, NAMED, YES, PERM, CLEARED),
    "liaison-bureau": (YES, YES, YES, YES, NAMED, YES, PERM, CLEARED),
    "j-cat": (YES, YES, YES, YES, NAMED, YES, PERM, CLEARED),
    "duty-manager": (YES, YES, YES, YES, NAMED, YES, PERM, CLEARED),
    "le-poc": (YES, YES, YES, ADDRESSEE, NAMED, YES, PERM, CLEARED),
    "judicial": (YES, YES, YES, ADDRESSEE, NAMED, YES, PERM, CLEARED),
    "eu-body": (YES, YES, YES, ADDRESSEE, NAMED, TECHNICAL, PERM, CLEARED),
    "csirt-network": (YES, YES, YES, ADDRESSEE, NAMED, SANITISED, PERM, CLEARED),
    "interpol": (YES, YES, AGREED, NO, NO, BASIS, PERM_BASIS, f"{CLEARED} {AGREEMENT}"),
    "private-partner": (YES, YES, AGREED, NO, NAMED, SANITISED, PERM, NO),
    "crisis-communication": (YES, YES, SUMMARY, NO, NO, SUMMARY, PERM, CLEARED),
    "public": (YES, NO, NO, NO, NO, NO, NO, NO),
}
# What 4.4 says beside the table, for every row of it.
POLICE = ("europol-unit", "liaison-bureau", "j-cat", "duty-manager", "le-poc")
TEXT = {
    row: {
        "H1": USE if row in (*POLICE, "judicial", "interpol") else NO,
        "H3": NO if row == "public" else READ,
        "C-UE": NO if row in ("private-partner", "public") else REGISTER,
        "lowered": LOWER,
        "first": FIRST if row == "private-partner" else YES,
    }
    for row in TABLE
}
COLUMNS = {
    "CLEAR": Column.CLEAR, "GREEN": Column.GREEN, "AMBER": Column.AMBER,
    "AMBER+STRICT": Column.AMBER_STRICT, "RED": Column.RED, "BPL": Column.BPL, "H1": Column.H1,
    "H2": Column.H2, "H3": Column.H3, "R-UE": Column.EUCI, "C-UE": Column.REGISTERED,
    "lowered": Column.LOWERED, "first": Column.FIRST_USE,
}  # fmt: skip
MARKINGS: dict[str, dict[str, Any]] = {
    "CLEAR": {}, "GREEN": {"tlp": Tlp.GREEN}, "AMBER": {"tlp": Tlp.AMBER},
    "AMBER+STRICT": {"tlp": Tlp.AMBER_STRICT}, "RED": {"tlp": Tlp.RED},
    "BPL": {"classification": Classification.BPL},
    "H1": {"handling_codes": {HandlingCode.H1}}, "H2": {"handling_codes": {HandlingCode.H2}},
    "H3": {"handling_codes": {HandlingCode.H3}, "handling_text": "not on paper"},
    "R-UE": {"classification": Classification.RESTRICTED},
    "C-UE": {"classification": Classification.CONFIDENTIAL},
    "lowered": {}, "first": {"tlp": Tlp.GREEN},
}  # fmt: skip
CLASSES = [row for row in TABLE if row != "public"]


def word(row: str, column: str) -> str:
    """What the document says of one cell."""
    if column in HEAD:
        return TABLE[row][HEAD.index(column)]
    return TEXT[row][column]


def part(column: str, purpose: Purpose = Purpose.INFORMATION) -> Component:
    lowest = {"classification": Classification.PUBLIC, "tlp": Tlp.CLEAR, "pap": Pap.CLEAR}
    return Component(
        id="part",
        marking=Marking.model_validate({**lowest, **MARKINGS[column]}),
        provider=PROVIDER,
        purpose=purpose,
        lowered="report-1" if column == "lowered" else "",
    )


def addressee(row: str, **changes: Any) -> Recipient:
    """One who may have everything, as far as the directory goes."""
    top = Classification.TOP_SECRET
    values: dict[str, Any] = {
        "clearance": top,
        "may_receive_up_to": Tlp.RED,
        "transfer_agreement": True,
        "contacts": (contact().model_copy(update={"accredited_up_to": top}),),
    }
    return recipient(RecipientClass(row), **values | changes)


def records(to: Recipient, *, without: str = "") -> list[Permission]:
    """Every record there can be for this recipient, but for one kind."""
    return [
        Permission(
            kind=kind,
            provider=PROVIDER,
            recipients=frozenset({to.id}),
            given_at=NOW - timedelta(hours=1),
            expires_at=NOW + timedelta(hours=1),
            items=frozenset({"report-1"} if kind is K.DOWNGRADE else ()),
        )
        for kind in PermissionKind
        if kind not in {without, K.LIFE_THREAT}
    ]


def closed_columns(to: Recipient, piece: Component, permissions: list[Permission]) -> set[str]:
    locks = Locks(Product(components=(piece,)), permissions=permissions, now=NOW, proceedings=True)
    found = locks.findings(to, to.contacts[0], Variant.FULL)
    return {each.rule for each in found if not each.open}


def is_open(to: Recipient, column: str, piece: Component, permissions: list[Permission]) -> bool:
    return COLUMNS[column] not in closed_columns(to, piece, permissions)


@pytest.mark.requirement("R31", "R32")
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("row", CLASSES)
def test_each_cell_opens_as_the_document_says_and_not_without_it(row: str, column: str) -> None:
    to, piece = addressee(row), part(column)
    said = word(row, column)
    everything = records(to)
    assert is_open(to, column, piece, everything) is (said != NO)
    kinds = [kind for kind in PermissionKind if kind in said.split()]
    assert is_open(to, column, piece, []) is (said != NO and not kinds)
    for kind in kinds:  # the very record that the cell names, and no other, is what opens it
        assert not is_open(to, column, piece, records(to, without=kind))
        others = [p for p in everything if p.kind in kinds]
        assert is_open(to, column, piece, others)


@pytest.mark.requirement("R31", "R32")
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("row", CLASSES)
def test_each_cell_holds_what_of_the_directory_it_names(row: str, column: str) -> None:
    piece, said = part(column), word(row, column).split()
    for holds, changes in (
        (AGREEMENT in said, {"transfer_agreement": False}),
        (CLEARED in said, {"clearance": Classification.BPL}),
        (CLEARED in said, {"contacts": (contact(),)}),
        (ADDRESSEE in said, {"may_receive_up_to": Tlp.AMBER}),
    ):
        to = addressee(row, **changes)
        if holds or NO in said:
            assert not is_open(to, column, piece, records(to))
        else:
            assert is_open(to, column, piece, records(to))


@pytest.mark.requirement("R32")
@pytest.mark.parametrize("row", CLASSES)
def test_each_class_gets_the_kind_of_content_that_the_document_says(row: str) -> None:
    said, to = word(row, "BPL"), addressee(row)
    bare = [p for p in records(to) if p.kind is not K.PERSONAL_DATA]
    case = part("BPL", Purpose.CRIME)
    person = replace(part("BPL", Purpose.PROTECTION), personal_data=True)
    technical = part("BPL", Purpose.PROTECTION)
    assert is_open(to, "BPL", part("BPL"), bare)
    assert is_open(to, "BPL", technical, bare) is (said != SUMMARY)
    for guarded in (case, person):
        assert is_open(to, "BPL", guarded, bare) is (said in {YES, BASIS})
        assert is_open(to, "BPL", guarded, records(to)) is (said in {YES, BASIS, TECHNICAL})
    amber = word(row, "AMBER")
    technical = part("AMBER", Purpose.PROTECTION)
    assert is_open(to, "AMBER", technical, records(to)) is (amber != SUMMARY)


@pytest.mark.requirement("R31", "R32")
@pytest.mark.parametrize("column", COLUMNS)
def test_the_public_gets_what_the_last_row_says(column: str) -> None:
    opens = {
        line.rule: line.open for line in explain_publication(Product(components=(part(column),)))
    }
    opens.setdefault(Column.H1, False)  # asked of use in proceedings, where the public has no part
    assert opens[COLUMNS[column]] is (word("public", column) == YES)


def test_every_cell_says_what_it_takes_in_words_of_its_own() -> None:
    for cells in (*MATRIX.values(), PUBLIC):
        assert set(cells) == set(Column)
        assert len({cell.explanation for cell in cells.values()}) == len(Column)
        assert all(str(column) in cell.explanation for column, cell in cells.items())
        assert all(cell.opening.value in cell.explanation for cell in cells.values())
    used = {cell.opening for cells in MATRIX.values() for cell in cells.values()}
    assert used == set(Opening)


@pytest.mark.requirement("R32")
def test_the_confirmations_that_are_always_needed_are_those_of_the_document() -> None:
    # first use of a private partner, H2, H3, H1 to judicial use, any downgrade of marking,
    # third-country transfer, TLP:RED, life-threat override, personal data to non-LE
    assert set(RULES) == {
        *(K.PRIVATE_PARTNER, K.H2, K.H3_READ, K.JUDICIAL_USE, K.DOWNGRADE, K.TRANSFER),
        *(K.TLP_RED, K.LIFE_THREAT, K.PERSONAL_DATA),
    }
    assert set(RULES) | set(AGREEMENTS) == set(PermissionKind)


@pytest.mark.requirement("R31")
@pytest.mark.parametrize("level", [level for level in Classification if level])
def test_person_and_channel_must_both_reach_every_level(level: Classification) -> None:
    marking = Marking(classification=level, tlp=Tlp.CLEAR)
    piece = Component(id="part", marking=marking, provider=PROVIDER)
    below = Classification(level - 1)

    def closed(
        clearance: Classification, channel: Classification, own: Classification | None
    ) -> bool:
        point = contact().model_copy(update={"accredited_up_to": channel, "clearance": own})
        to = addressee("le-poc", clearance=clearance, contacts=(point,))
        return bool(closed_columns(to, piece, records(to)))

    assert not closed(level, level, None)
    assert closed(below, level, None)
    assert closed(level, below, None)
    assert closed(level, level, below)  # this desk is cleared for less than its organisation
    assert not closed(below, level, level)
