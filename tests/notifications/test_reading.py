"""The mails as people read them: no codes of ours, lines that fit, marked on every sheet."""

from __future__ import annotations

import io
import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from pypdf import PdfReader

from notifications.attachments import pdf_of
from notifications.ewn import EarlyWarning
from notifications.ewn_draft import draft_ewn
from notifications.mail import Envelope, build
from notifications.notices import NoticeContent
from notifications.pages import marking_lines, printed_page
from notifications.phrases import LANGUAGES
from notifications.products import Variant
from notifications.rendering import render
from notifications.typesetting import TEMPLATES
from notifications.withdrawal import withdrawal_notice
from protocol.markings import Classification, HandlingCode, Marking
from protocol.stages import NoticeKind
from tests.notifications.mailroom import identity, make_recipient, signer
from tests.notifications.samples import (
    ASSESSMENT,
    NOW,
    POINTS,
    ewn,
    fact,
    officer_input,
    recipient,
)
from tests.notifications.test_campaigns import CAMPAIGN
from tests.notifications.test_rendering import LINK, Page, contents, full, squeeze
from tests.notifications.test_smime import openssl, write_pair
from tests.notifications.test_withdrawal import do_agree, do_propose, frozen

ALL = range(len(NoticeKind))
MARKABLE = [n for n, each in enumerate(contents()) if each.kind is not NoticeKind.BLUEPRINT]
"""What H3 may stand on: the Blueprint's hook leaves out what is held so."""
CODES = re.compile(
    r"\b(hold-corroborate|normal-procedure|no-eu-nexus|out-of-scope|malicious-actions|le-poc"
    r"|csirt-network|digital-infrastructure|operational-success|ewn/1|[a-z]+_[a-z]+|None)\b"
)
"""What only the software and its data say."""
LONG_MARKING = Marking(
    classification=Classification.RESTRICTED,
    handling_codes=frozenset({HandlingCode.H1, HandlingCode.H2, HandlingCode.H3}),
    handling_text="Only for the authorities of the states that are hit, not for partners,\n"
    "TLP:CLEAR PAP:CLEAR and not for proceedings without our written agreement",
)
READER = recipient(organisation="Police of Exampleland")
WIDEST = 78


def warning(previous: EarlyWarning | None = None, **changes: object) -> EarlyWarning:
    """A warning whose assessment has ``changes``."""
    return draft_ewn(
        {**ASSESSMENT, **changes},
        officer_input(),
        incident_id="INC-1",
        number=2 if previous else 1,
        facts=(fact(),),
        indicators=(),
        inputs=("2-0011",),
        contact_points=POINTS,
        author="o.two",
        triggered_at=NOW,
        now=NOW,
        valid_for=NOW - fact().earliest,
        acknowledge_within=NOW - fact().latest,
        exercise=False,
        previous=previous,
    )


def words_of(content: NoticeContent, language: str) -> str:
    """What people read of a mail, without the machine tags of the Blueprint."""
    mail = render(content, READER, Variant.FULL, None, language=language)
    return re.sub(r'nis2:\S+="[^"]*"', "", f"{mail.subject} {mail.text} {Page(mail.html).text}")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", ALL)
def test_no_code_of_ours_is_shown_to_a_person(number: int, language: str) -> None:
    assert CODES.findall(words_of(contents()[number], language)) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", MARKABLE)
def test_lines_of_the_text_fit_a_terminal_and_the_marking_stands_whole_at_both_ends(
    number: int, language: str
) -> None:
    content = contents(exercise=True, marking=LONG_MARKING)[number]
    marking = marking_lines(content.product().variant(Variant.FULL).marking, language)
    mail = full(content, language=language)
    assert max(len(line) for line in mail.text.splitlines()) <= WIDEST
    top, _, rest = mail.text.partition("=" * 76)
    _, _, bottom = rest.rpartition("=" * 76)
    for end in (top, bottom):
        assert "EXERCISE EXERCISE EXERCISE" in end
        assert squeeze(" ".join(marking)) in squeeze(end)
        assert not re.search("^TLP:CLEAR", end, re.MULTILINE), "officers' words begin no line"


@pytest.mark.parametrize("language", ["de", "fr"])
def test_sentences_of_the_software_are_said_in_the_readers_language(language: str) -> None:
    first = warning(class_before_cap="C4", threat_class="C3")
    second = warning(first, victims_min=410, sectors=["digital-infrastructure"])
    unknown = warning(victims_min=0, organisations=0)
    said = " ".join(squeeze(full(each, language=language).text) for each in (first, second))
    for english in ("at least", "upper bound", "as no disruption", "digital-infrastructure"):
        assert english not in said
    assert "230" in said
    assert "410" in said
    assert "at least 0" not in full(unknown).text
    assert "no report gives a number" in squeeze(full(unknown).text)
    assert "no report" not in full(unknown, language=language).text


