"""``leerp classify``: an evidence file to a class, a recommendation and its reasons, without services."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from classification.assessment import Assessment, assess
from classification.evidence import Evidence
from classification.findings import Findings
from protocol.errors import Refused
from protocol.grades import UNJUDGED, Grade
from protocol.profile import Profile
from protocol.report import Cause, Country, Disruption, Line
from protocol.wording import in_words

STANDARD_INPUT = Path("-")


class EvidenceItem(BaseModel):
    """One report's contribution, as a person writes it down."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    report: Line = Field(min_length=1)
    origin: Line = Field(min_length=1)
    """Two items are independent only if their origins differ."""
    grade: Grade = UNJUDGED
    """Such as "B2"; X4 when nobody could judge."""
    criteria: frozenset[Line] = frozenset()
    countries: frozenset[Country] = frozenset()
    organisations: frozenset[Line] = frozenset()
    sectors: frozenset[Line] = frozenset()
    victims_min: int = Field(default=0, ge=0)
    self_propagating: bool = False
    disruption: Disruption = Disruption.UNKNOWN
    risk_to_life: bool = False
    loss_eur_min: float | None = Field(default=None, ge=0)
    cause: Cause = Cause.PRESUMED_MALICIOUS
    cause_clear: bool = False
    cause_by_authority: bool = False

    @field_validator("grade", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return Grade.parse(value) if isinstance(value, str) else value

    def evidence(self) -> Evidence:
        """As the rules take it."""
        fields = dict(self)
        report_id = fields.pop("report")
        return Evidence(report_id=report_id, organisations_min=len(self.organisations), **fields)


class EvidenceFile(BaseModel):
    """What ``leerp classify`` reads: evidence, and what officers state beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    evidence: tuple[EvidenceItem, ...] = Field(min_length=1)
    findings: Findings = Findings()


def classify(path: Path, profile: Profile) -> Assessment:
    """Assess the evidence in a file, JSON or TOML by its ending; ``-`` is JSON on standard input.

    Raises:
        Refused: not readable, or a field is wrong; the message names line or field.
    """
    try:
        if path == STANDARD_INPUT:
            given = json.load(sys.stdin)
        elif path.suffix == ".toml":
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        else:
            given = json.loads(path.read_text(encoding="utf-8"))
        found = EvidenceFile.model_validate(given)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as exc:
        raise Refused("unreadable", f"{path}: {exc}") from exc
    except ValidationError as exc:
        raise Refused("bad-evidence", f"{path}: {in_words(exc)}") from exc
    return assess([item.evidence() for item in found.evidence], found.findings, profile)
