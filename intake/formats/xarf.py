"""X-ARF version 4: reports of abuse, with who complains and who sends.

Source: domain 6.8 (xarf-spec version 4).
"""

from __future__ import annotations

import re
from typing import Any, Literal

from intake.formats.abuse_material import HANDLING, WITHHELD, is_abuse
from intake.formats.base import in_turn
from intake.formats.draft import Draft, identifier, items, text_of
from intake.formats.misp_tags import TagFindings
from intake.formats.xarf_classes import is_victim, plain, rsit_of
from protocol.errors import RejectedReport
from protocol.indicators import guess_type
from protocol.markings import HandlingCode
from protocol.report import IndicatorType, ReportContent, Reporter, TimeKind

Report = dict[str, Any]

_DEMANDED = ("xarf_version", "reporter", "source_identifier", "category", "type")
_MARKS = {"report_id", "source_identifier", "category", "type", "reporter", "sender", "timestamp"}
_ENOUGH_MARKS = 5
_PORT_MATTERS = {"login_attack", "port_scan", "ddos", "ddos_amplification", "auth_failure"}
_LOCATIONS = (
    "url", "infringing_url", "urls", "download_url", "c2_server", "c2_servers", "c2_url",
    "originating_spam_ips", "actual_source_ip", "smtp_helo",
)  # fmt: skip
_SENDERS = ("smtp_from", "sender_address")
_HASHES = ("file_hash", "file_hashes", "sample_hash", "malware_hash", "hash_values")
_VULNERABILITIES = ("cve_id", "cve", "cve_ids", "cve_references", "vulnerability_cve")
_WRONGED = ("target_brand", "affected_brand", "rights_holder")
_TOLD = {
    "threat_intelligence", "threat_intel", "third_party", "third_party_report",
    "user_complaint", "user_report",
}  # fmt: skip
"""Sources of evidence that the reporter has not seen at first hand."""
_DETAILS = {
    "xarf_version", "legacy_version", "report_id", "timestamp", "reporter", "sender", "category",
    "type", "source_identifier", "source_port", "port", "destination_ip", "destination_port",
    "protocol", "first_seen", "last_seen", "confidence", "description", "evidence",
    "evidence_source", "tags", "_internal",
    *_LOCATIONS, *_SENDERS, *_HASHES, *_VULNERABILITIES, *_WRONGED,
}  # fmt: skip
"""Fields that have their place in a report, or are told of elsewhere."""
_CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,10}", re.IGNORECASE)


class XArf4:
    """The adapter for X-ARF 4, one report or a list of them."""

    def recognises(self, document: Any) -> bool:
        """Whether the first report states its version, or has enough of the fields."""
        first = document[0] if isinstance(document, list) and document else document
        return isinstance(first, dict) and (
            "xarf_version" in first or len(_MARKS & first.keys()) >= _ENOUGH_MARKS
        )

    def read(self, document: Any) -> tuple[ReportContent, ...]:
        """Translate every report; see ``Adapter.read``."""
        return in_turn(items(document), _report)


def _report(report: Any) -> ReportContent:
    if not isinstance(report, dict):
        raise RejectedReport("format-mismatch", "it is not an object with the fields of X-ARF")
    draft = Draft()
    source_id = identifier(report.get("report_id"), "report_id")
    for field in _DEMANDED:
        if not report.get(field):
            raise RejectedReport("missing-field", f"{field} is missing, which X-ARF demands")
    category, kind = text_of(report["category"]) or "", text_of(report["type"]) or ""
    _times(report, draft)
    rsit = rsit_of(category, kind)
    _source(report, kind, "victim" if is_victim(rsit) else "source", draft)
    _other_indicators(report, draft)
    for field in _WRONGED:
        draft.affected("organisation", report.get(field))
    draft.unplaced(name for name in report if name not in _DETAILS)
    if "_internal" in report:
        draft.warn("the sender's internal notes (_internal) are left out")
    if category == "messaging" and not report.get("protocol"):
        draft.warn("the report has no protocol, which X-ARF demands of messages")
    reporter, first_hand = _parties(report, draft)
    tags = _tags(report, draft)
    return draft.content(
        source_id=source_id,
        title=draft.title(
            [
                (report.get("description"), "description"),
                (f"{category} {kind}: {text_of(report['source_identifier']) or ''}", "its parts"),
            ],
            source_id,
        ),
        description=draft.prose(report.get("description"), "description"),
        reporter=reporter,
        first_hand=first_hand,
        evaluation=tags.evaluation(first_hand, draft),
        rsit=rsit,
        marking=tags.marking("", draft),
    )


