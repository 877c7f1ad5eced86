"""The formats that intake reads, and the one way into them.

A further format is one adapter and one line in ``FORMATS``. Source: domain 6; R4, R5.
"""

from __future__ import annotations

from typing import Any

from infra.settings import IntakeSettings
from intake.formats.base import Adapter, Delivery, Parsed
from intake.formats.idea import Idea0
from intake.formats.misp import Misp
from intake.formats.own import NAME as OWN
from intake.formats.own import Own
from intake.formats.stix import Stix
from intake.limits import check_size, decode_json
from protocol.errors import RejectedReport
from protocol.parties import SourceGroup
from protocol.report import ReportContent

FORMATS: dict[str, Adapter] = {OWN: Own(), "misp": Misp(), "stix-2.1": Stix(), "idea0": Idea0()}
"""Adapters by the name that is declared and stored; in this order they are tried."""

MOST_REPORTS = 1_000
"""Reports in one record."""


def parse(body: bytes, delivery: Delivery, limits: IntakeSettings) -> Parsed:
    """Read one record: decode within the limits, find the format, translate.

    Either every report of the record is accepted or none. The result depends on the bytes and on
    the delivery's group, format and detection source only.

    Raises:
        RejectedReport: it can never be accepted as it is; the message quotes nothing that was sent.
    """
    check_size(body, limits.max_record_bytes)
    if body.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        raise _unknown("this is XML")
    document = decode_json(body, max_bytes=limits.max_record_bytes, max_depth=limits.max_depth)
    name, adapter = _adapter(document, delivery.declared_format)
    contents = adapter.read(document)
    if len(contents) > MOST_REPORTS:
        raise RejectedReport(
            "too-many-reports",
            f"the record holds {len(contents)} reports; at most {MOST_REPORTS} are accepted",
        )
    return Parsed(contents=tuple(_detected(c, delivery) for c in contents), format=name)


def _adapter(document: Any, declared: str | None) -> tuple[str, Adapter]:
    if declared is not None:
        adapter = FORMATS.get(declared)
        if adapter is None:
            raise _unknown("the declared format is not known")
        if not adapter.recognises(document):
            raise RejectedReport(
                "format-mismatch", f"declared as {declared}, but the content is not {declared}"
            )
        return declared, adapter
    for name, adapter in FORMATS.items():
        if adapter.recognises(document):
            return name, adapter
    raise _unknown("this JSON is in no format that is known here")


def _unknown(what: str) -> RejectedReport:
    return RejectedReport("unknown-format", f"{what}; accepted are {', '.join(FORMATS)}, as JSON")


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
