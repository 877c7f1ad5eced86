"""The Initial Threat Assessment on paper: marked on every sheet, complete, and safe to open."""

from __future__ import annotations

import html
import io
import json
import re
import shutil
import subprocess
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PageObject, PdfReader
from pypdf.generic import ContentStream
from weasyprint.urls import FatalURLFetchingError

from classification.findings import CauseConfirmation, Findings, Override, TriggerId
from classification.initial import InitialThreatAssessment
from notifications import threat_words as words
from notifications.pdf import to_pdf
from notifications.threat_assessment import (
    GateStep,
    ThreatDocument,
    as_html,
    as_json,
    as_text,
)
from protocol.markings import Classification, HandlingCode, Marking, Tlp
from protocol.report import Cause, Disruption
from protocol.stages import Recommendation
from tests.classification.builders import make_evidence, stated
from tests.classification.threats import AT, SITUATION, initial, item

DIGEST = "0123456789abcdef" * 4
MARKED = (
    "EUROPOL UNCLASSIFIED - BASIC PROTECTION LEVEL",
    "Handling codes H2",
    "TLP:AMBER PAP:AMBER",
)
HOSTILE = '<script>alert(1)</script> {{ 7*7 }} <img src="http://127.0.0.1:9/x"> </style> \\22 "'
NOTHING_KNOWN = make_evidence("2-0", "X4")


def document(content: InitialThreatAssessment | None = None, **changes: Any) -> ThreatDocument:
    values: dict[str, Any] = {
        "content": content or initial(),
        "version": 2,
        "newest_version": 2,
        "digest": DIGEST,
    }
    return ThreatDocument(**values | changes)


@pytest.fixture(scope="module")
def long_pdf() -> bytes:
    """An exercise of 60 reports with long words, every seventh from a source that is suppressed."""
    content = initial(
        [item(n, ("A1", "B2", "X4")[n % 3]) for n in range(60)],
        suppressed=frozenset(range(3, 60, 7)),
        exercise=True,
        title="W" * 200,
        source="S" * 300,
    )
    return to_pdf(as_html(document(content)))


@pytest.fixture(scope="module")
def pages(long_pdf: bytes) -> list[PageObject]:
    return list(PdfReader(io.BytesIO(long_pdf)).pages)


def halves(page: PageObject) -> tuple[str, str]:
    """The text of the upper and of the lower sixth of a sheet."""
    height = float(page.mediabox.height)
    top, bottom = [], []

    def visit(text: str, cm: list[float], tm: list[float], _font: Any, _size: Any) -> None:
        y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
        if y > height * 5 / 6:
            top.append(text)
        elif y < height / 6:
            bottom.append(text)

    page.extract_text(visitor_text=visit)
    return squeeze("".join(top)), squeeze("".join(bottom))


def squeeze(text: str) -> str:
    return " ".join(text.split())


def text_of(page: str) -> str:
    """What a page says, without its markup."""
    body = page[page.index("<body>") :]
    return squeeze(html.unescape(re.sub(r"<[^>]+>", " ", body)))


