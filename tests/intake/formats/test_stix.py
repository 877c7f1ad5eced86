from __future__ import annotations

import json
import time
from typing import Any

import pytest

from intake.formats.stix_patterns import read_pattern
from protocol.errors import RejectedReport
from protocol.markings import HandlingCode, Tlp
from protocol.report import Cause, TimeKind
from protocol.report import IndicatorType as Kind
from tests.intake.formats.samples import read, read_one, stix, stix_bundle, values

GREEN_V1 = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
RED_V1 = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
STRICT_V2 = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"


def indicator(pattern: str, number: int = 1, **fields: Any) -> dict[str, Any]:
    return stix(
        "indicator", number, pattern=pattern, pattern_type="stix", valid_from="2001-01-01T00:00:00Z",
        **fields,
    )  # fmt: skip


def linked(
    kind: str, source: dict[str, Any], target: dict[str, Any], number: int
) -> dict[str, Any]:
    return stix(
        "relationship", number, relationship_type=kind, source_ref=source["id"],
        target_ref=target["id"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "found", "unread"),
    [
        ("[url:value = 'http://a.example']", [("url:value", "http://a.example")], 0),
        ("[file:hashes.'SHA-256' = 'x' AND file:name = 'y']",
         [("file:hashes.'SHA-256'", "x"), ("file:name", "y")], 0),
        ("[ipv4-addr:value IN ('1.2.3.4', '5.6.7.8')]",
         [("ipv4-addr:value", "1.2.3.4"), ("ipv4-addr:value", "5.6.7.8")], 0),
        ("[a:b = 'it\\'s'] FOLLOWEDBY [c:d = 5] WITHIN 600 SECONDS",
         [("a:b", "it's"), ("c:d", "5")], 0),
        ("[domain-name:resolves_to_refs[*].value = '1.2.3.4']",
         [("domain-name:resolves_to_refs[*].value", "1.2.3.4")], 0),
        ("[NOT a:b = 'x']", [], 1),
        ("[a:b != 'x' OR a:b MATCHES '^x$' OR a:b LIKE 'x%']", [], 3),
        ("[a:b = 'x' AND a:c > 5]", [("a:b", "x")], 1),
        ("[a:b = 'unfinished", [], 2),
        ("[a:b =", [], 1),
        ("[a:b IN (", [], 1),
        ("\x00 nonsense", [], 1),
        ("", [], 0),
    ],
)  # fmt: skip
def test_a_pattern_gives_what_it_says_to_be_equal(
    pattern: str, found: list[tuple[str, str]], unread: int
) -> None:
    reading = read_pattern(pattern)

    assert (reading.found, reading.unread) == (found, unread)


@pytest.mark.parametrize(
    "piece", ["a:b IN (", "[a:b.'x", "'", "a:b = 'x' AND ", "a:b IN ('x', ", "\\'", "[[[", "a:a:a:"]
)
def test_a_long_pattern_is_read_in_linear_time(piece: str) -> None:
    started = time.process_time()
    read_pattern(piece * 30_000)

    assert time.process_time() - started < 3


def test_each_incident_is_a_report_with_what_is_linked_to_it() -> None:
    one, two = stix("incident", 1, name="One"), stix("incident", 2, name="Two")
    malware, campaign = stix("malware", 1, name="Worm"), stix("campaign", 1, name="May")
    sign = indicator("[domain-name:value = 'one.example']")
    hospital = stix(
        "identity", 1, name="Hospital", identity_class="organization", sectors=["healthcare"]
    )
    place = stix("location", 1, country="be")
    contents = read(
        stix_bundle(
            one, two, malware, campaign, sign, hospital, place,
            linked("uses", one, malware, 1), linked("indicates", sign, malware, 2),
            linked("targets", one, hospital, 3), linked("impacts", one, place, 4),
            linked("attributed-to", two, campaign, 5), stix("note", 1, content="loose"),
        )
    ).contents  # fmt: skip

    assert [c.title for c in contents] == ["One", "Two"]
    assert values(contents[0], Kind.DOMAIN) == {"one.example"}
    assert {(a.kind, a.value) for a in contents[0].affected} == {
        ("organisation", "Hospital"),
        ("sector", "health"),
        ("country", "BE"),
    }
    assert (contents[1].indicators, contents[1].affected) == ((), ())
    assert [(r.kind, r.id) for r in contents[1].relations] == [("same-incident", campaign["id"])]
    assert contents[0].warnings[0] == "1 objects of the bundle belong to none of its reports"


