"""What the public sample files must give; see the tables in ``expectations``."""

from __future__ import annotations

import pytest

from intake.formats.base import UNDATED, Parsed
from protocol.errors import RejectedReport
from protocol.report import IndicatorType as Kind
from protocol.report import TimeKind
from tests.intake.formats import expectations_told
from tests.intake.formats.expectations import Stored, earliest
from tests.intake.formats.expectations_misp import MISP
from tests.intake.formats.expectations_others import IDEA, IODEF, LISTS, MAILS
from tests.intake.formats.expectations_refused import REFUSED
from tests.intake.formats.expectations_stix import STIX
from tests.intake.formats.expectations_told import Told
from tests.intake.formats.expectations_xarf import XARF
from tests.intake.formats.samples import DATA, read, values

STORED = [*MISP, *STIX, *IODEF, *IDEA, *XARF, *LISTS, *MAILS]
TOLD = [
    *expectations_told.IODEF,
    *expectations_told.IDEA,
    *expectations_told.XARF,
    *expectations_told.OTHERS,
]
NO_REPORTS = {"contacts", "exercise"}
"""Folders of the sample data that hold other things than reports."""


def file(path: str) -> Parsed:
    return read((DATA / path).read_bytes())


@pytest.mark.requirement("R4")
@pytest.mark.parametrize("expected", STORED, ids=lambda expected: str(expected.path))
def test_a_real_file_gives_what_stands_in_it(expected: Stored) -> None:
    parsed = file(expected.path)
    first = parsed.contents[0]
    hashes = [values(first, kind) for kind in (Kind.MD5, Kind.SHA1, Kind.SHA256)]
    made, _, _ = expected.source_id.partition("*")

    assert first.source_id.startswith(made)
    assert expected == Stored(
        expected.path,
        parsed.format,
        expected.source_id if expected.source_id.endswith("*") else first.source_id,
        first.title,
        first.marking.tlp,
        expected.first,
        len(first.indicators),
        sum(map(len, hashes)),
        len(values(first, Kind.DOMAIN)),
        len(values(first, Kind.IP)),
        len(values(first, Kind.URL)),
        len(parsed.contents),
    )


@pytest.mark.parametrize("expected", STORED, ids=lambda expected: str(expected.path))
def test_a_real_file_keeps_its_first_time_with_its_uncertainty(expected: Stored) -> None:
    time = file(expected.path).contents[0].times[0]

    if expected.first:
        assert (time.earliest, time.tz_known) == earliest(expected.first)
    else:
        assert time == UNDATED


@pytest.mark.parametrize(("path", "reason"), REFUSED.items())
def test_a_real_file_that_cannot_be_read_is_refused_for_the_right_reason(
    path: str, reason: str
) -> None:
    with pytest.raises(RejectedReport) as refused:
        file(path)

    assert refused.value.reason == reason


def test_the_tables_hold_every_sample_file() -> None:
    present = {
        str(path.relative_to(DATA))
        for folder in DATA.iterdir()
        if folder.is_dir() and folder.name not in NO_REPORTS
        for path in folder.iterdir()
    }

    assert {expected.path for expected in STORED} | REFUSED.keys() == present


def test_a_refusal_says_what_stix_1_is_to_be_converted_with() -> None:
    with pytest.raises(RejectedReport, match="stix2-elevator"):
        file("stix1_legacy/misp_stix_event1_stix11.xml")


@pytest.mark.parametrize(
    ("name", "read_lines", "refused"),
    [("csirtmu_idea-examples.jsonl", 6, []), ("csirtmu_rfc4765.jsonl", 8, ["no-id", "no-id"])],
)
def test_every_line_of_the_idea_samples_is_read_unless_it_has_no_id(
    name: str, read_lines: int, refused: list[str]
) -> None:
    outcomes = [_outcome(line) for line in (DATA / "idea0" / name).read_bytes().splitlines()]

    assert outcomes.count("") == read_lines
    assert [reason for reason in outcomes if reason] == refused


def _outcome(line: bytes) -> str:
    try:
        read(line)
    except RejectedReport as rejected:
        return rejected.reason
    return ""


def test_the_second_report_of_the_playbook_holds_its_47_indicators() -> None:
    second = file("stix20/unit42_playbook_exchange_proxylogon.json").contents[1]

    assert (len(second.indicators), len(values(second, Kind.IP))) == (47, 17)
    assert {a.value for a in second.affected if a.kind == "sector"} >= {"health", "financial"}


