from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from protocol.errors import RejectedReport
from protocol.markings import Classification, HandlingCode, Pap, Tlp
from protocol.report import Cause, TimeKind
from protocol.report import IndicatorType as Kind
from tests.intake.formats.samples import misp_event, misp_tags, read, read_one, values


def attribute(kind: str, value: Any, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "value": value, **fields}


@pytest.mark.parametrize(
    "wrapped",
    [
        misp_event(),
        misp_event()["Event"],
        [misp_event()],
        [misp_event()["Event"]],
        {"response": [misp_event()]},
        {"response": misp_event()},
    ],
)
def test_an_event_is_read_in_every_wrapping(wrapped: Any) -> None:
    content = read_one(wrapped)

    assert (content.source_id, content.title, content.reporter.name) == (
        "5acc88e9-265c-4f22-9d2b-b702950d210f",
        "Worm in the ward",
        "CSIRT One",
    )


def test_many_events_give_many_reports() -> None:
    other = misp_event(uuid="00000000-0000-4000-8000-000000000002")

    assert [c.source_id[:8] for c in read([misp_event(), other]).contents] == [
        "5acc88e9",
        "00000000",
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"uuid": ...}, "no-id"),
        ({"uuid": ["x"]}, "no-id"),
        ({"uuid": "x" * 201}, "bad-id"),
        ({"date": "2024-02-30"}, "bad-time"),
        ({"date": ["2024-02-01"]}, "bad-time"),
        ({"date": ..., "timestamp": ...}, "no-time"),
    ],
)
def test_an_event_without_id_or_day_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(RejectedReport) as refused:
        read(misp_event(**changes))

    assert refused.value.reason == reason


def test_the_day_is_a_window_with_the_uncertainty_of_its_zone() -> None:
    observed, reported = read_one(misp_event()).times

    assert (observed.kind, observed.tz_known) == (TimeKind.OBSERVED, False)
    assert observed.earliest == datetime(2017, 5, 11, 10, tzinfo=UTC)
    assert observed.latest == datetime(2017, 5, 13, 14, tzinfo=UTC)
    assert reported.kind is TimeKind.REPORTED
    assert reported.earliest == datetime(2017, 5, 12, 14, 40, tzinfo=UTC)