class Page(HTMLParser):
    """Collects tags with their attributes, and what stands in each cell, item and paragraph."""

    HELD = frozenset({"td", "th", "li", "p", "h1", "h2"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.fields: list[str] = []
        self._open: list[int] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in self.HELD:
            self._open.append(len(self.fields))
            self.fields.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.HELD:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for field in self._open:
            self.fields[field] += data


@pytest.mark.requirement("R31", "R32")
def test_marking_exercise_and_page_number_stand_on_every_sheet(pages: list[PageObject]) -> None:
    assert len(pages) >= 5
    for number, page in enumerate(pages, 1):
        top, bottom = halves(page)
        for line in (*MARKED, "EXERCISE EXERCISE EXERCISE"):
            assert line in top, number
            assert line in bottom, number
        assert f"page {number} of {len(pages)}" in bottom
        assert "inc-ac104890aa27" in bottom
        assert f"version 2, digest {DIGEST[:16]}" in bottom


def test_only_an_exercise_is_called_one() -> None:
    made = document()
    assert "EXERCISE" not in as_html(made) + as_text(made)
    drill = document(initial(exercise=True))
    assert as_text(drill).splitlines()[0] == as_text(drill).splitlines()[-1]
    assert as_html(drill).count("EXERCISE EXERCISE EXERCISE") == 2


@pytest.mark.requirement("R16")
def test_class_and_recommendation_stand_on_the_first_sheet_however_long_the_text() -> None:
    content = initial([item(n) for n in range(5)], situation="long words here " * 600)
    reader = PdfReader(io.BytesIO(to_pdf(as_html(document(content)))))
    first = squeeze(reader.pages[0].extract_text())
    assert len(reader.pages) > 3
    assert "C4 emergency" in first
    assert "Launch the protocol" in first
    assert reader.metadata is not None
    assert reader.metadata.title == "Initial Threat Assessment inc-ac104890aa27, version 2"


@pytest.mark.requirement("R16")
def test_a_short_case_has_who_signed_and_who_decides_on_the_first_sheet() -> None:
    first = PdfReader(io.BytesIO(to_pdf(as_html(document())))).pages[0]
    said = squeeze(first.extract_text())
    assert SITUATION in said
    assert "Aino Virtanen (a.virtanen), EC3" in said
    assert "not proposed yet: nobody has decided on this version" in said


def test_nothing_is_told_by_colour(pages: list[PageObject]) -> None:
    shades = set()
    for page in pages:
        contents = page.get_contents()
        assert isinstance(contents, ContentStream)
        for operands, operator in contents.operations:
            assert operator not in {b"k", b"K", b"Do", b"sh"}
            if operator in {b"rg", b"RG", b"scn", b"SCN", b"sc", b"SC"}:
                shades.add(tuple(float(value) for value in operands))
    assert shades
    assert all(len(set(shade)) == 1 for shade in shades)


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="poppler-utils is not installed")
def test_on_the_picture_every_sheet_is_marked_and_no_long_word_leaves_the_text_area(
    long_pdf: bytes, pages: list[PageObject]
) -> None:
    drawn = subprocess.run(
        ["pdftoppm", "-gray", "-r", "50", "-"], input=long_pdf, capture_output=True, check=True
    ).stdout
    sheets = grey_pictures(drawn)
    assert len(sheets) == len(pages)
    for rows in sheets:
        height, width = len(rows), len(rows[0])
        inked = [min(row) < 100 for row in rows]
        assert any(inked[: height // 12])  # the uppermost line of the marking
        assert any(inked[-height // 12 :])
        edge = width * 14 // 210  # 14 of the 17 mm of margin
        assert all(min(row[:edge]) > 200 and min(row[-edge:]) > 200 for row in rows)


def grey_pictures(stream: bytes) -> list[list[bytes]]:
    """The rows of each picture in a stream of PGM files."""
    pictures = []
    while stream:
        head = re.match(rb"P5\n(\d+) (\d+)\n255\n", stream)
        assert head
        width, height = int(head[1]), int(head[2])
        body = stream[head.end() : head.end() + width * height]
        pictures.append([body[at : at + width] for at in range(0, len(body), width)])
        stream = stream[head.end() + width * height :]
    return pictures


@pytest.mark.requirement("R17")
@pytest.mark.parametrize(
    "content",
    [
        initial([NOTHING_KNOWN]),
        initial(suppressed=frozenset({0})),
        initial([item(n) for n in range(300)], exercise=True),
    ],
    ids=["nothing known", "source suppressed", "more than are listed"],
)
def test_no_field_is_blank(content: InitialThreatAssessment) -> None:
    fields = Page(as_html(document(content))).fields
    assert len(fields) > 50
    assert all(field.strip() for field in fields)


@pytest.mark.requirement("R17")
def test_what_is_unknown_says_so_in_words() -> None:
    said = text_of(as_html(document(initial([NOTHING_KNOWN]))))
    for sentence in (
        "unknown: no report names a state",
        "unknown: no report names a sector",
        "unknown: no report gives a number",
        "unknown: no report names one",
        "unknown: no report says",
        "unknown: presumed malicious",
        "None: no report states an effect.",
        "None has fired.",
        "Unknown: a crime is presumed, but no report names an affected state.",
        "Examined and not fired: T1",
    ):
        assert sentence in said


@pytest.mark.requirement("R11", "R13", "R15")
def test_the_page_says_criteria_triggers_gates_reasons_and_grades() -> None:
    said = text_of(
        as_html(
            document(
                initial(
                    [item(1, "A1"), item(2, "X4", criteria={"risk-to-life"})],
                    findings=Findings(triggers=(stated("T4"),)),
                )
            )
        )
    )
    for sentence in (
        "I4 risk-to-life NO, only claimed no. 2",
        "I3 essential-service-disrupted yes no. 1",
        "T4 an affected member state asks for emergency support",
        "G3 every report is graded passed all 2 report(s) in force are graded",
        "A reliable in all instances 1 0 0 0",
        "X cannot be assessed 0 0 0 1",
        "law enforcement (24/7 point of contact); judicial authority",
        "[C4]",
        "leerp-tcm/1",
        DIGEST,
    ):
        assert sentence in said.replace("\xa0", " ")


@pytest.mark.requirement("R13", "R15", "R17")
def test_it_says_what_would_change_the_result_and_by_which_numbered_report() -> None:
    content = initial([item(1, "A1"), item(2, "X4", criteria={"risk-to-life"})])
    for shown in (text_of(as_html(document(content))), squeeze(as_text(document(content)))):
        said = shown.replace("\xa0", " ")
        assert "What would change it" in said
        assert re.search(r"lower class:? if report no\. 1 \(A1\) were withdrawn", said)
        assert re.search(r"launch:? if risk to life were reported", said)


@pytest.mark.requirement("R15")
def test_a_gate_says_in_words_whether_it_is_passed_or_set_aside() -> None:
    claimed = [item(n, "X4") for n in range(1, 5)]
    held = initial(claimed)
    assert held.assessment.recommendation is Recommendation.HOLD_CORROBORATE
    said = text_of(as_html(document(held)))
    assert "Gates not passed G4" in said
    assert "NOT passed" in said
    assert "Hold and corroborate" in said
    override = Findings(override=Override(officer="l.meyer", reason="hospitals cannot wait"))
    said = text_of(as_html(document(initial(claimed, findings=override))))
    assert "set aside by an officer" in said
    assert "hospitals cannot wait" in said


@pytest.mark.requirement("R10")
def test_a_rebutted_presumption_routes_nobody_and_says_so() -> None:
    cause = CauseConfirmation(
        officer="a.virtanen", text="called the operator", cause=Cause.TECHNICAL_FAILURE
    )
    failure = item(
        1, "A1", cause=Cause.TECHNICAL_FAILURE, cause_clear=True, cause_by_authority=True
    )
    said = text_of(as_html(document(initial([failure], findings=Findings(cause=cause)))))
    assert "Nobody: the presumption of a crime is rebutted." in said
    assert "Out of scope" in said


@pytest.mark.requirement("R13")
def test_a_class_that_is_capped_says_so_beside_the_matrix() -> None:
    calm = [item(n, disruption=Disruption.NONE) for n in range(5)]
    assert "K1 caps C4 to C3" in text_of(as_html(document(initial(calm))))


@pytest.mark.requirement("R32")
def test_a_suppressed_source_stands_there_with_its_grade_only() -> None:
    content = initial([item(1, "A1"), item(2, "B2")], suppressed=frozenset({0}))
    for shown in (text_of(as_html(document(content))), squeeze(as_text(document(content)))):
        said = shown.replace("\xa0", " ")
        assert re.search(r"\b1 +A1 +source suppressed \( ?handling code H2 ?\)", said)
        assert item(1).report_id not in said
        assert item(2).report_id in said
        assert "no. 1 (source suppressed)" in said


@pytest.mark.requirement("R31", "R32")
def test_the_handling_section_says_what_each_part_of_the_marking_asks() -> None:
    marking = Marking(
        classification=Classification.RESTRICTED,
        tlp=Tlp.RED,
        handling_codes=frozenset({HandlingCode.H1, HandlingCode.H3}),
        handling_text="not for liaison bureaux",
    )
    made = document(initial(marking=marking))
    said = text_of(as_html(made))
    assert made.marking_lines == ("EU RESTRICTED", "Handling codes H1 H3", "TLP:RED PAP:AMBER")
    for sentence in (
        "Handling instructions of providers apply: read section 12 first.",
        "RESTRICTED: accredited systems",
        "H1: not to be disclosed in judicial proceedings",
        "Text of the handling codes: not for liaison bureaux",
        "TLP:RED: for the named readers only.",
    ):
        assert sentence in said
    assert "not for liaison bureaux" in as_text(made)


@pytest.mark.requirement("R16")
def test_it_says_what_a_second_person_decided_and_whether_it_is_outdated() -> None:
    steps = tuple(
        GateStep(state=state, officer=who, organisation="EC3", at=AT + timedelta(minutes=late))
        for state, who, late in (("proposed", "a.virtanen", 2), ("approved", "m.rossi", 9))
    )
    said = text_of(as_html(document(steps=steps, version=1)))
    assert "proposed by a.virtanen, EC3, on 2026-11-21 09:32 UTC" in said
    assert "approved by m.rossi, EC3, on 2026-11-21 09:39 UTC" in said
    assert "NOT THE NEWEST VERSION: version 2 has been completed since" in said
    assert "NOT THE NEWEST" not in text_of(as_html(document()))


@pytest.mark.requirement("R67")
@settings(max_examples=40)
@given(text=st.text(min_size=1, max_size=60).filter(lambda t: t.isprintable() and t.strip()))
def test_any_text_of_reports_and_officers_is_shown_and_breaks_nothing(text: str) -> None:
    content = initial(
        [item(sectors={text})], title=text, source=text, situation=f"{text} \u200b\n\u200b\nwords"
    )
    plain = {tag for tag, _ in Page(as_html(document())).tags}
    page = Page(as_html(document(content)))
    assert {tag for tag, _ in page.tags} <= plain
    assert as_text(document(content)).strip()


def test_hostile_text_is_shown_literally_and_fetches_nothing() -> None:
    content = initial([item(sectors={HOSTILE})], title=HOSTILE, source=HOSTILE, situation=HOSTILE)
    page = as_html(document(content))
    assert "<script>" not in page
    assert "<img" not in page
    assert "49" not in text_of(page).replace(DIGEST, "")
    assert text_of(page).count("<script>alert(1)</script> {{ 7*7 }} <img src=") >= 3
    sheets = PdfReader(io.BytesIO(to_pdf(page))).pages
    assert any("<script>alert(1)</script>" in sheet.extract_text() for sheet in sheets)


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    page = Page(as_html(document()))
    assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in page.tags}
    assert not [a for _, attributes in page.tags for a in attributes if a in {"src", "href"}]
    policies = [a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/x", "file:///etc/passwd", "data:,x"])
def test_a_page_that_asks_for_anything_becomes_no_pdf(address: str) -> None:
    with pytest.raises(FatalURLFetchingError, match="must hold all it needs"):
        to_pdf(f'<p>text <img src="{address}" alt="x"></p>')


@pytest.mark.requirement("R16", "R31")
def test_the_data_say_what_the_page_says() -> None:
    content = initial([item(1), item(2)], suppressed=frozenset({1}), exercise=True)
    value = json.loads(as_json(document(content)))
    assert value["marking_lines"] == list(MARKED)
    assert (value["version"], value["digest"], value["exercise"]) == (2, DIGEST, True)
    assert value["launch_gate"] == []
    assert InitialThreatAssessment.model_validate(value["document"]) == content


def test_every_code_has_its_words() -> None:
    made = initial([NOTHING_KNOWN])
    for recommendation in Recommendation:
        assessed = made.assessment.model_copy(update={"recommendation": recommendation})
        page = as_html(document(made.model_copy(update={"assessment": assessed})))
        assert words.RECOMMENDATIONS[recommendation][1] in html.unescape(page)
    for known in (
        words.CLASSES, words.IMPACTS, words.REACHES, words.CAUSES, words.DISRUPTIONS, words.GATES,
        words.SOURCES, words.INFORMATION, words.CLASSIFICATIONS, words.HANDLING, words.TLP,
        words.PAP, words.GROUPS,
    ):  # fmt: skip
        assert set(known) == set(type(next(iter(known))))
    assert all(str(t) in text_of(as_html(document(made))) for t in TriggerId)
