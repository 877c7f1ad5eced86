"""Single changes to what is known of an incident, and what an incident becomes by them.

A change is one thing that a person could find out or do: see ``ChangeKind``. Changes of one set do
not touch each other's subject (``slot``), so their order makes no difference. Setting G4 aside is a
decision and no fact, and is none of them.
Source: domain 3.3, 3.4; R11, R13, R15.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from classification.claims import Fact
from classification.evidence import Evidence
from classification.findings import Findings


class ChangeKind(StrEnum):
    """What a single change is."""

    REPORTED = "reported"
    """A further source reports one fact, graded as one item alone must be (G4)."""
    STATED = "stated"
    """An officer states one finding."""
    REGRADED = "regraded"
    """One report gets another grade."""
    WITHDRAWN = "withdrawn"
    """One report is taken back."""
    REFUTED = "refuted"
    """One fact turns out to be untrue, whoever reports it."""
    TAKEN_BACK = "taken-back"
    """What officers stated on one matter is taken back."""


class Lever(StrEnum):
    """What a change can move, if it moves anything."""

    CLASS_UP = "class-up"
    CLASS_DOWN = "class-down"
    TRIGGER_UP = "trigger-up"
    TRIGGER_DOWN = "trigger-down"
    NEXUS_UP = "nexus-up"
    NEXUS_DOWN = "nexus-down"
    CONFIRM_UP = "confirm-up"
    CONFIRM_DOWN = "confirm-down"
    GRADED = "graded"
    CAUSE = "cause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change; ``words`` complete a sentence that begins with "if"."""

    kind: ChangeKind
    words: str
    slot: str
    """Its subject; two changes of one subject exclude each other."""
    levers: frozenset[Lever]
    family: str = ""
    """Subjects that may stand for each other are one family ..."""
    rank: int = 0
    """... and are used in this order, so that one of many equal sets is looked at."""
    alike: int = 1
    """How many subjects may stand here, this one included."""
    report: Evidence | None = None
    """The report that is changed, as it is; None for a further one."""
    becomes: Evidence | None = None
    """The report as it would be."""
    fact: Fact | None = None
    findings: Findings | None = None
    """What is stated, or taken back."""

    @property
    def sort(self) -> tuple[str, str, str]:
        """Equal for changes that may stand for each other."""
        subject = self.family or self.slot
        what = self.words if not self.family else ""
        grade = self.becomes.grade if self.becomes else None
        return subject, f"{self.kind} {grade or ''}", what


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """An incident after some changes."""

    evidence: tuple[Evidence, ...]
    findings: Findings
    refuted: frozenset[Fact]


def applied(changes: Iterable[Change], evidence: Iterable[Evidence], findings: Findings) -> Changed:
    """The incident as it would be; to be assessed by ``assess_claims``."""
    made = tuple(changes)
    items = {item.report_id: item for item in evidence}
    for change in made:
        if change.becomes is not None:
            items[change.becomes.report_id] = change.becomes
    return Changed(
        evidence=tuple(items.values()),
        findings=changed_findings(made, findings),
        refuted=frozenset(change.fact for change in made if change.fact is not None),
    )


def changed_findings(changes: Sequence[Change], findings: Findings) -> Findings:
    """``findings`` with what is taken back left out and what is stated put in."""
    for change in changes:
        if change.kind is ChangeKind.TAKEN_BACK and change.findings is not None:
            findings = _less(findings, change.findings)
    for change in changes:
        if change.kind is ChangeKind.STATED and change.findings is not None:
            findings = _more(findings, change.findings)
    return findings


def _less(all_: Findings, gone: Findings) -> Findings:
    return Findings(
        triggers=tuple(t for t in all_.triggers if t not in gone.triggers),
        campaign=None if gone.campaign else all_.campaign,
        cause=None if gone.cause else all_.cause,
        probable_countries=tuple(
            p for p in all_.probable_countries if p not in gone.probable_countries
        ),
        probable_sectors=tuple(p for p in all_.probable_sectors if p not in gone.probable_sectors),
        propagation=None if gone.propagation else all_.propagation,
        override=all_.override,
    )


def _more(all_: Findings, new: Findings) -> Findings:
    return Findings(
        triggers=(*all_.triggers, *new.triggers),
        campaign=new.campaign or all_.campaign,
        cause=new.cause or all_.cause,
        probable_countries=(*all_.probable_countries, *new.probable_countries),
        probable_sectors=(*all_.probable_sectors, *new.probable_sectors),
        propagation=new.propagation or all_.propagation,
        override=all_.override,
    )
