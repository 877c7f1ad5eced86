"""The evidence file in three forms: what is wrong is named by line and field."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.settings import Settings
from leerp.evidence_file import STANDARD_INPUT, EvidenceItem, read_evidence
from leerp.schemas import schema
from protocol.errors import Refused
from protocol.report import Disruption

PROFILE = Settings().profile()
YAML = """\
name: a case
evidence:
  - report: r1
    origin: police
    grade: B2
    criteria: [risk-to-life]
    countries: [NO, DE]
    sectors: [health]
    organisations: [A, B]
    victims_min: 5
    self_propagating: true
    disruption: none
    loss_eur_min: 10.5
    observed_first: 2017-05-12T08:00:00Z
    observed_last: 2017-05-12T10:00:00+02:00
"""
JSON = """\
{
  "name": "a case",
  "evidence": [{
    "report": "r1", "origin": "police",
    "grade": "B2",
    "criteria": ["risk-to-life"],
    "countries": ["NO", "DE"],
    "sectors": ["health"],
    "organisations": ["A", "B"],
    "victims_min": 5,
    "self_propagating": true,
    "disruption": "none",
    "loss_eur_min": 10.5,
    "observed_first": "2017-05-12T08:00:00Z",
    "observed_last": "2017-05-12T10:00:00+02:00"
  }]
}
"""
TOML = """\
name = "a case"

