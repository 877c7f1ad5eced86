from __future__ import annotations

import json
from typing import Any

import pytest

from intake.formats.base import MOST_REPORTS
from intake.formats.registry import FORMATS
from protocol.errors import RejectedReport
from protocol.markings import Marking, Tlp
from protocol.parties import DetectedBy, SourceGroup
from tests.intake.formats.samples import (
    DATA,
    SAMPLES,
    as_bytes,
    idea_message,
    intelmq_event,
    iodef_xml,
    mail_of,
    make_delivery,
    misp_event,
    misp_tags,
    own_report,
    read,
    stix,
    stix_bundle,
)

LISTED = ("leerp-report/1", "misp", "idea0", "intelmq", "xarf-4", "xarf-3")
"""Formats of which one document may hold many, as a list or as lines."""


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("declare", [False, True])
def test_each_format_is_recognised_by_itself_and_when_declared(name: str, declare: bool) -> None:
    parsed = read(SAMPLES[name], make_delivery(declared=name if declare else None))

    assert (parsed.format, len(parsed.contents)) == (name, 1)


@pytest.mark.parametrize(
    ("document", "declared", "reason"),
    [
        ({"a": 1}, None, "unknown-format"),
        ([], None, "unknown-format"),
        ("text", None, "unknown-format"),
        (None, None, "unknown-format"),
        (own_report(format="leerp-report/2"), None, "unknown-format"),
        (own_report(), "csv", "format-mismatch"),
        (own_report(), "yaml", "unknown-format"),
        (own_report(), "misp", "format-mismatch"),
        (misp_event(), "idea0", "format-mismatch"),
        (b"  <IODEF-Document/>", None, "unknown-format"),
        (b"\xef\xbb\xbf<a/>", "misp", "format-mismatch"),
        (iodef_xml(), "iodef-1", "format-mismatch"),
        (misp_event(), "iodef-2", "not-xml"),
        (b"Dear all, nothing is known yet.", None, "unknown-format"),
        (b"%PDF-1.7", None, "unknown-format"),
        (b"\x1f\x8b\x08\x00", None, "archive"),
        (b"PK\x03\x04", "misp", "archive"),
        ({"5acc88e9-265c-4f22-9d2b-b702950d210f": {"info": "x"}}, None, "misp-feed-index"),
        (
            b"d41d8cd98f00b204e9800998ecf8427e,5acc88e9-265c-4f22-9d2b-b702950d210f\n" * 3,
            None,
            "misp-feed-index",
        ),
        (json.dumps(misp_event()).encode() + b"\n{broken}", None, "not-json"),
        (b'{"a": 1}\n' * (MOST_REPORTS + 1), None, "too-many-reports"),
        ([misp_event()] * (MOST_REPORTS + 1), None, "too-many-reports"),
    ],
)
def test_what_no_adapter_can_read_is_refused(
    document: Any, declared: str | None, reason: str
) -> None:
    with pytest.raises(RejectedReport) as refused:
        read(document, make_delivery(declared=declared))

    assert refused.value.reason == reason


def test_a_refusal_says_which_formats_are_accepted() -> None:
    with pytest.raises(RejectedReport) as refused:
        read({"a": 1})

    assert str(refused.value).endswith(f"accepted are {', '.join(FORMATS)}")


@pytest.mark.parametrize("name", LISTED)
@pytest.mark.parametrize("lines", [False, True])
def test_a_list_or_lines_of_documents_give_a_report_each(name: str, lines: bool) -> None:
    one = SAMPLES[name]
    two = as_bytes(one) + b"\n\n" + as_bytes(one) + b"\n" if lines else [one, one]
    parsed = read(two, make_delivery(declared=name))

    assert (parsed.format, len(parsed.contents)) == (name, 2)


def test_a_refused_report_among_many_is_named_by_its_place() -> None:
    with pytest.raises(RejectedReport, match="report 2 of 3: DetectTime"):
        read([idea_message(), idea_message(DetectTime="never"), idea_message()])


@pytest.mark.parametrize(
    ("media_type", "name"), [("message/rfc822", "mail"), ("text/csv; charset=utf-8", "csv")]
)
def test_a_declared_media_type_decides_between_texts_and_mails(media_type: str, name: str) -> None:
    assert read(SAMPLES[name], make_delivery(media_type=media_type)).format == name


@pytest.mark.requirement("R4", "R5")
@pytest.mark.parametrize("name", FORMATS)
def test_a_report_of_group_1_must_say_how_it_was_detected(name: str) -> None:
    with pytest.raises(RejectedReport, match="primary or secondary") as refused:
        read(SAMPLES[name], make_delivery(group=SourceGroup.OSINT))
    said = read(
        SAMPLES[name],
        make_delivery(group=SourceGroup.OSINT, detected_by=DetectedBy.SECONDARY),
    )

    assert refused.value.reason == "no-detection-source"
    assert said.contents[0].detected_by is DetectedBy.SECONDARY


@pytest.mark.requirement("R5")
def test_what_the_report_itself_says_of_its_detection_counts() -> None:
    parsed = read(own_report(detected_by="primary"), make_delivery(group=SourceGroup.OSINT))

    assert parsed.contents[0].detected_by is DetectedBy.PRIMARY


@pytest.mark.parametrize(
    "document",
    [
        idea_message(Source=[{"IP4": [f"10.0.{n // 250}.{n % 250}" for n in range(50_001)]}]),
        own_report(
            indicators=[{"type": "domain", "value": f"d{n}.example"} for n in range(50_001)]
        ),
    ],
)
def test_a_report_of_too_many_indicators_is_refused_before_it_floods_the_database(
    document: Any,
) -> None:
    with pytest.raises(RejectedReport) as refused:
        read(document)

    assert refused.value.reason == "too-many-indicators"


def test_one_bad_report_refuses_the_whole_record() -> None:
    with pytest.raises(RejectedReport) as refused:
        read([misp_event(), misp_event(uuid=...)])

    assert refused.value.reason == "no-id"


def test_the_same_bytes_always_give_the_same_reports() -> None:
    body = (DATA / "misp" / "eset_mozi_iot_botnet.json").read_bytes()

    assert read(body) == read(body)


@pytest.mark.parametrize("name", [name for name in FORMATS if not name.startswith("iodef")])
def test_a_report_without_a_marking_leaves_its_label_to_us(name: str) -> None:
    """IODEF is not among them: where it says nothing, its own standard says ``private``."""
    (content,) = read(SAMPLES[name]).contents

    assert content.marking == Marking()
    assert not content.marking.states_tlp


AMBER_REF = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"


@pytest.mark.parametrize(
    "document",
    [
        own_report(marking={"tlp": "AMBER"}),
        misp_event(Tag=misp_tags("tlp:amber")),
        misp_event(distribution="1"),
        misp_event(distribution="9"),
        stix_bundle(stix("incident", name="Worm", object_marking_refs=[AMBER_REF])),
        intelmq_event(tlp="amber"),
        iodef_xml(restriction="default"),
        mail_of(Subject="[TLP:AMBER] Worm"),
        mail_of("see", ("application/json", as_bytes(misp_event(Tag=misp_tags("tlp:amber"))))),
        b"# TLP:AMBER\nevil[.]example\n192.0.2.1\n",
    ],
)
def test_a_label_that_is_ours_by_default_still_counts_as_stated(document: Any) -> None:
    (content,) = read(document).contents

    assert content.marking.tlp is Tlp.AMBER
    assert content.marking.states_tlp
