"""Helpers of the format tests: a delivery, a parse, and the real files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.settings import IntakeSettings
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
    detected_by: DetectedBy | None = None,
) -> Delivery:
    return Delivery(
        group=group,
        declared_format=declared,
        media_type=None,
        detected_by=detected_by,
        received_at=datetime.now(UTC),
    )


def read(document: Any, delivery: Delivery | None = None) -> Parsed:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return parse(body, delivery or make_delivery(), LIMITS)


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
