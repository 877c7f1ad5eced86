"""Digit 3 needs independent items: other origins that pass nothing on from each other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification.corroboration import (
    NAMED,
    STEPS,
    Corroboration,
    Item,
    corroborates,
    corroboration_of,
    corroborations,
    digest,
    independent,
    item_of,
    republished,
)
from classification.texts import one_quotes_the_other, sketch_of, words_of
from infra.settings import Settings
from protocol.parties import SourceGroup
from protocol.report import (
    Affected,
    IncidentReport,
    Indicator,
    IndicatorType,
    Relation,
    Reporter,
    TimeKind,
    TimeWindow,
)

START = datetime(2017, 5, 12, 8, tzinfo=UTC)
RULES = Settings().profile().correlation
HASH = Indicator(type=IndicatorType.SHA256, value="ab" * 32)
PORT = Indicator(type=IndicatorType.PORT, value="445/tcp")
URL = Indicator(type=IndicatorType.URL, value="http://c2.invalid.test/x")
OWN_URL = Indicator(type=IndicatorType.URL, value="http://evil.invalid.test/x")
OWN_DOMAIN = Indicator(type=IndicatorType.DOMAIN, value="evil.invalid.test")
DOMAIN = Indicator(type=IndicatorType.DOMAIN, value="c2.invalid.test")
ADVISORY = (
    "A worm encrypts the files of hospitals in several member states. It spreads through a flaw of "
    "the file sharing service, asks for a ransom in three languages, and calls a name that nobody "
    "had registered before it starts. Disconnect what cannot be mended and keep images of memory."
)
OTHER_WORDS = (
    "Since this morning the radiology department cannot open its archive. Our own analysis of one "
    "workstation found a service that was not there yesterday, which connected to machines of two "
    "clinics nearby and left a note demanding payment on every desktop that we have looked at."
)


def report(name: str, *, hours: float = 0, **changes: Any) -> IncidentReport:
    seen = START + timedelta(hours=hours)
    values: dict[str, Any] = {
        "id": f"3-{name}",
        "source_id": name,
        "group": SourceGroup.CSIRT,
        "principal": "anonymous",
        "received_at": START,
        "format": "leerp-report/1",
        "sha256": "0" * 64,
        "title": f"Words of {name}",
        "reporter": Reporter(name=f"Reporter {name}"),
        "times": (TimeWindow(kind=TimeKind.OBSERVED, earliest=seen, latest=seen),),
        "indicators": (HASH,),
    }
    return IncidentReport(**values | changes)


def item(name: str, **changes: Any) -> Item:
    return item_of(
        report(name, **changes), RULES, lambda known: known != (DOMAIN.type, DOMAIN.value)
    )


def named(*changes: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """By whom each of the reports a, b, ... is borne out."""
    items = [item(name, **each) for name, each in zip("abcdefghij", changes, strict=False)]
    return {key[2:]: found.ids for key, found in corroborations(items).items()}


def test_digests_are_the_same_in_every_release_since_databases_keep_them() -> None:
    assert digest("name", "x") == -3_081_807_787_868_330_996
    assert digest("name", "x", "y") != digest("name", "xy")


def test_all_that_the_rule_looks_at_is_kept_of_a_report() -> None:
    seen = f"{START:%Y-%m-%d %H:%M:%S}+00:00"
    listed = sorted((f"sha256 {HASH.value} None None", f"url {OWN_URL.value} None None",
                     "port 445/tcp None None"))  # fmt: skip
    made = report(
        "a",
        affected=(Affected(kind="organisation", value=" City  HOSPITAL"),),
        references=("b", "a"),
        relations=(Relation(kind="same-incident", id="c"),),
        indicators=(HASH, PORT, OWN_URL),
    )
    assert item_of(made, RULES, lambda _: True) == Item(
        report_id="3-a",
        origin=digest("name", "reporter a"),
        creator=digest("name", "reporter a"),
        text=digest("text", "words", "of", "a"),
        sketch=frozenset(),
        listing=digest("listing", *listed, "times", f"observed {seen} {seen}"),
        names=frozenset({digest("id", "3-a"), digest("id", "a")}),
        stated=frozenset({digest("id", "b"), digest("id", "c")}),
        keys=frozenset(
            {
                digest("indicator", "sha256", HASH.value),
                digest("indicator", "url", OWN_URL.value),
                digest("indicator", "domain", "evil.invalid.test"),
                digest("victim", "city hospital"),
            }
        ),
        begin=17_298,
        end=17_298,
        retracted=False,
    )


def test_a_source_on_its_own_topic_has_its_principal_for_origin() -> None:
    made = report("a", principal="cert-ee", reporter=Reporter(name="Unknown"))
    found = item_of(made, RULES, lambda _: True)
    assert (found.origin, found.creator) == (digest("name", "principal cert-ee"), None)


def test_corroboration_reads_as_its_ids_and_how_many_more() -> None:
    assert (str(Corroboration()), bool(Corroboration())) == ("", False)
    assert str(Corroboration(ids=("3-a", "3-b"), total=2)) == "3-a, 3-b"
    assert str(Corroboration(ids=("3-a",), total=3)) == "3-a and 2 more"
    assert Corroboration(ids=("3-a",), total=1)


@pytest.mark.requirement("R12")
def test_two_independent_reports_bear_each_other_out() -> None:
    assert named({}, {}) == {"a": ("3-b",), "b": ("3-a",)}


@pytest.mark.requirement("R12")
@pytest.mark.parametrize(
    "passed_on",
    [
        {"title": "Words, of: A!"},
        {"title": "Fwd", "description": f"> {ADVISORY}\n\nPlease act on this."},
        {"relations": (Relation(kind="related", id="a"),)},
        {"relations": (Relation(kind="replaces", id="3-a"),)},
        {"relations": (Relation(kind="same-incident", id="a"),)},
        {"references": ("a",)},
        {"source_id": "a"},
        {"reporter": Reporter(name=" reporter  A ")},
        {"reporter": Reporter(name="Reporter A"), "principal": "User:elsewhere"},
    ],
)
def test_what_passes_another_on_bears_nothing_out(passed_on: dict[str, Any]) -> None:
    title = {"title": "Words of a"}
    text = {"description": ADVISORY} if "description" in passed_on else {}
    assert named(title | text, passed_on) == {"a": (), "b": ()}


def test_one_principal_is_one_origin_whatever_names_it_gives() -> None:
    alike = {"principal": "User:csirt-ee"}
    assert named(alike, alike) == {"a": (), "b": ()}
    assert named(alike, {"principal": "User:csirt-fi"}) == {"a": ("3-b",), "b": ("3-a",)}


def test_reporters_that_nobody_knows_are_one_origin() -> None:
    unknown = {"reporter": Reporter(name="unknown")}
    assert named(unknown, unknown) == {"a": (), "b": ()}


def test_a_long_list_with_the_same_times_was_copied() -> None:
    many = {
        "indicators": tuple(
            Indicator(type=IndicatorType.IP, value=f"198.51.100.{n}") for n in range(3)
        )
    }
    assert named(many, many) == {"a": (), "b": ()}
    assert named(many, many | {"hours": 1}) == {"a": ("3-b",), "b": ("3-a",)}


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ({"indicators": (URL,)}, {"indicators": (URL,)}, True),
        ({"indicators": (PORT,)}, {"indicators": (PORT,)}, False),
        ({"indicators": (DOMAIN,)}, {"indicators": (DOMAIN,)}, False),
        ({"indicators": (URL,)}, {"indicators": (DOMAIN,)}, False),
        ({"indicators": (OWN_URL,)}, {"indicators": (OWN_DOMAIN,)}, True),
        ({"indicators": ()}, {"indicators": ()}, False),
    ],
)
def test_only_telling_indicators_count(one: Any, other: Any, shared: bool) -> None:
    """A port says little, and the domain stands on a warning list here."""
    assert bool(named(one, other)["a"]) is shared


@pytest.mark.parametrize(
    ("affected", "shared"),
    [
        (Affected(kind="organisation", value="  City HOSPITAL "), True),
        (Affected(kind="organisation", value="City Hospital", role="source"), False),
        (Affected(kind="organisation", value="City Hospital", derived=True), False),
        (Affected(kind="sector", value="City Hospital"), False),
    ],
)
def test_a_named_victim_counts_as_well(affected: Affected, shared: bool) -> None:
    one = {"indicators": (), "affected": (Affected(kind="organisation", value="City Hospital"),)}
    assert bool(named(one, {"indicators": (), "affected": (affected,)})["a"]) is shared


def test_times_must_meet_within_the_window() -> None:
    days = RULES.window.days
    assert named({}, {"hours": 24 * days})["a"]
    assert not named({}, {"hours": 24 * (days + 1)})["a"]


def test_a_withdrawn_report_bears_nobody_out_and_nobody_bears_it_out() -> None:
    one, other = item("a"), replace(item("b"), retracted=True)
    assert not corroborates(one, other)
    assert not corroborates(other, one)


def test_so_many_are_named_and_the_others_counted() -> None:
    found = corroborations([item(f"n{n}") for n in range(NAMED + 3)])["3-n0"]
    assert (len(found.ids), found.total) == (NAMED, NAMED + 2)
    assert str(found).endswith(" and 2 more")


def test_quoting_is_seen_and_other_words_are_not() -> None:
    whole, other = (sketch_of(words_of(text)) for text in (ADVISORY, OTHER_WORDS))
    half = sketch_of(words_of(f"{OTHER_WORDS} {ADVISORY[: len(ADVISORY) * 2 // 3]}"))
    assert one_quotes_the_other(whole, half)
    assert not one_quotes_the_other(whole, other)
    assert not one_quotes_the_other(*[sketch_of(words_of("a worm encrypts many files"))] * 2)


def test_a_short_text_is_found_in_a_very_long_one() -> None:
    filler = " ".join(f"word{n} stands here" for n in range(2_000))
    long = sketch_of(words_of(f"{filler} {ADVISORY * 6} {filler[::-1]}"))
    assert not one_quotes_the_other(sketch_of(words_of(OTHER_WORDS)), long)
    assert one_quotes_the_other(long, long)


few = st.integers(0, 3)
sets = st.frozensets(st.integers(0, 4), max_size=2)


@st.composite
def items(draw: st.DrawFn, most: int = 8) -> list[Item]:
    """Items with few different values, so that they collide in every way."""
    return [
        Item(
            report_id=f"r{n}",
            origin=draw(few),
            creator=draw(st.none() | few),
            text=draw(st.integers(0, 9)),
            sketch=frozenset(draw(st.sampled_from([range(10), range(6, 16), range(90, 99)]))),
            listing=draw(st.none() | st.integers(0, 2)),
            names=frozenset({100 + n}),
            stated=frozenset(100 + other for other in draw(sets)),
            keys=draw(sets),
            begin=(begin := draw(st.integers(0, 2 * STEPS))),
            end=begin + draw(st.integers(0, 3)),
            retracted=draw(st.sampled_from([False, False, False, True])),
        )
        for n in range(draw(st.integers(0, most)))
    ]


@given(items(), st.randoms(use_true_random=False))
def test_the_result_is_a_function_of_the_set(given: list[Item], chance: Any) -> None:
    shuffled = [*given, *given[:3]]
    chance.shuffle(shuffled)
    assert corroborations(shuffled) == corroborations(given)


@given(items(most=5))
def test_the_relations_are_symmetric(given: list[Item]) -> None:
    for one in given:
        for other in given:
            for relation in (republished, independent, corroborates):
                assert relation(one, other) == relation(other, one)


@given(items())
def test_a_further_item_never_takes_corroboration_away(given: list[Item]) -> None:
    before, after = corroborations(given[:-1]), corroborations(given)
    assert all(after[name].total >= found.total for name, found in before.items())


@given(items())
def test_whoever_is_named_is_in_force_and_independent(given: list[Item]) -> None:
    by_id = {each.report_id: each for each in given}
    for each in given:
        for other in corroboration_of(each, given).ids:
            assert not by_id[other].retracted
            assert by_id[other].origin != each.origin
            assert by_id[other].text != each.text
