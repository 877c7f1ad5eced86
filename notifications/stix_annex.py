"""A variant of a warning as a STIX 2.1 bundle that other tools import.

It holds what the variant keeps and nothing else. Ids are made from the incident's own, so that the next
version of a warning replaces the objects of the one before it. Source: domain 4.3, 5.2, 6.5.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import stix2
from stix2.patterns import StringConstant
from stix2patterns.validator import run_validator

from classification.conversion import to_admiralty
from classification.scales import stix_confidence
from notifications.blueprint import nis2_tags
from notifications.ewn import EwnView, IndicatorView
from notifications.ewn_sections import Confidence
from notifications.products import Variant
from notifications.typesetting import defang
from protocol.markings import Marking, Pap, Tlp

STIX_VERSION = "2.1"
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:leerp:stix")
TLP_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
PAP_EXTENSION = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b"
TLP_IDS: Mapping[Tlp, str] = {
    Tlp.CLEAR: "94868c89-83c2-464b-929b-a1a8aa3c8487",
    Tlp.GREEN: "bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    Tlp.AMBER: "55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    Tlp.AMBER_STRICT: "939a9414-2ddd-4d32-a0cd-375ea402b003",
    Tlp.RED: "e828b379-4e03-4974-9ac4-e53a884c97c1",
}
"""Ids of the TLP 2.0 marking definitions that OASIS has published."""
PAP_IDS: Mapping[Pap, tuple[str, datetime]] = {
    Pap.CLEAR: ("ad15a0cd-55b6-4588-a14c-a66105329b92", datetime(2022, 10, 1, tzinfo=UTC)),
    Pap.GREEN: ("c43594d1-4b11-4c59-93ab-1c9b14d53ce9", datetime(2022, 10, 9, tzinfo=UTC)),
    Pap.AMBER: ("60f8932b-e51e-4458-b265-a2e8be9a80ab", datetime(2022, 10, 2, tzinfo=UTC)),
    Pap.RED: ("740d36e5-7714-4c30-961a-3ae632ceee0e", datetime(2022, 10, 6, tzinfo=UTC)),
}
"""The same of the PAP marking definitions, with the times at which they were made."""
_TLP_MADE = datetime(2022, 10, 1, tzinfo=UTC)
_OBJECT_PATHS: Mapping[str, str] = {
    "domain": "domain-name:value",
    "url": "url:value",
    "email": "email-addr:value",
    "sha256": "file:hashes.'SHA-256'",
    "sha1": "file:hashes.'SHA-1'",
    "md5": "file:hashes.MD5",
    "wallet": "x-leerp-wallet:address",
}
"""What of an observable an indicator names; there is no standard observable for a wallet."""
_REPORT_CONFIDENCE = {Confidence.LOW: 15, Confidence.MODERATE: 50, Confidence.HIGH: 85}


def stix_bundle(view: EwnView) -> bytes:
    """The bundle in JSON: issuer, marking definitions, one indicator a line, and the report.

    The same view makes the same bytes. What no pattern can name, such as a hash of the wrong length,
    stands in the mail only.
    """
    ewn = view.ewn
    first = ewn.changes[0].at
    issuer = stix2.Identity(
        id=_id("identity", ewn.issuer),
        name=ewn.issuer,
        identity_class="organization",
        created=_TLP_MADE,
        modified=_TLP_MADE,
    )
    common: dict[str, Any] = {
        "created_by_ref": issuer.id,
        "created": first,
        "modified": max(first, ewn.issued_at),
        "lang": ewn.language,
    }
    definitions: dict[str, Any] = {}
    indicators = [
        stix2.Indicator(
            **common,
            **_indicator(view, item),
            object_marking_refs=_mark(item_marking(view, item), definitions),
        )
        for item in view.indicators
        if not run_validator(_pattern(item.line.type, item.line.value), STIX_VERSION)
    ]
    report = stix2.Report(
        **common,
        id=_id("report", ewn.incident_id, view.reduced.variant),
        name=_title(view),
        description="\n".join(ewn.bottom_line.lines),
        report_types=["indicator"] if indicators else ["threat-report"],
        published=ewn.issued_at,
        confidence=_REPORT_CONFIDENCE[ewn.assessment.confidence],
        labels=list(_labels(view)),
        external_references=[
            stix2.ExternalReference(
                source_name="leerp",
                external_id=f"{ewn.header.id} version {ewn.header.version}",
                description=f"{view.reduced.variant} variant",
            )
        ],
        object_marking_refs=_mark(view.marking, definitions),
        object_refs=[issuer.id, *(indicator.id for indicator in indicators)],
    )
    bundle = stix2.Bundle(
        issuer,
        *definitions.values(),
        *indicators,
        report,
        id=_id("bundle", ewn.header.id, str(ewn.header.version), view.reduced.variant),
        allow_custom=True,
    )
    return f"{bundle.serialize(pretty=True)}\n".encode()


def item_marking(view: EwnView, item: IndicatorView) -> Marking:
    """The marking of one indicator as it stands in the warning."""
    return view.ewn.marking.combined_with(item.line.marking)


def _indicator(view: EwnView, item: IndicatorView) -> dict[str, Any]:
    line, issued = item.line, view.ewn.issued_at
    start = line.first_seen or issued
    fields: dict[str, Any] = {
        "id": _id("indicator", view.ewn.incident_id, line.type, line.value),
        "name": f"{line.type} {defang(line.value, line.type)}",
        "description": f"evaluation {line.grade} (Europol 4x4), PAP:{item.pap}",
        "pattern": _pattern(line.type, line.value),
        "pattern_type": "stix",
        "valid_from": start,
        "indicator_types": ["malicious-activity"],
        "labels": [f"evaluation:{line.grade}"],
    }
    if line.valid_until > start:
        fields["valid_until"] = line.valid_until
    confidence = stix_confidence(to_admiralty(line.grade).credibility)
    return fields if confidence is None else fields | {"confidence": confidence}


def _pattern(kind: str, value: str) -> str:
    path = _OBJECT_PATHS.get(kind) or _address_path(value)
    return f"[{path} = {StringConstant(value)}]"


def _address_path(value: str) -> str:
    try:
        version = ip_address(value).version
    except ValueError:  # a network or a partner's own notation
        version = 6 if ":" in value else 4
    return f"ipv{version}-addr:value"


def _mark(marking: Marking, definitions: dict[str, Any]) -> list[str]:
    """The ids of the marking's parts; each definition is put among ``definitions`` once."""
    pap, made = PAP_IDS[marking.pap]
    level, codes, _ = marking.lines()
    for definition in (
        _extended(TLP_IDS[marking.tlp], f"TLP:{marking.tlp}", _TLP_MADE, TLP_EXTENSION, "tlp_2_0"),
        _extended(pap, f"PAP:{marking.pap}", made, PAP_EXTENSION, "pap"),
        stix2.MarkingDefinition(
            id=_id("marking-definition", level, codes),
            created=_TLP_MADE,
            definition_type="statement",
            definition=stix2.StatementMarking(statement=f"{level}. {codes}"),
        ),
    ):
        definitions.setdefault(definition["id"], definition)
    return [
        f"marking-definition--{TLP_IDS[marking.tlp]}",
        f"marking-definition--{pap}",
        _id("marking-definition", level, codes),
    ]


def _extended(number: str, name: str, made: datetime, extension: str, key: str) -> Any:
    """A marking definition of an extension that OASIS has published."""
    value = name.partition(":")[2].lower()
    return stix2.MarkingDefinition(
        id=f"marking-definition--{number}",
        name=name,
        created=made,
        extensions={extension: {"extension_type": "property-extension", key: value}},
    )


def _title(view: EwnView) -> str:
    drill = "EXERCISE - " if view.ewn.exercise else ""
    return f"{drill}{view.ewn.header.id}: {view.ewn.bottom_line.lines[0]}"


def _labels(view: EwnView) -> tuple[str, ...]:
    drill = ("exercise",) if view.ewn.exercise else ()
    tags = nis2_tags(view.ewn.blueprint) if view.shows("blueprint") else ()
    return (*drill, f"leerp-variant:{Variant(view.reduced.variant)}", *tags)


def _id(kind: str, *names: str) -> str:
    """The same for the same names, in every process."""
    return f"{kind}--{uuid.uuid5(NAMESPACE, '|'.join((kind, *names)))}"
