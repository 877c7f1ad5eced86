"""IntelMQ events: flat objects with dotted keys, one report each.

Source: domain 6.7 (IntelMQ data format and harmonisation).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from intake.formats.base import in_turn
from intake.formats.draft import Draft, items, text_of
from intake.formats.vocabulary import tlp_of
from protocol.errors import RejectedReport
from protocol.markings import Marking
from protocol.report import IndicatorType, ReportContent, Reporter, TimeKind

Event = dict[str, Any]
Side = Literal["victim", "source", "intermediate"]

_MARKS = (
    "classification.", "feed.", "time.", "source.", "destination.", "event_description.",
    "malware.", "event_hash", "protocol.",
)  # fmt: skip
_ENOUGH_MARKS = 3
_TAXONOMIES = {
    "abusive-content": "harmful-speech spam violence",
    "availability": "ddos dos misconfiguration outage sabotage",
    "fraud": "copyright masquerade phishing unauthorized-use-of-resources",
    "information-content-security": "data-leak data-loss unauthorised-information-access"
    " unauthorised-information-modification",
    "information-gathering": "scanner sniffing social-engineering",
    "intrusion-attempts": "brute-force exploit ids-alert",
    "intrusions": "application-compromise burglary privileged-account-compromise"
    " system-compromise unprivileged-account-compromise",
    "malicious-code": "c2-server infected-system malware-configuration malware-distribution",
    "other": "blacklist dga-domain malware other proxy tor undetermined",
    "test": "test",
    "vulnerable": "ddos-amplifier information-disclosure potentially-unwanted-accessible"
    " vulnerable-system weak-crypto",
}
_OLD_TYPES = {
    "backdoor": "system-compromise",
    "botnet-drone": "infected-system",
    "c&c": "c2-server",
    "c2server": "c2-server",
    "compromised": "system-compromise",
    "defacement": "unauthorised-information-modification",
    "leak": "data-leak",
    "ransomware": "infected-system",
    "unauthorized-command": "unprivileged-account-compromise",
    "unauthorized-login": "unprivileged-account-compromise",
    "vulnerable-client": "vulnerable-system",
    "vulnerable-service": "vulnerable-system",
}
"""Types that IntelMQ used before version 3, by the name that they have since."""
_TAXONOMY_OF = {kind: taxonomy for taxonomy, kinds in _TAXONOMIES.items() for kind in kinds.split()}
_SIDES = ("source.", "destination.")
_TECHNICAL = {"availability:outage", "availability:misconfiguration"}
_HASHES = {
    "malware.hash.md5": IndicatorType.MD5,
    "malware.hash.sha1": IndicatorType.SHA1,
    "malware.hash.sha256": IndicatorType.SHA256,
}
_OF_A_SIDE = {
    "ip": IndicatorType.IP,
    "fqdn": IndicatorType.DOMAIN,
    "url": IndicatorType.URL,
    "port": IndicatorType.PORT,
    "network": IndicatorType.OTHER,
    "account": IndicatorType.OTHER,
    "reverse_dns": IndicatorType.OTHER,
}
_READ = {
    "classification.taxonomy", "classification.type", "classification.identifier", "event_hash",
    "feed.accuracy", "feed.code", "feed.documentation", "feed.name", "feed.provider", "feed.url",
    "time.source", "time.observation", "event_description.target", "event_description.text",
    "event_description.url", "malware.name", "malware.version", "raw", "tlp", "comment", "__type",
    "misp.event_uuid", "misp.attribute_uuid", "protocol.application", "protocol.transport",
    *_HASHES,
}  # fmt: skip


class IntelMq:
    """The adapter for IntelMQ, one event or a list of them."""

    def recognises(self, document: Any) -> bool:
        """Whether the first event has enough of the dotted keys."""
        first = document[0] if isinstance(document, list) and document else document
        return isinstance(first, dict) and (
            sum(key.startswith(_MARKS) for key in first) >= _ENOUGH_MARKS
        )

    def read(self, document: Any) -> tuple[ReportContent, ...]:
        """Translate every event; see ``Adapter.read``."""
        return in_turn(items(document), _event)


def _event(event: Any) -> ReportContent:
    if not isinstance(event, dict):
        raise RejectedReport("format-mismatch", "it is not an object with the keys of IntelMQ")
    if event.get("__type") == "Report":
        raise RejectedReport(
            "intelmq-report",
            "this is a report of IntelMQ, which no parser bot has read yet; send its events",
        )
    draft = Draft()
    rsit = _class(event, draft)
    _times(event, draft)
    victim = rsit.startswith("vulnerable") or rsit.endswith(":infected-system")
    _side(event, "source", "victim" if victim else "source", draft)
    # an infected or weak system meets servers, sinkholes or scanners there, and no victim
    _side(event, "destination", "intermediate" if victim else "victim", draft)
    for key, kind in _HASHES.items():
        if key in event:
            draft.indicator(kind, event[key], role="malware")
    draft.affected("organisation", event.get("event_description.target"))
    draft.reference(event.get("event_description.url"))
    draft.relation("related", event.get("misp.event_uuid"))
    draft.unplaced(key for key in event if key not in _READ and not key.startswith(_SIDES))
    technical = rsit in _TECHNICAL
    return draft.content(
        source_id=_id(event),
        title=draft.title(_titles(event), "IntelMQ event"),
        description=draft.prose(event.get("event_description.text"), "event_description.text"),
        reporter=Reporter(
            name=draft.reporter_name(
                event.get("feed.provider"), event.get("feed.name"), event.get("feed.code")
            )
        ),
        technical_failure_indicated="yes" if technical else "unknown",
        rsit=rsit,
        marking=_marking(event, draft),
    )


def _class(event: Event, draft: Draft) -> str:
    """The RSIT class; the taxonomy follows from the type where it is not stated."""
    kind = "-".join((text_of(event.get("classification.type")) or "").lower().split())
    kind = _OLD_TYPES.get(kind, kind)
    taxonomy = "-".join((text_of(event.get("classification.taxonomy")) or "").lower().split())
    taxonomy = taxonomy or _TAXONOMY_OF.get(kind, "")
    if "test" in {kind, taxonomy}:
        raise RejectedReport(
            "test-lane", "the event says it is a test; tests do not become reports"
        )
    if not kind:
        draft.warn("the event has no classification.type, which IntelMQ demands")
    elif kind not in _TAXONOMY_OF:
        draft.warn("the classification.type is none that is known")
    return draft.line(f"{taxonomy}:{kind}" if taxonomy and kind else taxonomy or kind, "the class")


def _times(event: Event, draft: Draft) -> None:
    draft.time(TimeKind.OBSERVED, event.get("time.source"), "time.source")
    draft.time(TimeKind.REPORTED, event.get("time.observation"), "time.observation")


def _side(event: Event, name: str, role: Side, draft: Draft) -> None:
    """One end of the traffic; in most feeds the source is the host that needs help."""
    named = next(
        (event[k] for k in (f"{name}.fqdn", f"{name}.ip", f"{name}.url") if k in event), None
    )
    if named is not None:
        draft.affected("service", named, role=role)
    for part, kind in _OF_A_SIDE.items():
        value = event.get(f"{name}.{part}")
        if value is not None:
            draft.indicator(kind, value, role=f"{name} {part}" if part == "account" else role)
    asn = text_of(event.get(f"{name}.asn"))
    if asn:
        draft.indicator(IndicatorType.OTHER, f"AS{asn.upper().removeprefix('AS')}", role=role)
    place = text_of(event.get(f"{name}.geolocation.cc"))
    if place and role == "victim":
        draft.affected("country", place.upper(), derived=True)


def _titles(event: Event) -> list[tuple[object, str]]:
    what = text_of(event.get("malware.name")) or text_of(event.get("classification.identifier"))
    kind = text_of(event.get("classification.type")) or "event"
    where = next(
        (
            text
            for k in ("source.fqdn", "source.ip", "source.url")
            if (text := text_of(event.get(k)))
        ),
        "",
    )
    built = f"{kind} {what or ''} {where}" if what or where else ""
    return [(event.get("event_description.text"), "event_description.text"), (built, "its parts")]


def _id(event: Event) -> str:
    """The event's own hash, else one made of its content: IntelMQ gives events no id."""
    for key in ("event_hash", "misp.attribute_uuid"):
        stated = text_of(event.get(key))
        if stated and len(stated) <= 150 and "\n" not in stated and "\ufffd" not in stated:
            return stated
    content = {k: v for k, v in event.items() if k != "time.observation"}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return f"intelmq-{digest[:32]}"


def _marking(event: Event, draft: Draft) -> Marking:
    stated = text_of(event.get("tlp"))
    return Marking(tlp=tlp_of(stated, draft)) if stated else Marking()
