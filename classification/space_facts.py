"""Changes to facts: one more is reported, or one that is reported turns out to be untrue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from classification.changes import Change, ChangeKind, Lever
from classification.claims import Claims, Fact, FactKind
from classification.collecting import DISRUPTED
from classification.evidence import RISK_TO_LIFE, Evidence
from classification.findings import Findings
from classification.gates import excluding_causes
from classification.judgement import Judgement
from classification.kinds import firm, thresholds
from classification.space_findings import ONE_MORE
from protocol.countries import EU_NEXUS
from protocol.profile import ClassificationRules, Profile
from protocol.report import Cause, Disruption, ImpactLevel

_UP = frozenset({Lever.CLASS_UP, Lever.CONFIRM_UP})
_DOWN = frozenset({Lever.CLASS_DOWN, Lever.CONFIRM_DOWN})
_CAUSE = frozenset({Lever.CAUSE})


def reported(
    claims: Claims, judged: Judgement, findings: Findings, profile: Profile, at_most: int
) -> Iterator[Change]:
    """One fact, reported by a further source under a grade that is good enough alone."""
    rules = profile.classification
    known = judged.confirmed.picture
    yield from _criteria(claims, judged, rules)
    yield from _states(judged, rules, at_most)
    for number in (2, 1):
        if known.organisations < number:
            words = "at least two organisations" if number > 1 else "one organisation"
            yield _report(rules, f"{words} were reported hit", _UP, organisations_min=number)
    for number in thresholds(rules):
        if known.victims < number:
            words = f"at least {number:,} victims were reported"
            yield _report(rules, words, _UP, victims_min=number)
    if known.disruption not in DISRUPTED:
        words = "a disruption of services, observed or within 72 hours, were reported"
        yield _report(rules, words, _UP, disruption=Disruption.OBSERVED)
    if not known.self_propagating:
        words = "it were reported to spread by itself"
        yield _report(rules, words, _UP | {Lever.TRIGGER_UP}, self_propagating=True)
    if not known.sectors & rules.essential_sectors and rules.essential_sectors:
        claimed = judged.claimed.picture.sectors & rules.essential_sectors
        sector = min(claimed or rules.essential_sectors)
        yield _report(
            rules,
            f"an essential sector such as {sector} were reported affected",
            frozenset({Lever.TRIGGER_UP, Lever.CONFIRM_UP}),
            sectors=frozenset({sector}),
        )
    yield from _causes(findings, profile)


def _criteria(claims: Claims, judged: Judgement, rules: ClassificationRules) -> Iterator[Change]:
    confirmed = judged.confirmed.placement.impact
    for level in (level for level in ImpactLevel if level > confirmed):
        names = [
            name
            for name, its in rules.impact_criteria.items()
            if its is level and name != RISK_TO_LIFE
        ]
        if names:
            name = next((name for name in names if name in claims.criteria), names[0])
            words = f"impact {level} were reported, such as {name}"
            yield _report(rules, words, _UP, criteria=frozenset({name}))
    if RISK_TO_LIFE in rules.impact_criteria and RISK_TO_LIFE not in claims.criteria.confirmed:
        words = f"risk to life were reported (impact {rules.impact_criteria[RISK_TO_LIFE]}, T5)"
        levers = _UP | {Lever.TRIGGER_UP}
        yield _report(rules, words, levers, criteria=frozenset({RISK_TO_LIFE}))


def _states(judged: Judgement, rules: ClassificationRules, at_most: int) -> Iterator[Change]:
    confirmed = judged.confirmed.picture.member_states
    claimed = judged.claimed.picture.member_states
    if len(confirmed) >= max(rules.many_states, rules.several_states, 1):
        return
    levers = _UP | {Lever.NEXUS_UP}
    for state in sorted(claimed - confirmed):
        words = f"a further good report confirmed that {state} is affected"
        yield _report(rules, words, levers, countries=frozenset({state}))
    unknown = sorted(EU_NEXUS - claimed)[:at_most]
    for rank, (state, more) in enumerate(zip(unknown, ONE_MORE, strict=False)):
        yield _report(
            rules,
            f"{more} member state were reported affected",
            levers,
            family="further states",
            rank=rank,
            countries=frozenset({state}),
        )


def _causes(findings: Findings, profile: Profile) -> Iterator[Change]:
    rules = profile.classification
    excluding = excluding_causes(profile)
    stated = findings.cause.cause if findings.cause else None
    for cause in sorted(excluding):
        words = f"the operator or authority in charge reported {cause} as the clear cause"
        yield _report(rules, words, _CAUSE, cause=cause, cause_clear=True, cause_by_authority=True)
    if stated in excluding:
        words = "a credible report said that the cause is malicious"
        yield _report(rules, words, _CAUSE, cause=Cause.MALICIOUS)


def _report(
    rules: ClassificationRules,
    words: str,
    levers: frozenset[Lever],
    *,
    family: str = "",
    rank: int = 0,
    **said: Any,
) -> Change:
    name = f"supposed: {words}"
    return Change(
        kind=ChangeKind.REPORTED,
        words=words,
        slot=name,
        levers=levers,
        family=family,
        rank=rank,
        becomes=Evidence(report_id=name, origin=name, grade=rules.launch_grade_alone, **said),
    )


def refuted(
    claims: Claims, judged: Judgement, findings: Findings, profile: Profile, at_most: int
) -> Iterator[Change]:
    """One fact of those that are reported, untrue."""
    rules = profile.classification
    known = judged.claimed.picture
    gravest_first = sorted(
        known.criteria, key=lambda c: (rules.impact_criteria[c], c), reverse=True
    )
    for criterion in gravest_first:
        if rules.impact_criteria[criterion] is not ImpactLevel.I0:
            life = {Lever.TRIGGER_DOWN} if criterion == RISK_TO_LIFE else set[Lever]()
            yield _refute(f"{criterion} were refuted", _DOWN | life, FactKind.CRITERION, criterion)
    states, sectors = known.member_states, known.sectors & rules.essential_sectors
    probable = findings.countries_at_least(rules.probable)
    alike = _firm(claims, FactKind.COUNTRY, states - probable, at_most)
    levers = _DOWN | {Lever.NEXUS_DOWN}
    yield from _not_affected(FactKind.COUNTRY, states, alike, levers, at_most)
    alike = _firm(claims, FactKind.SECTOR, sectors - set(claims.disrupted_sectors), at_most)
    levers = _DOWN | {Lever.TRIGGER_DOWN}
    yield from _not_affected(FactKind.SECTOR, sectors, alike, levers, at_most)
    if known.self_propagating:
        levers = _DOWN | {Lever.TRIGGER_DOWN}
        yield _refute("it did not spread by itself", levers, FactKind.SELF_PROPAGATION)
    if known.disruption in DISRUPTED:
        words = "no services were disrupted, nor about to be"
        yield _refute(words, _DOWN, FactKind.DISRUPTION)
    for number in thresholds(rules):
        if known.victims >= number:
            words = f"there were fewer than {number:,} victims"
            yield _refute(words, _DOWN, FactKind.VICTIMS, str(number))
    if known.organisations > 1:
        yield _refute("no second organisation were hit", _DOWN, FactKind.ORGANISATIONS, "2")


def _firm(claims: Claims, kind: FactKind, names: frozenset[str], changes: int) -> list[str]:
    return sorted(name for name in names if firm(claims, Fact(kind, name), changes))


def _not_affected(
    kind: FactKind, names: frozenset[str], alike: list[str], levers: frozenset[Lever], at_most: int
) -> Iterator[Change]:
    """Each name that is particular, and so many of those ``alike`` as may count."""
    for name in sorted(names - frozenset(alike)):
        yield _refute(f"{name} were not affected", levers, kind, name)
    others = f" (or another of {len(alike)})" if len(alike) > 1 else ""
    for rank, name in enumerate(alike[:at_most]):
        yield replace(
            _refute(f"{name}{others} were not affected", levers, kind, name),
            family=f"firm {kind}",
            rank=rank,
            alike=len(alike),
        )


def _refute(words: str, levers: frozenset[Lever], kind: FactKind, name: str = "") -> Change:
    return Change(
        kind=ChangeKind.REFUTED,
        words=words,
        slot=f"{kind} {name}",
        levers=levers,
        fact=Fact(kind, name),
    )
