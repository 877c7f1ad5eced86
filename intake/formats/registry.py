"""The formats that intake reads, and the one way into them.

A further format is one adapter and one line in ``FORMATS``. Source: domain 6; R4, R5.
"""

from __future__ import annotations

from typing import Any

from infra.intake_limits import IntakeSettings
from intake.decoding import Kind, decode
from intake.formats.abuse_material import without_material
from intake.formats.base import MOST_REPORTS, Adapter, Delivery, Parsed
from intake.formats.idea import Idea0
from intake.formats.indicator_list import CsvList, TextList
from intake.formats.intelmq import IntelMq
from intake.formats.iodef import IodefJson, IodefXml
from intake.formats.list_columns import INDICATOR_COLUMNS
from intake.formats.mail import Mail
from intake.formats.misp import Misp
from intake.formats.own import NAME as OWN
from intake.formats.own import Own
from intake.formats.stix import Stix
from intake.formats.xarf import XArf4
from intake.formats.xarf_old import XArf3
from intake.texts import TextDocument
from intake.xml_limits import XmlDocument
from protocol.errors import RejectedReport
from protocol.parties import SourceGroup
from protocol.report import ReportContent

_DOCUMENTS: dict[str, Adapter] = {
    OWN: Own(),
    "idea0": Idea0(),
    "intelmq": IntelMq(),
    "xarf-4": XArf4(),
    "xarf-3": XArf3(),
    "iodef-2": IodefXml("2"),
    "iodef-2-json": IodefJson(),
    "iodef-1": IodefXml("1"),
    "misp": Misp(),
    "stix-2.1": Stix(),
    "csv": CsvList(),
    "text": TextList(),
}
FORMATS: dict[str, Adapter] = {**_DOCUMENTS, "mail": Mail(_DOCUMENTS)}
"""Adapters by the name that is declared and stored; in this order they are tried."""

_WRITTEN_AS: dict[str, Kind] = {
    "iodef-2": "xml",
    "iodef-1": "xml",
    "csv": "text",
    "text": "text",
    "mail": "mail",
}
"""What a format is written in; all others are JSON."""

_HINTS = {"csv": f": its first row must name columns, such as {INDICATOR_COLUMNS}"}

_STIX_1 = "STIX_Package"
_FOREIGN_XML = {
    "ioc": "OpenIOC",
    "OpenIOC": "OpenIOC",
    "IDMEF-Message": "IDMEF",
    "MAEC_Bundle": "MAEC",
    "Poll_Response": "TAXII 1 with STIX 1",
}


def parse(body: bytes, delivery: Delivery, limits: IntakeSettings) -> Parsed:
    """Read one record: decode within the limits, find the format, translate.

    Either every report of the record is accepted or none. The result depends on the bytes and on
    the delivery's group, declared format, media type and detection source only.

    Raises:
        RejectedReport: it can never be accepted as it is; the message quotes nothing that was sent.
    """
    declared = delivery.declared_format
    if declared is not None and declared not in FORMATS:
        raise _unknown("the declared format is not known")
    document = decode(
        body,
        kind=None if declared is None else _WRITTEN_AS.get(declared),
        media_type=delivery.media_type,
        limits=limits,
    )
    kept = without_material(document)
    try:
        name, adapter = _adapter(document, declared)
        contents = adapter.read(document)
        if len(contents) > MOST_REPORTS:
            raise RejectedReport(
                "too-many-reports",
                f"the record holds {len(contents)} reports; at most {MOST_REPORTS} are accepted",
            )
        detected = tuple(_detected(content, delivery) for content in contents)
    except RejectedReport as refused:
        refused.kept = kept
        raise
    return Parsed(contents=detected, format=name, kept=kept)


def _adapter(document: Any, declared: str | None) -> tuple[str, Adapter]:
    if declared is not None:
        adapter = FORMATS[declared]
        if not adapter.recognises(document):
            raise RejectedReport(
                "format-mismatch",
                f"declared as {declared}, but the content is not {declared}"
                + _HINTS.get(declared, ""),
            )
        return declared, adapter
    for name, adapter in FORMATS.items():
        if adapter.recognises(document):
            return name, adapter
    if isinstance(document, XmlDocument) and document.name == _STIX_1:
        raise RejectedReport(
            "stix-1",
            "this is STIX 1 (XML), which is not read; convert it to STIX 2.1, for example with"
            " stix2-elevator (OASIS) or misp-stix, and send the result",
        )
    if isinstance(document, XmlDocument) and document.name in _FOREIGN_XML:
        raise _unknown(
            f"this is {_FOREIGN_XML[document.name]}, which is not read; convert it, for example with"
            " MISP or stix2-elevator"
        )
    kind = {XmlDocument: "XML", TextDocument: "text"}.get(type(document), "JSON")
    raise _unknown(f"this {kind} is in no format that is known here")


def _unknown(what: str) -> RejectedReport:
    return RejectedReport("unknown-format", f"{what}; accepted are {', '.join(FORMATS)}")


def _detected(content: ReportContent, delivery: Delivery) -> ReportContent:
    """For group 1 the report or its delivery says how EC3 came to know (R5)."""
    if delivery.group is not SourceGroup.OSINT or content.detected_by is not None:
        return content
    if delivery.detected_by is None:
        raise RejectedReport(
            "no-detection-source",
            "a report of group 1 must say whether it was detected by a primary or secondary source",
        )
    return content.model_copy(update={"detected_by": delivery.detected_by})
