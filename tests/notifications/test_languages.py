"""Notices in the languages of their readers, and pages that are set once for all of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from notifications.ewn import EarlyWarning
from notifications.notices import WithdrawalNotice
from notifications.products import Variant
from notifications.rendering import render
from protocol.markings import Marking, Tlp
from protocol.stages import NoticeKind
from tests.notifications.samples import NOW, ewn, initial, recipient
from tests.notifications.test_rendering import LINK, Page, contents, full, squeeze


@pytest.mark.parametrize("language", ["de", "fr"])
@pytest.mark.parametrize("number", range(len(NoticeKind)))
def test_every_notice_is_written_in_every_language_and_officers_words_stay_as_written(
    number: int, language: str
) -> None:
    content = contents(text="Ransomware in hospitals")[number]
    mail, english = full(content, language=language), full(content)
    assert f'<html lang="{language}">' in mail.html
    assert mail.text != english.text
    assert mail.text.count("EUROPOL UNCLASSIFIED") == english.text.count("EUROPOL UNCLASSIFIED")
    page = Page(mail.html)
    foreign = [attrs for tag, attrs in page.tags if tag == "span"]
    assert all(attrs == {"lang": "en"} for attrs in foreign)
    if "Ransomware in hospitals" in english.html:
        assert "Ransomware in hospitals" in mail.html
    own = contents(text="Ransomware in hospitals")[number].model_copy(update={"language": language})
    assert 'lang="en"' not in full(own, language=language).html


def test_a_time_in_words_is_in_the_readers_language_and_in_utc() -> None:
    at = datetime(2026, 3, 1, 9, 5, tzinfo=UTC)
    said = {
        language: squeeze(full(initial(triggered_at=at), language=language).text)
        for language in ("en", "de", "fr")
    }
    assert "Sunday, 1 March 2026, 09:05 UTC" in said["en"]
    assert "Sonntag, 1. März 2026, 09:05 UTC" in said["de"]
    assert "dimanche 1 mars 2026, 09:05 UTC" in said["fr"]


def withdrawal(warning: EarlyWarning, statement: str) -> WithdrawalNotice:
    return WithdrawalNotice(
        incident_id=warning.incident_id,
        exercise=warning.exercise,
        issued_at=NOW,
        marking=warning.marking,
        withdraws=warning.header.id,
        was_issued_at=warning.issued_at,
        statement=statement,
    )


@pytest.mark.requirement("R49")
def test_a_withdrawal_names_the_warning_and_keeps_its_reason_under_the_warnings_marking() -> None:
    warning = ewn(marking=Marking(tlp=Tlp.AMBER_STRICT))
    notice = withdrawal(warning, "the fact was wrong")
    mail = full(notice)
    assert warning.header.id in mail.subject
    assert "the fact was wrong" in mail.text
    assert "TLP:AMBER+STRICT" in mail.text
    bare = render(notice, recipient(), Variant.SUMMARY, None)
    assert "is withdrawn" in bare.text
    assert "the fact was wrong" not in bare.text + bare.html
    assert "PUBLIC" in bare.text
    with pytest.raises(ValidationError):
        withdrawal(warning, " ")


def test_readers_of_one_page_have_their_own_name_and_link_and_nobody_elses() -> None:
    content = initial()
    mails = [
        render(content, recipient(organisation=f"<Desk & {n}>"), Variant.FULL, f"{LINK}{n}")
        for n in range(3)
    ]
    for n, mail in enumerate(mails):
        assert f"To: <Desk & {n}>" in mail.text
        assert f"&lt;Desk &amp; {n}&gt;" in mail.html
        assert f"{LINK}{n}" in mail.text
        assert not any(f"{LINK}{other}" in mail.html for other in range(3) if other != n)
        assert "@" not in mail.text


FORMATS = [
    "{0.__class__}",
    "{t}",
    "{incident}",
    "%(x)s",
    "%s%n",
    "${x}",
    "{{t}}",
    "{% raw %}",
    "#{7*7}",
]


@pytest.mark.parametrize("number", range(len(NoticeKind)))
@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_format_strings_and_templates_in_any_text_are_only_text(number: int, language: str) -> None:
    for text in FORMATS:
        plain = full(contents(text="plain words")[number], language=language)
        mail = full(contents(text=text)[number], language=language)
        shown = mail.text.replace(text, "plain words")
        shown = shown.replace(text.replace(".", "[.]"), "plain words")  # as an indicator
        assert squeeze(shown) == squeeze(plain.text)
