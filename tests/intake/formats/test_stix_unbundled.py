"""STIX objects outside a bundle, patterns as they are really written, and what bears no time."""

from __future__ import annotations

from typing import Any

import pytest

from intake.formats.base import UNDATED
from protocol.errors import RejectedReport
from protocol.report import IndicatorType as Kind
from tests.intake.formats.samples import read, read_one, stix, stix_bundle, values


def indicator(pattern: str, number: int = 1, **fields: Any) -> dict[str, Any]:
    return stix("indicator", number, pattern=pattern, **({"pattern_type": "stix"} | fields))


NAMES = [
    indicator("[domain-name:value = 'one.example']", 1),
    indicator("[domain-name:value = 'two.example']", 2),
]


@pytest.mark.requirement("R4")
@pytest.mark.parametrize("document", [NAMES, {"more": False, "objects": NAMES}])
def test_objects_without_a_bundle_are_one_report_with_an_id_of_their_own(document: Any) -> None:
    content = read_one(document)

    assert values(content, Kind.DOMAIN) == {"one.example", "two.example"}
    assert content.source_id.startswith("stix-objects-")
    assert content.source_id == read_one(document).source_id


def test_every_bundle_of_a_list_is_read() -> None:
    second = stix_bundle(NAMES[1]) | {"id": "bundle--00000000-0000-4000-8000-000000000009"}
    contents = read([stix_bundle(NAMES[0]), second]).contents

    assert [i.value for c in contents for i in c.indicators] == ["one.example", "two.example"]


def test_a_list_of_bundles_and_other_things_is_refused() -> None:
    with pytest.raises(RejectedReport) as refused:
        read([stix_bundle(NAMES[0]), NAMES[1]])

    assert refused.value.reason == "bad-structure"


@pytest.mark.parametrize(
    ("pattern", "kind", "value"),
    [
        (f"[file:hashes:sha256 = '{'ab' * 32}']", Kind.SHA256, "ab" * 32),
        ('[ipv4-addr:value = "192.0.2.7"]', Kind.IP, "192.0.2.7"),
        ("[process:created = t'2017-05-12T08:00:00Z']", Kind.OTHER, "2017-05-12T08:00:00Z"),
        (
            "[network-traffic:dst_ref.type='ipv4-addr' AND network-traffic:dst_ref.value='192.0.2.8']",
            Kind.IP,
            "192.0.2.8",
        ),
    ],
)
def test_a_pattern_names_one_indicator_however_it_is_written(
    pattern: str, kind: Kind, value: str
) -> None:
    content = read_one(stix_bundle(indicator(pattern)))

    assert [(i.type, i.value) for i in content.indicators] == [(kind, value)]


def test_the_kind_of_a_pattern_may_be_in_capitals() -> None:
    written = indicator("[url:value = 'http://a.example/x']", pattern_type="STIX")

    assert values(read_one(stix_bundle(written)), Kind.URL) == {"http://a.example/x"}


def test_observables_alone_bear_no_time_and_count_as_reported_on_arrival() -> None:
    address = {"type": "ipv4-addr", "id": "ipv4-addr--1", "value": "192.0.2.9"}
    content = read_one(stix_bundle(address))

    assert content.times == (UNDATED,)
    assert any("do not say when" in warning for warning in content.warnings)


def test_host_names_and_where_a_sample_came_from_are_indicators() -> None:
    host = {"type": "hostname", "id": "hostname--1", "value": "ward.example"}
    sample = {"type": "artifact", "id": "artifact--1", "url": "http://a.example/x"}
    content = read_one(stix_bundle(host, sample))

    assert values(content, Kind.DOMAIN) == {"ward.example"}
    assert values(content, Kind.URL) == {"http://a.example/x"}


def test_a_sector_is_named_by_its_vocabulary_and_not_twice() -> None:
    actor = stix("threat-actor", 1, name="Somebody")
    hit = stix("identity", 2, name="Energy firms", identity_class="class", sectors=["energy"])
    link = stix(
        "relationship", 3, relationship_type="targets", source_ref=actor["id"], target_ref=hit["id"]
    )

    assert [(a.kind, a.value) for a in read_one(stix_bundle(actor, hit, link)).affected] == [
        ("sector", "energy")
    ]


def test_what_people_noted_is_in_the_description() -> None:
    note = stix("note", 2, content="Seen at two wards", object_refs=[NAMES[0]["id"]])

    assert read_one(stix_bundle(NAMES[0], note)).description == "Seen at two wards"
