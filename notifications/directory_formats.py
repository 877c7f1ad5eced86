"""A directory from a file and to a file: JSON, CSV, spreadsheet, vCard.

Source: R25.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from notifications.directory_csv import csv_template, read_csv, write_csv
from notifications.directory_document import INVALID, DirectoryDocument, read_json, validated
from notifications.directory_rows import Reading, read_officers
from notifications.directory_vcard import CardReading, write_vcards
from notifications.directory_xlsx import read_xlsx, write_xlsx, xlsx_template
from protocol.errors import Refused
from protocol.wording import Location

MOST_BYTES = 100_000_000


class FileFormat(StrEnum):
    """By the ending of a file's name."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    VCARD = "vcf"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """A whole directory, and what the file left to the one in force."""

    document: DirectoryDocument
    completed: str = ""
    """In words: what the file does not say and was taken from the directory in force."""


def format_of(path: Path) -> FileFormat:
    """The format that the file's name says.

    Raises:
        Refused: ``unknown-format``.
    """
    try:
        return FileFormat(path.suffix.casefold().removeprefix("."))
    except ValueError:
        names = ", ".join(f".{name}" for name in FileFormat)
        raise Refused("unknown-format", f"{path.name}: the name must end in {names}") from None


def read_file(data: bytes, file_format: FileFormat, in_force: DirectoryDocument | None) -> ReadFile:
    """The directory that this file makes of the one in force.

    JSON and a spreadsheet with both sheets are whole. CSV holds every organisation, and officers stay.
    vCards change contacts of organisations that stand in the directory, and all else stays.

    Raises:
        Refused: ``directory-invalid``, naming row or line, column and what to do; ``first-import``,
            the file is partial and there is nothing yet that it could be a part of.
    """
    if len(data) > MOST_BYTES:
        raise Refused(INVALID, f"larger than {MOST_BYTES // 1_000_000} MB: this is no directory")
    match file_format:
        case FileFormat.JSON:
            return ReadFile(document=read_json(data))
        case FileFormat.CSV:
            return _of_rows(Reading(read_csv(_utf8(data))), in_force)
        case FileFormat.XLSX:
            recipients, officers = read_xlsx(data)
            reading = Reading(recipients)
            if officers is None:
                return _of_rows(reading, in_force)
            values, place = read_officers(officers)
            return ReadFile(
                document=validated(
                    {"recipients": reading.recipients, "officers": values},
                    lambda where: (place if where[:1] == ("officers",) else reading.place)(where),
                )
            )
        case FileFormat.VCARD:
            return _of_cards(_utf8(data), in_force)


def write_file(document: DirectoryDocument, file_format: FileFormat) -> bytes:
    """The directory as a file that ``read_file`` reads to the same directory.

    Raises:
        Refused: ``too-long``, a key does not fit into a cell of a spreadsheet.
    """
    match file_format:
        case FileFormat.JSON:
            return document.model_dump_json(indent=1).encode() + b"\n"
        case FileFormat.CSV:
            return write_csv(document.recipients).encode()
        case FileFormat.XLSX:
            return write_xlsx(document)
        case FileFormat.VCARD:
            return write_vcards(document.recipients).encode()


def template(file_format: FileFormat) -> bytes:
    """An empty form with one example.

    Raises:
        Refused: ``unknown-format``, there are templates of CSV and spreadsheet only.
    """
    match file_format:
        case FileFormat.CSV:
            return csv_template().encode()
        case FileFormat.XLSX:
            return xlsx_template()
        case _:
            raise Refused("unknown-format", "templates are made as csv or xlsx")


def _of_rows(reading: Reading, in_force: DirectoryDocument | None) -> ReadFile:
    officers = _in_force(in_force, "holds no officers").officers
    raw: dict[str, Any] = {"recipients": reading.recipients, "officers": officers}

    def place(where: Location) -> str:
        return reading.place(where)

    return ReadFile(document=validated(raw, place), completed="officers stay as they are")


def _of_cards(text: str, in_force: DirectoryDocument | None) -> ReadFile:
    known = _in_force(in_force, "brings contacts up to date only")
    reading = CardReading(text, known.recipients)
    raw = {"recipients": reading.recipients, "officers": known.officers}
    return ReadFile(
        document=validated(raw, reading.place),
        completed=f"all but the contacts of {', '.join(reading.updated)} stays as it is",
    )


def _in_force(in_force: DirectoryDocument | None, why: str) -> DirectoryDocument:
    if in_force is None:
        raise Refused(
            "first-import",
            f"there is no directory yet, and this file {why}: import the first one as JSON, or as a "
            "spreadsheet with a sheet 'officers' (leerp directory template --format xlsx)",
        )
    return in_force


def _utf8(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise Refused(INVALID, f"not UTF-8 text (byte {exc.start}): save it as UTF-8") from None
