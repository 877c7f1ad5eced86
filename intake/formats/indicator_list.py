"""Lists of indicators, as a table with a header (CSV) or one to a line; one list is one report.

Such lists name neither their sender nor, often, any time: then the time of arrival counts as the
time of the report. Source: issue 5, "Formats".
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable
from typing import Any

from intake.formats.base import UNDATED
from intake.formats.draft import Draft
from intake.formats.list_rows import ListRows, Said
from intake.formats.list_table import is_feed_index, table_of
from intake.formats.prose import indicators_in, stated_tlp
from intake.texts import TextDocument
from protocol.errors import RejectedReport
from protocol.markings import Marking, Tlp
from protocol.report import IndicatorType, ReportContent, Reporter

_COMMENT = re.compile(r"(?:#|//|;)")
_TRAILING_COMMENT = re.compile(r"\s(?:#|//).*")
_HEADING = re.compile(r"(?:[\w/()&+-]+ ?){1,5}:?")
_SINK = re.compile(r"(?:0\.0\.0\.0|127\.0\.0\.1|::1?)\s+(?=\S)")
"""Where a hosts file sends the names that it blocks."""
_LOOKED_AT = 1_000
_SHARE = 0.8
"""Of the lines of a text that nobody declared to be a list; below, it is something else."""
_SHARE_WITH_HEADINGS = 0.5


class CsvList:
    """The adapter for tables with a header."""

    def recognises(self, document: Any) -> bool:
        """Whether it is text whose first row names a column of indicators."""
        return isinstance(document, TextDocument) and (
            table_of(document) is not None or is_feed_index(document)
        )

    def read(self, document: Any) -> tuple[ReportContent, ...]:
        """Translate the table; see ``Adapter.read``.

        Raises:
            RejectedReport: ``bad-csv``, ``too-many-rows``, ``too-many-columns``,
                ``cell-too-long``, ``no-indicators`` or ``misp-feed-index``.
        """
        table = table_of(document)
        if table is None:
            raise RejectedReport(
                "misp-feed-index",
                "this is the index of a MISP feed, not its events; send the event files",
            )
        draft = Draft()
        rows = ListRows(draft, table.columns)
        for row in table.rows(document):
            rows.add(row)
        rows.finish(table.unknown)
        return (_content(document, draft, "csv", table.comments, rows.said),)


class TextList:
    """The adapter for texts with one indicator to a line, or a few."""

    def recognises(self, document: Any) -> bool:
        """Whether nearly every line begins with an indicator, or the sender says it is a list."""
        if not isinstance(document, TextDocument):
            return False
        lines = _lines(document.text)
        if document.declared:
            return bool(lines)
        seen = lines[:_LOOKED_AT]
        others = [line for line in seen if not _is_telling(line)]
        telling = len(seen) - len(others)
        headings = sum(_HEADING.fullmatch(line[:200]) is not None for line in others)
        return (
            telling > 0
            and telling >= _SHARE * (len(seen) - headings)
            and telling >= _SHARE_WITH_HEADINGS * len(seen)
        )

    def read(self, document: Any) -> tuple[ReportContent, ...]:
        """Translate the list; see ``Adapter.read``.

        Raises:
            RejectedReport: ``too-many-rows``, ``cell-too-long``, ``no-indicators`` or
                ``too-many-indicators``.
        """
        lines = _lines(document.text)
        limits = document.limits
        if len(lines) > limits.max_rows:
            raise RejectedReport(
                "too-many-rows", f"the list has more than the {limits.max_rows} lines accepted"
            )
        draft = Draft()
        for line in lines:
            if len(line) > limits.max_cell_length:
                raise RejectedReport(
                    "cell-too-long",
                    f"a line is longer than the {limits.max_cell_length} characters accepted",
                )
            found = list(indicators_in(line))
            if network := _network(line):
                draft.indicator(IndicatorType.OTHER, network, role="network")
            elif not found:
                draft.warn("a line without an indicator stays in the original record only")
            for kind, value in found:
                draft.indicator(kind, value)
        comments = [line for line in document.text.splitlines() if _COMMENT.match(line.strip())]
        return (_content(document, draft, "text", comments, Said()),)


def _lines(text: str) -> list[str]:
    """The lines that are no comments, without comments at their ends."""
    plain = text.removeprefix("\ufeff").splitlines()
    lines = (_SINK.sub("", _TRAILING_COMMENT.sub("", line)).strip() for line in plain)
    return [line for line in lines if line and not _COMMENT.match(line)]


def _is_telling(line: str) -> bool:
    first = line[:2_000].split(maxsplit=1)[0]
    return any(True for _ in indicators_in(first)) or bool(_network(line))


def _network(line: str) -> str:
    """The network of addresses that a line begins with, empty if with none."""
    first = line[:100].split(maxsplit=1)[0].rstrip(",;")
    try:
        return str(ipaddress.ip_network(first, strict=False)) if "/" in first else ""
    except ValueError:
        return ""


def _content(
    document: TextDocument, draft: Draft, kind: str, comments: Iterable[str], said: Said
) -> ReportContent:
    """The report that a list is."""
    if not draft.indicator_count:
        raise RejectedReport("no-indicators", "the list holds no indicator that can be read")
    if not draft.times:
        draft.times.append(UNDATED)
        draft.warn("the list does not say when; the time of its arrival counts as reported")
    heads = [_COMMENT.sub("", line, count=1).strip("# \t") for line in comments]
    heads = [head for head in heads if head and not stated_tlp(head)]
    tlp = said.tlp | stated_tlp(document.text)
    digest = hashlib.sha256(document.text.encode()).hexdigest()[:32]
    return draft.content(
        source_id=f"{kind}-{digest}",
        title=draft.title(
            [(head, "a comment") for head in heads[:1]],
            f"List of {draft.indicator_count} indicators",
        ),
        description=draft.prose("\n".join([*heads, ", ".join(said.names)]), "the names"),
        reporter=Reporter(name=draft.reporter_name()),
        marking=Marking(tlp=max(tlp, key=list(Tlp).index)) if tlp else Marking(),
    )
