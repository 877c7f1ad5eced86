"""What an IODEF assessment says of effect and cause; all of it hints, a person decides.

Source: domain 6.4, 6.10; R8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from intake.formats.draft import Draft
from intake.formats.iodef_parts import Part, objects, texts, word
from protocol.report import Cause, CauseClaim, Disruption, Impact

_CLASSES = {
    "dos": "availability:dos",
    "recon": "information-gathering",
    "social-engineering": "information-gathering:social-engineering",
    "info-leak": "information-content-security",
    "misconfiguration": "availability:misconfiguration",
    "admin": "intrusions",
    "user": "intrusions",
    "file": "intrusions",
    "takeover": "intrusions",
    "availability": "availability",
    "breach": "information-content-security",
    "integrity": "information-content-security:unauthorised-information-modification",
    "damaged": "availability:sabotage",
    "cps": "availability:sabotage",
}
"""RSIT classes of impact types: those of version 1, and the first words of those of version 2."""
_STOPS_SERVICES = {"dos", "availability", "cps"}
_MISCONFIGURED = "misconfiguration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Effect and cause as the reporter sees them."""

    impact: Impact
    cause: CauseClaim
    technical_failure: Literal["yes", "unknown"]
    rsit: str
    descriptions: tuple[str, ...]
    """What the assessments say in words."""


def effect_of(assessments: list[Part], events: list[Part], draft: Draft) -> Effect:
    """Read the assessments of an incident, and those of its events."""
    whole = [*assessments, *(a for event in events for a in objects(event.get("Assessment")))]
    kinds: list[str] = []
    completions: list[str] = []
    disrupted = False
    losses: list[float] = []
    causes: list[str] = []
    said: list[str] = []
    for assessment in whole:
        actual = word(assessment.get("occurrence")) == "actual"
        for impact in _impacts(assessment):
            kind = word(impact.get("type"))
            said.extend([*texts(impact.get("Description")), *texts(impact.get("value"))])
            kinds.append(kind if kind in _CLASSES else kind.partition("-")[0])
            completions.append(word(impact.get("completion")))
            happened = completions[-1] == "succeeded" or (actual and completions[-1] != "failed")
            disrupted |= happened and kinds[-1] in _STOPS_SERVICES
        for impact in objects(assessment.get("BusinessImpact")):
            disrupted |= actual and word(impact.get("type")) == "loss-of-service"
        losses.extend(_losses(assessment, draft))
        causes.extend(texts(assessment.get("Cause")))
    blocked = bool(completions) and all(completion == "failed" for completion in completions)
    misconfigured = _MISCONFIGURED in kinds
    return Effect(
        impact=Impact(
            criteria=("attempt-blocked",) if blocked else (),
            disruption=Disruption.OBSERVED if disrupted else Disruption.UNKNOWN,
            loss_eur_min=sum(losses) if losses else None,
        ),
        cause=CauseClaim(
            value=Cause.HUMAN_ERROR if misconfigured else Cause.PRESUMED_MALICIOUS,
            statement=draft.prose("\n".join(causes), "Cause"),
        ),
        technical_failure="yes" if misconfigured else "unknown",
        rsit=_class(kinds, blocked=blocked),
        descriptions=tuple(said),
    )


def _class(kinds: list[str], *, blocked: bool) -> str:
    """Of the first impact that has one; an intrusion that failed is an attempt."""
    found = next((_CLASSES[kind] for kind in kinds if kind in _CLASSES), "")
    return "intrusion-attempts" if blocked and found == "intrusions" else found


def _impacts(assessment: Part) -> list[Part]:
    """``SystemImpact`` of version 2, ``Impact`` of version 1; a bare text says nothing of a type."""
    return [*objects(assessment.get("SystemImpact")), *objects(assessment.get("Impact"))]


def _losses(assessment: Part, draft: Draft) -> list[float]:
    found = []
    for impact in objects(assessment.get("MonetaryImpact")):
        currency = word(impact.get("currency"))
        amount = _number(word(impact))
        if amount is None:
            draft.warn("a MonetaryImpact is no amount that can be read")
        elif currency != "EUR":
            draft.warn("a loss is stated in another currency than EUR and is not converted")
        else:
            found.append(amount)
    return found


def _number(text: str) -> float | None:
    try:
        amount = float(text)
    except ValueError:
        return None
    return amount if 0 <= amount < 1e15 else None
