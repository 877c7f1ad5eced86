"""The Initial Threat Assessment on paper: as a page for screen and print, and as data.

Whatever officers and reports wrote is shown literally. What is not known says so in words.
Source: R11 to R17, R31, R32, R67; domain 4.4.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from classification.findings import TriggerId
from classification.graded_reports import ListedReport, reworded
from classification.initial import InitialThreatAssessment
from classification.matrix import ReachLevel
from classification.support import Reports
from classification.triggers import MEANINGS
from notifications import threat_words as words
from notifications.change_words import ChangeLine, change_lines
from notifications.headers import literal
from notifications.typesetting import css_text, environment
from protocol.grades import Grade, InformationAccuracy, SourceReliability
from protocol.parties import RecipientClass
from protocol.report import ImpactLevel

SHORT_DIGEST = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class GateStep:
    """What somebody did with this very text at the launch gate: proposed, approved or declined."""

    state: str
    officer: str
    organisation: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreatDocument:
    """One version of the document with where it stands; everything a template shows of it."""

    content: InitialThreatAssessment
    version: int
    newest_version: int
    digest: str
    steps: tuple[GateStep, ...] = ()

    @property
    def marking_lines(self) -> tuple[str, ...]:
        """Level, codes, TLP and PAP; the text of H3 stands in the section on handling."""
        return self.content.marking.model_copy(update={"handling_text": ""}).lines()

    @property
    def handling(self) -> tuple[str, ...]:
        """What the marking asks of the reader, in sentences."""
        marking = self.content.marking
        said = [words.CLASSIFICATIONS[marking.classification]]
        said += [words.HANDLING[code] for code in sorted(marking.handling_codes)]
        if marking.handling_text:
            said.append(f"Text of the handling codes: {marking.handling_text}")
        return (*said, words.TLP[marking.tlp], words.PAP[marking.pap])

    @property
    def references(self) -> dict[str, str]:
        """Report id to its number in the list."""
        return {r.named.report_id: r.reference for r in self.content.reports.listed if r.named}

    def short(self, text: str) -> str:
        """A sentence that speaks of reports by their numbers in the list."""
        return _kept_together(reworded(text, self.references))

    @property
    def why(self) -> str:
        """The rule behind the recommendation, the last of the reasons."""
        return self.short(self.content.assessment.reasons[-1].partition(": ")[2])

    def numbers(self, reports: Reports) -> str:
        """The reports behind a statement, such as ``no. 1, no. 4 and 7 more``."""
        named = ", ".join(self.references.get(each, each) for each in reports.ids)
        more = reports.total - len(reports.ids)
        return _kept_together(f"{named} and {more} more" if more else named)

    @property
    def paragraphs(self) -> list[str]:
        """The officer's words, without lines on which nothing can be seen."""
        return [line for line in literal(self.content.situation).splitlines() if line.strip()]

    @property
    def sectors(self) -> list[str]:
        """The sectors as reports name them, without names of which nothing can be seen."""
        return [name for each in self.content.assessment.sectors if (name := literal(each).strip())]

    @staticmethod
    def marking_of(report: ListedReport) -> str:
        """A report's own marking in one line, without the text of H3."""
        level, codes, tlp = report.marking.model_copy(update={"handling_text": ""}).lines()
        level = level.replace("EUROPOL UNCLASSIFIED - BASIC PROTECTION LEVEL", "BPL")
        return f"{level}, {codes.removeprefix('Handling codes ')}, {tlp}"

    @property
    def change_lines(self) -> tuple[ChangeLine, ...]:
        """What would change the result, in sentences that speak of reports by their numbers."""
        lines = change_lines(self.content.what_would_change)
        return tuple(replace(line, condition=self.short(line.condition)) for line in lines)

    @property
    def fired(self) -> dict[TriggerId, str]:
        """The triggers that fired, with their ground."""
        return {t.id: self.short(t.reason) for t in self.content.assessment.triggers}

    @property
    def quiet_triggers(self) -> tuple[str, ...]:
        """The triggers that were examined and did not fire."""
        return tuple(f"{t} ({MEANINGS[t]})" for t in TriggerId if t not in self.fired)

    @property
    def matrix_rows(self) -> list[tuple[str, list[tuple[str, bool]]]]:
        """The matrix, gravest row first: each cell's class before K1, and whether it is this one."""
        assessed = self.content.assessment
        rows = [
            (
                str(impact),
                [
                    (f"C{number}", (impact, reach) == (assessed.impact, assessed.reach))
                    for reach, number in zip(ReachLevel, cells, strict=True)
                ],
            )
            for impact, cells in zip(ImpactLevel, self.content.cells, strict=True)
        ]
        return rows[::-1]

    @property
    def grid(self) -> list[tuple[SourceReliability, list[int]]]:
        """How many reports have each 4x4 grade, by source and then by information."""
        counts = {count.grade: count.reports for count in self.content.reports.grades}
        return [
            (
                source,
                [
                    counts.get(Grade(source=source, information=information), 0)
                    for information in InformationAccuracy
                ],
            )
            for source in SourceReliability
        ]

    @property
    def routes(self) -> list[tuple[str, tuple[RecipientClass, ...]]]:
        """Affected states, joined where the same authorities are responsible."""
        joined: dict[tuple[RecipientClass, ...], list[str]] = {}
        for route in self.content.assessment.routes:
            joined.setdefault(route.to, []).append(route.country)
        return [(", ".join(countries), to) for to, countries in joined.items()]

    @property
    def unlisted(self) -> int:
        """Reports in force that are counted and not listed."""
        return self.content.reports.total - len(self.content.reports.listed)


def as_json(document: ThreatDocument) -> bytes:
    """The document as data: ``digest`` is of the canonical JSON of ``document``."""
    value = {
        "incident": document.content.completion.incident_id,
        "version": document.version,
        "newest_version": document.newest_version,
        "digest": document.digest,
        "exercise": document.content.completion.exercise,
        "marking_lines": document.marking_lines,
        "launch_gate": [asdict(step) for step in document.steps],
        "document": document.content.model_dump(mode="json"),
    }
    return (json.dumps(value, indent=2, ensure_ascii=False, default=_iso) + "\n").encode()


def as_html(document: ThreatDocument) -> str:
    """The document as one page that holds all it needs; printed, each sheet carries the marking."""
    return _rendered(document, "html")


def as_text(document: ThreatDocument) -> str:
    """The document in plain words, as the second person reads it on a terminal."""
    return _rendered(document, "txt")


def _rendered(document: ThreatDocument, form: str) -> str:
    template = environment().get_template(f"threat-assessment/document.{form}")
    return template.render(
        document=document,
        content=document.content,
        assessed=document.content.assessment,
        completion=document.content.completion,
        words=words,
        marking_block=css_text("\n".join(_block(document))),
        imprint=css_text(_imprint(document)),
        InformationAccuracy=InformationAccuracy,
    )


def _block(document: ThreatDocument) -> tuple[str, ...]:
    drill = ("EXERCISE EXERCISE EXERCISE",) if document.content.completion.exercise else ()
    return drill + document.marking_lines


def _imprint(document: ThreatDocument) -> str:
    incident = document.content.completion.incident_id
    return f"{incident}\nversion {document.version}, digest {document.digest[:SHORT_DIGEST]}"


def _kept_together(text: str) -> str:
    return text.replace("no. ", "no.\u00a0")


def _iso(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