def test_a_class_is_said_with_what_it_means_and_a_grade_with_its_legend() -> None:
    text = squeeze(full(ewn()).text)
    for words in ("Class: C4 (emergency)", "Impact: I3 (severe)", "Europol 4x4", "large impact"):
        assert words in text


def test_names_in_the_readers_language_are_not_marked_as_foreign() -> None:
    page = full(ewn(), language="fr").html
    assert "Allemagne (DE)" in page
    assert "santé" in page
    assert not re.search(r'<span lang="en">(Allemagne|santé)', page)


@pytest.mark.parametrize("number", ALL)
def test_french_has_its_space_before_a_colon_and_no_line_begins_with_one(number: int) -> None:
    mail = full(contents()[number], language="fr")
    labels = re.findall(r"^ *[A-Z\u00c0-\u00dd][^:\n]{0,30}:", mail.text, re.MULTILINE)
    named = [label for label in labels if not label.startswith(("TLP", "H1"))]
    assert named
    assert all(label.endswith("\u00a0:") for label in named)
    assert not re.search(r"^\s*[:;?!]", mail.text, re.MULTILINE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_link_has_words_and_is_announced_where_the_mail_begins(language: str) -> None:
    mail = render(ewn(), READER, Variant.FULL, LINK, language=language)
    plain = full(ewn(), language=language)
    announced = set(mail.text[:700].splitlines()) - set(plain.text[:700].splitlines())
    assert announced
    (words,) = re.findall(r"<a [^>]*>([^<]*)</a>", mail.html)
    assert "http" not in words
    assert mail.html.count(LINK) == 2, "where it leads is to be seen"


def test_headings_of_a_page_are_in_order() -> None:
    for content in contents():
        tags = [tag for tag, _ in Page(full(content).html).tags]
        assert tags.count("h1") == 1
        levels = [tag for tag in tags if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == "h1"
        assert set(levels[1:]) <= {"h2"}


@pytest.mark.requirement("R31")
def test_a_printed_sheet_is_described_once_and_has_the_marking_at_both_ends() -> None:
    describing = [path.name for path in TEMPLATES.rglob("*") if path.is_file() and _pages(path)]
    assert describing == ["_sheet.html"]
    made = pdf_of(printed_page(ewn(exercise=True), Variant.FULL, "de"))
    for sheet in PdfReader(io.BytesIO(made)).pages:
        text = squeeze(sheet.extract_text())
        assert text.count("EXERCISE EXERCISE EXERCISE") >= 2
        assert text.count("TLP:AMBER PAP:RED") >= 2


def _pages(path: Path) -> bool:
    return "@page" in path.read_text(encoding="utf-8")


def test_a_withdrawal_names_a_warning_as_its_readers_know_it(tmp_path: Path) -> None:
    database, sent = frozen(tmp_path), ewn()
    do_propose(database)
    do_agree(database)
    with database.read() as connection:
        notice = withdrawal_notice(connection, CAMPAIGN, issued_at=NOW)
    held = full(sent)
    assert notice.withdraws in held.subject
    assert f"Issued: {notice.was_issued_at:%Y-%m-%d %H:%M} UTC" in held.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_readers_that_are_not_ours_open_a_whole_mail(tmp_path: Path, language: str) -> None:
    reader = make_recipient(1, certificate=identity("poc").certificate_pem())
    made = render(ewn(exercise=True), reader, Variant.FULL, LINK, language=language, annexed=True)
    envelope = Envelope(
        notification_id="1" * 32,
        message_id="<1@ec3.example>",
        sender="ec3@ec3.example",
        to=reader.contacts[0].email,
        date=NOW,
        exercise=True,
    )
    raw = build(made, envelope, marking=Marking(), contact=reader.contacts[0], signer=signer())
    (tmp_path / "mail.eml").write_bytes(raw)
    for name in ("poc", "ec3"):
        write_pair(tmp_path, name)
    opened = openssl(
        *(tmp_path, "-decrypt", "-in", "mail.eml", "-out", "signed.eml"),
        *("-recip", "poc.pem", "-inkey", "poc.key"),
    )
    checked = openssl(
        *(tmp_path, "-verify", "-in", "signed.eml", "-CAfile", "ec3.pem", "-out", "inner.eml")
    )
    assert (opened.returncode, checked.returncode) == (0, 0), checked.stderr
    inner = message_from_bytes((tmp_path / "inner.eml").read_bytes(), policy=default)
    assert isinstance(inner, EmailMessage)
    assert [defect for part in inner.walk() for defect in part.defects] == []
    assert inner["Subject"] == made.subject
    text = inner.get_body(("plain",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == made.text
    endings = [str(part.get_filename()).partition(".")[2] for part in inner.iter_attachments()]
    assert endings == ["pdf", "stix.json", "misp.json"]
