from __future__ import annotations

import base64
import io
import ssl
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from openpyxl import Workbook, load_workbook
from pysequoia import Tsk

from notifications.directory_csv import read_csv
from notifications.directory_diff import officers_changed, recipients_changed
from notifications.directory_document import DirectoryDocument
from notifications.directory_formats import (
    FileFormat,
    format_of,
    read_file,
    template,
    write_file,
)
from notifications.directory_rows import COLUMNS
from protocol.errors import Refused
from tests.notifications.directories import OFFICERS, documents, openpgp_key
from tests.notifications.samples import certificate, everybody

pytestmark = pytest.mark.requirement("R25", "R72")

IN_FORCE = DirectoryDocument(recipients=tuple(everybody()), officers=OFFICERS)


POLICE = "X-LEERP-RECIPIENT:le-poc-1"


def card(*lines: str, version: str = "4.0") -> bytes:
    return "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""]).encode()


def refusal(data: bytes, file_format: FileFormat) -> str:
    with pytest.raises(Refused) as refused:
        read_file(data, file_format, IN_FORCE)
    assert refused.value.reason == "directory-invalid"
    return str(refused.value)


@pytest.mark.parametrize("file_format", FileFormat)
@settings(max_examples=20)
@given(document=documents())
def test_what_is_exported_and_imported_again_is_the_same(
    file_format: FileFormat, document: DirectoryDocument
) -> None:
    again = read_file(write_file(document, file_format), file_format, document).document
    assert recipients_changed(document.recipients, again.recipients) == ()
    assert officers_changed(document.officers, again.officers) == ()
    assert again.digest == document.digest


@pytest.mark.parametrize("file_format", [FileFormat.CSV, FileFormat.XLSX])
def test_a_template_is_a_valid_file_of_one_organisation(file_format: FileFormat) -> None:
    read = read_file(template(file_format), file_format, IN_FORCE).document
    (example,) = read.recipients
    assert example.contacts[0].hours == "mon-fri 08:00-18:00"
    assert example.contacts[0].languages == ("fr", "en")


def test_no_template_is_made_where_there_are_no_rows() -> None:
    with pytest.raises(Refused, match="csv or xlsx"):
        template(FileFormat.VCARD)


@pytest.mark.parametrize("name", ["a.CSV", "a.csv", "dir/b.xlsx", "c.vcf", "d.json"])
def test_the_ending_of_a_name_says_the_format(name: str) -> None:
    assert format_of(Path(name)).value == name.rpartition(".")[2].casefold()


def test_another_ending_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(Refused, match=r"\.json, \.csv, \.xlsx, \.vcf"):
        format_of(Path("directory.xlsm"))


@pytest.mark.parametrize("file_format", [FileFormat.CSV, FileFormat.VCARD])
def test_what_is_only_a_part_cannot_be_the_first(file_format: FileFormat) -> None:
    with pytest.raises(Refused) as refused:
        read_file(write_file(IN_FORCE, file_format), file_format, None)
    assert refused.value.reason == "first-import"
    assert "sheet 'officers'" in str(refused.value)


def test_a_spreadsheet_with_officers_can_be_the_first() -> None:
    data = write_file(IN_FORCE, FileFormat.XLSX)
    assert read_file(data, FileFormat.XLSX, None).document.digest == IN_FORCE.digest


# Rows

HEAD = "id,class,organisation,country,contact,email,phone,hours,clearance,requiretls"
ROW = "le-poc-xx,le-poc,Police,XX,Desk,desk@xx.invalid,+32 2,mon-fri 08:00-17:00,BPL,no"
SECOND = "le-poc-xx,,,,Deputy,deputy@xx.invalid,,,,"


def csv(*rows: str, head: str = HEAD) -> bytes:
    return "\n".join([head, *rows]).encode()


def test_rows_of_one_id_are_one_organisation_with_its_contacts_in_order() -> None:
    read = read_file(csv(ROW, SECOND), FileFormat.CSV, IN_FORCE)
    (police,) = read.document.recipients
    assert [contact.name for contact in police.contacts] == ["Desk", "Deputy"]
    assert read.document.officers == OFFICERS
    assert read.completed == "officers stay as they are"