[[evidence]]
report = "r1"
grade = "B2"
criteria = ["risk-to-life"]
countries = ["NO", "DE"]
sectors = ["health"]
organisations = ["A", "B"]
victims_min = 5
self_propagating = true
disruption = "none"
loss_eur_min = 10.5
observed_first = 2017-05-12T08:00:00Z
observed_last = 2017-05-12T10:00:00+02:00
origin = "police"
"""
FORMS = {"yaml": YAML, "json": JSON, "toml": TOML}
WRONG: dict[str, tuple[str, str, str, str]] = {
    # what stands in each form, what it becomes, and what is said of it
    "a number as text": ("victims_min", "5", '"5"', "valid integer"),
    "a fraction of a victim": ("victims_min", "5", "5.5", "valid integer"),
    "fewer than none": ("victims_min", "5", "-5", "greater than or equal to 0"),
    "a word for a boolean": ("self_propagating", "true", '"yes"', "valid boolean"),
    "an unknown grade": ("grade", "B2", "B7", "'7' is not a valid"),
    "a grade of three characters": ("grade", "B2", "B22", "a letter and a digit"),
    "an unknown disruption": ("disruption", "none", "some", "'none', 'imminent'"),
    "a criterion that the matrix does not have": (
        "criteria.0",
        "risk-to-life",
        "risk-to-live",
        "no criterion of the matrix 'risk-to-live', perhaps 'risk-to-life'",
    ),
    "a country that there is not": ("countries.1", "DE", "XZ", "no country 'XZ'"),
    "a country by another code": ("countries.1", "DE", "UK", "no country 'UK', perhaps 'GB'"),
    "a country by its name": ("countries.1", "DE", "Germany", "match pattern"),
    "an unknown sector": ("sectors.0", "health", "heath", "no nis2 sector 'heath', perhaps"),
    "times in the wrong order": (
        "observed_last",
        "10:00:00+02:00",
        "09:59:59+02:00",
        "lies before observed_first",
    ),
    "a time without a zone": ("observed_last", "10:00:00+02:00", "10:00:00", "timezone"),
    "an unknown field": ("victims", "victims_min", "victims", "Extra inputs are not permitted"),
}


def written(folder: Path, form: str, text: str) -> Path:
    path = folder / f"case.{form}"
    path.write_text(text, encoding="utf-8")
    return path


def line_of(text: str, fragment: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if fragment in line)


@pytest.mark.parametrize("form", FORMS)
def test_the_three_forms_say_the_same(tmp_path: Path, form: str) -> None:
    found = read_evidence(written(tmp_path, form, FORMS[form]), PROFILE)
    (item,) = found.items()
    assert found.name == "a case"
    assert (item.report_id, item.origin, str(item.grade)) == ("r1", "police", "B2")
    assert item.countries == {"NO", "DE"}
    assert item.disruption is Disruption.NONE
    assert (item.organisations_min, item.victims_min, item.loss_eur_min) == (2, 5, 10.5)
    assert found.evidence[0].observed_first == found.evidence[0].observed_last


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("field", "right", "wrong", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_by_line_and_field(
    *, tmp_path: Path, form: str, field: str, right: str, wrong: str, words: str
) -> None:
    name = field.split(".", maxsplit=1)[0] if right != "victims_min" else "victims_min"
    lines = FORMS[form].splitlines()
    line = line_of(FORMS[form], name)
    lines[line - 1] = lines[line - 1].replace(right, wrong)
    path = written(tmp_path, form, "\n".join(lines))
    with pytest.raises(Refused) as refused:
        read_evidence(path, PROFILE)
    assert refused.value.reason == "bad-evidence"
    assert f"{path}: line {line}, evidence.0.{field}: " in str(refused.value)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("form", "text", "line"),
    [
        ("yaml", "name: x\nevidence: []\n", 2),
        ("json", '{"name": "x",\n "evidence": []}', 2),
        ("toml", 'name = "x"\nevidence = []\n', 2),
    ],
)
def test_an_empty_list_is_named_by_its_line(
    tmp_path: Path, form: str, text: str, line: int
) -> None:
    with pytest.raises(Refused, match=rf"line {line}, evidence: .*at least 1 item"):
        read_evidence(written(tmp_path, form, text), PROFILE)


@pytest.mark.parametrize(
    ("form", "text"), [("yaml", "name: x\n"), ("json", '{"name": "x"}'), ("toml", 'name = "x"\n')]
)
def test_no_evidence_at_all_is_named(tmp_path: Path, form: str, text: str) -> None:
    with pytest.raises(Refused, match="line 1, evidence: Field required"):
        read_evidence(written(tmp_path, form, text), PROFILE)


@pytest.mark.parametrize(
    ("form", "text", "words"),
    [
        ("yaml", "evidence:\n  - report: [r1\n", "line 3"),
        ("json", '{"evidence":\n [}', "line 2"),
        ("toml", "[[evidence]]\nreport = \n", "line 2"),
    ],
)
def test_what_is_not_of_its_form_is_named_by_its_line(
    tmp_path: Path, form: str, text: str, words: str
) -> None:
    with pytest.raises(Refused, match=words) as refused:
        read_evidence(written(tmp_path, form, text), PROFILE)
    assert refused.value.reason == "unreadable"


def test_a_whole_that_is_no_case_is_refused(tmp_path: Path) -> None:
    for text in ("", "- 1\n", "text\n", "? [a, b]\n: 1\n"):
        with pytest.raises(Refused):
            read_evidence(written(tmp_path, "yaml", text), PROFILE)


def test_half_of_a_surrogate_pair_is_refused(tmp_path: Path) -> None:
    text = '{"evidence": [{"report": "\\ud800", "origin": "x"}]}'
    with pytest.raises(Refused, match="surrogates not allowed"):
        read_evidence(written(tmp_path, "json", text), PROFILE)


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"evidence\.0\.loss_eur_min|JSON"):
        read_evidence(written(tmp_path, "yaml", YAML.replace("10.5", ".inf")), PROFILE)


def test_one_report_twice_is_named_where_it_comes_again(tmp_path: Path) -> None:
    text = "evidence:\n  - {report: r1, origin: a}\n  - {report: r1, origin: b}\n"
    with pytest.raises(Refused, match=r"line 3, evidence\.1\.report: .*already, as evidence\.0"):
        read_evidence(written(tmp_path, "yaml", text), PROFILE)


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        ({"trigers": []}, "findings.trigers: Extra inputs"),
        (
            {"triggers": [{"trigger": "T9", "officer": "o", "text": "t"}]},
            "findings.triggers.0.trigger: ",
        ),
        ({"triggers": [{"trigger": "T3", "officer": "o", "text": "t"}]}, "T3 needs a reference"),
        (
            {
                "probable_countries": [
                    {"officer": "o", "text": "t", "country": "XZ", "probability": 1}
                ]
            },
            "findings.probable_countries.0.country: no country 'XZ'",
        ),
        (
            {
                "probable_sectors": [
                    {"officer": "o", "text": "t", "sector": "enrgy", "probability": 1}
                ]
            },
            "findings.probable_sectors.0.sector: no nis2 sector 'enrgy', perhaps 'energy'",
        ),
        (
            {
                "campaign": {
                    "officer": "o",
                    "text": "t",
                    "incident_ids": ["i"],
                    "states": ["DE", "XZ"],
                    "first": "2026-01-01T00:00:00Z",
                    "last": "2026-01-02T00:00:00Z",
                }
            },
            "findings.campaign.states.1: no country 'XZ'",
        ),
        (
            {
                "campaign": {
                    "officer": "o",
                    "text": "t",
                    "incident_ids": ["i"],
                    "states": ["DE"],
                    "first": "2026-01-02T00:00:00Z",
                    "last": "2026-01-01T00:00:00Z",
                }
            },
            "last incident lies before its first",
        ),
    ],
)
def test_findings_are_taken_as_strictly(
    tmp_path: Path, findings: dict[str, Any], words: str
) -> None:
    document = {"evidence": [{"report": "r1", "origin": "a"}], "findings": findings}
    with pytest.raises(Refused, match=re.escape(words)) as refused:
        read_evidence(written(tmp_path, "json", json.dumps(document, indent=1)), PROFILE)
    assert re.search(r"line \d+, findings", str(refused.value))


def test_extra_facts_are_taken_as_strictly(tmp_path: Path) -> None:
    text = f"{YAML}facts:\n  nciss:\n    actor: nation\n  dora: {{clients: many}}\n"
    with pytest.raises(Refused) as refused:
        read_evidence(written(tmp_path, "yaml", text), PROFILE)
    assert "line 18, facts.nciss.actor: NCISS has no option 'nation'" in str(refused.value)
    assert "line 19, facts.dora.clients: " in str(refused.value)


@pytest.mark.requirement("R11")
def test_a_grade_may_be_left_out_as_x4_or_be_open(tmp_path: Path) -> None:
    text = "evidence:\n  - {report: r1, origin: a}\n  - {report: r2, origin: b, grade: ~}\n"
    items = read_evidence(written(tmp_path, "yaml", text), PROFILE).items()
    assert [str(item.grade) for item in items] == ["X4", "None"]


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_standard_input_is_json_or_yaml(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(FORMS[form]))
    assert read_evidence(STANDARD_INPUT, PROFILE).name == "a case"
    monkeypatch.setattr(sys, "stdin", io.StringIO(FORMS[form].replace("B2", "B9")))
    with pytest.raises(Refused, match=r"^standard input: line 5, evidence\.0\.grade"):
        read_evidence(STANDARD_INPUT, PROFILE)


def test_the_published_schema_is_as_strict_as_the_reader() -> None:
    published = schema("evidence")
    parts = published["$defs"]
    item = parts["EvidenceItem"]
    assert set(item["properties"]) == set(EvidenceItem.model_fields)
    assert set(item["required"]) == {"report", "origin"}
    grade = item["properties"]["grade"]["anyOf"][0]
    assert grade["type"] == "string"
    assert re.fullmatch(grade["pattern"], "B2")
    closed = [name for name, part in parts.items() if "properties" in part]
    assert "Findings" in closed
    assert all(parts[name]["additionalProperties"] is False for name in closed)
    assert parts["NcissFacts"]["properties"]["actor"]["anyOf"][0]["enum"][0] == "hacktivist"
