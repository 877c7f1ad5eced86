"""Systems, observables and indicators of an IODEF incident, wherever in it they stand.

The same names mean the same in an event, a flow, a record or an indicator, so the tree is walked
and each part is read by its name; what wraps it does not matter. Source: domain 6.4.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from intake.formats.draft import Draft, items
from intake.formats.iodef_hashes import add_hash
from intake.formats.iodef_parts import Part, objects, texts, word
from protocol.indicators import guess_type
from protocol.report import IndicatorType, TimeKind

Side = Literal["victim", "source", "intermediate"]
_Reader = Callable[[Any, str], None]

_SIDES: dict[str, Side | None] = {
    "source": "source",
    "watchlist-source": "source",
    "target": "victim",
    "watchlist-target": "victim",
    "intermediate": "intermediate",
    "infrastructure": "intermediate",
    "sensor": None,
}
_TIMES = {
    "DetectTime": TimeKind.DETECTED,
    "StartTime": TimeKind.STARTED,
    "EndTime": TimeKind.ENDED,
    "ReportTime": TimeKind.REPORTED,
    "DateTime": TimeKind.OBSERVED,
}
_OBSERVABLES = {
    "ipv4-addr": IndicatorType.IP,
    "ipv6-addr": IndicatorType.IP,
    "ipv4-net": IndicatorType.OTHER,
    "ipv6-net": IndicatorType.OTHER,
    "ipv4-net-mask": IndicatorType.OTHER,
    "ipv6-net-mask": IndicatorType.OTHER,
    "asn": IndicatorType.OTHER,
    "atm": IndicatorType.OTHER,
    "mac": IndicatorType.OTHER,
    "http-user-agent": IndicatorType.OTHER,
    "e-mail": IndicatorType.EMAIL,
    "email": IndicatorType.EMAIL,
    "site-uri": IndicatorType.URL,
    "url": IndicatorType.URL,
    "fqdn": IndicatorType.DOMAIN,
    "domain-name": IndicatorType.DOMAIN,
}
_ASIDE = {
    "Contact", "DomainContacts", "History", "HistoryItem", "RelatedActivity", "Assessment",
    "IncidentID", "AlternativeID", "AlternativeIndicatorID", "ObservableReference", "Expectation",
    "AttackPhase", "restriction",
}  # fmt: skip
"""Parts that hold no observables of the attack, or are read elsewhere."""
_ORIGINAL_ONLY = {
    "NameServers": "name servers stay in the original record only",
    "CertificateData": "certificates stay in the original record only",
    "DetectionPattern": "a detection pattern stays in the original record only",
    "RecordPattern": "a pattern in a log stays in the original record only",
    "RecordItem": "log excerpts stay in the original record only",
    "AdditionalData": "additional data stays in the original record only",
    "Signature": "a signature stays in the original record only",
}
_MOST_PORTS = 20
_LISTED = re.compile(r"[\s,;]+")
_ONE_WORD = {"ipv4-addr", "ipv6-addr", "ipv4-net", "ipv6-net", "fqdn", "domain-name", "e-mail"}
"""Observables without spaces or commas, whose lists people also write on one line."""


@dataclass(slots=True)
class EventReader:
    """Walks an incident and takes up what it meets."""

    draft: Draft
    confidence: str
    descriptions: list[str] = field(default_factory=list)
    expectations: list[Part] = field(default_factory=list)
    discoveries: list[Part] = field(default_factory=list)
    _readers: dict[str, _Reader] = field(init=False)

    def __post_init__(self) -> None:
        self._readers = {
            "System": self._system,
            "NodeName": self._node_name,
            "Address": self._address,
            "DomainData": self._domain,
            "Port": self._ports,
            "Portlist": self._ports,
            "File": self._file,
            "Hash": self._hash,
            "Key": self._key,
            "EmailData": self._email,
            "BulkObservable": self._bulk,
            "DateTime": self._moment,
        }

    def read(self, incident: Part) -> None:
        """Read all events, and the indicators beside them."""
        for event in objects(incident.get("EventData")):
            self._event(event)
        for holder in ("IndicatorData", "Indicator"):
            for indicator in objects(incident.get(holder)):
                self._walk(indicator, "")

    def references(self, method: Part) -> None:
        """Take up what a method refers to: pages, and vulnerabilities by their ids."""
        for reference in objects(method.get("Reference")):
            urls = [html.unescape("".join(url.split())) for url in texts(reference.get("URL"))]
            named = objects(reference.get("ReferenceName"))
            names = [word(each) or word(each.get("ID")) for each in named]
            for each in [*texts(reference.get("ReferenceName")), *names, *urls]:
                self.draft.reference(each)
            self.descriptions.extend(texts(reference.get("Description")))
        for vulnerability in objects(method.get("Vulnerability")):
            for each in texts(vulnerability.get("VulnerabilityID")) or texts(
                vulnerability.get("ID")
            ):
                self.draft.reference(each)

    def _event(self, event: Part) -> None:
        for name, kind in _TIMES.items():
            self.draft.time(kind, word(event.get(name)), name)
        self.descriptions.extend(texts(event.get("Description")))
        self.expectations.extend(objects(event.get("Expectation")))
        self.discoveries.extend(objects(event.get("Discovery")))
        for method in objects(event.get("Method")):
            self.references(method)
        for name, part in event.items():
            if name == "EventData":
                for inner in objects(part):
                    self._event(inner)
            elif name not in {*_TIMES, "Method", "Description"}:
                self._named(name, part, "")

    def _walk(self, node: Any, role: str) -> None:
        for each in items(node):
            if isinstance(each, dict):
                for name, part in each.items():
                    self._named(name, part, role)

    def _named(self, name: str, part: Any, role: str) -> None:
        if name in _ASIDE:
            return
        if name == "Description":
            self.descriptions.extend(texts(part))
            return
        if name in _ORIGINAL_ONLY:
            self.draft.warn(_ORIGINAL_ONLY[name])
            return
        reader = self._readers.get(name)
        if reader is None:
            self._walk(part, role)
            return
        for each in items(part):
            reader(each, role)

    def _system(self, system: Any, _role: str) -> None:
        if not isinstance(system, dict):
            self.draft.warn("a System is not an object and is left out")
            return
        side = _SIDES.get(word(system.get("category")), "source")
        if word(system.get("spoofed")) == "yes":
            side = "intermediate"
        if side is None:  # what saw it is no part of it
            return
        nodes = objects(system.get("Node"))
        named = [
            *(name for node in nodes for name in texts(node.get("NodeName"))),
            *(word(a) for node in nodes for a in items(node.get("Address")) if _is_host(a)),
            *(
                n
                for node in nodes
                for d in objects(node.get("DomainData"))
                for n in texts(d.get("Name"))
            ),
        ]
        if named:
            self.draft.affected("service", "".join(named[0].split()), role=side)
        self._walk(system, side)

    def _node_name(self, name: Any, role: str) -> None:
        self._add(IndicatorType.DOMAIN, word(name), role)

    def _address(self, address: Any, role: str) -> None:
        category = word(address.get("category")) if isinstance(address, dict) else ""
        self._observable(category or "ipv4-addr", word(address), role)

    def _observable(self, category: str, value: str, role: str) -> None:
        plain = value if category == "http-user-agent" else html.unescape("".join(value.split()))
        if not plain:
            return
        if category == "asn" and plain.isdecimal():
            plain = f"AS{plain}"
        kind = _OBSERVABLES.get(category)
        if kind is None:
            kind = guess_type(plain)
        self._add(kind, plain, role or (category if kind is IndicatorType.OTHER else ""))

    def _add(self, kind: IndicatorType, value: str, role: str) -> None:
        if value:
            self.draft.indicator(
                kind,
                value,
                role=self.draft.line(role, "a role"),
                confidence=self.draft.line(self.confidence, "a confidence"),
            )

    def _domain(self, domain: Any, role: str) -> None:
        for name in texts(domain.get("Name")) if isinstance(domain, dict) else [word(domain)]:
            self._add(IndicatorType.DOMAIN, name, role)
        self._walk(domain, role)

    def _ports(self, ports: Any, role: str) -> None:
        for piece in word(ports).split(","):
            first, dash, last = piece.strip().partition("-")
            span = _span(first, last) if dash else None
            if span:
                for port in span:
                    self._add(IndicatorType.PORT, str(port), role)
            else:
                self._add(IndicatorType.PORT, piece.strip(), role)

    def _file(self, file: Any, role: str) -> None:
        if isinstance(file, dict):
            for name in texts(file.get("FileName")):
                self._add(IndicatorType.OTHER, name, "filename")
        self._walk(file, role)

    def _hash(self, entry: Any, role: str) -> None:
        add_hash(entry, role or "file", self.draft)

    def _key(self, key: Any, _role: str) -> None:
        if not isinstance(key, dict):
            return
        lines = (word(key.get("KeyName")) or word(key.get("value"))).splitlines()
        self._add(IndicatorType.OTHER, "".join(line.strip() for line in lines), "registry key")
        if key.get("Value") or key.get("KeyValue"):
            self.draft.warn("values of registry keys stay in the original record only")

    def _email(self, email: Any, role: str) -> None:
        if isinstance(email, dict):
            for address in texts(
                email.get("EmailTo")
            ):  # who gets a mail of the source is hit by it
                self._add(IndicatorType.EMAIL, address, "victim" if role == "source" else "EmailTo")
            for address in texts(email.get("EmailFrom")):
                self._add(IndicatorType.EMAIL, address, role or "EmailFrom")
            for subject in texts(email.get("EmailSubject")):
                self._add(IndicatorType.OTHER, subject, "email subject")
        self._walk(email, role)

    def _bulk(self, bulk: Any, role: str) -> None:
        if not isinstance(bulk, dict):
            return
        category = word(bulk.get("type"))
        if category == "ext-value":
            category = word(bulk.get("ext-type"))
        for entry in items(bulk.get("BulkObservableList")):
            for line in word(entry).splitlines():
                pieces = _LISTED.split(line) if category in _ONE_WORD else [line]
                for piece in pieces:
                    self._observable(category, piece.strip(), role)

    def _moment(self, time: Any, _role: str) -> None:
        self.draft.time(TimeKind.OBSERVED, word(time), "DateTime")


def _is_host(address: Any) -> bool:
    """Whether an Address names a host or its network, and not a number of its operator."""
    category = word(address.get("category")) if isinstance(address, dict) else ""
    return bool(word(address)) and (not category or category.startswith(("ipv4", "ipv6", "fqdn")))


def _span(first: str, last: str) -> range | None:
    """The ports of a short range; None for a long one, which names no port in particular."""
    if not (first.isdecimal() and last.isdecimal() and len(first) < 6 and len(last) < 6):
        return None
    span = range(int(first), int(last) + 1)
    return span if 0 < len(span) <= _MOST_PORTS else None