def test_semicolons_and_the_mark_of_byte_order_are_read_as_spreadsheets_write_them() -> None:
    data = b"\xef\xbb\xbf" + csv(ROW, SECOND).replace(b",", b";")
    assert len(read_file(data, FileFormat.CSV, IN_FORCE).document.recipients[0].contacts) == 2


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([ROW.replace("desk@xx.invalid", "no address")], ["row 2", "column email"]),
        ([ROW, SECOND.replace("deputy@xx.invalid", "bad")], ["row 3", "column email"]),
        ([ROW.replace("le-poc,Police", "friend,Police")], ["row 2", "column class"]),
        ([ROW.replace("mon-fri 08:00-17:00", "always")], ["row 2", "column hours", "write it as"]),
        ([ROW.replace("BPL", "TOP")], ["row 2", "column clearance", "CONFIDENTIAL"]),
        ([ROW.replace(",no", ",maybe")], ["row 2", "column requiretls", "yes or no"]),
        ([ROW.replace("Desk", "=1+1")], ["row 2", "column contact", "formula"]),
        ([ROW.replace("Desk", "@SUM(A1)")], ["row 2", "column contact", "apostrophe"]),
        ([ROW.replace("+32 2", "+cmd|' /C calc'!A0")], ["row 2", "column phone", "formula"]),
        ([ROW.replace("Desk", "De\x07sk")], ["row 2", "column contact", "control character"]),
        ([ROW, SECOND.replace(",,,,Dep", ",,Other,,Dep")], ["row 3", "organisation", "row 2"]),
        ([ROW.replace("le-poc-xx", "")], ["row 2", "column id"]),
        ([ROW + ",one,two"], ["row 2", "more cells"]),
        ([ROW, SECOND.replace("deputy", "desk")], ["row 2 to 3", "same address"]),
    ],
)  # fmt: skip
def test_a_wrong_cell_is_named_by_row_and_column(rows: list[str], words: list[str]) -> None:
    said = refusal(csv(*rows), FileFormat.CSV)
    assert all(word in said for word in words), said
    assert "cmd" not in said


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (csv(ROW, head=HEAD.replace("country", "nation")), "column 4"),
        (csv(ROW, head=HEAD.replace("country", "email")), "twice"),
        (csv(ROW, head=HEAD.replace("email", "phone")), "no column email"),
        (csv('"' + "x" * 300_000 + '"'), "line"),
        (b"\xff\xfe" + "id".encode("utf-16-le"), "UTF-8"),
        (b"id;class\n" * 3, "no column contact"),
    ],
)
def test_what_is_no_table_of_a_directory_is_refused(data: bytes, words: str) -> None:
    assert words in refusal(data, FileFormat.CSV)


@given(document=documents())
@settings(max_examples=15)
def test_no_cell_that_is_written_begins_like_a_formula(document: DirectoryDocument) -> None:
    text = write_file(document, FileFormat.CSV).decode()
    raw = [row.cells for row in read_csv(text)]
    assert len(raw) == sum(len(recipient.contacts) for recipient in document.recipients)
    starts = ("=", "+", "-", "@")
    assert not any(line.startswith(starts) for line in text.split("\r\n"))
    assert not any(f",{start}" in text for start in ("=", "@"))


# Spreadsheets


def sheet(change: Callable[[Workbook], None]) -> bytes:
    book = load_workbook(io.BytesIO(write_file(IN_FORCE, FileFormat.XLSX)))
    change(book)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def set_cell(name: str, value: object, row: int = 3) -> bytes:
    place = [column.name for column in COLUMNS].index(name) + 1
    return sheet(lambda book: setattr(book["recipients"].cell(row, place), "value", value))


def test_a_formula_in_a_spreadsheet_is_refused_where_it_stands() -> None:
    said = refusal(set_cell("email", '=HYPERLINK("http://evil.invalid")'), FileFormat.XLSX)
    assert "row 3, column email" in said
    assert "evil" not in said


def test_text_that_begins_like_a_formula_is_written_as_text() -> None:
    risky = OFFICERS[0].model_copy(update={"name": "=1+1"})
    document = DirectoryDocument(recipients=IN_FORCE.recipients, officers=(risky, OFFICERS[1]))
    book = load_workbook(io.BytesIO(write_file(document, FileFormat.XLSX)))
    cells = [cell for row in book["officers"].iter_rows() for cell in row]
    assert "=1+1" in [cell.value for cell in cells]
    again = read_file(write_file(document, FileFormat.XLSX), FileFormat.XLSX, None)
    assert again.document.officers[0].name == "=1+1"


@pytest.mark.parametrize(("value", "words"), [(1.5, "format the column as text")])
def test_what_a_spreadsheet_made_of_a_text_is_refused(value: object, words: str) -> None:
    assert words in refusal(set_cell("phone", value), FileFormat.XLSX)


def test_a_whole_number_is_taken_as_it_is_seen() -> None:
    read = read_file(set_cell("phone", 3225551212), FileFormat.XLSX, None).document
    assert "3225551212" in {c.phone for r in read.recipients for c in r.contacts}


