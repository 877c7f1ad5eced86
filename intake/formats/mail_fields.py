"""Reports that a mail carries as ``Name: value`` lines: feedback reports, and X-ARF before version 3.

Source: RFC 5965 (feedback reports), X-ARF 0.1 and 0.2 (a part of YAML beside the text).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from intake.formats.draft import Draft
from intake.formats.times import Moment
from intake.formats.xarf_classes import is_victim, rsit_of
from protocol.indicators import guess_type
from protocol.report import IndicatorType, TimeKind, TimeWindow

_LINE = re.compile(r"([A-Za-z][A-Za-z-]{1,40}):[ \t]+(\S.{0,1000})")
_MOST_LINES = 200
_SOURCES = ("source", "source-ip")
_NAMED = ("reported-uri", "reported-domain", "original-mail-from")
_TIMES = ("date", "arrival-date", "received-date")
_FEEDBACK = {
    "abuse": "abusive-content:spam",
    "fraud": "fraud:phishing",
    "virus": "malicious-code",
    "auth-failure": "fraud:masquerade",
}


@dataclass(slots=True)
class FieldReport:
    """The fields of one such part, by their names in lower case; the first of each counts."""

    fields: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> FieldReport | None:
        """The report that a text is, None if it lacks what makes one."""
        found: dict[str, str] = {}
        for line in text.splitlines()[:_MOST_LINES]:
            if match := _LINE.fullmatch(line.strip()):
                found.setdefault(match[1].lower(), match[2].strip("'\" "))
        told = "feedback-type" in found or ("report-type" in found and "source" in found)
        return cls(fields=found) if told else None

    @property
    def rsit(self) -> str:
        """The class of its type."""
        if feedback := self.fields.get("feedback-type"):
            return _FEEDBACK.get(feedback.lower(), "")
        return rsit_of(self.fields.get("category", ""), self.fields.get("report-type", ""))

    def read(self, draft: Draft) -> None:
        """Take up when it happened, where it came from, and what it names."""
        for name in _TIMES:
            if moment := _moment(self.fields.get(name, "")):
                draft.times.append(
                    TimeWindow(
                        kind=TimeKind.OBSERVED,
                        earliest=moment.earliest,
                        latest=moment.latest,
                        tz_known=moment.tz_known,
                    )
                )
                break
        role = "victim" if is_victim(self.rsit) else "source"
        for name in _SOURCES:
            if value := self.fields.get(name):
                draft.indicator(guess_type(value), value, role=role)
        for name in _NAMED:
            value = self.fields.get(name, "").strip("<>")
            if value and (kind := guess_type(value)) is not IndicatorType.OTHER:
                draft.indicator(kind, value, role=name)
        draft.reference(self.fields.get("report-id"))


def _moment(written: str) -> Moment | None:
    return (Moment.read(written) or Moment.from_mail(written)) if written else None
