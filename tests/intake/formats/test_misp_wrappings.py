"""What MISP sends beside events: searches, indexes, live messages, and parts without their event."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.errors import RejectedReport
from protocol.markings import Tlp
from protocol.report import IndicatorType as Kind
from tests.intake.formats.samples import misp_event, read, read_one, values

UUID = "5acc88e9-265c-4f22-9d2b-b702950d210f"


def attribute(value: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "domain",
        "value": value,
        "category": "Network activity",
        "timestamp": "1494600000",
        **fields,
    }


def stub(**fields: Any) -> dict[str, Any]:
    """An event as a search or a live message names it, without its attributes."""
    event: dict[str, Any] = misp_event(attribute_count="7", **fields)["Event"]
    return event


@pytest.mark.requirement("R4")
@pytest.mark.parametrize(
    "document",
    [
        {"response": {"Attribute": [attribute("one.example"), attribute("two.example")]}},
        {"Attribute": [attribute("one.example"), attribute("two.example")]},
        [attribute("one.example"), attribute("two.example")],
        {"response": [{"Object": {"name": "x", "Attribute": [
            attribute("one.example"), attribute("two.example")]}}]},
        [{"Attribute": attribute("one.example")}, {"Attribute": attribute("two.example")}],
    ],
)  # fmt: skip
def test_attributes_without_their_event_are_one_report(document: Any) -> None:
    content = read_one(document)

    assert values(content, Kind.DOMAIN) == {"one.example", "two.example"}
    assert content.source_id.startswith("misp-parts-")
    assert content.times[0].earliest.year == 2017


def test_attributes_that_name_their_events_are_one_report_each() -> None:
    other = stub(uuid="00000000-0000-4000-8000-000000000002", info="Another")
    found = [
        attribute("one.example", Event=stub()),
        attribute("two.example", Event=other),
        attribute("three.example", Event=stub(), Tag=[{"name": "tlp:red"}]),
    ]
    first, second = read({"response": {"Attribute": found}}).contents

    assert values(first, Kind.DOMAIN) == {"one.example", "three.example"}
    assert (first.title, first.marking.tlp, second.title) == (
        "Worm in the ward",
        Tlp.RED,
        "Another",
    )


def test_a_live_message_joins_its_event_and_does_not_replace_it() -> None:
    content = read_one({"Attribute": attribute("late.example"), "Event": stub()})

    assert values(content, Kind.DOMAIN) == {"late.example"}
    assert content.source_id != UUID
    assert [(r.kind, r.id) for r in content.relations] == [("same-incident", UUID)]


def test_an_attribute_beside_a_whole_event_is_added_to_it() -> None:
    whole = misp_event(Attribute=[attribute("one.example")])
    content = read_one({**whole, "Attribute": [attribute("two.example")]})

    assert content.source_id == UUID
    assert values(content, Kind.DOMAIN) == {"one.example", "two.example"}


@pytest.mark.parametrize(
    "document",
    [{"Event": stub()}, [stub()], {"response": [stub()]}, stub(Attribute=[], Object=[])],
)
def test_an_index_of_events_is_refused_since_it_holds_no_indicators(document: Any) -> None:
    with pytest.raises(RejectedReport) as refused:
        read(document)

    assert refused.value.reason == "misp-event-index"


def test_an_event_that_counts_no_attributes_is_a_report() -> None:
    assert read_one(misp_event(attribute_count="0")).indicators == ()


def test_a_bare_event_is_whole_and_no_loose_attributes() -> None:
    event = misp_event(Attribute=[attribute("one.example", to_ids=True)])["Event"]

    assert [read_one(each).source_id for each in (event, [event])] == [UUID, UUID]


def test_attributes_by_number_and_one_alone_are_read() -> None:
    numbered = {"0": attribute("one.example"), "1": attribute("two.example")}

    assert len(read_one(misp_event(Attribute=numbered)).indicators) == 2
    assert len(read_one(misp_event(Attribute=attribute("one.example"))).indicators) == 1


@pytest.mark.parametrize("written", ["1581984000", "1581984000000", "1581984000000000"])
def test_sightings_in_seconds_or_parts_of_them_are_read(written: str) -> None:
    event = misp_event(Attribute=[attribute("one.example", first_seen=written)])
    (indicator,) = read_one(event).indicators

    assert indicator.first_seen is not None
    assert indicator.first_seen.isoformat() == "2020-02-18T00:00:00+00:00"


def test_tags_are_read_where_an_index_puts_them() -> None:
    event = misp_event(EventTag=[{"event_id": "1", "Tag": {"name": "TLP:GREEN"}}, "x", {}])

    assert read_one(event).marking.tlp is Tlp.GREEN
