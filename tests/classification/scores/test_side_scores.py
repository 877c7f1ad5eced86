"""All scales together: each answers or says what is missing, and none of them decides."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given

from classification.assessment import assess
from classification.evidence import Evidence
from classification.findings import Findings
from classification.scores.nis_colour import Colour, NisFacts, RootCause, nis_colour
from classification.scores.result import Origin, ScoreId
from classification.scores.side_scores import ExtraFacts, side_scores
from classification.scores.uk_ncsc import UkFacts
from protocol.report import Cause, ImpactLevel
from tests.classification.builders import PROFILE, ROOT, bodies, make_evidence
from tests.classification.scores.bases import NOTHING, make_basis


@given(bodies())
def test_every_scale_answers_or_names_what_is_missing(evidence: list[Evidence]) -> None:
    found = side_scores(assess(evidence, Findings(), PROFILE), evidence)
    assert [score.id for score in found] == list(ScoreId)
    for score in found:
        assert (score.value is None) is bool(score.missing)
        assert score.meaning
        named = {each.name: each for each in score.inputs}
        assert all(
            each.origin is not Origin.OFFICER
            and bool(each.value) is (each.origin is not Origin.UNKNOWN)
            for each in score.inputs
        )
        assert set(score.missing) <= set(named)


@given(bodies())
def test_the_scores_are_of_the_set_of_evidence(evidence: list[Evidence]) -> None:
    forwards = side_scores(assess(evidence, Findings(), PROFILE), evidence)
    backwards = [*reversed(evidence), *evidence]
    assert side_scores(assess(backwards, Findings(), PROFILE), backwards) == forwards


@pytest.mark.requirement("R13", "R14")
def test_no_rule_of_the_protocol_reads_a_side_score() -> None:
    rules = [*(ROOT / "classification").glob("*.py"), *(ROOT / "protocol").rglob("*.py")]
    assert rules
    for path in rules:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
        imported |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        assert not any(name.startswith("classification.scores") for name in imported), path.name


def test_an_officers_fact_is_shown_as_hers() -> None:
    facts = ExtraFacts(uk_ncsc=UkFacts(severe_consequences=True))
    evidence = [make_evidence(loss_eur_min=700_000.0), make_evidence("2-b", loss_eur_min=1.0)]
    found = {s.id: s for s in side_scores(assess(evidence, Findings(), PROFILE), evidence, facts)}
    assert found[ScoreId.UK_NCSC].value == "1"
    shown = {each.name: each for each in found[ScoreId.UK_NCSC].inputs}
    assert shown["severe_consequences"].origin is Origin.OFFICER
    assert shown["severe_consequences"].value == "yes"
    loss = {each.name: each for each in found[ScoreId.IR_2024_2690].inputs}["loss_eur"]
    assert (loss.value, loss.origin) == ("700,000.0", Origin.REPORTS)


def test_a_loss_that_was_taken_back_counts_for_nothing() -> None:
    evidence = [make_evidence("2-a"), make_evidence("2-b", loss_eur_min=9e9, retracted=True)]
    found = {s.id: s for s in side_scores(assess(evidence, Findings(), PROFILE), evidence)}
    assert found[ScoreId.IR_2024_2690].value is None


@pytest.mark.parametrize(
    ("criteria", "impact", "colour"),
    [
        (("attempt-blocked",), "I0", "white"),
        (("small-loss",), "I1", "green"),
        (("significant-incident",), "I2", None),
        (("critical-destruction",), "I3", "yellow"),
        (("risk-to-life",), "I4", "red"),
        (("nis-severity-green", "significant-incident"), "I2", "green"),
        (("nis-severity-green", "nis-severity-red"), "I4", "red"),
        ((), "I0", None),
    ],
)
def test_the_colour_is_the_reporters_or_that_of_the_level(
    criteria: tuple[str, ...], impact: str, colour: str | None
) -> None:
    score = nis_colour(NisFacts(), make_basis(*criteria, impact=ImpactLevel(impact)))
    assert score.value == colour
    assert score.missing == (() if colour else ("colour",))


@pytest.mark.parametrize(
    ("cause", "root"),
    [
        (Cause.MALICIOUS, "malicious-actions"),
        (Cause.TECHNICAL_FAILURE, "system-failures"),
        (Cause.NATURAL, "natural-phenomena"),
        (Cause.HUMAN_ERROR, "human-errors"),
        (Cause.THIRD_PARTY, "third-party-failures"),
        (Cause.PRESUMED_MALICIOUS, ""),
    ],
)
def test_the_cause_is_told_in_the_words_of_the_taxonomy(cause: Cause, root: str) -> None:
    shown = {i.name: i.value for i in nis_colour(NisFacts(), make_basis(cause=cause)).inputs}
    assert shown["root_cause"] == root


def test_an_officers_colour_beats_all_others() -> None:
    facts: dict[str, Any] = {"colour": Colour.YELLOW, "root_cause": RootCause.HUMAN_ERRORS}
    basis = make_basis("nis-severity-red", impact=ImpactLevel.I4, sectors=frozenset({"health"}))
    score = nis_colour(NisFacts(**facts), basis)
    assert (score.value, score.meaning) == ("yellow", "large impact")
    shown = {i.name: (i.value, i.origin) for i in score.inputs}
    assert shown["sectors"] == ("health", Origin.REPORTS)
    assert shown["outlook"] == ("", Origin.UNKNOWN)
    assert nis_colour(NisFacts(), NOTHING).value is None
