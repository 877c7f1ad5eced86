"""Parts of a report out of the STIX objects that belong to it.

Source: domain 6.5, 6.10.
"""

from __future__ import annotations

from typing import Any, Literal

from intake.formats.base import UNDATED
from intake.formats.draft import Draft, items, text_of
from intake.formats.stix_bundle import Bundle, Thing
from intake.formats.stix_patterns import is_observable, kind_of, observables_of, read_pattern, refs
from intake.formats.times import Moment
from intake.formats.vocabulary import country, sector
from protocol.report import (
    Cause,
    CauseClaim,
    Impact,
    IndicatorType,
    Reporter,
    TimeKind,
    TimeWindow,
)

_CONTEXT = {
    "attack-pattern", "campaign", "course-of-action", "grouping", "identity", "incident",
    "infrastructure", "intrusion-set", "language-content", "location", "malware",
    "malware-analysis", "marking-definition", "note", "opinion", "relationship", "report",
    "sighting", "threat-actor", "tool", "vulnerability", "extension-definition", "indicator",
    "observed-data",
}  # fmt: skip
_CAUSES = {
    "natural": Cause.NATURAL,
    "misconfiguration": Cause.HUMAN_ERROR,
    "unintentional": Cause.HUMAN_ERROR,
}
_WITHOUT_EFFECT = {"blocked", "failed-attempt"}
_HIT = ("targets", "impacts", "affects")


def note_unplaced(members: list[Thing], bundle: Bundle, draft: Draft) -> None:
    """Warn of what the bundle says and a report has no place for."""
    if bundle.broken:
        draft.warn(f"{bundle.broken} entries of the bundle are no STIX objects and are left out")
    for thing in members:
        if thing["type"] not in _CONTEXT and not is_observable(thing):
            draft.warn(draft.line(f"objects of type {thing['type'][:60]} are not read", "a type"))
        if any(ref not in bundle.objects for ref in refs(thing)):
            draft.warn("an object refers to something outside the bundle")


def add_times(root: Thing | None, members: list[Thing], draft: Draft) -> None:
    """Observed intervals, what an incident says of its course, and when it was reported."""
    for thing in members:
        match thing["type"]:
            case "observed-data":
                _span(thing, "first_observed", "last_observed", draft)
            case "sighting":
                _span(thing, "first_seen", "last_seen", draft)
            case "incident":
                for extension in _extensions(thing):
                    draft.time(TimeKind.STARTED, extension.get("start_time"), "start_time")
                    draft.time(TimeKind.ENDED, extension.get("end_time"), "end_time")
    if root:
        published = draft.time(TimeKind.REPORTED, root.get("published"), "published")
        if not published:
            draft.time(TimeKind.REPORTED, root.get("created"), "created")
    else:
        _written(members, draft)
        if not draft.times and not any("created" in thing for thing in members):
            draft.times.append(UNDATED)  # observables alone bear no time
            draft.warn("the objects do not say when; the time of their arrival counts as reported")


def _span(thing: Thing, first: str, last: str, draft: Draft) -> None:
    start = thing.get(first)
    draft.time(
        TimeKind.OBSERVED,
        thing.get(last) if start is None else start,
        f"{first} to {last}",
        until=thing.get(last),
    )


def _written(members: list[Thing], draft: Draft) -> None:
    """A bundle without a report was reported while its objects were written."""
    moments = [
        moment
        for thing in members
        if thing["type"] != "marking-definition"
        and (moment := draft.moment(thing.get("created"), "created"))
    ]
    if moments:
        draft.times.append(
            TimeWindow(
                kind=TimeKind.REPORTED,
                earliest=min(moment.earliest for moment in moments),
                latest=max(moment.latest for moment in moments),
                tz_known=all(moment.tz_known for moment in moments),
            )
        )


def add_indicators(members: list[Thing], draft: Draft) -> None:
    """Indicators from patterns and from observables, inside or outside observed data."""
    seen: dict[str, tuple[Moment | None, Moment | None]] = {}
    for thing in members:
        if thing["type"] == "observed-data":
            span = (
                Moment.read(thing.get("first_observed")),
                Moment.read(thing.get("last_observed")),
            )
            seen |= dict.fromkeys(refs(thing), span)
            inner = thing.get("objects")
            for observable in inner.values() if isinstance(inner, dict) else ():
                if isinstance(observable, dict):
                    _observable(observable, span, draft)
    for thing in members:
        if thing["type"] == "indicator":
            _pattern(thing, draft)
        elif is_observable(thing):
            _observable(thing, seen.get(thing["id"], (None, None)), draft)