def test_reports_hold_what_they_refer_to() -> None:
    seen = stix(
        "observed-data", 1, first_observed="2017-05-12T07:00:00Z",
        last_observed="2017-05-12T09:00:00Z", number_observed=3,
        object_refs=["ipv4-addr--00000000-0000-4000-8000-000000000001"],
    )  # fmt: skip
    address = stix("ipv4-addr", 1, value="192.0.2.1")
    other = indicator("[domain-name:value = 'two.example']", 2)
    one = stix("report", 1, name="One", object_refs=[seen["id"]], published="2017-05-12T10:00:00Z")
    two = stix("grouping", 2, name="Two", object_refs=[other["id"]], context="malware-analysis")
    first, second = read(stix_bundle(one, two, seen, address, other)).contents

    assert values(first, Kind.IP) == {"192.0.2.1"}
    assert {t.kind: (t.earliest.hour, t.latest.hour) for t in first.times} == {
        TimeKind.OBSERVED: (7, 9),
        TimeKind.REPORTED: (10, 10),
    }
    assert first.indicators[0].first_seen == first.times[0].earliest
    assert values(second, Kind.DOMAIN) == {"two.example"}
    assert [t.kind for t in second.times] == [TimeKind.REPORTED]


def test_a_bundle_without_reports_is_one_report() -> None:
    content = read_one(
        stix_bundle(indicator("[url:value = 'hxxp://A.example/x']", name="Bad site"))
    )

    assert (content.source_id, content.title) == (
        "bundle--5330e3e3-8f58-4d21-9f4b-793a054c0d33",
        "Bad site",
    )
    assert values(content, Kind.URL) == {"http://a.example/x"}


def test_inline_observables_of_stix_20_are_read() -> None:
    content = read_one(
        stix_bundle(
            stix(
                "observed-data",
                first_observed="2017-05-12T07:00:00Z",
                last_observed="2017-05-12T09:00:00Z",
                objects={
                    "0": {"type": "file", "hashes": {"MD5": "D" * 32}, "name": "a.exe"},
                    "1": {"type": "network-traffic", "dst_port": 445},
                },
            )
        )
    )

    assert {(i.type, i.value) for i in content.indicators} == {
        (Kind.MD5, "d" * 32),
        (Kind.OTHER, "a.exe"),
        (Kind.PORT, "445"),
    }


@pytest.mark.requirement("R31", "R32")
@pytest.mark.parametrize(
    ("refs", "granular", "definitions", "tlp"),
    [
        ([], [], [], Tlp.AMBER),
        ([GREEN_V1], [], [], Tlp.GREEN),
        ([GREEN_V1, STRICT_V2], [], [], Tlp.AMBER_STRICT),
        ([GREEN_V1], [RED_V1], [], Tlp.RED),
        (["marking-definition--00000000-0000-4000-8000-000000000001"], [],
         [{"definition_type": "tlp", "definition": {"tlp": "green"}}], Tlp.GREEN),
        (["marking-definition--00000000-0000-4000-8000-000000000001"], [],
         [{"name": "TLP:CLEAR", "extensions": {"extension-definition--1": {"tlp_2_0": "clear"}}}],
         Tlp.CLEAR),
        (["marking-definition--00000000-0000-4000-8000-000000000001"], [],
         [{"definition_type": "tlp", "definition": {"tlp": "mauve"}}], Tlp.RED),
    ],
)  # fmt: skip
def test_the_strictest_tlp_counts_in_both_versions(
    refs: list[str], granular: list[str], definitions: list[dict[str, Any]], tlp: Tlp
) -> None:
    incident = stix(
        "incident", name="One", object_marking_refs=refs,
        granular_markings=[{"marking_ref": ref, "selectors": ["name"]} for ref in granular],
    )  # fmt: skip
    extra = [stix("marking-definition", 1, **fields) for fields in definitions]

    assert read_one(stix_bundle(incident, *extra)).marking.tlp is tlp


@pytest.mark.requirement("R32")
@pytest.mark.parametrize("included", [True, False])
def test_a_statement_or_an_absent_marking_must_be_read_by_a_person(*, included: bool) -> None:
    ref = "marking-definition--00000000-0000-4000-8000-000000000001"
    statement = stix(
        "marking-definition", 1, definition_type="statement", definition={"statement": "No press"}
    )
    incident = stix("incident", name="One", object_marking_refs=[ref])
    marking = read_one(stix_bundle(incident, *([statement] if included else []))).marking

    assert marking.handling_codes == {HandlingCode.H3}
    assert marking.handling_text == (
        "No press"
        if included
        else "a marking is referred to but not included; ask the provider what it demands"
    )


