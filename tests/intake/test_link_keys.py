from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from intake.link_keys import MOST_LIGHT, Known, PackedKeys, link_keys
from protocol.indicators import host_of
from protocol.profile import CorrelationRules
from protocol.report import (
    Indicator,
    Relation,
    ReportContent,
    Reporter,
    TimeKind,
    TimeWindow,
)
from protocol.report import IndicatorType as Kind

WEIGHTS = {
    Kind.SHA256: 1.0, Kind.URL: 1.0, Kind.DOMAIN: 0.7, Kind.EMAIL: 0.6, Kind.IP: 0.5,
    Kind.PORT: 0.1, Kind.OTHER: 0.0,
}  # fmt: skip
RULES = CorrelationRules(window=timedelta(days=14), threshold=1.0, weights=WEIGHTS)
UUID = "5acc88e9-265c-4f22-9d2b-b702950d210f"

Found = tuple[Kind, str]
HASH = (Kind.SHA256, "a" * 64)
DOMAIN = (Kind.DOMAIN, "evil.example")
IP = (Kind.IP, "192.0.2.1")
PORT = (Kind.PORT, "445")


def make_report(*found: Found, source_id: str = "x", same: tuple[str, ...] = ()) -> ReportContent:
    now = datetime.now(UTC)
    return ReportContent(
        source_id=source_id,
        title="t",
        reporter=Reporter(name="r"),
        times=(TimeWindow(kind=TimeKind.OBSERVED, earliest=now, latest=now),),
        indicators=tuple(Indicator(type=kind, value=value) for kind, value in found),
        relations=tuple(Relation(kind="same-incident", id=name) for name in same),
    )


def telling(_: Known) -> bool:
    return True


def words(report: ReportContent) -> set[tuple[str, ...]]:
    return set(link_keys(report, RULES, telling).values())


def linked(one: ReportContent, other: ReportContent) -> bool:
    keys = (link_keys(report, RULES, telling).keys() for report in (one, other))
    return bool(set.intersection(*map(set, keys)))


def test_a_heavy_indicator_is_a_key_alone_and_light_ones_in_pairs() -> None:
    assert words(make_report(HASH, DOMAIN, IP, PORT)) == {
        (f"sha256 {'a' * 64}",),
        ("domain evil.example", "ip 192.0.2.1"),
    }


def test_one_shared_address_is_not_enough_but_two_are() -> None:
    other = (Kind.IP, "192.0.2.2")

    assert not linked(make_report(IP), make_report(IP))
    assert linked(make_report(IP, other), make_report(other, IP, PORT))


def test_the_host_of_a_url_counts_as_a_domain() -> None:
    assert linked(make_report((Kind.URL, "http://evil.example/a"), IP), make_report(DOMAIN, IP))
    assert not linked(make_report((Kind.URL, "http://evil.example/a")), make_report(DOMAIN))


def test_what_everybody_has_in_common_links_nothing() -> None:
    keys = link_keys(
        make_report(HASH, DOMAIN, IP), RULES, lambda known: known[0] is not Kind.SHA256
    )

    assert set(keys.values()) == {("domain evil.example", "ip 192.0.2.1")}
    assert link_keys(make_report(HASH, DOMAIN, IP), RULES, lambda _: False) == {}


def test_a_stated_incident_links_whatever_the_indicators_say() -> None:
    assert linked(make_report(same=("INC-7",)), make_report(IP, same=("INC-7", "INC-8")))
    assert linked(make_report(same=(UUID,)), make_report(source_id=UUID))
    assert not linked(make_report(source_id="1"), make_report(source_id="1"))


def test_keys_are_digests() -> None:
    assert all(-(2**63) <= key < 2**63 for key in link_keys(make_report(HASH), RULES, telling))


def test_a_report_of_very_many_light_indicators_has_a_bounded_number_of_keys() -> None:
    many = [(Kind.DOMAIN, f"d{number}.example") for number in range(5_000)]
    ports = [(Kind.PORT, str(number)) for number in range(1_000)]

    assert len(words(make_report(*many, *ports))) == MOST_LIGHT * (MOST_LIGHT - 1) // 2


def test_two_reports_of_the_same_many_light_indicators_link() -> None:
    many = [(Kind.DOMAIN, f"d{number}.example") for number in range(500)]
    shuffled = random.Random(7).sample(many, len(many))

    assert linked(make_report(*many), make_report(*shuffled[:480]))


FOUND = st.lists(
    st.one_of(
        st.tuples(st.just(Kind.SHA256), st.sampled_from(["a" * 64, "b" * 64])),
        st.tuples(st.just(Kind.DOMAIN), st.sampled_from(["a.example", "b.example"])),
        st.tuples(st.just(Kind.URL), st.sampled_from(["http://a.example/x", "http://192.0.2.1/"])),
        st.tuples(st.just(Kind.IP), st.sampled_from(["192.0.2.1", "192.0.2.2", "192.0.2.3"])),
        st.tuples(st.just(Kind.EMAIL), st.sampled_from(["x@a.example", "y@a.example"])),
        st.tuples(st.just(Kind.PORT), st.sampled_from(["22", "445"])),
        st.tuples(st.just(Kind.OTHER), st.sampled_from(["x.exe"])),
    ),
    max_size=8,
)


def everything(found: list[Found]) -> set[Found]:
    hosts = {host for kind, value in found if kind is Kind.URL and (host := host_of(value))}
    return set(found) | hosts


@given(FOUND, st.randoms())
@settings(deadline=None)
def test_keys_do_not_depend_on_the_order_of_the_indicators(
    found: list[Found], chance: random.Random
) -> None:
    shuffled = [*found, *found]
    chance.shuffle(shuffled)

    assert link_keys(make_report(*found), RULES, telling) == link_keys(
        make_report(*shuffled), RULES, telling
    )


@given(FOUND, FOUND)
@settings(deadline=None)
def test_reports_link_exactly_when_one_or_two_shared_indicators_weigh_enough(
    one: list[Found], other: list[Found]
) -> None:
    shared = everything(one) & everything(other)
    sets = [*combinations(shared, 1), *combinations(shared, 2)]
    enough = any(
        all(WEIGHTS[kind] > 0 for kind, _ in chosen)
        and sum(WEIGHTS[kind] for kind, _ in chosen) >= RULES.threshold
        for chosen in sets
    )

    assert linked(make_report(*one), make_report(*other)) is enough


@given(FOUND)
def test_keys_that_were_packed_are_the_same_keys(found: list[Found]) -> None:
    keys = link_keys(make_report(*found), RULES, telling)
    packed = PackedKeys.of(keys)
    assert list(packed) == list(keys)
    assert dict(packed) == keys
    for some in (set(), set(list(keys)[::2]), {*keys, 1}):
        assert packed.among(some) == {words for key in keys if key in some for words in keys[key]}
