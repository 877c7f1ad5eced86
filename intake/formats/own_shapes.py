"""The fields of ``leerp-report/1`` as plain values, which are read and written in a tenth of the time.

Field for field the classes of the same names in ``protocol.report``, where each field is explained;
what a type cannot say of a value is for ``intake.formats.own_quick`` to look at.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from protocol.grades import InformationAccuracy, SourceReliability
from protocol.markings import Classification, HandlingCode, Pap, Tlp
from protocol.parties import DetectedBy
from protocol.report import Cause, Disruption, IndicatorType, TimeKind

_Line = Annotated[str, Meta(max_length=1_000)]
_Prose = Annotated[str, Meta(max_length=100_000)]
_Moment = Annotated[datetime, Meta(tz=True)]
_Count = Annotated[int, Meta(ge=0, le=2**53)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Closed to fields that nobody defined."""


class Reporter(_Part, frozen=True):
    name: _Line
    country: Annotated[str, Meta(pattern="^[A-Z]{2}\\Z")] | None = None
    contact: _Line = ""


class Grade(_Part, frozen=True):
    source: SourceReliability = SourceReliability.X
    information: InformationAccuracy = InformationAccuracy.UNCORROBORATED


class Evaluation(_Part, frozen=True):
    scheme: Literal["europol4x4", "admiralty"]
    original: _Line
    grade: Grade
    flags: tuple[_Line, ...] = ()


class TimeWindow(_Part, frozen=True):
    kind: TimeKind
    earliest: _Moment
    latest: _Moment
    tz_known: bool = True


class CauseClaim(_Part, frozen=True):
    value: Cause = Cause.PRESUMED_MALICIOUS
    clear: bool = False
    by_authority_in_charge: bool = False
    statement: _Prose = ""


class Affected(_Part, frozen=True):
    kind: Literal["organisation", "sector", "country", "service", "person"]
    value: _Line
    role: Literal["victim", "source", "intermediate"] = "victim"
    count_min: _Count = 1
    count_max: _Count | None = None
    derived: bool = False


class Impact(_Part, frozen=True):
    criteria: tuple[_Line, ...] = ()
    disruption: Disruption = Disruption.UNKNOWN
    services: tuple[_Line, ...] = ()
    loss_eur_min: None = None  # amounts have many spellings
    risk_to_life: bool = False
    self_propagating: bool = False


class Indicator(_Part, frozen=True):
    type: IndicatorType
    value: str
    role: _Line = ""
    first_seen: _Moment | None = None
    last_seen: _Moment | None = None
    confidence_raw: _Line = ""


class Marking(_Part, frozen=True):
    classification: Classification = Classification.BPL
    tlp: Tlp = Tlp.AMBER
    pap: Pap = Pap.AMBER
    handling_codes: tuple[HandlingCode, ...] = (HandlingCode.H0,)
    handling_text: str = ""


class Relation(_Part, frozen=True):
    kind: Literal["same-incident", "replaces", "related", "withdraws"]
    id: _Line


class Report(_Part, frozen=True, kw_only=True):
    format: Literal["leerp-report/1"]
    source_id: Annotated[str, Meta(min_length=1, max_length=200)]
    title: _Line
    description: _Prose = ""
    lang: _Line = ""
    reporter: Reporter
    first_hand: bool | None = None
    detected_by: DetectedBy | None = None
    evaluation: Evaluation | None = None
    times: Annotated[tuple[TimeWindow, ...], Meta(min_length=1)]
    cause: CauseClaim = CauseClaim()
    technical_failure_indicated: Literal["yes", "no", "unknown"] = "unknown"
    rsit: _Line = ""
    affected: tuple[Affected, ...] = ()
    impact: Impact = Impact()
    indicators: tuple[Indicator, ...] = ()
    marking: Marking = Marking()
    relations: tuple[Relation, ...] = ()
    references: tuple[_Line, ...] = ()
    warnings: tuple[_Line, ...] = ()

    def window(self) -> tuple[datetime, datetime]:
        """See ``ReportContent.window``."""
        spoken = [t for t in self.times if t.kind is not TimeKind.REPORTED] or list(self.times)
        return min(t.earliest for t in spoken), max(t.latest for t in spoken)


class Statement(msgspec.Struct, frozen=True, gc=False):
    """What a report states, whoever says so: equal ones count the same, which saves judging them.

    See ``protocol.statement.Statement``.
    """

    reporter: Reporter
    affected: tuple[Affected, ...]
    impact: Impact
    cause: CauseClaim
    technical_failure_indicated: str
    relations: tuple[Relation, ...]


def statement_of(report: Report) -> Statement:
    """What of a report counts as evidence, by nobody."""
    return Statement(
        _NOBODY,
        report.affected,
        report.impact,
        report.cause,
        report.technical_failure_indicated,
        report.relations,
    )


_NOBODY = Reporter(name="")
