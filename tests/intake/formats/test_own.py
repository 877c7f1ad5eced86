from __future__ import annotations

from typing import Any

import pytest

from protocol.errors import RejectedReport
from protocol.grades import Grade
from protocol.markings import HandlingCode
from tests.intake.formats.samples import own_report, read, read_one

SECRET = "s3cret"


def test_a_report_is_taken_as_it_is_with_its_indicators_in_normal_form() -> None:
    content = read_one(
        own_report(
            evaluation={
                "scheme": "europol4x4",
                "original": "B2",
                "grade": {"source": "B", "information": "2"},
            },
            marking={"handling_codes": ["H0", "H1"], "tlp": "GREEN", "classification": 1},
            indicators=[
                {"type": "domain", "value": "Evil[.]example"},
                {"type": "domain", "value": "evil.example."},
            ],
        )
    )

    assert [i.value for i in content.indicators] == ["evil.example"]
    assert content.evaluation is not None
    assert content.evaluation.grade == Grade.parse("B2")
    assert content.marking.handling_codes == {HandlingCode.H1}


@pytest.mark.parametrize(
    ("changes", "reason", "told"),
    [
        ({"times": ...}, "no-time", "times is missing"),
        ({"times": []}, "no-time", "times is empty"),
        ({"source_id": ...}, "missing-field", "source_id is missing"),
        ({"source_id": ""}, "invalid-field", "source_id is empty"),
        ({"source_id": 5}, "invalid-field", "source_id is not a text"),
        ({"title": "x" * 1_001}, "invalid-field", "title is too long"),
        ({"title": "a\x07b"}, "invalid-field", "title is refused: text holds a control character"),
        ({SECRET: 1}, "unknown-field", "the report has an unknown field"),
        ({"reporter": {"name": "x", SECRET: 1}}, "unknown-field", "reporter has an unknown field"),
        ({"reporter": SECRET}, "invalid-field", "reporter is not an object with fields"),
        ({"reporter": {"name": "x", "country": "bel"}}, "invalid-field", "not in the form"),
        ({"affected": [{"kind": SECRET, "value": "x"}]}, "invalid-field", r"affected\[0\].kind"),
        ({"affected": [{"kind": "sector", "value": "x", SECRET: 1}]}, "unknown-field",
         r"affected\[0\] has an unknown field"),
        ({"marking": {"handling_codes": 5}}, "invalid-field", "marking.handling_codes"),
        ({"marking": {"handling_codes": [SECRET]}}, "invalid-field", "marking.handling_codes"),
        ({"marking": {"handling_codes": [[]]}}, "invalid-field", "marking.handling_codes"),
        ({"marking": {"handling_codes": ["H3"]}}, "invalid-field", "handling code H3 needs its text"),
        ({"times": [{"kind": "observed", "earliest": "2017-05-12T00:00:00",
                     "latest": "2017-05-12T00:00:00Z"}]}, "invalid-field", "without its zone"),
        ({"times": [{"kind": "observed", "earliest": 1494547200,
                     "latest": "2017-05-12T00:00:00Z"}]}, "invalid-field", "is not a time"),
        ({"times": [{"kind": "observed", "earliest": "2017-05-13T00:00:00Z",
                     "latest": "2017-05-12T00:00:00Z"}]}, "invalid-field", "ends before it begins"),
        ({"indicators": [{"type": "ip", "value": SECRET}]}, "bad-indicator",
         r"indicators\[0\].value is refused: not an IP address"),
        ({"first_hand": "yes"}, "invalid-field", "first_hand is neither true nor false"),
        ({"impact": {"loss_eur_min": -1}}, "invalid-field", "impact.loss_eur_min is too small"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_the_path_of_our_field_only(
    changes: dict[str, Any], reason: str, told: str
) -> None:
    with pytest.raises(RejectedReport, match=told) as refused:
        read(own_report(**changes))

    assert refused.value.reason == reason
    assert SECRET not in str(refused.value)


def test_many_faults_are_summed_up() -> None:
    with pytest.raises(RejectedReport, match="and 2 more"):
        read(own_report(**{f"x{number}": 1 for number in range(5)}))
