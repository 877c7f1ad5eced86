"""Text of reports that tries to become a template or a header of a mail: F-K6, F-K7.

Each goes the whole way that a text of a report can go: from the record, by the notice that an officer
writes from it, to the bytes that are sent, opened again by the recipient.
"""

from __future__ import annotations

import json
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notifications.building import MailBuilder
from notifications.headers import literal, safe_header
from notifications.mail import Envelope, build
from notifications.products import Variant
from notifications.rendering import Rendered, render
from notifications.smime import unseal
from notifications.trust import PINNED
from protocol.markings import Marking
from tests.faults.scale import Scale
from tests.faults.strict_reader import fields
from tests.intake.samples import body_of, content, read_all, reports_of
from tests.notifications.mailroom import identity, make_recipient, signer
from tests.notifications.samples import NOW, ewn, fact, indicator, recipient

TEMPLATES = (
    "{{ 7 * 7 }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ request.application.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ lipsum.__globals__['os'] }}",
    "{% for c in [].__class__.__base__.__subclasses__() %}{{ c }}{% endfor %}",
    "{% include '/etc/passwd' %}",
    "{% raw %}{{ x }}{% endraw %}",
    "{# comment #}",
    "${7*7} #{7*7} <%= 7*7 %> *{7*7}",
    "%s %(name)s %d %n",
    "{0.__class__} {content.__init__.__globals__}",
    "{exercise!r:>9999999999}",
    "$(id) `id` ;id",
)
SIGNS = ("49", "root:", "subclasses", "uid=")
"""What would stand in the mail if one of them were carried out, and stands in none of them itself."""
INJECTIONS = (
    "x\r\nBcc: evil@example.invalid",
    "x\nBcc: evil@example.invalid",
    "x\rBcc: evil@example.invalid",
    "x\x00\r\n\r\nbody",
    "x\u2028Bcc: evil@example.invalid",
    "x\x85Bcc: evil@example.invalid",
    "x\r\n Bcc: folded",
    "=?UTF-8?Q?x=0ABcc:_evil@example.invalid?=",
    "=?utf-8?b?eApCY2M6IGV2aWxAZXhhbXBsZS5pbnZhbGlk?=",
    "==?UTF-8?Q?=0D=0ABcc:_evil@example.invalid?=",
    "x\n.\nMAIL FROM:<evil@example.invalid>",
    "x\r.\r\nQUIT",
    "a" * 998 + "\r\nBcc: evil@example.invalid",
)
OUTSIDE = {
    "From", "To", "Date", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version",
    "Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "In-Reply-To", "References",
}  # fmt: skip


@pytest.mark.parametrize("text", TEMPLATES)
def test_fk6_a_template_in_a_report_is_stored_and_sent_as_the_text_that_it_is(text: str) -> None:
    ((_, ready),) = read_all([body_of(content("fk6", title=text))])
    (stored,) = reports_of(ready)
    assert stored.title == text
    warning = ewn(
        (fact(stored.title, provider=stored.title),),
        (indicator(stored.title, type="domain"),),
        bottom_line=(stored.title,),
    )
    mail = render(warning, recipient(), Variant.FULL, None)
    plain = " ".join(mail.text.split())
    assert text in plain
    told = mail.text.replace(text, "") + mail.html
    harmless = render(ewn(), recipient(), Variant.FULL, None)
    for sign in SIGNS:
        assert sign in text or told.count(sign) <= (harmless.text + harmless.html).count(sign)


def sent(subject: str, other: str) -> tuple[EmailMessage, EmailMessage, bytes]:
    """The mail as it goes out and as the recipient opens it, with such texts wherever one may be."""
    envelope = Envelope(
        notification_id=other,
        message_id=f"<{other}@ec3.invalid>",
        sender="leerp@ec3.invalid",
        to=other,
        date=NOW + timedelta(seconds=1),
        exercise=False,
        in_reply_to=other,
    )
    raw = build(
        Rendered(subject=subject, text=literal(other), html=literal(other)),
        envelope,
        marking=Marking(),
        contact=make_recipient(0).contacts[0],
        signer=signer(),
    )
    poc = identity("poc")
    inside = unseal(raw, poc.key, poc.certificate).inner
    return _parsed(raw), _parsed(inside), raw


def _parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


INSIDE = frozenset(sent("plain", "plain")[1].keys())


