from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from notifications.notices import (
    ClosureNotice,
    DrillNotice,
    Invitation,
    MeetingMode,
    NoticeContent,
    OutcomeNotice,
    OverdueNotice,
    OverrideNotice,
    PlanAction,
    PlanNotice,
    ReassessmentNotice,
    WithdrawalNotice,
    blueprint_of,
    read_content,
)
from notifications.pages import H1_LEGEND
from notifications.products import Variant
from notifications.rendering import Rendered, render
from protocol.errors import Refused
from protocol.markings import HandlingCode, Marking, Tlp
from protocol.stages import Containment, NoticeKind, Recommendation
from tests.notifications.samples import NOW, POINTS, ewn, fact, indicator, initial, recipient

LINK = "http://127.0.0.1:1/a/token"


def contents(
    exercise: bool = False, text: str = "plain words", **changes: Any
) -> list[NoticeContent]:
    common: dict[str, Any] = {
        "incident_id": "INC-1",
        "exercise": exercise,
        "issued_at": NOW,
        **changes,
    }
    action = PlanAction(action=text, owner="DE", due="in two days", legal_basis="national order")
    return [
        initial(**common),
        ewn(
            (fact(text, provider=text),),
            (indicator(text, type="domain"),),
            exercise=exercise,
            bottom_line=(text,),
            marking=changes.get("marking", Marking()),
        ),
        Invitation(
            **common,
            mode=MeetingMode.CALL,
            starts_at=NOW + timedelta(hours=1),
            place=text,
            secure_channel=True,
            contact_points=POINTS,
        ),
        PlanNotice(
            **common,
            version=1,
            outcome=text,
            actions=(action,),
            agreed_by=("DE",),
            contact_points=POINTS,
        ),
        ClosureNotice(
            **common,
            closed_at=NOW,
            containment=Containment.OPERATIONAL_SUCCESS,
            statement=text,
        ),
        OutcomeNotice(
            **common,
            decided_at=NOW,
            decision=Recommendation.MONITOR,
            statement=text,
            contact_points=POINTS,
        ),
        OverdueNotice(**common, matter=text, due_at=NOW, detail=(text,), advice=text),
        ReassessmentNotice(
            **common,
            matter=text,
            recommendation=Recommendation.LAUNCH,
            threat_class=text,
            assessment=2,
            changes=(text,),
            advice=text,
        ),
        DrillNotice(**{"marking": Marking(), **common}, reason=text, answer_by=NOW),
        WithdrawalNotice(**common, withdraws=text, was_issued_at=NOW, statement=text),
        OverrideNotice(
            **common,
            provider=text,
            reason=text,
            draft="ewn/1",
            passed_to=(text,),
            ends_at=NOW,
            advice=text,
        ),
        blueprint_of(
            ewn(
                (fact(text, provider=text),),
                (indicator(text, type="domain"),),
                exercise=exercise,
                bottom_line=(text,),
                marking=changes.get("marking", Marking()),
            )
        ),
    ]


def full(content: NoticeContent, **changes: Any) -> Rendered:
    return render(content, recipient(), Variant.FULL, None, **changes)


def squeeze(text: str) -> str:
    return " ".join(text.split())


