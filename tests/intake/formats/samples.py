"""Helpers of the format tests: a delivery, a parse, and the real files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.intake_limits import IntakeSettings
from intake.formats.base import Delivery, Parsed
from intake.formats.registry import parse
from protocol.parties import DetectedBy, SourceGroup
from protocol.report import IndicatorType, ReportContent

DATA = Path(__file__).parents[4] / "shared" / "data"
LIMITS = IntakeSettings()


def make_delivery(
    *,
    group: SourceGroup = SourceGroup.CSIRT,
    declared: str | None = None,
    media_type: str | None = None,
    detected_by: DetectedBy | None = None,
) -> Delivery:
    return Delivery(
        group=group,
        declared_format=declared,
        media_type=media_type,
        detected_by=detected_by,
        received_at=datetime.now(UTC),
    )


def read(document: Any, delivery: Delivery | None = None) -> Parsed:
    return parse(as_bytes(document), delivery or make_delivery(), LIMITS)


def read_one(document: Any) -> ReportContent:
    (content,) = read(document).contents
    return content


def values(content: ReportContent, kind: IndicatorType) -> set[str]:
    return {i.value for i in content.indicators if i.type is kind}


def own_report(**changes: Any) -> dict[str, Any]:
    report = {
        "format": "leerp-report/1",
        "source_id": "case-17",
        "title": "Files encrypted on ward computers",
        "reporter": {"name": "Hospital CSIRT", "country": "BE"},
        "times": [
            {
                "kind": "observed",
                "earliest": "2017-05-12T07:44:00Z",
                "latest": "2017-05-12T09:00:00Z",
            }
        ],
        "indicators": [{"type": "domain", "value": "KILL-SWITCH[.]example."}],
    }
    return {name: value for name, value in (report | changes).items() if value is not ...}


def misp_event(**changes: Any) -> dict[str, Any]:
    event = {
        "uuid": "5acc88e9-265c-4f22-9d2b-b702950d210f",
        "info": "Worm in the ward",
        "date": "2017-05-12",
        "timestamp": "1494600000",
        "Orgc": {"name": "CSIRT One", "uuid": "55f6ea5e-2c60-40e5-964f-47a8950d210f"},
    }
    return {"Event": {n: v for n, v in (event | changes).items() if v is not ...}}


def misp_tags(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def idea_message(**changes: Any) -> dict[str, Any]:
    message = {
        "Format": "IDEA0",
        "ID": "3ad275e3-559a-45c0-8299-6807148ce157",
        "DetectTime": "2017-05-12T10:12:56Z",
        "Category": ["Recon.Scanning"],
        "Description": "SMB scan",
    }
    return {name: value for name, value in (message | changes).items() if value is not ...}


def stix_bundle(*objects: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "bundle",
        "id": "bundle--5330e3e3-8f58-4d21-9f4b-793a054c0d33",
        "objects": list(objects),
    }


def stix(kind: str, number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": f"{kind}--00000000-0000-4000-8000-{number:012}",
        "created": "2017-05-12T08:00:00Z",
        "modified": "2017-05-12T08:00:00Z",
        **fields,
    }


def iodef_xml(inside: str = "", *, version: str = "2", restriction: str = "green") -> bytes:
    return (
        f'<IODEF-Document version="{version}.00" xmlns="urn:ietf:params:xml:ns:iodef-{version}.0">'
        f'<Incident purpose="reporting" restriction="{restriction}">'
        '<IncidentID name="csirt.example">17</IncidentID>'
        "<GenerationTime>2017-05-12T08:00:00Z</GenerationTime>"
        "<ReportTime>2017-05-12T08:00:00Z</ReportTime>"
        "<Description>Worm in the ward</Description>"
        f"{inside}</Incident></IODEF-Document>"
    ).encode()


def iodef_json(**changes: Any) -> dict[str, Any]:
    incident = {
        "purpose": "reporting",
        "restriction": "green",
        "IncidentID": {"id": "17", "name": "csirt.example"},
        "GenerationTime": "2017-05-12T08:00:00Z",
        "Description": ["Worm in the ward"],
        "Contact": [{"role": "creator", "ContactName": ["CSIRT One"]}],
    }
    kept = {name: value for name, value in (incident | changes).items() if value is not ...}
    return {"version": "2.0", "Incident": [kept]}


def intelmq_event(**changes: Any) -> dict[str, Any]:
    event = {
        "feed.provider": "CSIRT One",
        "feed.name": "Sinkhole",
        "time.source": "2017-05-12T07:44:00+00:00",
        "time.observation": "2017-05-12T08:00:00+00:00",
        "classification.taxonomy": "malicious-code",
        "classification.type": "infected-system",
        "source.ip": "192.0.2.1",
        "source.port": 49152,
    }
    changed = event | {name.replace("__", "."): value for name, value in changes.items()}
    return {name: value for name, value in changed.items() if value is not ...}


def xarf_report(**changes: Any) -> dict[str, Any]:
    report = {
        "xarf_version": "4.2.0",
        "report_id": "9ac39cd1-85f3-4c31-ae87-a0a95f3ebc83",
        "timestamp": "2017-05-12T07:44:00Z",
        "reporter": {"org": "CSIRT One", "contact": "csirt@one.example"},
        "sender": {"org": "CSIRT One", "contact": "csirt@one.example"},
        "source_identifier": "192.0.2.1",
        "source_port": 49152,
        "category": "connection",
        "type": "port_scan",
    }
    return {name: value for name, value in (report | changes).items() if value is not ...}


def xarf3_report(**changes: Any) -> dict[str, Any]:
    report = {
        "ReportClass": "Activity",
        "ReportType": "PortScan",
        "Date": "2017-05-12T07:44:00Z",
        "SourceIp": "192.0.2.1",
        "SourcePort": 49152,
    }
    kept = {name: value for name, value in (report | changes).items() if value is not ...}
    return {"Version": "3", "ReporterInfo": {"ReporterOrg": "CSIRT One"}, "Report": kept}


CSV = b"domain,ip,first_seen\nevil[.]example,192.0.2.1,2017-05-12T07:44:00Z\n"
TEXT = b"# Worm in the ward\nevil[.]example\n192.0.2.1\n"


def mail_of(
    text: str = "Files are encrypted, see hxxp://evil[.]example/x for the note.",
    *attachments: tuple[str, bytes],
    **headers: str,
) -> bytes:
    """A mail; attachments are pairs of media type and content."""
    said = {
        "From": "Duty Officer <duty@hospital.example>",
        "To": "ec3@europol.example",
        "Subject": "Worm in the ward",
        "Date": "Fri, 12 May 2017 09:44:00 +0200",
        "Message-ID": "<17@hospital.example>",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in said.items() if value]
    parts = [b"Content-Type: text/plain; charset=utf-8\n\n" + text.encode()]
    parts += [
        b"Content-Type: %s\nContent-Disposition: attachment; filename=f%d\n\n%s"
        % (kind.encode(), number, body)
        for number, (kind, body) in enumerate(attachments)
    ]
    lines += ["MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=cut", "", ""]
    return (
        "\n".join(lines).encode() + b"".join(b"--cut\n" + p + b"\n" for p in parts) + b"--cut--\n"
    )


def as_bytes(document: Any) -> bytes:
    return document if isinstance(document, bytes) else json.dumps(document).encode()


SAMPLES: dict[str, Any] = {
    "leerp-report/1": own_report(),
    "misp": misp_event(),
    "stix-2.1": stix_bundle(stix("incident", name="Worm in the ward")),
    "idea0": idea_message(),
    "intelmq": intelmq_event(),
    "xarf-4": xarf_report(),
    "xarf-3": xarf3_report(),
    "iodef-2": iodef_xml(),
    "iodef-2-json": iodef_json(),
    "iodef-1": iodef_xml(version="1"),
    "csv": CSV,
    "text": TEXT,
    "mail": mail_of(),
}
"""One small report of each format, by its name."""
