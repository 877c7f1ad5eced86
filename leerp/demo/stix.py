"""A report as a STIX 2.1 bundle: a report object with what it refers to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from protocol.report import IndicatorType, ReportContent

_MADE = "2017-01-20T00:00:00.000Z"
_AMBER = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
_GREEN = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
_PATTERNS = {
    IndicatorType.SHA256: "[file:hashes.'SHA-256' = '{}']",
    IndicatorType.DOMAIN: "[domain-name:value = '{}']",
    IndicatorType.URL: "[url:value = '{}']",
    IndicatorType.EMAIL: "[email-addr:value = '{}']",
}
_SECTORS = {
    "health": "healthcare",
    "transport": "transportation",
    "digital-infrastructure": "telecommunications",
    "public-administration": "government-regional",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A report's content with what the encoder has worked out of it."""

    content: ReportContent
    observed: tuple[datetime, datetime]
    reported: datetime
    make_uuid: Callable[[str], str]
    green: bool
    """TLP:GREEN instead of AMBER."""

    def make(self, kind: str, key: str, /, **fields: Any) -> dict[str, Any]:
        """An object of this report, with the properties that all have; ``key`` decides its id."""
        at = stamp(self.reported)
        return {
            "type": kind,
            "spec_version": "2.1",
            "id": f"{kind}--{self.make_uuid(f'{self.content.source_id}/{kind}/{key}')}",
            "created": at,
            "modified": at,
            "object_marking_refs": [_GREEN if self.green else _AMBER],
            **fields,
        }


def bundle(telling: Telling) -> dict[str, Any]:
    """The bundle, the report object last."""
    content = telling.content
    author = telling.make(
        "identity", "author", name=content.reporter.name, identity_class="organization"
    )
    victims, places = _victims(telling), _places(telling)
    indicators = _indicators(telling, author["id"])
    linked = [
        *_targets(telling, indicators, victims + places),
        *_sightings(telling, indicators, author["id"]),
    ]
    things = [author, *victims, *places, *indicators, *linked]
    report = telling.make(
        "report",
        "report",
        name=content.title,
        description=content.description,
        report_types=["threat-report"],
        published=stamp(telling.reported),
        created_by_ref=author["id"],
        object_refs=[thing["id"] for thing in things],
    )
    return {
        "type": "bundle",
        "id": f"bundle--{telling.make_uuid(content.source_id)}",
        "objects": [_tlp(telling), *things, report],
    }


def stamp(at: datetime) -> str:
    """A STIX timestamp, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _victims(telling: Telling) -> list[dict[str, Any]]:
    affected = telling.content.affected
    sectors = [_SECTORS.get(a.value, a.value) for a in affected if a.kind == "sector"]
    return [
        telling.make(
            "identity", a.value, name=a.value, identity_class="organization", sectors=sectors
        )
        for a in affected
        if a.kind == "organisation"
    ]


def _places(telling: Telling) -> list[dict[str, Any]]:
    return [
        telling.make("location", a.value, country=a.value)
        for a in telling.content.affected
        if a.kind == "country"
    ]


def _indicators(telling: Telling, author: str) -> list[dict[str, Any]]:
    return [
        telling.make(
            "indicator",
            i.value,
            name=i.role or i.type.value,
            indicator_types=["malicious-activity"],
            pattern=_PATTERNS[i.type].format(i.value),
            pattern_type="stix",
            valid_from=stamp(telling.observed[0]),
            created_by_ref=author,
        )
        for i in telling.content.indicators
        if i.type in _PATTERNS
    ]


def _targets(
    telling: Telling, indicators: list[dict[str, Any]], hit: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """What is attacked, by the malware that the first indicator tells of."""
    if not hit:
        return []
    malware = telling.make(
        "malware", "malware", name="simulated worm", is_family=True, malware_types=["ransomware"]
    )
    pairs = [(indicators[0], "indicates", malware)] if indicators else []
    pairs += [(malware, "targets", thing) for thing in hit]
    return [
        malware,
        *(
            telling.make(
                "relationship",
                f"{source['id']}/{target['id']}",
                relationship_type=kind,
                source_ref=source["id"],
                target_ref=target["id"],
            )
            for source, kind, target in pairs
        ),
    ]


def _sightings(
    telling: Telling, indicators: list[dict[str, Any]], author: str
) -> list[dict[str, Any]]:
    first, last = telling.observed
    return [
        telling.make(
            "sighting",
            indicator["id"],
            sighting_of_ref=indicator["id"],
            where_sighted_refs=[author],
            first_seen=stamp(first),
            last_seen=stamp(last),
            count=1,
        )
        for indicator in indicators[:1]
    ]


def _tlp(telling: Telling) -> dict[str, Any]:
    colour = "green" if telling.green else "amber"
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": _GREEN if telling.green else _AMBER,
        "created": _MADE,
        "definition_type": "tlp",
        "name": f"TLP:{colour.upper()}",
        "definition": {"tlp": colour},
    }
