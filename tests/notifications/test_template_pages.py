"""Notices set in an operator's template: literal, whole, and never more than the recipient's variant."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from notifications.headers import literal
from notifications.notices import NoticeContent
from notifications.pages import context_of
from notifications.products import Variant
from notifications.rendering import render
from notifications.template_names import SECTIONS, OperatorTemplate, Part, TemplateUnfit, blocks_of
from notifications.template_pages import pieces
from notifications.template_trial import LINK, READER, faults, previewed, sample
from protocol.errors import Refused
from protocol.stages import NoticeKind
from tests.notifications.own_templates import SECTIONS_FIRST, STARTER, headed
from tests.notifications.samples import ewn, fact, recipient
from tests.notifications.test_languages import FORMATS
from tests.notifications.test_rendering import HOSTILE, Page, contents, squeeze
from tests.notifications.test_template_check import ESCAPES

EWN = NoticeKind.EWN
EACH = [
    (kind, variant)
    for kind in NoticeKind
    for variant in Variant
    if sample(kind).product().variant(variant).components
]


def given_for(content: NoticeContent, variant: Variant, part: Part) -> dict[str, str]:
    context = context_of(content, variant, "en")
    return dict(
        pieces(
            content.kind, part, {**context, "recipient": READER, "ack_link": LINK, "reminder": 0}
        )
    )


@pytest.mark.parametrize(("kind", "variant"), EACH)
def test_the_template_to_begin_with_says_what_the_built_in_one_says(
    kind: NoticeKind, variant: Variant
) -> None:
    for exercise, language in ((False, "fr"), (True, "de")):
        content = sample(kind, exercise=exercise)
        how: dict[str, Any] = {"language": language, "reminder": 2}
        built_in = render(content, READER, variant, LINK, **how)
        mail = render(content, READER, variant, LINK, **how, own=STARTER)
        assert mail.text == built_in.text
        assert squeeze(Page(mail.html).text) == squeeze(Page(built_in.html).text)
        assert mail.subject == built_in.subject


@pytest.mark.parametrize("part", Part)
@pytest.mark.parametrize("variant", Variant)
def test_a_warning_consists_of_its_sections_and_nothing_else(variant: Variant, part: Part) -> None:
    found = given_for(sample(EWN), variant, part)
    text = {name: Page(said).text if part is Part.HTML else said for name, said in found.items()}
    sections = " ".join(text[name] for name in SECTIONS)
    title = found["title"].upper() if part is Part.TEXT else found["title"]
    assert squeeze(text["notice"]) == squeeze(f"{title} {sections}")


@pytest.mark.parametrize(("kind", "variant"), EACH)
def test_a_template_is_given_text_and_nothing_but_text(kind: NoticeKind, variant: Variant) -> None:
    for part in Part:
        found = given_for(sample(kind), variant, part)
        assert all(isinstance(said, str) for said in found.values())
        assert set(blocks_of(kind)) <= set(found)


@pytest.mark.requirement("R31")
def test_what_a_variant_leaves_out_is_not_in_anything_that_a_template_is_given() -> None:
    content = ewn()
    for part in Part:
        said = squeeze(" ".join(given_for(content, Variant.SANITISED, part).values()))
        assert "Ransom notes" in said
        for dropped in (
            "A suspect was named",
            "Police of Exampleland",
            "203[.]0[.]113[.]9",
            "2-0011",
        ):
            assert dropped not in said


@pytest.mark.requirement("R67")
@pytest.mark.parametrize("part", Part)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("top", "as the first thing: begin with {{ top }}"),
        ("bottom", "as the last thing: end with {{ bottom }}"),
        ("reminder", "that it is a reminder"),
        ("acknowledgement", "how to acknowledge"),
        ("reference", "the reference"),
        ("issuer", "who issued it"),
        ("issued", "when it was issued"),
        ("variant_note", "what variant it is"),
        *((name, f"section {number}:") for name, number in SECTIONS.items() if number),
    ],
)
def test_a_template_that_leaves_out_what_must_be_there_is_told_so(
    name: str, said: str, part: Part
) -> None:
    place = f"{{{{ {name} }}}}"
    texts = {each: SECTIONS_FIRST.source(each) for each in Part}
    without = texts[part].replace(place, "")
    if name == "reference":  # which stands in the title too
        without = without.replace("{{ title | upper }}", "").replace("{{ title }}", "")
    assert without != texts[part]
    texts[part] = without
    own = OperatorTemplate(text=texts[Part.TEXT], html=texts[Part.HTML])
    with pytest.raises(TemplateUnfit) as unfit:
        previewed(own, EWN, "fr", Variant.SANITISED, reminder=1)
    (lacking,) = unfit.value.lacks
    assert lacking.startswith(f"{part} lacks")
    assert said in lacking


@pytest.mark.parametrize(
    "text",
    [
        f"Dear all\n{STARTER.text}",
        f"{STARTER.text}\nRegards",
        STARTER.text.replace("{{ top }}", "{{ top }}+STRICT"),
        STARTER.text.replace("{{ top }}", "{% if exercise %}{{ top }}{% endif %}"),
        STARTER.text.replace("{{ top }}", "{% if reminder %}{{ top }}{% endif %}"),
        STARTER.text.replace("{{ notice }}", "{% if not reminder %}{{ notice }}{% endif %}"),
    ],
)
def test_the_marking_is_the_first_and_the_last_thing_in_every_case(text: str) -> None:
    assert faults(OperatorTemplate(text=text, html=STARTER.html), NoticeKind.DRILL, "en")


@pytest.mark.requirement("R31")
@pytest.mark.parametrize("variant", Variant)
def test_a_warning_in_an_operators_order_has_her_head_and_each_section(variant: Variant) -> None:
    assert faults(SECTIONS_FIRST, EWN, "fr") == ()
    mail = previewed(SECTIONS_FIRST, EWN, "fr", variant, exercise=True)
    for said in (mail.text, mail.html):
        assert said.count("EXERCISE EXERCISE EXERCISE") == 2
        assert said.index("OFFICE CENTRAL") < said.index("2. L") < said.index("1. E")
    assert '<html lang="fr">' in mail.html
    assert mail.text.splitlines()[0] == "EXERCISE EXERCISE EXERCISE"


def test_a_fault_that_shows_in_one_variant_of_an_exercise_only_is_found_in_the_trial() -> None:
    text = SECTIONS_FIRST.text.replace(
        "{{ facts }}", "{% if not variant_note %}{{ facts }}{% endif %}"
    )
    own = OperatorTemplate(text=text, html=SECTIONS_FIRST.html)
    previewed(own, EWN, "fr", Variant.FULL)
    assert faults(own, EWN, "fr") == ("txt lacks section 4: place {{ facts }} or {{ notice }}",)


LITERAL = (
    *HOSTILE,
    *FORMATS,
    *ESCAPES,
    "{{ top }}",
    "{{ title | upper }}",
    "{% if top %}x{% endif %}",
)
AT_ONCE = [" ".join(LITERAL[n : n + 25]) for n in range(0, len(LITERAL), 25)]


def as_shown(text: str) -> str:
    return " ".join(literal(text).split())


@pytest.mark.parametrize("number", range(len(NoticeKind)))
def test_fk6_text_of_reports_stays_text_in_an_operators_template(number: int) -> None:
    for text in AT_ONCE:
        content = contents(text=text)[number]
        built_in = render(content, recipient(), Variant.FULL, LINK)
        mail = render(content, recipient(), Variant.FULL, LINK, own=STARTER)
        assert mail.text == built_in.text
        assert squeeze(Page(mail.html).text) == squeeze(Page(built_in.html).text)
        tags = {tag for tag, _ in Page(mail.html).tags}
        assert tags <= {tag for tag, _ in Page(built_in.html).tags}


PLAIN = Page(render(ewn((fact("plain"),)), READER, Variant.FULL, LINK, own=SECTIONS_FIRST).html)


@settings(max_examples=40, deadline=None)
@given(
    st.one_of(
        st.text(min_size=1, max_size=80),
        st.lists(
            st.sampled_from(["{{", "}}", "{%", "%}", "{#", "#}", "top", " ", "<", ">", "&lt;", '"', "x"]),
            min_size=1, max_size=20,
        ).map("".join),
    )
)  # fmt: skip
def test_fk6_any_text_of_a_report_and_any_name_is_shown_literally(text: str) -> None:
    try:
        content = ewn((fact(text),))
    except (ValidationError, Refused):
        return  # blank, or a control character: the officer is told
    reader = READER.model_copy(update={"organisation": f"Police {text}"})
    mail = render(content, reader, Variant.FULL, LINK, own=SECTIONS_FIRST)
    page = Page(mail.html)
    assert page.tags == PLAIN.tags
    told = as_shown(content.facts.timeline[0].text)
    for said in (mail.text, page.text):
        assert told in squeeze(said)
        assert as_shown(reader.organisation) in squeeze(said)
        assert said.count("EUROPOL UNCLASSIFIED") == 2 + text.count("EUROPOL UNCLASSIFIED") * 2


def test_each_reader_of_a_page_has_a_name_and_link_of_her_own() -> None:
    own = headed("{{ organisation | upper }} {{ organisation }}")
    mails = [
        render(sample(EWN), recipient(organisation=f"<Desk & {n}>"), Variant.FULL, f"{LINK}{n}", own=own)
        for n in range(3)
    ]  # fmt: skip
    for n, mail in enumerate(mails):
        assert mail.text.count(f"<Desk & {n}>") == 3
        assert mail.html.count(f"&lt;Desk &amp; {n}&gt;") == 3
        assert f"{LINK}{n}" in mail.text
        assert "@" not in mail.text
