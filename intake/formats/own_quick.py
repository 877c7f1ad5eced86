"""``leerp-report/1`` read in one go, where a report is written as most of them are.

A storm is made of reports in our own format that are right and already in normal form. Such a one is
read here in a tenth of the time. Whatever is wrong with a report, or needs a change, makes this give
up: then ``intake.formats.own`` reads it as if it had not been looked at here. Both ways come to the
same bytes. Source: reliability 1.5b ("decode with msgspec at the hot border").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from intake.formats.draft import MOST_INDICATORS
from intake.formats.own import NAME
from intake.formats.own_shapes import Indicator, Marking, Report
from protocol.indicators import normalise
from protocol.markings import HandlingCode, Tlp
from protocol.report import END_OF_TIME, FIRST_TIME, visible

LEVELS = 8
"""Arrays and objects are never nested so deep in a report that is read here."""
_FINER_TIME = re.compile(rb":[0-9]{2}[.,][0-9]{7}")
"""A time with more digits than down to the microsecond, which would be rounded."""


class QuickReport(msgspec.Struct, frozen=True, gc=False):
    """A report, and how ``ReportContent`` writes it."""

    fields: Report
    said: str
    """As JSON, the same bytes as ``ReportContent.model_dump_json`` gives."""
    marked: bool
    """Whether the sender marked it in any way."""

    def marked_with(self, tlp: Tlp) -> str:
        """``said`` with this label, of a report that nobody has marked."""
        return _said(replace(self.fields, marking=Marking(tlp=tlp)))


_read_any = msgspec.json.Decoder().decode
_read = msgspec.json.Decoder(Report).decode
_write = msgspec.json.Encoder().encode
_OPENING = len(_write({"format": NAME})) - 1
_QUOTE = b'"'
_BACKSLASH = b"\\"
_ESCAPED_QUOTE = b"\\u0022"
_ESCAPES = ("\\u", "\\b", "\\f")
"""How controls are written; of others, such as a line feed, texts are not free."""


def read_quickly(body: bytes) -> QuickReport | None:
    """The one report of a record, or None if anything about it is unusual, right or wrong."""
    try:
        report = _read(body)
        document = _read_any(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if _names_twice(body, document) or _FINER_TIME.search(body):
        return None
    normal = _normal(report.indicators)
    if normal is None:
        return None
    if normal is not report.indicators:
        report = replace(report, indicators=normal)
    said = _said(report)
    if not (_is_usual(report, said) and _is_plain(said)):
        return None
    return QuickReport(report, said, "marking" in document)


def _said(report: Report) -> str:
    return f"{{{_write(report)[_OPENING + 1 :].decode()}"


def _names_twice(body: bytes, document: Any) -> bool:
    """Whether an object names a field twice: the decoder forgets the first, and so its quotes.

    True as well where a quote is written as a number, since those do not count the same.
    """
    if _BACKSLASH in body and _ESCAPED_QUOTE in body:
        return True
    return body.count(_QUOTE) != _write(document).count(_QUOTE)


def _is_usual(report: Report, said: str) -> bool:
    return (
        (_is_plainly_trimmed(said) or all(map(_is_trimmed, _lines(report))))
        and _is_title(report.title)
        and _is_name(report.reporter.name)
        and _are_times_usual(report)
        and _is_marking_usual(report.marking)
    )


def _is_plain(said: str) -> bool:
    """Whether its texts are free of controls and composed."""
    if "\\" in said and any(escape in said for escape in _ESCAPES):
        return False
    return said.isascii() or unicodedata.is_normalized("NFC", said)


def _is_plainly_trimmed(said: str) -> bool:
    """Whether no text in it can begin or end with white space, seen at one look."""
    return said.isascii() and not ("\\" in said or '" ' in said or ' "' in said)


def _is_trimmed(line: str) -> bool:
    return line == line.strip()


def _lines(report: Report) -> list[str]:
    reporter, impact = report.reporter, report.impact
    lines = [report.source_id, report.title, report.lang, report.rsit, reporter.name]
    lines += [reporter.contact, *impact.criteria, *impact.services]
    lines += [*report.references, *report.warnings]
    lines += [each.value for each in report.affected]
    lines += [each.id for each in report.relations]
    for indicator in report.indicators:
        lines += (indicator.role, indicator.confidence_raw)
    if report.evaluation is not None:
        lines += [report.evaluation.original, *report.evaluation.flags]
    return lines


def _is_name(text: str) -> bool:
    if text.isascii() and text.isprintable():
        return bool(text)  # trimmed, so with something to be seen
    return _passes(visible, text)


def _is_title(text: str) -> bool:
    return _is_name(text) and ("=?" not in text and text.isprintable())


def _passes(rule: Callable[[str], str], text: str) -> bool:
    try:
        return rule(text) == text
    except ValueError:
        return False


def _are_times_usual(report: Report) -> bool:
    """In their range and order, and known to the zone."""
    for window in report.times:
        if not (
            window.tz_known
            and FIRST_TIME <= window.earliest <= window.latest
            and window.latest < END_OF_TIME
        ):
            return False
    return all(
        seen is None or FIRST_TIME <= seen < END_OF_TIME
        for indicator in report.indicators
        if indicator.first_seen is not None or indicator.last_seen is not None
        for seen in (indicator.first_seen, indicator.last_seen)
    )


def _normal(indicators: tuple[Indicator, ...]) -> tuple[Indicator, ...] | None:
    """The same in normal form; None if one has none, or some are the same then."""
    if len(indicators) > MOST_INDICATORS:
        return None
    try:
        values = [normalise(each.type, each.value) for each in indicators]
    except ValueError:
        return None
    if len({*zip([each.type for each in indicators], values, strict=True)}) < len(values):
        return None
    if [each.value for each in indicators] == values:
        return indicators
    return tuple(replace(each, value=value) for each, value in zip(indicators, values, strict=True))


def _is_marking_usual(marking: Marking) -> bool:
    codes = marking.handling_codes
    stricter = HandlingCode.H1 in codes or HandlingCode.H2 in codes
    return (
        codes == _PLAIN_CODES
        or (
            bool(codes)
            and codes == tuple(sorted(set(codes)))
            and not (stricter and HandlingCode.H0 in codes)
        )
    ) and (HandlingCode.H3 not in codes or bool(marking.handling_text.strip()))


_PLAIN_CODES = Marking().handling_codes
