"""IODEF: version 2 as XML (RFC 7970) and as JSON (RFC 8727), version 1 as XML (RFC 5070).

All three are read as one: an XML document comes in the shape that JSON has. Source: domain 6.4.
"""

from __future__ import annotations

from typing import Any, Literal

from intake.formats.base import in_turn
from intake.formats.draft import Draft, identifier, items, text_of
from intake.formats.iodef_assessment import effect_of
from intake.formats.iodef_events import EventReader
from intake.formats.iodef_parts import Part, marking_of, objects, texts, word
from intake.xml_limits import XmlDocument
from protocol.errors import RejectedReport
from protocol.report import ReportContent, Reporter, TimeKind

_NAMESPACE = {"2": "urn:ietf:params:xml:ns:iodef-2.0", "1": "urn:ietf:params:xml:ns:iodef-1.0"}
_TIMES = {
    "DetectTime": TimeKind.DETECTED,
    "StartTime": TimeKind.STARTED,
    "EndTime": TimeKind.ENDED,
    "ReportTime": TimeKind.REPORTED,
}
_SEEN_BY_THEMSELVES = {
    "nidps", "hips", "siem", "av", "third-party-monitoring", "incident", "os-log",
    "application-log", "device-log", "network-flow", "passive-dns", "investigation", "audit",
    "internal-notification",
}  # fmt: skip
_TOLD_BY_OTHERS = {"external-notification", "leo", "partner", "actor"}
_REPORTERS = ("creator", "reporter", "irt", "cc", "admin", "tech")


class IodefXml:
    """The adapter for one version of IODEF as XML."""

    def __init__(self, version: Literal["1", "2"]) -> None:
        self._version = version

    def recognises(self, document: Any) -> bool:
        """Whether the document's root, namespace or version say so."""
        if not isinstance(document, XmlDocument) or document.name != "IODEF-Document":
            return False
        if document.namespace:
            return document.namespace == _NAMESPACE[self._version]
        return isinstance(document.content, dict) and word(
            document.content.get("version")
        ).startswith(self._version)

    def read(self, document: Any) -> tuple[ReportContent, ...]:
        """Translate every incident; see ``Adapter.read``."""
        return _read(document.content)


class IodefJson:
    """The adapter for IODEF 2 as JSON, with or without the classes that RFC 8727 flattens."""

    def recognises(self, document: Any) -> bool:
        """Whether there is a list of incidents with ids."""
        return isinstance(document, dict) and any(
            isinstance(incident, dict) and "IncidentID" in incident
            for incident in items(document.get("Incident"))
        )

    def read(self, document: Any) -> tuple[ReportContent, ...]:
        """Translate every incident; see ``Adapter.read``."""
        return _read(document)


def _read(document: Any) -> tuple[ReportContent, ...]:
    whole = document if isinstance(document, dict) else {}
    incidents = objects(whole.get("Incident"))
    if not incidents:
        raise RejectedReport("no-reports", "the document holds no IODEF incident")
    lang = word(whole.get("lang"))
    return in_turn(incidents, lambda incident: _incident(incident, lang))


def _incident(incident: Part, lang: str) -> ReportContent:
    draft = Draft()
    source_id, owner = _id(incident)
    _times(incident, draft)
    events = EventReader(draft, _confidence(incident))
    events.read(incident)
    reporter = _reporter(incident, owner, draft)
    _relations(incident, source_id, draft)
    for method in objects(incident.get("Method")):
        events.references(method)
    effect = effect_of(
        objects(incident.get("Assessment")), objects(incident.get("EventData")), draft
    )
    descriptions = texts(incident.get("Description"))
    said = [*descriptions, *effect.descriptions, *events.descriptions]
    for expectation in [*objects(incident.get("Expectation")), *events.expectations]:
        draft.warn(draft.line(f"the sender asks: {word(expectation.get('action'))[:60]}", "it"))
    return draft.content(
        source_id=source_id,
        title=draft.title([(each, "Description") for each in descriptions], f"IODEF {source_id}"),
        description=draft.prose("\n\n".join(dict.fromkeys(said)), "the descriptions"),
        lang=draft.line(word(incident.get("lang")) or lang, "lang"),
        reporter=reporter,
        first_hand=_first_hand(incident, events.discoveries),
        cause=effect.cause,
        technical_failure_indicated=effect.technical_failure,
        rsit=effect.rsit,
        impact=effect.impact,
        marking=marking_of(incident, draft),
    )