def test_the_reporter_is_the_author_with_the_country_they_are_placed_in() -> None:
    author, place = stix("identity", 1, name="CSIRT One"), stix("location", 1, country="LU")
    incident = stix("incident", 1, name="One", created_by_ref=author["id"])
    bundle = stix_bundle(incident, author, place, linked("located-at", author, place, 1))
    content = read_one(bundle)

    assert (content.reporter.name, content.reporter.country) == ("CSIRT One", "LU")
    assert content.first_hand is None


def test_who_saw_it_themselves_is_first_hand() -> None:
    author, sign = stix("identity", 1, name="CSIRT One"), indicator("[a:b = 'c']")
    sighting = stix(
        "sighting", 1, sighting_of_ref=sign["id"], where_sighted_refs=[author["id"]],
        created_by_ref=author["id"], first_seen="2017-05-12T07:00:00Z",
    )  # fmt: skip
    content = read_one(stix_bundle(sign, sighting, author))

    assert (content.reporter.name, content.first_hand) == ("CSIRT One", True)
    assert ("organisation", "CSIRT One") in {(a.kind, a.value) for a in content.affected}


def test_revoked_objects_withdraw_or_drop() -> None:
    revoked = read_one(stix_bundle(stix("incident", name="One", revoked=True)))
    dropped = read_one(
        stix_bundle(stix("incident", name="One"), indicator("[a:b = 'c']", revoked=True))
    )

    assert [r.kind for r in revoked.relations] == ["withdraws"]
    assert (dropped.indicators, dropped.warnings[-1]) == ((), "the report does not say who reports")
    assert "a revoked indicator is left out" in dropped.warnings


@pytest.mark.requirement("R8")
@pytest.mark.parametrize(
    ("types", "cause", "failure"),
    [
        (["natural"], Cause.NATURAL, "yes"),
        (["unintentional", "misconfiguration"], Cause.HUMAN_ERROR, "yes"),
        (["natural", "unintentional"], Cause.PRESUMED_MALICIOUS, "yes"),
        (["ransomware"], Cause.PRESUMED_MALICIOUS, "unknown"),
    ],
)
def test_incident_types_only_hint_at_a_cause(types: list[str], cause: Cause, failure: str) -> None:
    extension = {"extension_type": "property-extension", "incident_types": types}
    incident = stix("incident", name="One", extensions={"extension-definition--1": extension})
    content = read_one(stix_bundle(incident))

    assert (content.cause.value, content.cause.clear) == (cause, False)
    assert content.technical_failure_indicated == failure


def test_a_blocked_attempt_has_no_effect() -> None:
    assert read_one(
        stix_bundle(stix("incident", name="One", determination="blocked"))
    ).impact.criteria == ("attempt-blocked",)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"type": "bundle", "id": "bundle--1"}, "bad-structure"),
        ({"type": "bundle", "id": "bundle--1", "objects": {}}, "bad-structure"),
        ({"type": "bundle", "id": "bundle--1", "objects": []}, "no-reports"),
        ({"type": "bundle", "id": "bundle--1", "objects": [1, {"type": "x"}]}, "no-reports"),
        ({"type": "bundle", "objects": [stix("malware")]}, "no-id"),
        (stix_bundle(stix("incident", name="One", created=...)), "no-time"),
        (stix_bundle(stix("incident", name="One", created="yesterday")), "bad-time"),
    ],
)
def test_a_broken_bundle_is_refused(document: dict[str, Any], reason: str) -> None:
    body = json.loads(json.dumps(document, default=lambda _: None))
    with pytest.raises(RejectedReport) as refused:
        read(body)

    assert refused.value.reason == reason


def test_a_bundle_that_would_unfold_hugely_is_refused_quickly() -> None:
    shared = [stix("ipv4-addr", n, value=f"192.0.2.{n % 256}") for n in range(3_000)]
    hub = stix("observed-data", 1, object_refs=[thing["id"] for thing in shared])
    reports = [stix("report", n, name="x", object_refs=[hub["id"]]) for n in range(900)]
    started = time.process_time()
    with pytest.raises(RejectedReport) as refused:
        read(stix_bundle(*reports, hub, *shared))

    assert refused.value.reason == "too-complex"
    assert time.process_time() - started < 5
