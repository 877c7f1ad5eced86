"""X-ARF version 3, whose samples and schemas disagree on names: read leniently.

Source: domain 6.8 (xarf-spec version 3, abusix schemas).
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Literal

from intake.formats.abuse_material import HANDLING, WITHHELD, is_abuse
from intake.formats.base import in_turn
from intake.formats.draft import Draft, items, text_of
from intake.formats.xarf_classes import is_victim, rsit_of
from protocol.errors import RejectedReport
from protocol.indicators import guess_type
from protocol.markings import HandlingCode, Marking
from protocol.report import IndicatorType, ReportContent, Reporter, TimeKind

Part = dict[str, Any]
Role = Literal["source", "victim", "intermediate"]

_WHERE: tuple[tuple[str, IndicatorType, Role], ...] = (
    ("SourceIp", IndicatorType.IP, "source"),
    ("SourceUrl", IndicatorType.URL, "source"),
    ("SourceHost", IndicatorType.DOMAIN, "source"),
    ("AttackerIp", IndicatorType.IP, "source"),
    ("DestinationIp", IndicatorType.IP, "victim"),
    ("DestinationUrl", IndicatorType.URL, "victim"),
    ("DestinationHost", IndicatorType.DOMAIN, "victim"),
)
_NESTED = (
    ("IP", IndicatorType.IP),
    ("URL", IndicatorType.URL),
    ("Domain", IndicatorType.DOMAIN),
)
"""Names within ``Source``."""
_PORTS: tuple[tuple[str, Role], ...] = (
    ("SourcePort", "source"), ("AttackerPort", "source"), ("DestinationPort", "victim"),
)  # fmt: skip
_MORE = {
    "RpzDomain": IndicatorType.DOMAIN,
    "SmtpMailFromAddress": IndicatorType.EMAIL,
    "SMTPFrom": IndicatorType.EMAIL,
    "C2Server": None,
    "C2Host": None,
    "FileName": IndicatorType.OTHER,
}
_MARKS = {"Version", "ReporterInfo", "Report", "Disclosure", "OnBehalfOf"}
_ENOUGH_MARKS = 2
_ACCOUNT = ("AccountIdentifier", "AccountEmail", "AccountName")
_CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,10}", re.IGNORECASE)


class XArf3:
    """The adapter for X-ARF 3, one report or a list of them."""

    def recognises(self, document: Any) -> bool:
        """Whether there is the reporter's part or the report's, and another of its parts."""
        first = document[0] if isinstance(document, list) and document else document
        return (
            isinstance(first, dict)
            and ("ReporterInfo" in first or "Report" in first)
            and len(_MARKS & first.keys()) >= _ENOUGH_MARKS
        )

    def read(self, document: Any) -> tuple[ReportContent, ...]:
        """Translate every report; see ``Adapter.read``."""
        return in_turn(items(document), _report)


def _report(document: Any) -> ReportContent:
    for part in ("ReporterInfo", "Report"):
        if not isinstance(document, dict) or not isinstance(document.get(part), dict):
            raise RejectedReport("missing-field", f"{part} is missing, which X-ARF demands")
    report: Part = document["Report"]
    draft = Draft()
    kind = text_of(report.get("ReportType")) or ""
    subtype = text_of(report.get("ReportSubType")) or ""
    category = text_of(report.get("ReportClass")) or ""
    if not kind:
        raise RejectedReport("missing-field", "ReportType is missing, which X-ARF demands")
    _times(report, draft)
    rsit = rsit_of(category, kind, subtype)
    _places(report, "victim" if is_victim(rsit) else "source", draft)
    _more(report, draft)
    relayed = bool(_part(document.get("OnBehalfOf")))
    if "InternalProcessing" in document:
        draft.warn("the sender's internal notes (InternalProcessing) are left out")
    abuse = is_abuse(document)
    if abuse:
        draft.warn(WITHHELD)
    elif report.get("Samples") or report.get("Attachment"):
        draft.warn("samples and attachments stay in the original record only")
    said = report.get("HarassmentDescription") or report.get("Description")
    return draft.content(
        source_id=_id(document),
        title=draft.title([(_title(report, category, kind), "its parts")], "X-ARF report"),
        description=draft.prose(said, "the description"),
        reporter=_reporter(document, draft),
        first_hand=False if relayed else None,
        rsit=rsit,
        marking=Marking(
            handling_codes=frozenset({HandlingCode.H3 if abuse else HandlingCode.H0}),
            handling_text=HANDLING if abuse else "",
        ),
    )


def _part(value: object) -> Part:
    return value if isinstance(value, dict) else {}


def _times(report: Part, draft: Draft) -> None:
    more = _part(report.get("AdditionalInfo"))
    date = report.get("Date")
    if not draft.time(TimeKind.OBSERVED, date, "Date") and date not in (None, ""):
        raise RejectedReport("bad-time", "Date is not a date and time that can be read")
    first = report.get("FirstSeen") or more.get("FirstSeen")
    last = report.get("LastSeen") or more.get("LastSeen")
    if first or last:
        draft.time(TimeKind.OBSERVED, first or last, "FirstSeen to LastSeen", until=last)


def _places(report: Part, source_role: Role, draft: Draft) -> None:
    """Addresses and ports of both sides; the source of a weakness is who needs help."""
    nested, more = _part(report.get("Source")), _part(report.get("AdditionalInfo"))
    stated = [
        *((report.get(name), kind, role) for name, kind, role in _WHERE),
        *((nested.get(name), kind, "source") for name, kind in _NESTED),
        (more.get("DestinationIP"), IndicatorType.IP, "victim"),
    ]
    # an infected or broken source meets its servers there, and no victim
    other_side: Role = "intermediate" if source_role == "victim" else "victim"
    for place, kind, side in stated:
        role: Role = source_role if side == "source" else other_side
        for value in items(place):
            if guess_type(text_of(value) or "") is not IndicatorType.OTHER:
                draft.affected("service", value, role=role)
            draft.indicator(kind, value, role=role)
    ports = [
        *((report.get(name), side) for name, side in _PORTS),
        (nested.get("Port"), "source"),
        (more.get("DestinationPort"), "victim"),
    ]
    for place, side in ports:
        for value in items(place):
            role = source_role if side == "source" else other_side
            draft.indicator(IndicatorType.PORT, value, role=role)


def _more(report: Part, draft: Draft) -> None:
    for holder in (report, _part(report.get("AdditionalInfo"))):
        for name, kind in _MORE.items():
            for value in items(holder.get(name)):
                draft.indicator(kind or guess_type(text_of(value) or ""), value, role=name)
    draft.affected("organisation", _part(report.get("AdditionalInfo")).get("TargetBrand"))
    account = _part(report.get("Account"))
    named = next((account[name] for name in _ACCOUNT if account.get(name)), None)
    if named is not None:
        draft.affected("person", named)
    digest = _part(report.get("FileHash")).get("HashValue")
    if digest:
        draft.indicator(guess_type(text_of(digest) or ""), digest, role="FileHash")
    for value in items(report.get("CVE")):
        if _CVE.fullmatch(text_of(value) or ""):
            draft.reference(value)
        else:
            draft.warn("CVE names no vulnerability by its id")


def _title(report: Part, category: str, kind: str) -> str:
    more = _part(report.get("AdditionalInfo"))
    source = _part(report.get("Source"))
    named = report.get("BotnetName") or report.get("MalwareName") or more.get("MalwareFamily")
    where = (
        report.get("SourceIp") or report.get("SourceUrl") or report.get("AttackerIp")
        or source.get("IP") or source.get("URL")
    )  # fmt: skip
    what = " ".join(text for part in (category, kind, named) if (text := text_of(part)))
    return f"{what}: {text_of(where)}" if text_of(where) else what


def _reporter(document: Part, draft: Draft) -> Reporter:
    """Who sends; on whose behalf is noted, since only the sender is known here."""
    info = _part(document.get("ReporterInfo"))
    behalf = _part(document.get("OnBehalfOf"))
    if named := text_of(behalf.get("ComplainantOrg") or behalf.get("ComplainantContactName")):
        draft.affected("organisation", named)
    return Reporter(
        name=draft.reporter_name(
            info.get("ReporterOrg"), info.get("ReporterContactName"), info.get("ReporterOrgDomain")
        ),
        contact=draft.line(
            info.get("ReporterContactEmail") or info.get("ReporterOrgEmail"), "the contact"
        ),
    )


def _id(document: Part) -> str:
    """Made of the content, since version 3 has no id of its own; evidence does not count."""
    said = {
        name: value
        for name, value in document["Report"].items()
        if name not in {"Samples", "Attachment"}
    }
    identity = json.dumps([said, document["ReporterInfo"]], sort_keys=True)
    return f"xarf3-{hashlib.sha256(identity.encode()).hexdigest()[:32]}"
