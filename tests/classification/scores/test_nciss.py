"""NCISS: the weights of the reference implementation, and the worked column of domain 3.5."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from classification.scores.nciss import CATEGORIES, LEAST, MOST, SECTORS, NcissFacts, nciss
from classification.scores.result import Origin
from protocol.report import Disruption
from protocol.sectors import NIS2_SECTORS
from tests.classification.scores.bases import NOTHING, make_basis

WEIGHTS = {
    "functional_impact": (6, (0, 20, 35, 40, 50, 60, 70, 100)),
    "observed_activity": (5, (0, 40, 70, 80, 100)),
    "location": (4, (30, 40, 50, 60, 70, 80, 90, 100)),
    "actor": (4, (20, 30, 40, 50, 65, 80, 100)),
    "information_impact": (2, (0, 10, 20, 50, 60, 70, 80, 100)),
    "recoverability": (4, (20, 40, 60, 100)),
    "dependency": (3, (15, 20, 20, 25, 25, 30, 30, 35, 35, 40, 50, 60, 75, 75, 80, 100)),
    "potential_impact": (6, (0, 25, 50, 75, 100)),
}
CASES = {
    "wannacry": (
        "77.6",
        (
            "denial-critical-or-loss-of-control effect critical-systems unknown "
            "destruction-non-critical extended health severe"
        ),
    ),
    "notpetya": (
        "98.7",
        (
            "denial-critical-or-loss-of-control effect critical-systems apt-targeted "
            "destruction-critical not-recoverable energy severe"
        ),
    ),
    "mirai": (
        "65.9",
        (
            "denial-critical-or-loss-of-control effect critical-dmz unknown "
            "none regular information-technology high"
        ),
    ),
    "solarwinds": (
        "70.1",
        (
            "none-to-services presence critical-management apt-targeted "
            "core-credentials extended information-technology severe"
        ),
    ),
    "colonial": (
        "75.9",
        (
            "denial-critical-or-loss-of-control effect business-network criminal "
            "proprietary extended energy severe"
        ),
    ),
    "viasat": (
        "96.3",
        (
            "denial-critical-or-loss-of-control effect critical-systems apt-targeted "
            "destruction-critical not-recoverable communications severe"
        ),
    ),
    "ransomware": (
        "44.7",
        (
            "denial-non-critical effect business-network criminal "
            "destruction-non-critical supplemented commercial low"
        ),
    ),
    "phishing": (
        "13.7",
        "no-impact prepare business-dmz unknown privacy regular banking minimal",
    ),
    "fibre-cut": (
        "38.4",
        "significant-critical none unknown unknown none supplemented communications moderate",
    ),
}
"""Options in the order of the categories; the choice is ours, domain 3.5 gives the values only."""
OPTIONS = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(sorted(c.options)) for name, c in CATEGORIES.items()}
)


def test_the_weights_and_values_are_those_of_the_reference_implementation() -> None:
    found = {
        name: (each.weight, tuple(sorted(each.options.values())))
        for name, each in CATEGORIES.items()
    }
    assert found == WEIGHTS
    assert (LEAST, MOST) == (325, 3400)


@pytest.mark.parametrize(("value", "options"), CASES.values(), ids=CASES)
def test_the_worked_column_comes_out(value: str, options: str) -> None:
    facts = NcissFacts(**dict(zip(CATEGORIES, options.split(), strict=True)))
    score = nciss(facts, NOTHING)
    assert (score.value, score.missing) == (value, ())
    assert {each.origin for each in score.inputs} == {Origin.OFFICER}


def test_the_ends_of_the_scale_are_reached() -> None:
    for which, value in ((min, "0.0"), (max, "100.0")):
        options = {
            name: which(each.options, key=lambda option: each.options[option])
            for name, each in CATEGORIES.items()
        }
        assert nciss(NcissFacts(**options), NOTHING).value == value


def test_nothing_known_spans_the_whole_scale_and_names_all_that_is_missing() -> None:
    score = nciss(NcissFacts(), NOTHING)
    assert score.value is None
    assert score.missing == tuple(CATEGORIES)
    assert score.meaning.startswith("between 0.0 and 100.0")


@given(OPTIONS)
def test_whatever_is_missing_the_score_stays_within_the_span(options: dict[str, str]) -> None:
    score = nciss(NcissFacts(**options), NOTHING)
    assert set(score.missing) == set(CATEGORIES) - set(options)
    if not score.missing:
        assert score.value is not None
        return
    low, high = (float(word) for word in score.meaning.split() if word[0].isdigit())
    for which in (min, max):
        whole = {
            name: options.get(name) or which(c.options, key=lambda option: c.options[option])
            for name, c in CATEGORIES.items()
        }
        value = nciss(NcissFacts(**whole), NOTHING).value
        assert value is not None
        assert low <= float(value) <= high


def test_a_category_that_grows_never_lowers_the_score() -> None:
    options = dict(zip(CATEGORIES, CASES["ransomware"][1].split(), strict=True))
    for name, category in CATEGORIES.items():
        ordered = sorted(category.options, key=lambda option: category.options[option])
        for less, more in itertools.pairwise(ordered):
            lower = nciss(NcissFacts(**{**options, name: less}), NOTHING).value
            higher = nciss(NcissFacts(**{**options, name: more}), NOTHING).value
            assert lower is not None
            assert higher is not None
            assert float(lower) <= float(higher)


def test_an_unknown_option_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValidationError, match=r"no option 'nation'.*hacktivist"):
        NcissFacts(actor="nation")


def test_what_reports_say_is_taken_over_and_an_officers_word_beats_it() -> None:
    basis = make_basis(
        "essential-service-disrupted",
        "non-critical-denied",
        "critical-destruction",
        sectors=frozenset({"health", "energy", "space"}),
        disruption=Disruption.OBSERVED,
    )
    score = nciss(NcissFacts(dependency="health"), basis)
    found = {each.name: (each.value, each.origin) for each in score.inputs}
    assert found["functional_impact"] == ("significant-critical", Origin.REPORTS)
    assert found["observed_activity"] == ("effect", Origin.REPORTS)
    assert found["information_impact"] == ("destruction-critical", Origin.REPORTS)
    assert found["dependency"] == ("health", Origin.OFFICER)
    assert found["actor"] == ("", Origin.UNKNOWN)
    taken = nciss(NcissFacts(), basis)
    assert next(i.value for i in taken.inputs if i.name == "dependency") == "energy"


def test_sectors_are_those_of_both_vocabularies() -> None:
    assert set(SECTORS) <= NIS2_SECTORS
    assert set(SECTORS.values()) <= set(CATEGORIES["dependency"].options)