FRAGMENTS = st.lists(
    st.sampled_from(
        ("=?", "utf-8", "UTF-8", "?q?", "?B?", "?=", "=0A", "=0D=0A", "=00", "=E2=80=A8", "\r\n", "\n",
         "\r", "\r\n ", "\r\n\t", "\x00", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", " ", "\t", ":", ";",
         ",", "<", ">", '"', "(", ")", "@", "Bcc: ", "To: ", "evil@example.invalid", "\u202e", "\u200b",
         "ü", "\ud800", "=?utf-8?q?x=0ABcc:_evil@example.invalid?=", "a" * 80)
    ),
    max_size=20,
).map("".join)  # fmt: skip
ANYTHING = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=()), max_size=120),
    st.text(alphabet="=?QBqb\r\n\x00 :.@<>,;UTF-8_0ABcc\u2028\x85", max_size=120),
    FRAGMENTS,
    st.sampled_from(INJECTIONS),
)


def test_fk7_no_text_adds_a_header_a_recipient_or_a_line_of_smtp(scale: Scale) -> None:
    @settings(max_examples=scale.examples)
    @given(ANYTHING, ANYTHING)
    @example(INJECTIONS[0], INJECTIONS[7])
    def check(subject: str, other: str) -> None:
        outside, inside, raw = sent(subject, other)
        assert set(outside.keys()) == OUTSIDE
        assert set(inside.keys()) == INSIDE
        assert len(outside.keys()) == len(OUTSIDE)
        assert raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n")
        assert b"\r\n.\r\n" not in raw
        assert max(map(len, raw.split(b"\r\n"))) <= 998

    check()


HEADERS = tuple(name.lower() for name in (
    "From", "To", "Date", "Subject", "Message-ID", "In-Reply-To", "References",
))  # fmt: skip


def test_fk7_two_readers_see_the_same_headers_whatever_stands_in_them(scale: Scale) -> None:
    @settings(max_examples=scale.headers)
    @given(ANYTHING, ANYTHING, ANYTHING)
    @example(INJECTIONS[7], INJECTIONS[11], INJECTIONS[12])
    def check(subject: str, name: str, identity_part: str) -> None:
        envelope = Envelope(
            notification_id=identity_part,
            message_id=f"<{identity_part}@ec3.invalid>",
            sender="leerp@ec3.invalid",
            to="poc@example.invalid",
            date=NOW,
            exercise=False,
            reference=name,
            in_reply_to=f"<{identity_part}@ec3.invalid>",
        )
        for title in (subject, envelope.outer_subject(Marking())):
            raw = "".join(f"{n}: {v}\r\n" for n, v in envelope.headers(title)).encode() + b"\r\n"
            read = fields(raw)
            forgiving = _parsed(raw)
            assert tuple(field for field, _ in read) == HEADERS
            assert tuple(field.lower() for field in forgiving) == HEADERS
            assert dict(read)["to"] == "poc@example.invalid"
            assert [a.addr_spec for a in forgiving["To"].addresses] == ["poc@example.invalid"]
            shown = " ".join(str(forgiving["Subject"]).split())
            assert shown == " ".join(dict(read)["subject"].split()) == safe_header(title)

    check()


@pytest.mark.parametrize("text", INJECTIONS)
def test_fk7_a_hostile_name_in_the_directory_changes_no_header_and_stays_text(text: str) -> None:
    to = recipient().model_copy(update={"organisation": f"Police {text}"})
    content = ewn(bottom_line=("Ransomware.",))
    builder = MailBuilder(content, content.product(), signer())
    envelope = Envelope(
        notification_id="0" * 32,
        message_id="<abc@ec3.invalid>",
        sender="leerp@ec3.invalid",
        to="poc@example.invalid",
        date=NOW,
        exercise=False,
    )
    desk = make_recipient(0).contacts[0]

    raw = builder.build(to, desk, Variant.FULL, "https://x.invalid/a/b", envelope, trust=PINNED).raw

    poc = identity("poc")
    inside = unseal(raw, poc.key, poc.certificate).inner
    names = [name for name, _ in fields(raw)]
    assert "bcc" not in names
    assert len(names) == len(set(names)) == len(OUTSIDE) - 2
    assert [name for name, _ in fields(inside)].count("subject") == 1
    assert "bcc" not in [name for name, _ in fields(inside)]


@pytest.mark.parametrize("text", INJECTIONS)
def test_fk7_a_report_with_an_injection_for_its_title_is_refused_or_one_harmless_line(
    text: str,
) -> None:
    body = json.loads(body_of(content("fk7", title="TITLE")))
    ((_, ready),) = read_all([json.dumps(body | {"title": text}).encode()])
    if not ready.reason:
        (stored,) = reports_of(ready)
        assert len(stored.title.splitlines()) == 1
        assert "=?" not in stored.title
