"""Why a report is in its incident, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from protocol.profile import CorrelationRules
from protocol.report import IndicatorType

STATED = "stated incident"
"""How ``intake.link_keys`` says that a partner names the incident."""
DONE = {
    "merge": "came to {incident} with all of {source}, which was merged into it",
    "split": "was split off {source} to {incident}",
    "detach": "was detached from {source} to {incident}",
    "attach": "was attached to {incident}, out of {source}",
}
UNDONE = "went back to {incident} from {source}, as the {kind} was undone"


def link_words(link: Mapping[str, Any], rules: CorrelationRules) -> str:
    """One entry of ``intake.correlation.explain`` in one line."""
    said = _officers(link) if "act" in link["reason"] else _correlation(link, rules)
    return f"{link['at']:%Y-%m-%d %H:%M} UTC: {said} ({link['by']})"


def weighed(shared: Sequence[str], rules: CorrelationRules) -> list[dict[str, Any]]:
    """The shared indicators with what each weighs; a stated incident needs no weight."""
    return [{"indicator": words, "weight": _weight(words, rules)} for words in shared]


def _officers(link: Mapping[str, Any]) -> str:
    reason: Mapping[str, Any] = link["reason"]
    kind = reason["kind"]
    form = DONE.get(kind, UNDONE)
    done = form.format(
        incident=link["incident_id"], source=reason["from"], kind=kind.removeprefix("undo ")
    )
    return f"{done}, by act {reason['act']}: {reason['words']}"


def _correlation(link: Mapping[str, Any], rules: CorrelationRules) -> str:
    reason: Mapping[str, Any] = link["reason"]
    incident = link["incident_id"]
    if merged := reason.get("merged"):
        said = f"came to {incident} with all of {merged}"
    elif side := reason.get("follows"):
        said = f"came to {side} with its group, which shares most with that incident"
    elif reason["opens"]:
        said = f"opened {incident}, as nothing in it was known before"
    else:
        said = f"joined {incident}"
    if shared := [_with_weight(words, rules) for words in reason["shared"]]:
        said += f", sharing {', '.join(shared)} (together {rules.threshold:g} is needed)"
    if through := reason.get("through"):
        said += f", through report {through}"
    if ended := reason.get("continues"):
        said += f", going on from {ended}, which had ended"
    if others := reason.get("apart"):
        said += f"; it shares indicators with {', '.join(others)} too, which an officer keeps apart"
    return said


def _with_weight(words: str, rules: CorrelationRules) -> str:
    weight = _weight(words, rules)
    return words if weight is None else f"{words} (weight {weight:g})"


def _weight(words: str, rules: CorrelationRules) -> float | None:
    if words.startswith(STATED):
        return None
    return rules.weights.get(IndicatorType(words.split(" ", 1)[0]), 0.0)
