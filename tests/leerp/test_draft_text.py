"""What the second person reads before agreeing to a launch."""

from __future__ import annotations

import pytest

from infra.casefile import Artefact
from leerp.draft_text import draft_text
from protocol.errors import Refused
from tests.classification.threats import AT, SITUATION, initial, item


@pytest.mark.requirement("R16", "R17", "R31")
def test_the_threat_assessment_is_read_in_words_and_whole() -> None:
    content = initial([item(1, "A1"), item(2, "B2")], suppressed=frozenset({0}))
    draft = Artefact(
        incident_id="inc-1",
        kind="threat-assessment",
        version=4,
        at=AT,
        by="a.virtanen",
        document=content.model_dump(mode="json"),
    )
    said = " ".join(draft_text(draft).split())
    assert said.startswith(
        f"threat-assessment version 4, drafted by a.virtanen, digest {draft.digest}"
    )
    for part in (
        SITUATION,
        "Class C4 (emergency)",
        "recommendation launch",
        "no. 1 A1 source suppressed (handling code H2)",
        "no. 2 B2 Police of Exampleland",
        "Handling codes H2",
        "TLP:AMBER PAP:AMBER",
    ):
        assert part in said
    assert item(1).report_id not in said


def test_an_assessment_of_an_earlier_release_is_not_agreed_to_unread() -> None:
    old = {"situation": "hospitals are hit", "officer": "a.virtanen"}
    draft = Artefact(
        incident_id="inc-1", kind="threat-assessment", version=1, at=AT, by="x", document=old
    )
    with pytest.raises(Refused, match="leerp incidents assess inc-1") as refused:
        draft_text(draft)
    assert refused.value.reason == "old-form"
