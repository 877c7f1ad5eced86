"""An incident on which changes are tried out, one after the other and one upon the other.

The reports are read once. A change is counted in or out of the claims, and a situation that was
judged before is not judged again, so that one trial costs the same however many reports there are.
Source: R13.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from classification.changes import Change, changed_findings
from classification.claims import Fact, Picture
from classification.collecting import collect, count, distinct, strength_of, strengths_of
from classification.evidence import Evidence
from classification.findings import Findings
from classification.gates import GateId, cause_gate
from classification.judgement import judge
from classification.matrix import ThreatClass
from protocol.profile import Profile
from protocol.stages import Recommendation


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an incident stands: the results, and what they depend on."""

    threat_class: ThreatClass
    recommendation: Recommendation
    wants_launch: bool
    passed: frozenset[GateId]

    @property
    def result(self) -> tuple[ThreatClass, Recommendation]:
        """What an officer sees of it."""
        return self.threat_class, self.recommendation


_Known = dict[tuple[Picture, Picture, bool, bool], Standing]


class Trial:
    """Changes are made with ``make`` and undone with ``undo``, the last one first."""

    def __init__(self, evidence: Iterable[Evidence], findings: Findings, profile: Profile) -> None:
        """Read the evidence.

        Raises:
            Refused: ``conflicting-evidence``, see ``collect``.
        """
        self.reports = distinct(evidence)
        self.claims = collect(self.reports.values(), profile.classification)
        self._profile = profile
        self._strengths = strengths_of(profile.classification)
        self._made: list[Change] = []
        self._refuted: list[Fact] = []
        self._memory: dict[frozenset[tuple[str, str, str]], tuple[Findings, _Known]] = {
            frozenset(): (findings, {})
        }
        self._findings, self._known = findings, self._memory[frozenset()][1]

    def make(self, change: Change) -> None:
        """Change the incident."""
        self._made.append(change)
        self._turn(change, 1)

    def undo(self) -> None:
        """Undo the change that was made last."""
        self._turn(self._made.pop(), -1)

    def tried(self, changes: Iterable[Change]) -> Standing:
        """Where the incident would stand after ``changes``; it is left as it was."""
        made = tuple(changes)
        for change in made:
            self.make(change)
        standing = self.standing()
        for _ in made:
            self.undo()
        return standing

    def standing(self) -> Standing:
        """Where the incident stands now."""
        rules, claims, findings = self._profile.classification, self.claims, self._findings
        in_scope = findings.cause is None or cause_gate(claims, findings, self._profile).passed
        situation = (
            claims.claimed(rules, self._refuted),
            claims.confirmed(rules, self._refuted),
            in_scope,
            not claims.ungraded,
        )
        known = self._known.get(situation)
        if known is None:
            judged = judge(claims, findings, self._profile, self._refuted)
            known = self._known[situation] = Standing(
                threat_class=judged.threat_class,
                recommendation=judged.recommendation,
                wants_launch=judged.claimed.wants_launch,
                passed=judged.passed,
            )
        return known

    def _turn(self, change: Change, by: int) -> None:
        if change.becomes is not None:
            if not change.becomes.retracted:
                self._count(change.becomes, by)
            if change.report is not None:
                self._count(change.report, -by)
        elif change.fact is not None:
            if by > 0:
                self._refuted.append(change.fact)
            else:
                self._refuted.remove(change.fact)
        else:
            self._restate()

    def _count(self, item: Evidence, by: int) -> None:
        strength = strength_of(item.grade, self._strengths)
        count(self.claims, item, strength, self._profile.classification, by, naming=False)

    def _restate(self) -> None:
        """Take up the findings that the changes made so far amount to."""
        stated = tuple(c for c in self._made if c.findings is not None)
        key = frozenset((c.slot, str(c.kind), c.words) for c in stated)
        if key not in self._memory:
            self._memory[key] = (changed_findings(stated, self._memory[frozenset()][0]), {})
        self._findings, self._known = self._memory[key]