def test_a_wrong_officer_is_named_by_sheet_row_and_column() -> None:
    data = sheet(lambda book: setattr(book["officers"]["D2"], "value", "emperor"))
    assert "sheet officers, row 2, column roles" in refusal(data, FileFormat.XLSX)


def repacked(name: str, content: bytes) -> bytes:
    """The spreadsheet with one member of its archive replaced or added."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(write_file(IN_FORCE, FileFormat.XLSX))) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        new.writestr(name, content)
    return buffer.getvalue()


def with_damaged_packing(method: int) -> bytes:
    """The spreadsheet with a member that cannot be unpacked; what lists the members is whole."""
    buffer = io.BytesIO(repacked("xl/x.xml", b"<x/>"))
    with zipfile.ZipFile(buffer, "a", method) as archive:
        archive.writestr("xl/damaged.xml", b"<x/>" * 9)
    data = bytearray(buffer.getvalue())
    place = data.index(b"xl/damaged.xml") + len(b"xl/damaged.xml")
    data[place : place + 2] = b"\xff\xff"
    return bytes(data)


LAUGHS = (
    b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>"""
)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04 not an archive", "no .xlsx file"),
        (b"id,class", "no .xlsx file"),
        (with_damaged_packing(zipfile.ZIP_DEFLATED), "no .xlsx file (error)"),
        (with_damaged_packing(zipfile.ZIP_BZIP2), "no .xlsx file (OSError)"),
        (repacked("xl/sharedStrings.xml", LAUGHS), "document type"),
        (repacked("xl/workbook.xml", LAUGHS.decode().encode("utf-16")), "not UTF-8"),
        (repacked("xl/vbaProject.bin", b"macro"), "macros"),
        (repacked("xl/bomb.xml", b" " * 61_000_000), "packed too tightly"),
        (repacked("xl/workbook.xml", b"<workbook/>"), "no sheet"),
    ],
    ids=["broken", "text", "deflated", "bzip2", "entities", "utf-16", "macros", "bomb", "empty"],
)
def test_a_hostile_spreadsheet_is_refused_before_it_is_parsed(data: bytes, words: str) -> None:
    assert words in refusal(data, FileFormat.XLSX)


def test_a_key_that_no_cell_can_hold_is_not_cut_off() -> None:
    long = "x" * 40_000
    recipient = IN_FORCE.recipients[0]
    contact = recipient.contacts[0].model_copy(update={"openpgp_key": long})
    changed = recipient.model_copy(update={"contacts": (contact,)})
    with pytest.raises(Refused, match="export as CSV or JSON"):
        write_file(DirectoryDocument(recipients=(changed,), officers=OFFICERS), FileFormat.XLSX)


# Keys


def test_a_private_key_is_refused_where_it_says_so_and_never_kept() -> None:
    private = Tsk.generate("Desk <desk@example.invalid>")
    armoured = base64.b64encode(str(private).encode()).decode()
    said = refusal(
        card(POLICE, "FN:Desk 0", f"KEY:data:application/pgp-keys;base64,{armoured}"),
        FileFormat.VCARD,
    )
    assert "the card on line 1, openpgp_key: a private key" in said

    binary = base64.b64encode(bytes(private)).decode()
    data = card(POLICE, "FN:Desk 0", f"KEY:data:application/pgp-keys;base64,{binary}")
    read = read_file(data, FileFormat.VCARD, IN_FORCE).document
    desk = next(r for r in read.recipients if r.id == "le-poc-1").contacts[0]
    assert desk.openpgp_key == str(private.extract_certificate())


# Cards


def contacts_after(data: bytes) -> list[str]:
    read = read_file(data, FileFormat.VCARD, IN_FORCE)
    assert "le-poc-1" in read.completed
    found = {recipient.id: recipient for recipient in read.document.recipients}
    assert len(found) == len(IN_FORCE.recipients)
    return [f"{c.name} {c.email} {c.phone}" for c in found["le-poc-1"].contacts]


def test_a_card_changes_the_contact_with_its_address_and_leaves_the_rest() -> None:
    after = contacts_after(card(POLICE, "FN:New name", "EMAIL:DESK1@example.invalid"))
    assert after == ["Desk 0 desk0@example.invalid ", "New name DESK1@example.invalid "]


def test_a_card_with_a_new_address_is_known_by_its_name() -> None:
    after = contacts_after(
        card(POLICE, "FN:desk 1", "EMAIL:new@example.invalid", "TEL;VALUE=uri:tel:+32-2-555")
    )
    assert after == ["Desk 0 desk0@example.invalid ", "desk 1 new@example.invalid +32-2-555"]


