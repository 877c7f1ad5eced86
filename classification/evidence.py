"""``Evidence``: what one report contributes to the assessment of its incident.

It is kept beside the report in a database column and read back by the tens of thousands, so it
is small and its JSON form leaves out whatever is not stated.
Source: domain 3.3, 3.4, 6.1; R11, R13.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from protocol.countries import OTHER_CODES
from protocol.grades import Grade, InformationAccuracy, SourceReliability
from protocol.parties import ANONYMOUS
from protocol.report import Cause, Disruption, IncidentReport
from protocol.statement import HitParty, Statement

RISK_TO_LIFE = "risk-to-life"
"""The criterion that ``Impact.risk_to_life`` states."""

_EVERY_GRADE = {
    f"{source}{information}": Grade(source=source, information=information)
    for source in SourceReliability
    for information in InformationAccuracy
}
_COUNTRY = re.compile("[A-Z]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One report's contribution. Two items are independent only if their ``origin`` differs."""

    report_id: str
    origin: str
    grade: Grade | None
    """The grade in force; ``None`` while nobody has evaluated the report (G3)."""
    criteria: frozenset[str] = frozenset()
    """Ids of the matrix's impact criteria; those the profile does not know are ignored."""
    countries: frozenset[str] = frozenset()
    """ISO 3166-1 alpha-2 codes of states with victims."""
    organisations: frozenset[str] = frozenset()
    organisations_min: int = 0
    """At least so many victim organisations, named or not."""
    sectors: frozenset[str] = frozenset()
    """Sectors of victims, nis2 vocabulary."""
    victims_min: int = 0
    """At least so many victims, of whatever kind the report counts."""
    self_propagating: bool = False
    disruption: Disruption = Disruption.UNKNOWN
    risk_to_life: bool = False
    loss_eur_min: float | None = None
    cause: Cause = Cause.PRESUMED_MALICIOUS
    cause_clear: bool = False
    cause_by_authority: bool = False
    """Whether the operator or authority in charge states the cause."""
    retracted: bool = False
    services: frozenset[str] = frozenset()
    """Names of services that are affected."""
    victims_max: int | None = None
    """At most so many victims, where the report says so; not less than ``victims_min``."""

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON values without what is not stated; lists are sorted."""
        data: dict[str, Any] = {"report": self.report_id, "origin": self.origin}
        if self.grade is not None:
            data["grade"] = str(self.grade)
        for key in _SETS:
            if values := getattr(self, key):
                data[key] = sorted(values)
        for key in _SCALARS:
            if value := getattr(self, key):
                data[key] = value
        if self.victims_max is not None:
            data["victims_max"] = self.victims_max
        if self.loss_eur_min is not None:
            data["loss"] = self.loss_eur_min
        if self.disruption is not Disruption.UNKNOWN:
            data["disruption"] = self.disruption.value
        if self.cause is not Cause.PRESUMED_MALICIOUS:
            data["cause"] = self.cause.value
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, grade: str | None = None) -> Evidence:
        """Read what ``to_json`` made.

        ``grade``, such as ``"B2"``, is the grade in force where that is kept elsewhere.

        Raises:
            KeyError: the report or the origin is missing.
            ValueError: the grade, the disruption or the cause is none that the protocol knows.
        """
        text = grade or data.get("grade")
        if text is not None and text not in _EVERY_GRADE:
            raise ValueError(f"a 4x4 grade is a letter and a digit such as B2, not {text!r}")
        stated: dict[str, Any] = {key: frozenset(data[key]) for key in _SETS if key in data}
        stated |= {key: data[key] for key in _SCALARS if key in data}
        return cls(
            report_id=data["report"],
            origin=data["origin"],
            grade=None if text is None else _EVERY_GRADE[text],
            loss_eur_min=data.get("loss"),
            victims_max=data.get("victims_max"),
            disruption=Disruption(data.get("disruption", Disruption.UNKNOWN)),
            cause=Cause(data.get("cause", Cause.PRESUMED_MALICIOUS)),
            **stated,
        )


_SETS = ("criteria", "countries", "organisations", "sectors", "services")
_SCALARS = (
    "organisations_min",
    "victims_min",
    "self_propagating",
    "risk_to_life",
    "cause_clear",
    "cause_by_authority",
    "retracted",
)


def evidence_of(report: IncidentReport, grade: Grade | None) -> Evidence:
    """What ``report`` contributes under the grade in force, see ``evidence_in``."""
    return evidence_in(report, report.id, grade, principal=report.principal)


def origin_of(reporter: str, principal: str) -> str:
    """Whom a report originates from: its ``principal``, or by name where that is nobody known."""
    return _name(reporter if principal == ANONYMOUS else principal)


def evidence_in(
    report: Statement, report_id: str, grade: Grade | None, *, principal: str
) -> Evidence:
    """What the report of that id contributes under the grade in force.

    It originates from the source on whose own topic it came, under whatever names that source
    reports; without one, from the name that it gives (E7).

    Only victims count, and nothing that was derived, such as a state from an address: that says
    where a machine stands, not who was hit. The impact is what the reporter states and is never
    guessed from the kind of incident. A report that withdraws another, or itself as STIX and MISP
    do, repeats what it takes back and counts for nothing; what others withdraw is for the caller to
    mark.

    Source: domain 6.1, 6.10.
    """
    victims = [a for a in report.affected if a.role == "victim" and not a.derived]
    organisations = _counted(victims, "organisation")
    victims_min = _victims(victims, sum(organisations.values()))
    stated_failure = report.technical_failure_indicated == "yes"
    cause = report.cause.value
    if stated_failure and cause is Cause.PRESUMED_MALICIOUS:
        cause = Cause.TECHNICAL_FAILURE
    return Evidence(
        report_id=report_id,
        origin=origin_of(report.reporter.name, principal),
        grade=grade,
        criteria=frozenset(_slug(c) for c in report.impact.criteria)
        | ({RISK_TO_LIFE} if report.impact.risk_to_life else frozenset()),
        countries=frozenset(
            code for a in victims if a.kind == "country" and (code := _country(a.value))
        ),
        organisations=frozenset(organisations),
        organisations_min=sum(organisations.values()),
        sectors=frozenset(_slug(a.value) for a in victims if a.kind == "sector"),
        victims_min=victims_min,
        victims_max=_victims_max(victims, victims_min),
        services=frozenset(_name(name) for name in report.impact.services)
        | frozenset(_name(a.value) for a in victims if a.kind == "service"),
        self_propagating=report.impact.self_propagating,
        disruption=report.impact.disruption,
        risk_to_life=report.impact.risk_to_life,
        loss_eur_min=report.impact.loss_eur_min,
        cause=cause,
        cause_clear=report.cause.clear or stated_failure,
        cause_by_authority=report.cause.by_authority_in_charge,
        retracted=any(relation.kind == "withdraws" for relation in report.relations),
    )


def _victims(victims: Sequence[HitParty], organisations: int) -> int:
    """At least so many: the kinds look at the same victims from different sides, so not the sum.

    One victim may belong to several sectors or lose several services, so those do not add up.
    """
    shared = max((a.count_min for a in victims if a.kind in ("sector", "service")), default=0)
    persons = sum(_counted(victims, "person").values())
    countries = sum(_counted(victims, "country").values())
    return max(organisations, persons, countries, shared)


def _victims_max(victims: Sequence[HitParty], least: int) -> int | None:
    """At most so many; None where no count has an upper end, or one of its kind has none.

    A kind that gives no upper end at all, such as organisations by name, looks at the same victims
    from another side and leaves the number open to none.
    """
    if all(a.count_max is None for a in victims):
        return None
    highest = least
    for kind in {a.kind for a in victims}:
        ends = [(a.count_max, a.count_min) for a in victims if a.kind == kind]
        if all(end is None for end, _ in ends):
            continue
        if any(end is None for end, _ in ends):
            return None
        counts = [max(end or 0, low) for end, low in ends]
        # Named sectors and services share their victims, see above.
        highest = max(highest, sum(counts))
    return highest


def _counted(victims: Sequence[HitParty], kind: str) -> dict[str, int]:
    """Name to the largest count given for it."""
    counts: dict[str, int] = {}
    for a in victims:
        if a.kind == kind:
            name = _name(a.value)
            counts[name] = max(counts.get(name, 0), a.count_min)
    return counts


def _name(text: str) -> str:
    return " ".join(text.casefold().split())


def _slug(text: str) -> str:
    return "-".join(text.casefold().replace("_", " ").split())


def _country(text: str) -> str | None:
    code = text.upper()
    return OTHER_CODES.get(code, code) if _COUNTRY.fullmatch(code) else None