def test_every_incident_of_an_old_iodef_document_is_a_report_with_its_ports() -> None:
    contents = file("iodef1_xml/iodeflib_example.xml").contents

    assert [c.title for c in contents] == [
        "Host sending out Code Red probes",
        "IODEF csirt.example.com:59334",
        "Large bot-net",
        "Watch-list of known bad IPs or networks",
    ]
    assert {(i.value, i.role) for i in contents[1].indicators if i.type is Kind.PORT} == {
        *((port, "source") for port in ("60524", "60526", "60527", "60531")),
        *((port, "victim") for port in ("137", "138", "139", "445")),
    }
    assert contents[0].impact.criteria == ("attempt-blocked",)
    assert [len(c.indicators) for c in contents] == [3, 12, 4, 3]


def test_hashes_in_base64_of_hexadecimal_text_are_read() -> None:
    content = file("iodef2_xml/GuidanceDraft_Malware.xml").contents[0]

    assert values(content, Kind.SHA1) == {
        "6751a253483a67d86e0f84760f61f10bbcc2edff",
        "7263fe0d3a095d59c8e0c895a9c585e343e7141c",
    }
    assert "2e8880980d62447e9790afa89513f0a4" in values(content, Kind.MD5)
    assert "http://foo.example.com:12345/evil/cc.php" in values(content, Kind.URL)


def test_a_report_with_faults_in_what_nobody_needs_is_read_with_warnings() -> None:
    content = file("malformed/stix21_badflow1.json").contents[0]

    assert (content.title, len(content.warnings) > 0) == ("Test Flow 1", True)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("malformed/xarf3_invalid_destination.json", "a port is a number from 0 to 65535"),
        ("malformed/xarf3_invalid_host_name.json", "a host name consists of"),
        ("malformed/xarf3_invalid_exploit_wrong_cve.json", "names no vulnerability"),
        ("malformed/xarf3_harassment_sample_no_description.json", "is taken as ip"),
        ("malformed/xarf4_messaging_missing_protocol.json", "has no protocol"),
        ("malformed/mail_multiple_invalid_content_dispositions.eml", "no Date"),
        ("iodef2_json/draft14-long-example.json", "another currency"),
        ("ioc_csv/unit42_samsa.csv", "'Compile Timestamp' stays"),
    ],
)
def test_what_a_real_file_says_wrongly_or_in_vain_becomes_a_warning(name: str, text: str) -> None:
    assert any(text in warning for warning in file(name).contents[0].warnings)


def test_the_internal_notes_of_a_sender_are_nowhere_in_the_report() -> None:
    content = file("xarf_json/v4tests_internal_metadata_receiver_example.json").contents[0]
    told = content.model_dump_json()

    assert "john.doe" not in told
    assert "cust_premium" not in told
    assert "the sender's internal notes (_internal) are left out" in content.warnings


def test_the_times_of_a_table_become_one_window_and_one_sighting_each() -> None:
    content = file("ioc_csv/sunburst_network_iocs.csv").contents[0]
    seen = {i.value: i.first_seen for i in content.indicators}

    assert [t.kind for t in content.times] == [TimeKind.OBSERVED]
    assert seen["54.215.192.52"] == earliest("2020-02-09 20:03:38")[0]


@pytest.mark.requirement("R4")
@pytest.mark.parametrize("told", TOLD, ids=lambda told: str(told.path))
def test_a_real_file_says_who_told_what_of_whom(told: Told) -> None:
    content = file(told.path).contents[0]
    victims = sorted({a.value for a in content.affected if a.role == "victim"})

    assert told == Told(
        told.path,
        content.reporter.name,
        content.reporter.contact,
        content.rsit,
        content.first_hand,
        "|".join(victims),
        "|".join(sorted(relation.id for relation in content.relations)),
        len(content.references),
        told.description if told.description in content.description else content.description,
    )


def test_every_row_that_was_once_written_from_the_output_was_read_again_from_the_file() -> None:
    folders = ("iodef", "idea0", "xarf_json", "malformed/xarf", "malformed/mail")

    assert {told.path for told in TOLD} >= {
        expected.path for expected in STORED if expected.path.startswith(folders)
    }
