"""Scenario files: an attack as it became known, report by report, with its times and sources.

YAML. Those that are shipped stand in ``leerp/scenarios``; their times are marked as approximate where
the public record has no exact one.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedBase
from ruamel.yaml.error import YAMLError

from classification.findings import Findings
from classification.rehearsal import Arrival, News, Regrading, Withdrawal
from leerp.classify import EvidenceItem
from protocol.errors import Refused
from protocol.grades import Grade
from protocol.report import Line
from protocol.wording import Location, dotted, in_words

ENDING = ".yaml"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RegradeItem(_Part):
    """Another grade for a report that has come."""

    report: Line = Field(min_length=1)
    grade: Grade

    @field_validator("grade", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return Grade.parse(value) if isinstance(value, str) else value


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
    try:
        text = (packed if packed.is_file() else Path(name)).read_text(encoding="utf-8")
        given = YAML(typ="rt", pure=True).load(text)
    except FileNotFoundError as exc:
        raise Refused(
            "unreadable", f"{name}: no such file or scenario; 'leerp rehearse' lists those shipped"
        ) from exc
    except (OSError, UnicodeDecodeError, YAMLError) as exc:
        raise Refused("unreadable", f"{name}: {exc}") from exc
    try:
        return Scenario.model_validate(given)
    except ValidationError as exc:
        problems = in_words(exc, lambda location: _place(given, location))
        raise Refused("bad-scenario", f"{name}: {problems}") from exc


def _place(given: Any, location: Location) -> str:
    """``line 12, arrivals.3.at``; the line of what holds it where the field itself is missing."""
    line, node = 0, given
    for part in location:
        if not isinstance(node, CommentedBase):
            break
        try:
            line = (node.lc.key(part) if isinstance(part, str) else node.lc.item(part))[0]
            node = node[part]  # type: ignore[index]  # a map by name, a sequence by number
        except (KeyError, IndexError):
            break
    return f"line {line + 1}, {dotted(location)}"
