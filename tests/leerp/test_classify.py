"""`leerp classify`: an evidence file to a class, offline; a wrong file is answered by line and field."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.settings import Settings
from leerp.classify import STANDARD_INPUT, classify
from protocol.errors import Refused
from protocol.stages import Recommendation

PROFILE = Settings().profile()


def worm(report: str, **changes: Any) -> dict[str, Any]:
    return {
        "report": report,
        "origin": f"unit of {report}",
        "grade": "B2",
        "criteria": ["essential-service-sustained-denial"],
        "countries": ["DE", "FR", "NL", "ES"],
        "sectors": ["health"],
        "organisations": ["A", "B", "C"],
        "self_propagating": True,
        "disruption": "observed",
        **changes,
    }


def written(folder: Path, document: Any) -> Path:
    path = folder / "evidence.json"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.requirement("R13", "R15", "R16")
def test_a_worm_in_four_states_is_an_emergency(tmp_path: Path) -> None:
    found = classify(written(tmp_path, {"evidence": [worm("r1")]}), PROFILE)

    assert found.threat_class == "C4"
    assert found.recommendation is Recommendation.LAUNCH
    assert any("T1" in sentence for sentence in found.reasons)


def test_what_nobody_judged_is_held_for_corroboration(tmp_path: Path) -> None:
    item = worm("r1")
    del item["grade"]
    found = classify(written(tmp_path, {"evidence": [item]}), PROFILE)

    assert found.recommendation is Recommendation.HOLD_CORROBORATE


def test_findings_of_officers_count(tmp_path: Path) -> None:
    calm = worm("r1", self_propagating=False, sectors=[], criteria=["significant-incident"])
    stated = {
        "triggers": [
            {"trigger": "T3", "officer": "m.rossi", "text": "asked", "reference": "Council note"}
        ]
    }
    alone = classify(written(tmp_path, {"evidence": [calm]}), PROFILE)
    lifted = classify(written(tmp_path, {"evidence": [calm], "findings": stated}), PROFILE)

    assert alone.recommendation is Recommendation.MONITOR
    assert lifted.recommendation is Recommendation.LAUNCH


def test_evidence_is_read_from_toml_and_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = tmp_path / "evidence.toml"
    toml.write_text('[[evidence]]\nreport = "r1"\norigin = "unit"\ngrade = "A1"\n')
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps({"evidence": [worm("r1")]})))

    assert classify(toml, PROFILE).threat_class == "C0"
    assert classify(STANDARD_INPUT, PROFILE).threat_class == "C4"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"evidence": []}, "evidence"),
        ({"evidence": [worm("r1", grade="B7")]}, "evidence.0.grade"),
        ({"evidence": [worm("r1", countries=["Germany"])]}, "evidence.0.countries"),
        ({"evidence": [worm("r1", victims_min="many")]}, "evidence.0.victims_min"),
        ({"evidence": [worm("r1", victim_count=3)]}, "evidence.0.victim_count"),
        ([], "input"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, document: Any, words: str) -> None:
    with pytest.raises(Refused, match=words):
        classify(written(tmp_path, document), PROFILE)


def test_broken_json_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    path.write_text('{"evidence":\n [}')
    with pytest.raises(Refused, match="line 2"):
        classify(path, PROFILE)