def test_first_and_last_seen_of_attributes_become_one_window() -> None:
    content = read_one(
        misp_event(
            Attribute=[
                attribute("domain", "a.example", first_seen="2017-05-12T08:00:00+00:00"),
                attribute("domain", "b.example", last_seen="2017-05-13T08:00:00.000000+00:00"),
            ]
        )
    )

    assert (content.times[-1].earliest, content.times[-1].latest) == (
        datetime(2017, 5, 12, 8, tzinfo=UTC),
        datetime(2017, 5, 13, 8, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("ip-src", "192.0.2.1", {(Kind.IP, "192.0.2.1")}),
        ("ip-dst|port", "192.0.2.1|445", {(Kind.IP, "192.0.2.1"), (Kind.PORT, "445")}),
        ("domain|ip", "Evil.example|2001:DB8::1",
         {(Kind.DOMAIN, "evil.example"), (Kind.IP, "2001:db8::1")}),
        ("filename|md5", "a.exe|D41D8CD98F00B204E9800998ECF8427E",
         {(Kind.OTHER, "a.exe"), (Kind.MD5, "d41d8cd98f00b204e9800998ecf8427e")}),
        ("malware-sample", "a.exe|d41d8cd98f00b204e9800998ecf8427e",
         {(Kind.OTHER, "a.exe"), (Kind.MD5, "d41d8cd98f00b204e9800998ecf8427e")}),
        ("ip-dst|port", "192.0.2.1", {(Kind.IP, "192.0.2.1")}),
        ("port", 445, {(Kind.PORT, "445")}),
        ("hostname", "192.0.2.1", {(Kind.IP, "192.0.2.1")}),
        ("url", "evil.example", {(Kind.DOMAIN, "evil.example")}),
        ("sha1", "d41d8cd98f00b204e9800998ecf8427e",
         {(Kind.MD5, "d41d8cd98f00b204e9800998ecf8427e")}),
        ("uri", "/index.php", {(Kind.OTHER, "/index.php")}),
        ("ip-dst", "999.1.1.1", {(Kind.OTHER, "999.1.1.1")}),
        ("ip-dst", "192.0.2.0/24", {(Kind.OTHER, "192.0.2.0/24")}),
        ("never-heard-of", "x", {(Kind.OTHER, "x")}),
        ("btc", "12t9YDPgwueZ9NyMgw519p7AA8isjr6SMw",
         {(Kind.WALLET, "12t9YDPgwueZ9NyMgw519p7AA8isjr6SMw")}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("in_object", [False, True])
def test_attributes_become_indicators(
    kind: str, value: Any, expected: set[tuple[Kind, str]], *, in_object: bool
) -> None:
    found = [attribute(kind, value)]
    event = misp_event(Object=[{"name": "file", "Attribute": found}])
    content = read_one(event if in_object else misp_event(Attribute=found))

    assert {(i.type, i.value) for i in content.indicators} == expected


def test_what_is_no_indicator_goes_where_it_belongs_or_is_noted() -> None:
    content = read_one(
        misp_event(
            Attribute=[
                attribute("link", "https://blog.example/worm"),
                attribute("vulnerability", "CVE-2017-0144"),
                attribute("comment", "Seen in radiology first."),
                attribute("target-org", "Hospital One"),
                attribute("target-location", "Germany"),
                attribute("target-location", "Atlantis"),
                attribute("yara", "rule x {}"),
                attribute("yara", "rule y {}"),
                attribute("domain", "gone.example", deleted=True),
                "no attribute",
            ]
        )
    )

    assert content.references == ("https://blog.example/worm", "CVE-2017-0144")
    assert content.description == "Seen in radiology first."
    assert {(a.kind, a.value) for a in content.affected} == {
        ("organisation", "Hospital One"),
        ("country", "DE"),
    }
    assert content.indicators == ()
    assert content.warnings == (
        "the place Atlantis is no country code",
        "an attribute of type yara stays in the original record only (2 times)",
        "a deleted attribute is left out",
        "an entry of Attribute is not an object and is left out",
    )


def test_a_victim_object_says_who_was_hit() -> None:
    content = read_one(
        misp_event(
            Object=[
                {
                    "name": "victim",
                    "Attribute": [
                        attribute("target-org", "Hospital One", object_relation="name"),
                        attribute("text", "healthcare", object_relation="sectors"),
                        attribute("target-location", "be", object_relation="regions"),
                    ],
                }
            ]
        )
    )

    assert {(a.kind, a.value) for a in content.affected} == {
        ("organisation", "Hospital One"),
        ("sector", "health"),
        ("country", "BE"),
    }


@pytest.mark.requirement("R31", "R32")
@pytest.mark.parametrize(
    ("tags", "distribution", "tlp"),
    [
        (["tlp:white"], "0", Tlp.CLEAR),
        (["tlp:clear"], "0", Tlp.CLEAR),
        (["TLP:GREEN"], "0", Tlp.GREEN),
        (["tlp:amber+strict"], "3", Tlp.AMBER_STRICT),
        (["tlp:green", "tlp:red", "tlp:white"], "3", Tlp.RED),
        (["tlp:unclear"], "3", Tlp.RED),
        (["tlp:ex:chr"], "3", Tlp.RED),
        ([], "0", Tlp.RED),
        ([], "1", Tlp.AMBER),
        ([], "2", Tlp.AMBER),
        ([], "3", Tlp.GREEN),
        ([], "4", Tlp.AMBER),
        ([], 3, Tlp.GREEN),
        ([], ..., Tlp.AMBER),
        ([], "9", Tlp.AMBER),
    ],
)
def test_tlp_comes_from_tags_else_from_the_distribution(
    tags: list[str], distribution: Any, tlp: Tlp
) -> None:
    event = misp_event(Tag=misp_tags(*tags), distribution=distribution)

    assert read_one(event).marking.tlp is tlp


@pytest.mark.requirement("R32")
def test_the_strictest_marking_of_event_and_attributes_counts() -> None:
    content = read_one(
        misp_event(
            Tag=misp_tags(
                "tlp:green", "PAP:GREEN", 'handling-code:H3="Ask first"', "handling-code:H1"
            ),
            Attribute=[
                attribute(
                    "domain", "a.example", Tag=misp_tags("tlp:red", "PAP:RED", "euci:S-UE/EU-S")
                )
            ],
        )
    )

    assert (content.marking.tlp, content.marking.pap) == (Tlp.RED, Pap.RED)
    assert content.marking.classification is Classification.SECRET
    assert content.marking.handling_codes == {HandlingCode.H1, HandlingCode.H3}
    assert content.marking.handling_text == "Ask first"


@pytest.mark.parametrize(
    ("tag", "check"),
    [
        ("PAP:PURPLE", lambda m: m.pap is Pap.RED),
        ("euci:COSMIC", lambda m: m.classification is Classification.TOP_SECRET),
        ("handling-code:H9", lambda m: HandlingCode.H3 in m.handling_codes and m.handling_text),
        ("handling-code:H3", lambda m: HandlingCode.H3 in m.handling_codes and m.handling_text),
    ],
)
def test_an_unknown_marking_is_closed_and_not_open(tag: str, check: Any) -> None:
    assert check(read_one(misp_event(Tag=misp_tags(tag))).marking)


@pytest.mark.requirement("R11", "R12")
@pytest.mark.parametrize(
    ("tags", "original", "grade"),
    [
        (['admiralty-scale:source-reliability="b"', 'admiralty-scale:information-credibility="2"'],
         "b2", "B4"),
        (['admiralty-scale:source-reliability="a"', 'admiralty-scale:information-credibility="1"'],
         "a1", "A3"),
        (['admiralty-scale:information-credibility="2"'], "f2", "X4"),
        (['admiralty-scale:source-reliability="a"', 'admiralty-scale:source-reliability="e"'],
         "f6", "X4"),
    ],
)  # fmt: skip
def test_admiralty_tags_are_the_providers_own_grade(
    tags: list[str], original: str, grade: str
) -> None:
    evaluation = read_one(misp_event(Tag=misp_tags(*tags))).evaluation

    assert evaluation is not None
    assert (evaluation.scheme, evaluation.original, str(evaluation.grade)) == (
        "admiralty",
        original,
        grade,
    )


@pytest.mark.requirement("R11", "R12")
@pytest.mark.parametrize("numbers", [(0, 100), (100, 0), (50, 50), (None, None)])
def test_the_numbers_that_misp_gives_a_tag_order_nothing(numbers: tuple[Any, Any]) -> None:
    names = (
        'admiralty-scale:source-reliability="f"',
        'admiralty-scale:information-credibility="6"',
    )
    tags = [
        {"name": name, "numerical_value": number}
        for name, number in zip(names, numbers, strict=True)
    ]
    evaluation = read_one(misp_event(Tag=tags)).evaluation

    assert evaluation is not None
    assert (evaluation.original, str(evaluation.grade)) == ("f6", "X4")
    assert evaluation.flags == ("not-judged",)


def test_a_letter_outside_the_scale_is_no_grade() -> None:
    content = read_one(misp_event(Tag=misp_tags('admiralty-scale:source-reliability="z"')))

    assert content.evaluation is None
    assert content.warnings == ("an Admiralty tag is not a letter a to g or a digit 1 to 6",)


@pytest.mark.parametrize(
    ("org", "first_hand"),
    [
        ({"name": "CSIRT One", "uuid": "55f6ea5e-2c60-40e5-964f-47a8950d210f"}, None),
        ({"name": "CSIRT Two", "uuid": "00000000-2c60-40e5-964f-47a8950d210f"}, False),
        ({"name": "CSIRT Two"}, False),
        (..., None),
    ],
)
def test_an_event_that_another_organisation_passed_on_is_not_first_hand(
    org: Any, first_hand: bool | None
) -> None:
    assert read_one(misp_event(Org=org)).first_hand is first_hand


@pytest.mark.requirement("R8")
@pytest.mark.parametrize(
    ("causes", "cause", "clear", "failure"),
    [
        ([], Cause.PRESUMED_MALICIOUS, False, "unknown"),
        (["malicious-actions"], Cause.MALICIOUS, True, "unknown"),
        (["system-failures"], Cause.TECHNICAL_FAILURE, True, "yes"),
        (["natural-phenomena"], Cause.NATURAL, True, "yes"),
        (["human-errors"], Cause.HUMAN_ERROR, True, "yes"),
        (["third-party-failures"], Cause.THIRD_PARTY, True, "yes"),
        (["system-failures", "malicious-actions"], Cause.PRESUMED_MALICIOUS, False, "unknown"),
    ],
)
def test_the_root_cause_is_claimed_only_by_an_explicit_tag(
    causes: list[str], cause: Cause, clear: bool, failure: str
) -> None:
    tags = misp_tags(*(f'nis2:nature-root-cause="{name}"' for name in causes))
    content = read_one(misp_event(Tag=tags))

    assert (content.cause.value, content.cause.clear) == (cause, clear)
    assert content.technical_failure_indicated == failure


def test_nis_rsit_and_galaxy_tags_find_their_fields() -> None:
    content = read_one(
        misp_event(
            Tag=misp_tags(
                'nis:impact-sectors-impacted="energy"',
                'nis:impact-severity="red"',
                'rsit:malicious-code="infected-system"',
                'misp-galaxy:target-information="Belgium"',
                "ESET",
            )
        )
    )

    assert {a.value for a in content.affected} == {"energy", "BE"}
    assert content.impact.criteria == ("nis-severity-red",)
    assert content.rsit == "malicious-code:infected-system"
    assert content.warnings == ("1 tags say nothing that a report has a field for",)


def test_stated_relations_are_kept() -> None:
    content = read_one(
        misp_event(
            extends_uuid="00000000-0000-4000-8000-000000000002",
            RelatedEvent=[{"Event": {"uuid": "00000000-0000-4000-8000-000000000003"}}],
        )
    )

    assert [(r.kind, r.id[-1]) for r in content.relations] == [
        ("same-incident", "2"),
        ("related", "3"),
    ]


def test_hostile_text_stays_text() -> None:
    content = read_one(
        misp_event(
            info=" Worm\r\nBcc: all@example.org {{ 7*7 }} \u001b[31m",
            Attribute=[attribute("domain", "a.example", comment="\u202e")],
        )
    )

    assert content.title == "Worm Bcc: all@example.org {{ 7*7 }} \ufffd[31m"
    assert values(content, Kind.DOMAIN) == {"a.example"}
    assert "info held control characters" in content.warnings