def _id(incident: Part) -> tuple[str, str]:
    """``<name of the CSIRT>:<its id>``, since ids are unique within one CSIRT only."""
    stated = next(iter(items(incident.get("IncidentID"))), None)
    if not isinstance(stated, dict):
        return identifier(word(stated), "IncidentID"), ""
    owner = word(stated.get("name"))
    number = identifier(word(stated.get("id")) or word(stated.get("value")), "IncidentID")
    return identifier(f"{owner}:{number}" if owner else number, "IncidentID"), owner


def _times(incident: Part, draft: Draft) -> None:
    for name, kind in _TIMES.items():
        draft.time(kind, word(incident.get(name)), name)
    if not any(time.kind is TimeKind.REPORTED for time in draft.times):
        draft.time(TimeKind.REPORTED, word(incident.get("GenerationTime")), "GenerationTime")


def _confidence(incident: Part) -> str:
    """The confidence that the assessment states: its number, else its rating."""
    for assessment in objects(incident.get("Assessment")):
        for confidence in objects(assessment.get("Confidence")):
            return word(confidence.get("value")) or word(confidence.get("rating"))
    return ""


def _reporter(incident: Part, owner: str, draft: Draft) -> Reporter:
    contacts = objects(incident.get("Contact"))
    for contact in contacts:
        names = texts(contact.get("ContactName"))
        match word(contact.get("role")):
            case "victim":
                person = word(contact.get("type")) == "person"
                for name in names:
                    draft.affected("person" if person else "organisation", name)
            case "leo":
                draft.warn("law enforcement is involved already: it is among the contacts")
    by_role = sorted(contacts, key=_rank)
    first = by_role[0] if by_role and _rank(by_role[0]) < len(_REPORTERS) else {}
    return Reporter(
        name=draft.reporter_name(*texts(first.get("ContactName")), owner, *_emails(first)),
        contact=draft.line(next(iter(_emails(first)), None), "Email"),
    )


def _rank(contact: Part) -> int:
    role = word(contact.get("role"))
    return _REPORTERS.index(role) if role in _REPORTERS else len(_REPORTERS)


def _emails(contact: Part) -> list[str]:
    found: list[str] = []
    for email in items(contact.get("Email")):
        stated = items(email.get("EmailTo")) if isinstance(email, dict) else [email]
        found.extend(text for each in stated if (text := word(each)))
        if isinstance(email, dict) and not stated and (text := word(email)):
            found.append(text)
    return found


def _relations(incident: Part, source_id: str, draft: Draft) -> None:
    if word(incident.get("status")) == "forwarded":
        draft.warn("the sender says that it only forwards this incident")
    for holder in [
        *objects(incident.get("AlternativeID")),
        *objects(incident.get("RelatedActivity")),
    ]:
        for stated in items(holder.get("IncidentID")):
            name, _ = _id({"IncidentID": stated})
            if name != source_id:
                draft.relation("related", name)
        for url in texts(holder.get("URL")):
            draft.reference("".join(url.split()))
        for key, name in (("ThreatActor", "ThreatActorID"), ("Campaign", "CampaignID")):
            for thing in objects(holder.get(key)):
                for stated in texts(thing.get(name)):
                    draft.relation("related", stated)


def _first_hand(incident: Part, discoveries: list[Part]) -> bool | None:
    """True where it was found by what the reporter runs, False where somebody told them."""
    sources = {
        text_of(discovery.get("source"))
        for discovery in [*objects(incident.get("Discovery")), *discoveries]
    }
    if word(incident.get("status")) == "forwarded" or sources & _TOLD_BY_OTHERS:
        return False
    return True if sources & _SEEN_BY_THEMSELVES else None