def test_a_card_of_somebody_new_is_the_last_contact() -> None:
    after = contacts_after(
        card(
            "ORG:Organisation of le-poc;Unit 4",
            "FN:Third",
            "EMAIL;TYPE=work:home@example.invalid",
            "EMAIL;TYPE=work,pref:third@example.invalid",
            version="3.0",
        )
    )
    assert after[2] == "Third third@example.invalid "


def test_certificates_of_a_card_are_read_in_the_way_of_3_0_and_of_4_0() -> None:
    der = base64.b64encode(ssl.PEM_cert_to_DER_cert(certificate(-400, 30))).decode()
    old = card(POLICE, "FN:Desk 0", f"KEY;ENCODING=b;TYPE=X509:{der}", version="3.0")
    new = card(POLICE, "FN:Desk 0", f"KEY:data:application/pkix-cert;base64,{der}")
    armoured = base64.b64encode(openpgp_key().encode()).decode()
    pgp = card(POLICE, "FN:Desk 0", f"KEY;ENCODING=b;TYPE=PGP:{armoured}", version="3.0")
    for data in (old, new):
        read = read_file(data, FileFormat.VCARD, IN_FORCE).document
        desk = next(r for r in read.recipients if r.id == "le-poc-1").contacts[0]
        assert desk.certificate == certificate(-400, 30)
    read = read_file(pgp, FileFormat.VCARD, IN_FORCE).document
    desk = next(r for r in read.recipients if r.id == "le-poc-1").contacts[0]
    assert desk.openpgp_key == openpgp_key()
    assert desk.certificate == certificate()


def test_a_card_with_the_name_of_two_contacts_changes_neither() -> None:
    first, *rest = IN_FORCE.recipients
    twins = tuple(each.model_copy(update={"name": "Duty desk"}) for each in first.contacts)
    here = DirectoryDocument(
        recipients=(first.model_copy(update={"contacts": twins}), *rest), officers=OFFICERS
    )
    data = card(f"X-LEERP-RECIPIENT:{first.id}", "FN:Duty desk", "EMAIL:third@example.invalid")
    with pytest.raises(Refused, match="more than one contact"):
        read_file(data, FileFormat.VCARD, here)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (card("FN:X", "EMAIL:x@example.invalid"), ["line 1", "X-LEERP-RECIPIENT"]),
        (card("X-LEERP-RECIPIENT:le-poc-zz", "FN:X"), ["line 1", "leerp directory list"]),
        (card(POLICE, "FN:X", version="2.1"), ["line 1", "VERSION 3.0 or 4.0"]),
        (card(POLICE, "FN:Desk 0", "TZ:+01:00"), ["the card on line 1", "time_zone", "Brussels"]),
        (card(POLICE, "FN:X"), ["the card on line 1", "email"]),
        (card(POLICE, "FN:Desk 0", "KEY:http://x.invalid/k"), ["line 1", "not fetched"]),
        (card(POLICE, "FN:Desk 0", "KEY;ENCODING=b:AAAA"), ["line 1", "neither"]),
        (card(POLICE, "FN:Desk 0", "X-LEERP-CLEARANCE:TOP"), ["line 1", "SECRET"]),
        (card(POLICE, "FN:Desk 0") * 2, ["line 6", "same contact"]),
        (card(POLICE, "FN:X") + card(POLICE, "FN:Y"), ["the card on line 1", "line 6", "email"]),
        (card(POLICE, "FN:" + "x" * 300_000), ["line 4", "too long"]),
        (b"FN:X\r\n", ["line 1", "outside"]),
        (b"BEGIN:VCARD\r\nVERSION:4.0\r\n", ["no end"]),
        (b"BEGIN:VCARD\r\nno colon here\r\nEND:VCARD\r\n", ["line 2"]),
        (b"", ["no vCards"]),
    ],
)  # fmt: skip
def test_a_card_that_cannot_be_used_is_named_by_its_line(data: bytes, words: list[str]) -> None:
    said = refusal(data, FileFormat.VCARD)
    assert all(word in said for word in words), said


@pytest.mark.parametrize("end", ["", ":value", '"', ";=", "\x01"])
@pytest.mark.parametrize(
    "part", [";B", '"a",', ";X=a,X=a", "X=a,", ",,", ';x="a"', ";x=,", "a.b", ";;", "=", '""']
)
def test_no_line_keeps_the_reader_busy(part: str, end: str) -> None:
    """The test's own time limit is what it is held against: the library's pattern never ended."""
    line = f"A;X={part * 20_000}{end}"
    with pytest.raises(Refused):
        read_file(card("FN:Nobody", line[:190_000]), FileFormat.VCARD, IN_FORCE)
