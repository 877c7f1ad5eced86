"""Changes to what officers state."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from classification.changes import Change, ChangeKind, Lever
from classification.findings import (
    CampaignFacts,
    CauseConfirmation,
    ExpectedPropagation,
    Findings,
    ProbableCountry,
    ProbableSector,
    StatedTrigger,
    TriggerId,
)
from classification.gates import excluding_causes
from classification.judgement import Judgement
from classification.recommendation import DECISIVE
from classification.triggers import MEANINGS
from protocol.countries import EU_NEXUS
from protocol.profile import ClassificationRules, Profile

OFFICER = "an officer"
TEXT = "supposed"
_ANY_TIME = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
_TRIGGER = frozenset({Lever.TRIGGER_UP, Lever.CONFIRM_UP})
_NO_TRIGGER = frozenset({Lever.TRIGGER_DOWN, Lever.CONFIRM_DOWN})
ONE_MORE = ("one more", "a second", "a third", "a fourth", "a fifth")


def stated(
    judged: Judgement, findings: Findings, profile: Profile, at_most: int
) -> Iterator[Change]:
    """What an officer could state."""
    rules = profile.classification
    firing = judged.confirmed.trigger_ids
    yield from _triggers(firing, rules, at_most)
    if TriggerId.T1 not in firing:
        expected = ExpectedPropagation(officer=OFFICER, text=TEXT, probability=rules.probable)
        yield _stating(
            "T1 were stated: an officer expects broader propagation",
            "propagation",
            _TRIGGER,
            Findings(propagation=expected),
        )
    if TriggerId.T2 not in firing and rules.essential_sectors:
        sector = min(rules.essential_sectors)
        held = ProbableSector(officer=OFFICER, text=TEXT, sector=sector, probability=rules.probable)
        yield _stating(
            "T2 were stated: an officer holds an essential sector for probably affected",
            "probable sector",
            _TRIGGER,
            Findings(probable_sectors=(held,)),
        )
    yield from _probable_states(judged, findings, rules, at_most)
    confirmed = findings.cause.cause if findings.cause else None
    for cause in sorted(excluding_causes(profile) - {confirmed}):
        found = CauseConfirmation(officer=OFFICER, text=TEXT, cause=cause)
        yield _stating(
            f"an officer confirmed {cause} as the cause",
            "cause",
            frozenset({Lever.CAUSE}),
            Findings(cause=found),
        )


def _triggers(
    firing: frozenset[TriggerId], rules: ClassificationRules, at_most: int
) -> Iterator[Change]:
    equal = [t for t in TriggerId if t not in DECISIVE | firing]
    for rank, trigger in enumerate(equal[:at_most]):
        others = [t for t in equal if t is not trigger]
        rest = f" (or {', '.join(others)})" if others else ""
        yield _stating(
            f"{trigger}{rest} were stated: {MEANINGS[trigger]}",
            f"trigger {trigger}",
            _TRIGGER,
            _finding_of(trigger, rules),
            family="equal triggers",
            rank=rank,
            alike=len(equal),
        )
    if TriggerId.T5 not in firing:
        yield _stating(
            f"T5 were stated: {MEANINGS[TriggerId.T5]}",
            f"trigger {TriggerId.T5}",
            _TRIGGER,
            _finding_of(TriggerId.T5, rules),
        )


def _finding_of(trigger: TriggerId, rules: ClassificationRules) -> Findings:
    if trigger is not TriggerId.T6:
        made = StatedTrigger(trigger=trigger, officer=OFFICER, text=TEXT, reference=TEXT)
        return Findings(triggers=(made,))
    return Findings(
        campaign=CampaignFacts(
            officer=OFFICER,
            text=TEXT,
            incident_ids=tuple(f"incident {n}" for n in range(rules.campaign_incidents)),
            states=tuple(sorted(EU_NEXUS)[: rules.campaign_states]),
            first=_ANY_TIME,
            last=_ANY_TIME,
        )
    )


def _probable_states(
    judged: Judgement, findings: Findings, rules: ClassificationRules, at_most: int
) -> Iterator[Change]:
    known = judged.claimed.picture.countries | findings.countries_at_least(0)
    likely = findings.countries_at_least(rules.probable)
    counted = EU_NEXUS & (judged.confirmed.picture.countries | likely)
    if len(counted) >= max(rules.several_states, 1):
        return
    # From the end: the further states that are reported are taken from the beginning.
    unknown = sorted(EU_NEXUS - known, reverse=True)[:at_most]
    for rank, (state, more) in enumerate(zip(unknown, ONE_MORE, strict=False)):
        held = ProbableCountry(
            officer=OFFICER, text=TEXT, country=state, probability=rules.probable
        )
        yield _stating(
            f"an officer held {more} member state for probably affected",
            f"probable state {state}",
            frozenset({Lever.CLASS_UP, Lever.CONFIRM_UP, Lever.NEXUS_UP}),
            Findings(probable_countries=(held,)),
            family="probable states",
            rank=rank,
        )


def taken_back(findings: Findings, profile: Profile) -> Iterator[Change]:
    """What officers stated and could take back, as far as it has an effect."""
    rules = profile.classification
    for trigger in sorted({t.trigger for t in findings.triggers}):
        gone = tuple(t for t in findings.triggers if t.trigger is trigger)
        yield _taking_back(
            f"{trigger} were no longer stated",
            f"trigger {trigger}",
            _NO_TRIGGER,
            Findings(triggers=gone),
        )
    if findings.campaign:
        yield _taking_back(
            "the campaign (T6) were no longer stated",
            f"trigger {TriggerId.T6}",
            _NO_TRIGGER,
            Findings(campaign=findings.campaign),
        )
    if findings.propagation and findings.propagation.probability >= rules.probable:
        yield _taking_back(
            "broader propagation (T1) were no longer expected",
            "propagation",
            _NO_TRIGGER,
            Findings(propagation=findings.propagation),
        )
    yield from _no_longer_probable(findings, rules)
    if findings.cause:
        yield _taking_back(
            f"{findings.cause.cause} were no longer confirmed as the cause",
            "cause",
            frozenset({Lever.CAUSE}),
            Findings(cause=findings.cause),
        )


def _no_longer_probable(findings: Findings, rules: ClassificationRules) -> Iterator[Change]:
    likely_sectors = [p for p in findings.probable_sectors if p.probability >= rules.probable]
    for sector in sorted({p.sector for p in likely_sectors} & rules.essential_sectors):
        yield _taking_back(
            f"{sector} were no longer held for probably affected (T2)",
            f"probable sector {sector}",
            _NO_TRIGGER,
            Findings(probable_sectors=tuple(p for p in likely_sectors if p.sector == sector)),
        )
    likely_states = [p for p in findings.probable_countries if p.probability >= rules.probable]
    for state in sorted({p.country for p in likely_states} & EU_NEXUS):
        yield _taking_back(
            f"{state} were no longer held for probably affected",
            f"probable state {state}",
            frozenset({Lever.CLASS_DOWN, Lever.CONFIRM_DOWN, Lever.NEXUS_DOWN}),
            Findings(probable_countries=tuple(p for p in likely_states if p.country == state)),
        )


def _stating(
    words: str,
    slot: str,
    levers: frozenset[Lever],
    findings: Findings,
    *,
    family: str = "",
    rank: int = 0,
    alike: int = 1,
) -> Change:
    return Change(
        kind=ChangeKind.STATED,
        words=words,
        slot=slot,
        levers=levers,
        findings=findings,
        family=family,
        rank=rank,
        alike=alike,
    )


def _taking_back(words: str, slot: str, levers: frozenset[Lever], findings: Findings) -> Change:
    return Change(
        kind=ChangeKind.TAKEN_BACK, words=words, slot=slot, levers=levers, findings=findings
    )