def _pattern(indicator: Thing, draft: Draft) -> None:
    if indicator.get("revoked") is True:
        draft.warn("a revoked indicator is left out")
        return
    pattern = indicator.get("pattern")
    if not isinstance(pattern, str) or str(indicator.get("pattern_type", "stix")).lower() != "stix":
        draft.warn("an indicator without a STIX pattern stays in the original record only")
        return
    reading = read_pattern(pattern)
    if reading.unread:
        draft.warn("a comparison in a pattern names no single value and is not read")
    confidence = text_of(indicator.get("confidence")) or ""
    for path, value in reading.found:
        _add(path, value, (None, None), draft, confidence)


def _observable(thing: Thing, span: tuple[Moment | None, Moment | None], draft: Draft) -> None:
    for path, value in observables_of(thing):
        _add(path, value, span, draft)


def _add(
    path: str,
    value: Any,
    span: tuple[Moment | None, Moment | None],
    draft: Draft,
    confidence: str = "",
) -> None:
    kind = kind_of(path, value)
    first, last = span
    draft.indicator(
        kind,
        f"AS{value}" if path == "autonomous-system:number" else value,
        role=draft.line(path, "an object path") if kind is IndicatorType.OTHER else "",
        first_seen=first.earliest if first else None,
        last_seen=last.latest if last else None,
        confidence=confidence,
    )


def add_affected(members: list[Thing], bundle: Bundle, draft: Draft) -> None:
    """Those who were hit: targets of relationships and places of sightings."""
    hit = [target for thing in members for _, target in bundle.links(thing["id"], *_HIT)]
    for thing in members:
        if thing["type"] == "sighting":
            sighters = (bundle.get(ref) for ref in items(thing.get("where_sighted_refs")))
            hit.extend(thing for thing in sighters if thing)
    for target in hit:
        if target["type"] == "identity":
            _identity(target, draft)
        elif target["type"] == "location":
            _location(target, draft)


def _identity(identity: Thing, draft: Draft) -> None:
    sectors = items(identity.get("sectors"))
    match identity.get("identity_class"):
        case "individual":
            draft.affected("person", identity.get("name"))
        case "class":  # its name says in words what its sectors say, if it has any
            sectors = sectors or [identity.get("name")]
        case _:
            draft.affected("organisation", identity.get("name"))
    for name in sectors:
        draft.affected("sector", sector(text_of(name) or ""))


def _location(location: Thing, draft: Draft) -> None:
    if code := country(text_of(location.get("country")) or ""):
        draft.affected("country", code)
    else:
        draft.warn("a location without a country code is not taken over")


def reporter_of(
    root: Thing | None, members: list[Thing], bundle: Bundle, draft: Draft
) -> tuple[Reporter, object]:
    """Who wrote the report, with the country that a relationship places them in, and their id.

    In a bundle without a report it is who saw something, else the author of the first object.
    """
    authors = [root] if root else sorted(members, key=lambda thing: thing["type"] != "sighting")
    author = next((ref for thing in authors if (ref := thing.get("created_by_ref"))), None)
    identity = bundle.get(author, "identity")
    if identity is None:
        return Reporter(name=draft.reporter_name()), author
    places = [
        country(text_of(place.get("country")) or "")
        for _, place in bundle.links(identity["id"], "located-at")
    ]
    reporter = Reporter(
        name=draft.reporter_name(identity.get("name")),
        country=next((code for code in places if code), None),
        contact=draft.line(identity.get("contact_information"), "contact_information"),
    )
    return reporter, author


def effect_of(
    members: list[Thing], draft: Draft
) -> tuple[Literal["yes", "unknown"], CauseClaim, Impact]:
    """What incidents say of cause and effect: hints only, a person decides (domain 6.10)."""
    types: set[str] = set()
    blocked = False
    for thing in members:
        for extension in _extensions(thing) if thing["type"] == "incident" else ():
            for name in ("incident_types", "incident_type"):
                types.update(t for t in items(extension.get(name)) if isinstance(t, str))
            determination = text_of(extension.get("determination")) or ""
            blocked |= determination in _WITHOUT_EFFECT
            if determination in {"false-positive", "low-value"}:
                draft.warn(f"the reporter's own determination is {determination}")
    causes = sorted({_CAUSES[name] for name in types if name in _CAUSES})
    claim = CauseClaim(value=causes[0]) if len(causes) == 1 else CauseClaim()
    impact = Impact(criteria=("attempt-blocked",) if blocked else ())
    return ("yes" if causes else "unknown"), claim, impact


def _extensions(thing: Thing) -> list[Thing]:
    """The object itself and its extensions, where an incident's details may stand."""
    extensions = thing.get("extensions")
    inner = extensions.values() if isinstance(extensions, dict) else ()
    return [thing, *(extension for extension in inner if isinstance(extension, dict))]
