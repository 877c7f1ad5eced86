"""The evidence file: what ``leerp classify`` reads, written by people for training and by other tools."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from classification.evidence import Evidence
from classification.findings import Findings, TriggerId
from classification.gates import GateId
from classification.matrix import ReachLevel, ThreatClass
from classification.scores.result import ScoreId
from classification.scores.side_scores import ExtraFacts
from infra.documents import Document, Form, parse_document, read_document
from protocol.countries import ISO_3166_1, OTHER_CODES
from protocol.errors import Refused
from protocol.grades import UNJUDGED, Grade
from protocol.profile import ClassificationRules, Profile
from protocol.report import Cause, Country, Disruption, ImpactLevel, Line, Moment, Prose
from protocol.sectors import NIS2_SECTORS
from protocol.stages import Recommendation
from protocol.wording import Location, MisfitError, Problem

STANDARD_INPUT = Path("-")
BAD_EVIDENCE = "bad-evidence"


def _grade(value: object) -> object:
    return Grade.parse(value) if isinstance(value, str) else value


GradeText = Annotated[
    Grade,
    BeforeValidator(_grade),
    WithJsonSchema({"type": "string", "pattern": "^[ABCX][1-4]$", "default": "X4"}),
]


class EvidenceItem(BaseModel):
    """One report's contribution, as a person writes it down."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    report: Line = Field(min_length=1)
    origin: Line = Field(min_length=1)
    """Two items are independent only if their origins differ."""
    grade: GradeText | None = UNJUDGED
    """Such as "B2"; X4 when nobody could judge, null while nobody has tried (G3)."""
    criteria: frozenset[Line] = frozenset()
    countries: frozenset[Country] = frozenset()
    organisations: frozenset[Line] = frozenset()
    organisations_min: int = Field(default=0, ge=0)
    """At least so many, where not all are named."""
    sectors: frozenset[Line] = frozenset()
    victims_min: int = Field(default=0, ge=0)
    self_propagating: bool = False
    disruption: Disruption = Disruption.UNKNOWN
    risk_to_life: bool = False
    loss_eur_min: float | None = Field(default=None, ge=0)
    cause: Cause = Cause.PRESUMED_MALICIOUS
    cause_clear: bool = False
    cause_by_authority: bool = False
    retracted: bool = False
    """The source took the report back."""
    observed_first: Moment | None = None
    observed_last: Moment | None = None
    """When what it reports was seen; for the reader, no rule goes by it."""

    @field_validator("observed_last")
    @classmethod
    def _in_order(cls, last: Moment | None, info: ValidationInfo) -> Moment | None:
        first = info.data.get("observed_first")
        if first and last and last < first:
            raise ValueError("lies before observed_first: one of the two times is wrong")
        return last

    def evidence(self) -> Evidence:
        """As the rules take it."""
        fields = dict(self)
        for told in ("report", "organisations_min", "observed_first", "observed_last"):
            del fields[told]
        return Evidence(
            report_id=self.report,
            organisations_min=max(len(self.organisations), self.organisations_min),
            **fields,
        )


class Expectation(BaseModel):
    """What a case is to come out as, by those who wrote it; what is left out is not compared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    threat_class: ThreatClass | None = Field(default=None, alias="class")
    recommendation: Recommendation | None = None
    impact: ImpactLevel | None = None
    reach: ReachLevel | None = None
    triggers: frozenset[TriggerId] | None = None
    """All that fire."""
    not_passed: frozenset[GateId] | None = None
    """All gates that it does not pass."""
    scores: dict[ScoreId, Line | None] = {}
    """Side score to value; null: not enough is known."""


class EvidenceFile(BaseModel):
    """Evidence, what officers state beside it, and for training what it is to come out as."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Line = ""
    about: Prose = ""
    evidence: tuple[EvidenceItem, ...] = Field(min_length=1)
    findings: Findings = Findings()
    facts: ExtraFacts = ExtraFacts()
    """An officer's extra facts for the side scores."""
    expect: Expectation | None = None

    def items(self) -> list[Evidence]:
        """All evidence as the rules take it."""
        return [item.evidence() for item in self.evidence]


def read_evidence(path: Path, profile: Profile) -> EvidenceFile:
    """Read an evidence file by the ending of its name; ``-`` is JSON or YAML on standard input.

    Raises:
        Refused: ``unreadable``, or ``bad-evidence``: a type is wrong, a code is unknown, times or
            reports contradict each other, or there is no evidence. The message names line and field.
    """
    document = _standard_input() if path == STANDARD_INPUT else read_document(path)
    found = document.read_model(EvidenceFile, reason=BAD_EVIDENCE)

    def sound(data: Any) -> EvidenceFile:
        if problems := tuple(_problems(data, found, profile)):
            raise MisfitError(problems)
        return found

    return document.read(sound, reason=BAD_EVIDENCE)


def _standard_input() -> Document:
    try:
        text = sys.stdin.read()
    except UnicodeDecodeError as exc:
        raise Refused("unreadable", f"standard input: not UTF-8 at byte {exc.start}") from exc
    form = Form.JSON if text.lstrip().startswith(("{", "[")) else Form.YAML
    return parse_document(text, form, name="standard input")


def _problems(data: Any, found: EvidenceFile, profile: Profile) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for number, item in enumerate(found.evidence):
        before = seen.setdefault(item.report, number)
        if before != number:
            given: Location = ("evidence", number, "report")
            yield given, f"report {item.report!r} is given already, as evidence.{before}"
        yield from _unknown_codes(data["evidence"][number], number, profile.classification)
    stated = data.get("findings", {})
    for number, country in enumerate(stated.get("probable_countries", ())):
        where: Location = ("findings", "probable_countries", number, "country")
        yield from _unknown(where, country["country"], ISO_3166_1, "country")
    for number, sector in enumerate(stated.get("probable_sectors", ())):
        where = ("findings", "probable_sectors", number, "sector")
        yield from _unknown(where, sector["sector"], NIS2_SECTORS, "nis2 sector")
    for number, state in enumerate((stated.get("campaign") or {}).get("states", ())):
        yield from _unknown(
            ("findings", "campaign", "states", number), state, ISO_3166_1, "country"
        )


def _unknown_codes(item: Any, number: int, rules: ClassificationRules) -> Iterator[Problem]:
    for field, known, kind in (
        ("criteria", rules.impact_criteria, "criterion of the matrix"),
        ("countries", ISO_3166_1, "country"),
        ("sectors", NIS2_SECTORS, "nis2 sector"),
    ):
        for position, code in enumerate(item.get(field, ())):
            yield from _unknown(("evidence", number, field, position), code, known, kind)


def _unknown(place: Location, code: str, known: Collection[str], kind: str) -> Iterator[Problem]:
    code = code.strip()
    if code in known:
        return
    near = [OTHER_CODES[code]] if code in OTHER_CODES else get_close_matches(code, known, n=1)
    advice = f", perhaps {near[0]!r}" if near else ""
    yield place, f"no {kind} {code!r}{advice}"
