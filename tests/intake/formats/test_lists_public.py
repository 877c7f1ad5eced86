"""Lists as public sources really write them: networks, headings, hosts files, brands, compact days."""

from __future__ import annotations

import pytest

from protocol.errors import RejectedReport
from protocol.report import IndicatorType as Kind
from tests.intake.formats.samples import read, read_one, values


@pytest.mark.requirement("R4")
def test_a_list_of_networks_is_a_list() -> None:
    content = read_one(b"; Blocked networks\n192.0.2.0/24 ; A1\n198.51.100.0/25 ; A2\n")

    assert {(i.type, i.value, i.role) for i in content.indicators} == {
        (Kind.OTHER, "192.0.2.0/24", "network"),
        (Kind.OTHER, "198.51.100.0/25", "network"),
    }
    assert content.title == "Blocked networks"


def test_headings_between_the_lines_of_a_list_are_passed_over() -> None:
    text = f"Indicators of Compromise\nHashes (SHA256)\n{'ab' * 32}\nDomains:\nevil[.]example\n192.0.2.1\n"

    assert len(read_one(text.encode()).indicators) == 3


def test_a_text_of_sentences_that_begin_with_a_name_is_no_list() -> None:
    with pytest.raises(RejectedReport) as refused:
        read(b"evil.example was seen, at noon.\nThen, we called.\nNobody answered; we waited.\n")

    assert refused.value.reason == "unknown-format"


def test_where_a_hosts_file_sends_names_is_no_indicator() -> None:
    content = read_one(b"0.0.0.0 evil.example\n127.0.0.1\tbad.example\n")

    assert {(i.type, i.value) for i in content.indicators} == {
        (Kind.DOMAIN, "evil.example"),
        (Kind.DOMAIN, "bad.example"),
    }


def test_a_targeted_brand_is_a_victim_and_a_targeted_name_an_indicator() -> None:
    content = read_one(
        b"url,target\nhttp://a.example/x,Bank One\nhttp://b.example/y,Other\n"
        b"http://c.example/z,ward.example\n"
    )

    assert [(a.kind, a.value) for a in content.affected] == [("organisation", "Bank One")]
    assert values(content, Kind.DOMAIN) == {"ward.example"}
    assert not values(content, Kind.OTHER)


def test_a_compact_day_is_a_day_and_not_a_second_of_1970() -> None:
    content = read_one(b"value,type,date\nevil.example,domain,20170512\n")

    assert content.times[0].earliest.isoformat() == "2017-05-11T10:00:00+00:00"
    assert content.times[0].latest.isoformat() == "2017-05-13T14:00:00+00:00"


def test_a_small_number_is_no_time() -> None:
    content = read_one(b"value,first_seen\nevil.example,12345\n")

    assert any("first_seen cannot be read" in warning for warning in content.warnings)


def test_both_halves_of_a_composite_have_their_kinds() -> None:
    content = read_one(
        f"type,value\nip-dst|port,192.0.2.1|443\nfilename|md5,a.exe|{'ab' * 16}\n".encode()
    )

    assert [(i.type, i.value) for i in content.indicators] == [
        (Kind.IP, "192.0.2.1"),
        (Kind.PORT, "443"),
        (Kind.OTHER, "a.exe"),
        (Kind.MD5, "ab" * 16),
    ]


def test_many_indicators_in_one_cell_are_many() -> None:
    content = read_one(b'ip,comment\n"192.0.2.1\n192.0.2.2",two\n')

    assert values(content, Kind.IP) == {"192.0.2.1", "192.0.2.2"}


def test_a_mark_that_is_never_closed_loses_no_indicator() -> None:
    content = read_one(b'domain,comment\n"evil.example,a\nbad.example,b\n')

    assert values(content, Kind.DOMAIN) == {"evil.example", "bad.example"}


def test_the_fingerprint_of_a_client_is_no_hash_of_a_file() -> None:
    content = read_one(f"# ja3_md5,Firstseen\n{'ab' * 16},2020-01-01\n".encode())

    assert [(i.type, i.role) for i in content.indicators] == [(Kind.OTHER, "ja3_md5")]


def test_the_rule_below_a_header_is_no_row() -> None:
    content = read_one(b"| IOC | Type |\n|---|:--|\n| evil.example | domain |\n")

    assert [i.value for i in content.indicators] == ["evil.example"]


@pytest.mark.parametrize("zone", [" UTC", " GMT", "Z"])
def test_a_time_may_name_its_zone_in_words(zone: str) -> None:
    (time,) = read_one(
        f"url,dateadded\nhttp://a.example/x,2017-05-12 07:44:00{zone}\n".encode()
    ).times

    assert (time.earliest.isoformat(), time.tz_known) == ("2017-05-12T07:44:00+00:00", True)