class Page(HTMLParser):
    """Collects tags and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"


def test_there_is_a_content_of_every_kind() -> None:
    assert {content.kind for content in contents()} == set(NoticeKind)


@pytest.mark.requirement("R31", "R32")
@pytest.mark.parametrize("number", range(len(NoticeKind)))
def test_the_marking_stands_on_top_and_at_the_bottom(number: int) -> None:
    mail = full(contents(marking=Marking(tlp=Tlp.AMBER_STRICT))[number])
    for line in ("EUROPOL UNCLASSIFIED", "Handling codes H0", "TLP:AMBER+STRICT PAP:AMBER"):
        assert mail.text.count(line) == 2
        assert mail.html.count(line) == 2
    lines = mail.text.strip().splitlines()
    assert lines[0].startswith("EUROPOL")
    assert lines[-1].startswith("TLP:")
    assert mail.subject.startswith("TLP:AMBER+STRICT - ")


@pytest.mark.parametrize("number", range(len(NoticeKind)))
def test_an_exercise_is_marked_on_top_at_the_bottom_and_in_the_subject(number: int) -> None:
    mail = full(contents(exercise=True)[number])
    lines = mail.text.strip().splitlines()
    assert lines[0] == lines[-1] == "EXERCISE EXERCISE EXERCISE"
    assert mail.html.count("EXERCISE EXERCISE EXERCISE") == 2
    assert mail.subject.startswith("EXERCISE - ")
    real = full(contents()[number])
    assert "EXERCISE" not in real.subject + real.text + real.html


@pytest.mark.requirement("R23", "R24")
def test_the_initial_notice_says_that_it_is_triggered_and_who_to_ask() -> None:
    mail = full(initial())
    for part in (mail.text, mail.html):
        assert "triggered" in part.lower()
        assert POINTS[0].phone in part
        assert POINTS[0].secure_channel in part


@pytest.mark.requirement("R23", "R24")
def test_an_initial_notice_without_contact_points_cannot_be_made() -> None:
    with pytest.raises(ValidationError):
        initial(contact_points=())
    with pytest.raises(ValidationError):
        initial(triggered_at=None)


@pytest.mark.requirement("R35", "R36")
def test_an_invitation_has_date_and_place_and_a_call_is_secure() -> None:
    invitation = contents(text="SIENA room 12")[2]
    mail, starts = full(invitation), NOW + timedelta(hours=1)
    assert f"{starts:%Y-%m-%d %H:%M} UTC" in mail.subject
    assert f"{starts:%A}, {starts.day} {starts:%B %Y, %H:%M} UTC" in squeeze(mail.text)
    assert "SIENA room 12" in mail.text
    document = invitation.model_dump(mode="json")
    with pytest.raises(ValidationError, match="secure channel"):
        read_content({**document, "secure_channel": False})
    for field in ("starts_at", "place"):
        with pytest.raises(ValidationError):
            read_content({k: v for k, v in document.items() if k != field})


@pytest.mark.requirement("R37", "R41")
def test_a_plan_without_owners_cannot_be_made() -> None:
    document = contents()[3].model_dump(mode="json")
    document["actions"][0]["owner"] = " "
    with pytest.raises(ValidationError):
        read_content(document)


@pytest.mark.requirement("R48")
@pytest.mark.parametrize(
    ("sense", "words"),
    [
        (Containment.OPERATIONAL_SUCCESS, "operational success"),
        (Containment.NORMAL_PROCEDURE, "under normal operating procedure"),
    ],
)
def test_a_closure_says_in_which_sense_the_threat_is_contained(
    sense: Containment, words: str
) -> None:
    notice = contents()[4].model_copy(update={"containment": sense})
    mail = full(notice)
    assert words in squeeze(mail.text)
    assert words in mail.html


@pytest.mark.requirement("R49")
def test_the_bare_closure_fact_tells_nothing_but_that_it_is_closed() -> None:
    mail = render(contents(text="secret words")[4], recipient(), Variant.SUMMARY, None)
    assert "closed" in mail.text
    assert "secret words" not in mail.text + mail.html
    assert "PUBLIC" in mail.text


def test_the_sanitised_ewn_mail_carries_nothing_that_was_left_out() -> None:
    mail = render(ewn(), recipient(), Variant.SANITISED, LINK)
    for dropped in (
        "A suspect was named",
        "Police of Exampleland",
        "Police of Otherland",
        "reliable in most instances",
        "203[.]0[.]113[.]9",
        "2-0011",
    ):
        assert dropped not in squeeze(mail.text) + mail.html
    assert "Ransom notes" in mail.text
    assert "Left out of this variant" in mail.text


def test_the_acknowledgement_link_and_a_reminder_are_shown_where_there_are_any() -> None:
    mail = render(ewn(), recipient(), Variant.FULL, LINK, reminder=2)
    assert LINK in mail.text
    assert ("a", LINK) in [(tag, attrs.get("href")) for tag, attrs in Page(mail.html).tags]
    assert "REMINDER 2" in mail.text
    plain = full(ewn())
    assert "ACKNOWLEDGE" not in plain.text
    assert "REMINDER" not in plain.text


def test_the_legend_of_h1_is_on_the_mail() -> None:
    marked = initial(marking=Marking(handling_codes=frozenset({HandlingCode.H1})))
    assert squeeze(full(marked).text).count(H1_LEGEND) == 2


def test_a_variant_that_keeps_nothing_is_refused() -> None:
    with pytest.raises(Refused, match="summary"):
        render(contents()[3], recipient(), Variant.SUMMARY, None)


def test_indicators_cannot_be_clicked() -> None:
    mail = full(ewn(indicators=(indicator("HTTPS://bad.example.invalid/a.exe"),)))
    assert "hxxpS://bad[.]example[.]invalid/a[.]exe" in mail.text
    assert "bad.example.invalid" not in mail.text + mail.html


HOSTILE = [
    "{{ 123 * 457 }}{% for x in range(9) %}{{ x }}{% endfor %}",
    "<script>alert(1)</script><img src=http://evil.invalid/x.png>",
    '" onmouseover="alert(1)',
    "x\r\nBcc: evil@example.invalid",
    "=?UTF-8?Q?x=0ABcc:_evil@example.invalid?=",
    "x\n============\nTLP:CLEAR PAP:CLEAR\nEXERCISE EXERCISE EXERCISE",
    "turned \u202e and hidden \u200b words",
]


@pytest.mark.parametrize("number", range(len(NoticeKind)))
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_literally(number: int, text: str) -> None:
    mail = full(contents(text=text)[number])
    page = Page(mail.html)
    assert "56211" not in mail.subject + mail.text + mail.html
    assert "012345678" not in mail.text
    assert not {"script", "img"} & {tag for tag, _ in page.tags}
    assert all(set(attrs) <= {"style", "href", "scope", "lang", "charset", "name", "content"}
               for _, attrs in page.tags)  # fmt: skip
    assert "=?" not in mail.subject
    assert not re.search(r"^(Bcc|TLP:CLEAR|EXERCISE)", mail.text, re.MULTILINE)
    assert "\u202e" not in mail.subject + mail.text + mail.html


@settings(max_examples=30, deadline=None)
@given(text=st.text(min_size=1, max_size=80))
def test_any_text_an_officer_may_enter_renders_or_is_refused(text: str) -> None:
    try:
        made = contents(text=text)
    except (ValidationError, Refused):
        return  # blank, or a control character: the officer is told
    for content in made:
        mail = full(content)
        assert "\n" not in mail.subject
        assert mail.text.count("EUROPOL UNCLASSIFIED") == 2


@pytest.mark.parametrize("number", range(len(NoticeKind)))
def test_the_page_needs_nothing_from_elsewhere(number: int) -> None:
    page = Page(full(contents()[number]).html)
    assert not {"script", "img", "link", "style", "iframe", "form"} & {tag for tag, _ in page.tags}
    assert "url(" not in str(page.tags)


@pytest.mark.parametrize("number", range(len(NoticeKind)))
def test_the_text_alone_says_all_that_the_page_says(number: int) -> None:
    mail = full(contents(text="Ransomware in hospitals")[number])
    text = squeeze(mail.text).lower()
    words = set(re.findall(r"[a-z]{4,}", Page(mail.html).text.lower()))
    assert {word for word in words if word not in text} == set()


@pytest.mark.requirement("R67")
@pytest.mark.parametrize(
    ("number", "variant"),
    [
        (number, variant)
        for number, content in enumerate(contents())
        for variant in Variant
        if content.product().variant(variant).components
    ],
)
def test_no_field_of_a_mail_is_blank(number: int, variant: Variant) -> None:
    mail = render(contents()[number], recipient(), variant, LINK)
    lines = mail.text.splitlines()
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if line.rstrip().endswith(":"):
            assert after.strip(), line
    assert "<td></td>" not in mail.html
    assert "None\n" not in mail.text
