from __future__ import annotations

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.headers import MAX_HEADER, safe_header

HOSTILE = [
    "plain\r\nBcc: evil@example.invalid",
    "plain\nBcc: evil@example.invalid",
    "plain\rBcc: evil@example.invalid",
    "x =?UTF-8?Q?x=0ABcc:_evil@example.invalid?=",
    "x =?utf-8?b?eApCY2M6IGV2aWxAZXhhbXBsZS5pbnZhbGlk?=",
    "==?UTF-8?Q?=0D=0ABcc:_evil@example.invalid?=",
    "=\u200b?UTF-8?Q?x=0ABcc:_evil@example.invalid?=",
    "=\x00?UTF-8?Q?x=0ABcc:_evil@example.invalid?=",
    "=?UTF-8?Q?=3D=3FUTF-8=3FQ=3Fx=0ABcc:_evil?=",
    "nul\x00 and separators \u2028Bcc: evil\u2029 and \x85 and \x1f",
    "half a pair \ud800 here",
    "turned \u202etxt.exe",
    "long " + "word " * 400 + "=?UTF-8?Q?x=0ABcc:_evil?=",
    "ünïcode " * 60 + "=?UTF-8?Q?x=0ABcc:_evil?=",
    "",
]


def header_names(subject: str, display: str) -> list[str]:
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = "leerp@ec3.invalid"
    mail["Subject"] = safe_header(subject)
    mail["X-Organisation"] = safe_header(display)
    mail.set_content("body")
    raw = mail.as_bytes()
    return [name.lower() for name in BytesParser(policy=policy.compat32).parsebytes(raw)]


EXPECTED = header_names("plain", "plain")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_subject_adds_no_header(text: str) -> None:
    assert header_names(text, text) == EXPECTED


@given(st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=400))
def test_no_text_adds_a_header_or_keeps_a_break(text: str) -> None:
    clean = safe_header(text)
    assert header_names(text, text) == EXPECTED
    assert "=?" not in clean
    assert not any(ch in clean for ch in "\r\n\0\u2028\u2029\x85")
    assert len(clean) <= MAX_HEADER


@given(st.text(alphabet="=?QB\r\n\x00 \u200bUTF-8_", max_size=60))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert safe_header(safe_header(text)) == safe_header(text)


def test_ordinary_words_pass_unchanged() -> None:
    subject = "Προειδοποίηση: WannaCry, 3 sectors (ünïcode) 50% = bad?"
    assert safe_header(subject) == subject
