"""What a report says, written as a sender of each format would write it.

A format that has no place for something leaves it out, as it would in life.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from leerp.demo import stix
from protocol.markings import Tlp
from protocol.report import Affected, IndicatorType, ReportContent, TimeKind

OWN = "leerp-report/1"
MISP = "misp"
STIX = "stix-2.1"
IDEA = "idea0"

_SEVERITY = {
    "risk-to-life": "red",
    "essential-service-sustained-denial": "red",
    "several-essential-sectors": "red",
    "essential-service-disrupted": "yellow",
}
_MISP_TYPES = {
    IndicatorType.SHA256: ("Payload delivery", "sha256"),
    IndicatorType.DOMAIN: ("Network activity", "domain"),
    IndicatorType.URL: ("Network activity", "url"),
    IndicatorType.IP: ("Network activity", "ip-src"),
    IndicatorType.EMAIL: ("Payload delivery", "email-src"),
    IndicatorType.WALLET: ("Financial fraud", "btc"),
}
_TARGETS = {"organisation": "target-org", "country": "target-location"}
_IDEA_CATEGORIES = {
    "malicious-code": "Malware.Worm",
    "information-gathering": "Recon.Scanning",
    "intrusion-attempts": "Attempt.Exploit",
    "fraud": "Fraud.Phishing",
}


def encode(content: ReportContent, format_name: str) -> bytes:
    """``content`` in one of the four formats; the same content gives the same bytes."""
    return _as_bytes(_ENCODERS[format_name](content))


def _own(content: ReportContent) -> dict[str, Any]:
    return {"format": OWN, **content.model_dump(mode="json", exclude_defaults=True)}


def _misp(content: ReportContent) -> dict[str, Any]:
    observed, reported = _span(content)[0], _reported(content)
    organisation = {"name": content.reporter.name, "uuid": _uuid(content.reporter.name)}
    places = [
        ("Targeting data", _TARGETS[a.kind], a.value)
        for a in content.affected
        if a.kind in _TARGETS
    ]
    traces = [(*_MISP_TYPES[i.type], i.value) for i in content.indicators if i.type in _MISP_TYPES]
    return {
        "Event": {
            "uuid": _uuid(content.source_id),
            "info": content.title,
            "date": observed.date().isoformat(),
            "timestamp": str(int(reported.timestamp())),
            "publish_timestamp": str(int(reported.timestamp())),
            "published": True,
            "threat_level_id": "1",
            "analysis": "1",
            "distribution": "1",
            "Org": organisation,
            "Orgc": organisation,
            "Attribute": [
                {
                    "uuid": _uuid(f"{content.source_id}/{kind}/{value}"),
                    "category": category,
                    "type": kind,
                    "value": value,
                    "to_ids": category != "Targeting data",
                    "timestamp": str(int(reported.timestamp())),
                    "distribution": "5",
                }
                for category, kind, value in [*traces, *places]
            ],
            "EventReport": [{"name": "Situation", "content": content.description}],
            "Tag": [{"name": name} for name in _misp_tags(content)],
        }
    }


def _misp_tags(content: ReportContent) -> list[str]:
    space, _, kind = content.rsit.partition(":")
    tags = [f"tlp:{content.marking.tlp.lower()}", f"PAP:{content.marking.pap}"]
    tags += [f'rsit:{space}="{kind}"'] if kind else []
    tags += [f'nis:impact-sectors-impacted="{a.value}"' for a in _of_kind(content, "sector")]
    severities = {_SEVERITY.get(criterion, "green") for criterion in content.impact.criteria}
    if severities:
        gravest = next(s for s in ("red", "yellow", "green") if s in severities)
        tags += [f'nis:impact-severity="{gravest}"', 'nis:nature-root-cause="malicious-actions"']
    if content.evaluation is not None and content.evaluation.scheme == "admiralty":
        original = content.evaluation.original
        tags.append(f'admiralty-scale:source-reliability="{original[0]}"')
        tags.append(f'admiralty-scale:information-credibility="{original[1]}"')
    return tags


def _stix(content: ReportContent) -> dict[str, Any]:
    return stix.bundle(
        stix.Telling(
            content=content,
            observed=_span(content),
            reported=_reported(content),
            make_uuid=_uuid,
            green=content.marking.tlp in {Tlp.GREEN, Tlp.CLEAR},
        )
    )


def _idea(content: ReportContent) -> dict[str, Any]:
    first, last = _span(content)
    addresses = [i for i in content.indicators if i.type is IndicatorType.IP]
    hashes = [i.value for i in content.indicators if i.type is IndicatorType.SHA256]
    ports = [int(i.value) for i in content.indicators if i.type is IndicatorType.PORT]
    message: dict[str, Any] = {
        "Format": "IDEA0",
        "ID": _uuid(content.source_id),
        "CreateTime": _rfc3339(_reported(content)),
        "DetectTime": _rfc3339(last),
        "EventTime": _rfc3339(first),
        "CeaseTime": _rfc3339(last),
        "Category": [_IDEA_CATEGORIES[content.rsit.partition(":")[0]]],
        "Confidence": 0.9,
        "Description": content.title,
        "Note": content.description,
        "Source": [_idea_address(i.value) for i in addresses if i.role == "source"],
        "Target": [
            _idea_address(i.value) | {"Port": ports, "Proto": ["tcp"]}
            for i in addresses
            if i.role != "source"
        ],
        "Node": [{"Name": content.reporter.name, "Type": ["Honeypot"], "SW": ["simulation"]}],
    }
    if hashes:
        message["Attach"] = [
            {"Handle": "sample", "Type": ["Malware"], "Hash": [f"sha256:{h}" for h in hashes]}
        ]
    return message


def _idea_address(value: str) -> dict[str, Any]:
    return {"IP6" if ":" in value else "IP4": [value]}


def _span(content: ReportContent) -> tuple[datetime, datetime]:
    spoken = [t for t in content.times if t.kind is not TimeKind.REPORTED]
    return min(t.earliest for t in spoken), max(t.latest for t in spoken)


def _reported(content: ReportContent) -> datetime:
    return max(t.latest for t in content.times if t.kind is TimeKind.REPORTED)


def _of_kind(content: ReportContent, kind: str) -> list[Affected]:
    return [a for a in content.affected if a.kind == kind]


def _uuid(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://simulation.example/{name}"))


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _as_bytes(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


_ENCODERS: dict[str, Callable[[ReportContent], dict[str, Any]]] = {
    OWN: _own,
    MISP: _misp,
    STIX: _stix,
    IDEA: _idea,
}
