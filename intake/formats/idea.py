"""IDEA0 messages of detectors (CESNET).

Source: domain 6.3; unknown keys are allowed and stay in the raw record.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Literal

from intake.formats.base import in_turn
from intake.formats.draft import Draft, identifier, items, text_of
from intake.formats.vocabulary import tlp_of
from protocol.errors import RejectedReport
from protocol.indicators import guess_type
from protocol.markings import Marking
from protocol.report import IndicatorType, ReportContent, Reporter, TimeKind, TimeWindow

_CATEGORIES = {
    "abusive": "abusive-content",
    "abusive.spam": "abusive-content:spam",
    "malware": "malicious-code",
    "recon": "information-gathering",
    "recon.scanning": "information-gathering:scanner",
    "recon.sniffing": "information-gathering:sniffing",
    "recon.socialengineering": "information-gathering:social-engineering",
    "attempt": "intrusion-attempts",
    "attempt.login": "intrusion-attempts:brute-force",
    "attempt.exploit": "intrusion-attempts:ids-alert",
    "intrusion": "intrusions",
    "availability": "availability",
    "availability.dos": "availability:dos",
    "availability.ddos": "availability:ddos",
    "availability.outage": "availability:outage",
    "information": "information-content-security",
    "fraud": "fraud",
    "fraud.phishing": "fraud:phishing",
    "vulnerable": "vulnerable",
    "anomaly": "other:undetermined",
    "other": "other:undetermined",
}
_KINDS = {
    "IP4": IndicatorType.IP,
    "IP6": IndicatorType.IP,
    "URL": IndicatorType.URL,
    "Email": IndicatorType.EMAIL,
    "Port": IndicatorType.PORT,
    "MAC": IndicatorType.OTHER,
    "ASN": IndicatorType.OTHER,
    "Netname": IndicatorType.OTHER,
}
_NEED_HELP = ("vulnerable", "availability:outage")
"""Classes whose Source is weak or broken itself, and attacks nobody."""
_NAMING = ("Hostname", "IP4", "IP6", "URL", "Email", "MAC")
_DURATION = re.compile(r"(?:([0-9]{1,4})[Dd])?([0-9]{1,4}):([0-9]{1,2}):([0-9]{1,2})(?:\.[0-9]+)?")

Side = Literal["victim", "source", "intermediate"]


class Idea0:
    """The adapter for IDEA0, one message or a list of them."""

    def recognises(self, document: Any) -> bool:
        """Whether the first message says ``"Format": "IDEA0"``."""
        first = document[0] if isinstance(document, list) and document else document
        return isinstance(first, dict) and first.get("Format") == "IDEA0"

    def read(self, document: Any) -> tuple[ReportContent, ...]:
        """Translate every message; see ``Adapter.read``."""
        return in_turn(items(document), _message)


def _message(message: Any) -> ReportContent:
    if not isinstance(message, dict) or message.get("Format") != "IDEA0":
        raise RejectedReport("format-mismatch", "one message of the list is not an IDEA0 object")
    draft = Draft()
    source_id = identifier(message.get("ID"), "ID")
    categories = [text for c in items(message.get("Category")) if (text := text_of(c))]
    rsit = _rsit(categories, draft)
    _times(message, draft)
    confidence = text_of(message.get("Confidence")) or ""
    origin: Side = "victim" if rsit.startswith(_NEED_HELP) else "source"
    for party in items(message.get("Source")):
        _party(party, origin, confidence, draft)
    for party in items(message.get("Target")):
        _party(party, "victim", confidence, draft)
    _relations(message, draft)
    _attachments(message, draft)
    name, first_hand = _reporter(message, draft)
    return draft.content(
        source_id=source_id,
        title=draft.title(
            [(message.get("Description"), "Description"), (", ".join(categories), "Category")],
            f"IDEA0 event {source_id}",
        ),
        description=draft.prose(message.get("Note"), "Note"),
        reporter=Reporter(name=name),
        first_hand=first_hand,
        rsit=rsit,
        marking=_marking(message, draft),
    )


def _marking(message: dict[str, Any], draft: Draft) -> Marking:
    stated = text_of(message.get("TLP"))
    return Marking(tlp=tlp_of(stated, draft)) if stated else Marking()


def _rsit(categories: list[str], draft: Draft) -> str:
    """The RSIT class of the first category that has one."""
    if any(category.lower().split(".")[0] == "test" for category in categories):
        raise RejectedReport(
            "test-lane", "the message says it is a test; tests do not become reports"
        )
    found = []
    for category in categories:
        key = category.lower()
        rsit = _CATEGORIES.get(key) or _CATEGORIES.get(key.split(".")[0])
        if rsit:
            found.append(rsit)
        else:
            draft.warn(f"category {category[:60]!r} has no RSIT class")
    if not categories:
        draft.warn("the message has no Category")
    elif len(found) > 1:
        draft.warn(f"further categories: {', '.join(found[1:])}")
    return found[0] if found else ""


def _times(message: dict[str, Any], draft: Draft) -> None:
    """DetectTime is demanded; a message without it is taken only if it says when it was made."""
    detected = message.get("DetectTime")
    if not draft.time(TimeKind.DETECTED, detected, "DetectTime"):
        if detected is not None:
            raise RejectedReport("bad-time", "DetectTime is not a date and time that can be read")
        draft.warn("the message has no DetectTime, which IDEA0 demands")
    draft.time(TimeKind.STARTED, message.get("EventTime"), "EventTime")
    draft.time(TimeKind.ENDED, message.get("CeaseTime"), "CeaseTime")
    draft.time(TimeKind.REPORTED, message.get("CreateTime"), "CreateTime")
    windowed = draft.time(
        TimeKind.OBSERVED,
        message.get("WinStartTime"),
        "WinStartTime to WinEndTime",
        until=message.get("WinEndTime"),
    )
    if not windowed and detected is not None:
        _aggregated(message, draft)


def _aggregated(message: dict[str, Any], draft: Draft) -> None:
    """A detector that only says how long it aggregated saw it in that span before DetectTime."""
    detected = draft.times[0]
    for node in items(message.get("Node")):
        window = text_of(node.get("AggrWin")) if isinstance(node, dict) else None
        if window and (match := _DURATION.fullmatch(window)):
            days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
            length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
            draft.times.append(
                TimeWindow(
                    kind=TimeKind.OBSERVED,
                    earliest=detected.earliest - length,
                    latest=detected.latest,
                    tz_known=detected.tz_known,
                )
            )
            return


def _party(party: Any, role: Side, confidence: str, draft: Draft) -> None:
    if not isinstance(party, dict):
        draft.warn("a Source or Target is not an object and is left out")
        return
    hidden = party.get("Anonymised") is True or party.get("Imprecise") is True
    if hidden:
        draft.warn("an anonymised or imprecise Source or Target is no use for attribution")
    if party.get("Spoofed") is True:
        role = "intermediate"
    named = next((v for key in _NAMING for v in items(party.get(key))), None)
    if named is not None:
        draft.affected("service", named, role=role, derived=hidden)
    for hostname in items(party.get("Hostname")):
        kind = guess_type(hostname) if isinstance(hostname, str) else IndicatorType.OTHER
        kind = kind if kind is IndicatorType.DOMAIN else IndicatorType.OTHER
        draft.indicator(IndicatorType.OTHER if hidden else kind, hostname, role=role)
    for key, kind in _KINDS.items():
        for value in items(party.get(key)):
            blurred = hidden and kind is not IndicatorType.PORT
            if key == "ASN" and (text_of(value) or "").isdecimal():
                value = f"AS{value}"  # noqa: PLW2901
            draft.indicator(
                IndicatorType.OTHER if blurred else kind, value, role=role, confidence=confidence
            )


def _relations(message: dict[str, Any], draft: Draft) -> None:
    for key in ("AltNames", "CorrelID", "AggrID", "RelID"):
        for value in items(message.get(key)):
            draft.relation("related", value)
    for value in items(message.get("PredID")):
        draft.relation("replaces", value)
    for value in items(message.get("Ref")):
        draft.reference(value)


def _attachments(message: dict[str, Any], draft: Draft) -> None:
    for attachment in items(message.get("Attach")):
        if not isinstance(attachment, dict):
            draft.warn("an attachment is not an object and is left out")
            continue
        if "Content" in attachment or "ContentID" in attachment:
            draft.warn("an attachment stays in the original record")
        for name in items(attachment.get("FileName")):
            draft.indicator(IndicatorType.OTHER, name, role="filename")
        for value in items(attachment.get("Hash")):
            kind, _, digest = (text_of(value) or "").partition(":")
            known = kind in {IndicatorType.MD5, IndicatorType.SHA1, IndicatorType.SHA256}
            if known:
                draft.indicator(IndicatorType(kind), digest, role="attachment")
            else:
                draft.indicator(IndicatorType.OTHER, value, role="attachment")


def _reporter(message: dict[str, Any], draft: Draft) -> tuple[str, bool | None]:
    """The detector is the last node; a relay in between makes the report second-hand."""
    nodes = [node for node in items(message.get("Node")) if isinstance(node, dict)]
    if not nodes:
        return draft.reporter_name(), None
    relayed = any("Relay" in items(node.get("Type")) for node in nodes)
    named = [*items(nodes[-1].get("Name")), *items(nodes[-1].get("SW"))]
    return draft.reporter_name(*named), not relayed