def _times(report: Report, draft: Draft) -> None:
    stated = report.get("timestamp")
    if not draft.time(TimeKind.OBSERVED, stated, "timestamp") and stated not in (None, ""):
        raise RejectedReport("bad-time", "timestamp is not a date and time that can be read")
    first, last = report.get("first_seen"), report.get("last_seen")
    if first is not None or last is not None:
        draft.time(
            TimeKind.OBSERVED,
            last if first is None else first,
            "first_seen to last_seen",
            until=last,
        )


def _source(report: Report, kind: str, role: Literal["victim", "source"], draft: Draft) -> None:
    """The host that is complained of, and the host that it met; a port tells customers apart."""
    source = report["source_identifier"]
    draft.affected("service", source, role=role)
    guessed = guess_type(text_of(source) or "")
    confidence = text_of(report.get("confidence")) or ""
    draft.indicator(guessed, source, role=role, confidence=confidence)
    if report.get("source_port") is not None:
        draft.indicator(IndicatorType.PORT, report["source_port"], role=role)
    elif guessed is IndicatorType.IP and plain(kind) in _PORT_MATTERS:
        draft.warn("there is no source_port: behind shared addresses nobody can be found by this")
    if report.get("port") is not None:
        draft.indicator(IndicatorType.PORT, report["port"], role=role)
    # an infected or broken source meets its servers there, and no victim
    other_side = "intermediate" if role == "victim" else "victim"
    if target := report.get("destination_ip"):
        draft.affected("service", target, role="intermediate" if role == "victim" else "victim")
        draft.indicator(IndicatorType.IP, target, role=other_side)
    if report.get("destination_port") is not None:
        draft.indicator(IndicatorType.PORT, report["destination_port"], role=other_side)


def _other_indicators(report: Report, draft: Draft) -> None:
    for field in _LOCATIONS:
        for value in items(report.get(field)):
            draft.indicator(guess_type(text_of(value) or ""), value, role=field)
    for field in _SENDERS:
        if report.get(field):
            draft.indicator(IndicatorType.EMAIL, report[field], role=field)
    for field in _HASHES:
        found = report.get(field)
        for value in found.values() if isinstance(found, dict) else items(found):
            digest = (text_of(value) or "").rpartition(":")[2]
            draft.indicator(guess_type(digest), digest, role=field)
    for field in _VULNERABILITIES:
        for value in items(report.get(field)):
            if _CVE.fullmatch(text_of(value) or ""):
                draft.reference(value)
            else:
                draft.warn(f"{field} names no vulnerability by its CVE id")


def _parties(report: Report, draft: Draft) -> tuple[Reporter, bool | None]:
    """Who complains; sent by somebody else it is relayed, by themselves it is at first hand."""
    reporter, sender = _party(report["reporter"]), _party(report.get("sender"))
    if not sender:
        draft.warn("the report has no sender, which X-ARF demands")
    said = Reporter(
        name=draft.reporter_name(reporter.get("org"), reporter.get("contact")),
        contact=draft.line(reporter.get("contact"), "contact"),
    )
    if sender and reporter.get("org") != sender.get("org"):
        return said, False
    told = plain(text_of(report.get("evidence_source")) or "") in _TOLD
    return said, None if told or not sender else True


def _party(value: object) -> Report:
    """Organisation and contact; a bare name is the organisation's."""
    if isinstance(value, str):
        return {"org": value}
    return value if isinstance(value, dict) else {}


def _tags(report: Report, draft: Draft) -> TagFindings:
    """Machine tags are read as MISP's are; a report of abuse material must be read by a person."""
    tags = TagFindings()
    tags.read((text for tag in items(report.get("tags")) if (text := text_of(tag))), draft)
    if is_abuse(report):
        tags.codes.add(HandlingCode.H3)
        tags.texts.add(HANDLING)
        draft.warn(WITHHELD)
    elif report.get("evidence"):
        draft.warn("evidence stays in the original record only")
    return tags
