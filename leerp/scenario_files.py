"""Scenario files: an attack as it became known, report by report, with its times and sources.

YAML. Those that are shipped stand in ``leerp/scenarios``; their times are marked as approximate where
the public record has no exact one.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from classification.findings import Findings
from classification.rehearsal import Arrival, News, Regrading, Withdrawal
from infra.documents import Form, parse_document, read_document
from leerp.evidence_file import EvidenceItem, GradeText
from protocol.errors import Refused
from protocol.report import Line

ENDING = ".yaml"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RegradeItem(_Part):
    """Another grade for a report that has come."""

    report: Line = Field(min_length=1)
    grade: GradeText


class ArrivalItem(_Part):
    """What became known at one time: a report, another grade, a withdrawal, or officers' findings."""

    at: AwareDatetime
    approximate: bool = False
    """Whether the time is an estimate of ours."""
    note: Line = Field(min_length=1)
    """What it is, in the words of whoever wrote the scenario."""
    report: EvidenceItem | None = None
    regrade: RegradeItem | None = None
    withdraw: Line | None = None
    findings: Findings | None = None
    """All that officers state from now on."""

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        given = [x for x in (self.report, self.regrade, self.withdraw, self.findings) if x]
        if len(given) != 1:
            raise ValueError("give exactly one of report, regrade, withdraw and findings")
        return self

    def arrival(self) -> Arrival:
        """As the stepper takes it."""
        name, news = self._news()
        return Arrival(at=self.at, name=name, news=news)

    def _news(self) -> tuple[str, News]:
        if self.report is not None:
            return self.report.report, self.report.evidence()
        if self.regrade is not None:
            name = f"{self.regrade.report} graded {self.regrade.grade}"
            return name, Regrading(report_id=self.regrade.report, grade=self.regrade.grade)
        if self.withdraw is not None:
            return f"{self.withdraw} withdrawn", Withdrawal(report_id=self.withdraw)
        return "officers' findings", self.findings or Findings()


class Scenario(_Part):
    """An attack as it became known."""

    title: Line = Field(min_length=1)
    sources: tuple[Line, ...] = Field(min_length=1)
    """Where times and facts come from, by title; or that they are invented."""
    begins: AwareDatetime
    arrivals: tuple[ArrivalItem, ...] = Field(min_length=1)


def shipped() -> dict[str, str]:
    """Name to title of the scenarios that come with the program."""
    folder = resources.files("leerp") / "scenarios"
    names = sorted(f.name.removesuffix(ENDING) for f in folder.iterdir() if ENDING in f.name)
    return {name: read_scenario(name).title for name in names}


def read_scenario(name: str) -> Scenario:
    """The scenario in a file, or the shipped one of that name.

    Raises:
        Refused: ``unreadable`` or ``bad-scenario``; the message names line and field.
    """
    packed = resources.files("leerp") / "scenarios" / f"{name}{ENDING}"
    if packed.is_file():
        text = packed.read_text(encoding="utf-8")
        document = parse_document(text, Form.YAML, name=name)
    elif not Path(name).exists():
        raise Refused(
            "unreadable", f"{name}: no such file or scenario; 'leerp rehearse' lists those shipped"
        )
    else:
        document = read_document(Path(name))
    return document.read_model(Scenario, reason="bad-scenario")
