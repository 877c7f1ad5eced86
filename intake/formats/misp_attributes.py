"""Attributes of a MISP event and of its objects as indicators, references and affected parties.

Source: domain 6.6.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from intake.formats.draft import Draft, items, text_of
from intake.formats.misp_tags import TagFindings
from intake.formats.misp_wrappings import entries
from intake.formats.times import Moment
from intake.formats.vocabulary import country, sector
from protocol.indicators import guess_type
from protocol.report import IndicatorType, TimeKind, TimeWindow

_KINDS = {
    "ip-src": IndicatorType.IP,
    "ip-dst": IndicatorType.IP,
    "ip": IndicatorType.IP,
    "domain": IndicatorType.DOMAIN,
    "hostname": IndicatorType.DOMAIN,
    "url": IndicatorType.URL,
    "uri": IndicatorType.URL,
    "md5": IndicatorType.MD5,
    "sha1": IndicatorType.SHA1,
    "sha256": IndicatorType.SHA256,
    "authentihash": IndicatorType.SHA256,
    "x509-fingerprint-md5": IndicatorType.MD5,
    "x509-fingerprint-sha1": IndicatorType.SHA1,
    "x509-fingerprint-sha256": IndicatorType.SHA256,
    "email": IndicatorType.EMAIL,
    "email-src": IndicatorType.EMAIL,
    "email-dst": IndicatorType.EMAIL,
    "email-reply-to": IndicatorType.EMAIL,
    "btc": IndicatorType.WALLET,
    "xmr": IndicatorType.WALLET,
    "dash": IndicatorType.WALLET,
    "port": IndicatorType.PORT,
}
_EPOCH_PLACES = {10: 0, 13: 3, 16: 6}
"""Decimal places of a second by the number of digits of a time since 1970."""
_COMPOSITES = {
    "ip-src|port": ("ip-src", "port"),
    "ip-dst|port": ("ip-dst", "port"),
    "domain|ip": ("domain", "ip"),
    "hostname|port": ("hostname", "port"),
    "malware-sample": ("filename", "md5"),
}
_PLAIN = frozenset({
    "filename", "regkey", "regkey|value", "mutex", "named pipe", "user-agent", "imphash",
    "impfuzzy", "ssdeep", "tlsh", "pehash", "sha224", "sha384", "sha512", "sha512/224",
    "sha512/256", "vhash", "cdhash", "pdb", "AS", "mac-address", "mac-eui-64", "favicon-mmh3",
    "ja3-fingerprint-md5", "jarm-fingerprint", "hassh-md5", "hasshserver-md5", "community-id",
    "process-state", "windows-scheduled-task", "windows-service-name",
    "windows-service-displayname", "email-subject", "email-attachment", "email-src-display-name",
    "email-dst-display-name", "email-message-id", "email-x-mailer", "email-mime-boundary",
    "email-thread-index", "email-header", "email-body", "cookie", "http-method", "iban",
    "bank-account-nr", "bic", "cc-number", "phone-number", "github-username", "github-repository",
    "jabber-id", "twitter-id", "telegram-id", "chrome-extension-id", "mobile-application-id",
    "identity-card-number", "whois-registrant-email", "whois-registrant-name",
    "whois-registrant-org", "whois-registrar", "dns-soa-email", "x509-fingerprint", "gene",
    "dkim", "dkim-signature", "onion-address", "ssh-fingerprint",
})  # fmt: skip
"""Observables that no kind of ours weighs: kept as ``other``, with their MISP type as the role."""
_CONTEXT = frozenset({
    "comment", "text", "other", "float", "counter", "size-in-bytes", "datetime", "boolean",
    "mime-type", "hex", "attachment", "yara", "sigma", "snort", "bro", "zeek", "stix2-pattern",
    "pattern-in-file", "pattern-in-traffic", "pattern-in-memory", "threat-actor", "campaign-name",
    "malware-type", "anonymised", "weakness", "cpe", "cortex", "target-user", "target-email",
    "target-external", "first-name", "last-name", "full-name", "nationality",
})  # fmt: skip
"""Types that describe rather than identify; they stay in the raw record."""


@dataclass(slots=True)
class AttributeReader:
    """Reads attributes into a draft and remembers what they say about times and tags."""

    draft: Draft
    tags: TagFindings
    first: list[datetime] = field(default_factory=list)
    last: list[datetime] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    distributions: set[str] = field(default_factory=set)

    def read_all(self, event: dict[str, Any]) -> None:
        """Read the event's own attributes, then those of its objects."""
        for attribute in _objects(event.get("Attribute"), "Attribute", self.draft):
            self._read(attribute)
        for thing in _objects(event.get("Object"), "Object", self.draft):
            if _flag(thing.get("deleted")):
                self.draft.warn("a deleted object is left out")
                continue
            victim = thing.get("name") == "victim"
            for attribute in _objects(thing.get("Attribute"), "Attribute", self.draft):
                if victim and attribute.get("object_relation") == "sectors":
                    self.draft.affected("sector", sector(text_of(attribute.get("value")) or ""))
                else:
                    self._read(attribute)
        if self.first or self.last:
            seen = self.first + self.last
            self.draft.times.append(
                TimeWindow(kind=TimeKind.OBSERVED, earliest=min(seen), latest=max(seen))
            )

    def _read(self, attribute: dict[str, Any]) -> None:
        if _flag(attribute.get("deleted")):
            self.draft.warn("a deleted attribute is left out")
            return
        self.tags.read(tag_names(attribute, self.draft), self.draft)
        self.distributions.add(text_of(attribute.get("distribution")) or "")
        if items(attribute.get("ShadowAttribute")):
            self.draft.warn("a proposal to change an attribute is not taken over")
        kind = text_of(attribute.get("type")) or ""
        value = attribute.get("value")
        if text_of(value) is None:
            self.draft.warn("an attribute without a value is left out")
            return
        self._place(kind, value, attribute)

    def _place(self, kind: str, value: Any, attribute: dict[str, Any]) -> None:
        match kind:
            case "link":
                self.draft.reference(value)
            case "vulnerability":
                self.draft.reference(value)
            case "campaign-id":
                self.draft.relation("related", value)
            case "target-org":
                self.draft.affected("organisation", value)
            case "target-machine":
                self.draft.affected("service", value)
            case "target-location":
                self._location(text_of(value) or "")
            case "comment":
                self.comments.append(self.draft.prose(value, "a comment"))
            case _ if kind in _CONTEXT:
                self.draft.warn(f"an attribute of type {kind} stays in the original record only")
            case _:
                self._indicators(kind, value, attribute)

    def _location(self, name: str) -> None:
        if code := country(name):
            self.draft.affected("country", code)
        else:
            self.draft.warn(self.draft.line(f"the place {name[:60]} is no country code", "a place"))

    def _indicators(self, kind: str, value: Any, attribute: dict[str, Any]) -> None:
        first = self._moment(attribute.get("first_seen"), "an attribute's first_seen")
        last = self._moment(attribute.get("last_seen"), "an attribute's last_seen")
        if first:
            self.first.append(first.earliest)
        if last:
            self.last.append(last.latest)
        for part, text in self._parts(kind, value):
            self.draft.indicator(
                self._kind(part, text),
                text,
                role=part,
                first_seen=first.earliest if first else None,
                last_seen=last.latest if last else None,
            )

    def _kind(self, name: str, value: object) -> IndicatorType:
        kind = _KINDS.get(name)
        if kind is None:
            if name not in _PLAIN:
                self.draft.warn("an attribute of an unknown type is kept as it stands")
            return IndicatorType.OTHER
        if name == "uri" and "://" not in str(value):  # most are paths on an unnamed host
            return IndicatorType.OTHER
        return kind

    def _parts(self, kind: str, value: Any) -> Iterator[tuple[str, Any]]:
        """The two halves of a composite such as ``filename|sha256``, or the value itself."""
        halves = _COMPOSITES.get(kind)
        if halves is None and kind.startswith("filename|"):
            halves = ("filename", kind.removeprefix("filename|"))
        if halves is None:
            yield kind, value
            return
        left, bar, right = str(value).partition("|")
        if not bar:
            self.draft.warn("a composite attribute has only one half")
            guessed = guess_type(left)
            fits = next((half for half in halves if _KINDS.get(half) is guessed), halves[0])
            yield fits, left
            return
        yield from zip(halves, (left, right), strict=True)

    def _moment(self, value: object, name: str) -> Moment | None:
        """ISO 8601, or the seconds to microseconds since 1970 that MISP's API also writes."""
        digits = str(value) if isinstance(value, int | str) else ""
        places = _EPOCH_PLACES.get(len(digits)) if digits.isdecimal() else None
        if places is not None:
            return Moment.from_epoch(digits[: len(digits) - places])
        return self.draft.moment(value, name)


def tag_names(holder: dict[str, Any], draft: Draft) -> Iterable[str]:
    """Names of the tags on an event or attribute, also as an index of events writes them."""
    linked = [
        link.get("Tag")
        for name in ("EventTag", "AttributeTag")
        for link in items(holder.get(name))
        if isinstance(link, dict) and link.get("Tag")
    ]
    for tag in [*_objects(holder.get("Tag"), "Tag", draft), *_objects(linked, "Tag", draft)]:
        if name := text_of(tag.get("name")):
            yield name


def _objects(value: object, name: str, draft: Draft) -> Iterator[dict[str, Any]]:
    for entry in entries(value):
        if isinstance(entry, dict):
            yield entry
        else:
            draft.warn(f"an entry of {name} is not an object and is left out")


def _flag(value: object) -> bool:
    return value is True or value == 1 or value in ("1", "true")
