"""``IncidentReport``: the one shape that every format is translated into.

Source: domain 6.1, 6.2; R4 to R7.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from protocol.grades import Grade
from protocol.markings import Marking
from protocol.parties import DetectedBy, SourceGroup

_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bq]\?", re.IGNORECASE)
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Me"})
"""General categories of what cannot be seen on its own: controls, format characters, spaces, marks."""
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that are drawn as nothing."""
FIRST_TIME = datetime(1970, 1, 1, tzinfo=UTC)
END_OF_TIME = datetime(2200, 1, 1, tzinfo=UTC)
"""Reports speak of times from ``FIRST_TIME`` to before this: beyond, arithmetic overflows."""


def clean_text(text: str) -> str:
    """Return ``text`` in NFC; refuse NUL, other control characters and lone surrogates."""
    if text.isascii() and text.isprintable():  # most texts, and the two are quick to ask
        return text
    if _UNWRITABLE.search(text):
        raise ValueError("text holds a control character or half of a surrogate pair")
    return unicodedata.normalize("NFC", text)


def _harmless_subject(text: str) -> str:
    if len(text.splitlines()) > 1:
        raise ValueError("must be one line")
    if _ENCODED_WORD.search(text):
        raise ValueError("holds an encoded word of a mail header (=?...?=): send it decoded")
    return text


def visible(text: str) -> str:
    """Return ``text``; refuse one that holds nothing to be seen."""
    if all(c in _BLANKS or unicodedata.category(c) in _UNSEEN for c in text):
        raise ValueError("it is blank, since it holds nothing that can be seen")
    return text


def _plausible(moment: datetime) -> datetime:
    if not FIRST_TIME <= moment < END_OF_TIME:
        raise ValueError("a time must lie in the years 1970 to 2199 (UTC)")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_plausible)]
"""A time that a report speaks of."""
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=1_000), AfterValidator(clean_text)
]
"""A short text of at most 1,000 characters."""
Name = Annotated[Line, AfterValidator(visible)]
"""A line with something to be seen."""
Title = Annotated[Name, AfterValidator(_harmless_subject)]
"""A line that may become the subject of a mail."""
Prose = Annotated[str, StringConstraints(max_length=100_000), AfterValidator(clean_text)]
"""A long text of at most 100,000 characters."""
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""


class Wire(BaseModel):
    """Border value: strict, frozen, and closed to fields that nobody defined."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TimeKind(StrEnum):
    """What a time of a report is the time of."""

    OBSERVED = "observed"
    DETECTED = "detected"
    STARTED = "started"
    ENDED = "ended"
    REPORTED = "reported"


class TimeWindow(Wire):
    """A time with its uncertainty: the truth lies in [earliest, latest], both UTC-aware."""

    kind: TimeKind
    earliest: Moment
    latest: Moment
    tz_known: bool = True

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.latest < self.earliest:
            raise ValueError("time window ends before it begins")
        return self


class Cause(StrEnum):
    """Nature of the cause; without a clear indication it is presumed malicious (R8)."""

    MALICIOUS = "malicious"
    PRESUMED_MALICIOUS = "presumed-malicious"
    TECHNICAL_FAILURE = "technical-failure"
    NATURAL = "natural"
    HUMAN_ERROR = "human-error"
    THIRD_PARTY = "third-party"


class ImpactLevel(StrEnum):
    """Axis I of the matrix ``leerp-tcm/1`` (domain 3.3)."""

    I0 = "I0"
    I1 = "I1"
    I2 = "I2"
    I3 = "I3"
    I4 = "I4"


class Disruption(StrEnum):
    """Whether services are disrupted, or about to be within 72 hours (K1)."""

    NONE = "none"
    IMMINENT = "imminent"
    OBSERVED = "observed"
    UNKNOWN = "unknown"


class Reporter(Wire):
    """Who sent the report."""

    name: Name
    country: Country | None = None
    contact: Line = ""


class Affected(Wire):
    """Somebody or something that is hit, used or behind the attack."""

    kind: Literal["organisation", "sector", "country", "service", "person"]
    value: Line
    role: Literal["victim", "source", "intermediate"] = "victim"
    count_min: int = Field(default=1, ge=0)
    count_max: int | None = Field(default=None, ge=0)
    derived: bool = False


class Impact(Wire):
    """What the reporter says of the effect. ``criteria`` are ids of the matrix's criteria."""

    criteria: tuple[Line, ...] = ()
    disruption: Disruption = Disruption.UNKNOWN
    services: tuple[Line, ...] = ()
    loss_eur_min: float | None = Field(default=None, ge=0)
    risk_to_life: bool = False
    self_propagating: bool = False


class IndicatorType(StrEnum):
    """Kinds of indicator that correlation weighs."""

    SHA256 = "sha256"
    SHA1 = "sha1"
    MD5 = "md5"
    DOMAIN = "domain"
    URL = "url"
    IP = "ip"
    EMAIL = "email"
    PORT = "port"
    WALLET = "wallet"
    OTHER = "other"


class Indicator(Wire):
    """One observable. ``value`` is normalised by ``protocol.indicators``."""

    type: IndicatorType
    value: Annotated[
        str, StringConstraints(min_length=1, max_length=2_000), AfterValidator(clean_text)
    ]
    role: Line = ""
    first_seen: Moment | None = None
    last_seen: Moment | None = None
    confidence_raw: Line = ""


class Evaluation(Wire):
    """The provider's own grade, which nobody changes afterwards (domain 2.1, E3)."""

    scheme: Literal["europol4x4", "admiralty"]
    original: Line
    grade: Grade
    flags: tuple[Line, ...] = ()


class CauseClaim(Wire):
    """What the report says of the cause, and whether the one who says so is in charge of it."""

    value: Cause = Cause.PRESUMED_MALICIOUS
    clear: bool = False
    by_authority_in_charge: bool = False
    statement: Prose = ""


class Relation(Wire):
    """A stated relation to another report, incident or campaign."""

    kind: Literal["same-incident", "replaces", "related", "withdraws"]
    id: Line


class ReportContent(Wire):
    """What a report says, free of who delivered it and when. ``leerp-report/1`` is this as JSON."""

    source_id: Line = Field(min_length=1, max_length=200)
    title: Title
    description: Prose = ""
    lang: Line = ""
    reporter: Reporter
    first_hand: bool | None = None
    detected_by: DetectedBy | None = None
    evaluation: Evaluation | None = None
    times: tuple[TimeWindow, ...] = Field(min_length=1)
    cause: CauseClaim = CauseClaim()
    technical_failure_indicated: Literal["yes", "no", "unknown"] = "unknown"
    rsit: Line = ""
    affected: tuple[Affected, ...] = ()
    impact: Impact = Impact()
    indicators: tuple[Indicator, ...] = ()
    marking: Marking = Marking()
    relations: tuple[Relation, ...] = ()
    references: tuple[Line, ...] = ()
    warnings: tuple[Line, ...] = ()

    def window(self) -> tuple[datetime, datetime]:
        """Earliest and latest time that the report speaks of; reporting time only if no other."""
        spoken = [t for t in self.times if t.kind is not TimeKind.REPORTED] or list(self.times)
        return min(t.earliest for t in spoken), max(t.latest for t in spoken)


class IncidentReport(ReportContent):
    """A report as it is stored: its content and what intake knows of its delivery."""

    id: Line
    """``<source group number>-<first 24 hex digits of the content key>``."""
    group: SourceGroup
    principal: Line
    """Kafka principal, or ``anonymous`` on a broker without authentication."""
    received_at: AwareDatetime
    format: Line
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """Of the raw record as it came from Kafka, or of what was kept of it."""
