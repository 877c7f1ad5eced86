"""Mails that share their parts are the same, byte for byte, as mails that are rendered one by one (R7)."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.building import MailBuilder
from notifications.mail import Body, Envelope, encode
from notifications.notices import ClosureNotice, NoticeContent, OverdueNotice, reference
from notifications.products import Variant
from notifications.rendering import Attachment, Rendered, render
from notifications.smime import unseal
from notifications.trust import PINNED
from protocol.parties import RecipientClass
from protocol.stages import Containment
from tests.notifications.mailroom import identity, make_recipient, signer
from tests.notifications.samples import NOW, ewn, fact, initial, recipient

LINK = "https://leerp.example.invalid/a/token-0123456789"
CONTENTS: list[NoticeContent] = [
    ewn(),
    initial(exercise=True),
    ClosureNotice(
        incident_id="INC-1", exercise=False, issued_at=NOW, closed_at=NOW,
        containment=next(iter(Containment)), statement="Contained.",
    ),
    OverdueNotice(
        incident_id="INC-1", exercise=False, issued_at=NOW, matter="Stage II", due_at=NOW,
        advice="Call the duty manager.",
    ),
]  # fmt: skip
NAMES = st.one_of(
    st.text(min_size=1, max_size=60).filter(str.strip),
    st.sampled_from(
        ["<b>&amp;</b>", "Polizei 'Süd' \"1\"", "{{ x }}", "a  b", "x\u2028y", "A" * 900]
    ),
)


def builder(content: NoticeContent, **changes: Any) -> MailBuilder:
    return MailBuilder(content, content.product(), signer(), **changes)


def whole(content: NoticeContent, *arguments: Any, **how: Any) -> Body:
    return encode(render(content, *arguments, **how))


class Counted:
    """``render``, counting how often it is asked for a whole rendering."""

    def __init__(self, draw: Any = render) -> None:
        self.times = 0
        self._draw = draw

    def __call__(self, *arguments: Any, **how: Any) -> Rendered:
        self.times += 1
        made: Rendered = self._draw(*arguments, **how)
        return made


@pytest.mark.parametrize(
    ("content", "variant"),
    [(c, v) for c in CONTENTS for v in Variant if c.product().variant(v).components],
    ids=lambda value: str(getattr(value, "kind", value)),
)
@pytest.mark.parametrize("reminder", [0, 2])
def test_every_notice_comes_out_as_if_it_were_rendered_as_a_whole(
    content: NoticeContent, variant: Variant, reminder: int
) -> None:
    one = builder(content)
    for number in range(3):
        to = recipient(organisation=f"Police & <Court> {number}")
        link = f"{LINK}{number}?a=1&b=2"
        made = one.body(to, variant, link, reminder=reminder)
        assert made == whole(content, to, variant, link, reminder=reminder)


WARNING = ewn()
SHARING = builder(WARNING)


@given(NAMES, st.sampled_from([LINK, None]))
def test_any_name_comes_out_as_if_it_were_rendered_as_a_whole(name: str, link: str | None) -> None:
    to = recipient().model_copy(update={"organisation": name})
    try:
        expected = whole(WARNING, to, Variant.FULL, link)
    except ValueError:
        with pytest.raises(ValueError, match="blank"):
            SHARING.body(to, Variant.FULL, link)
    else:
        assert SHARING.body(to, Variant.FULL, link) == expected


def test_a_thousand_recipients_cost_two_renderings() -> None:
    draw = Counted()
    one = builder(WARNING, draw=draw)
    for number in range(1_000):
        one.body(recipient(organisation=f"Police {number}"), Variant.FULL, LINK, reminder=0)
    assert draw.times == 2


def test_no_name_or_fact_takes_the_place_of_somebody_elses_link() -> None:
    tokens: list[str] = []

    def listening(content: Any, to: Any, variant: Any, link: Any, **how: Any) -> Rendered:
        tokens.append(link)
        return render(content, to, variant, link, **how)

    one = builder(WARNING, draw=listening)
    one.body(recipient(), Variant.FULL, LINK)
    assert len(set(tokens)) == 2
    assert min(map(len, tokens)) > 32
    hostile = recipient(organisation=tokens[0])
    assert one.body(hostile, Variant.FULL, LINK) == whole(WARNING, hostile, Variant.FULL, LINK)


@pytest.mark.parametrize(
    "field", ["country", "id", "contacts", "clearance", "value_to_investigation"]
)
def test_a_template_that_asks_for_more_gets_each_mail_rendered_by_itself(field: str) -> None:
    def asking(content: Any, to: Any, variant: Any, link: Any, **how: Any) -> Rendered:
        made = render(content, to, variant, link, **how)
        return replace(made, text=f"{made.text}{getattr(to, field)}\n")

    one = builder(WARNING, draw=asking)
    for name, country in (("one", "DE"), ("two", "FR")):
        to = recipient(organisation=name, id=name, country=country)
        assert one.body(to, Variant.FULL, LINK) == encode(asking(WARNING, to, Variant.FULL, LINK))


def test_a_text_that_is_laid_out_by_the_length_of_a_name_is_rendered_by_itself() -> None:
    def boxed(content: Any, to: Any, variant: Any, link: Any, **how: Any) -> Rendered:
        made = render(content, to, variant, link, **how)
        return replace(made, text=f"{made.text}{'-' * len(to.organisation)}\n")

    one = builder(WARNING, draw=boxed)
    for name in ("one", "another"):
        to = recipient(organisation=name)
        assert one.body(to, Variant.FULL, LINK) == encode(boxed(WARNING, to, Variant.FULL, LINK))


def test_a_file_that_names_its_reader_is_made_for_each_and_one_that_does_not_once() -> None:
    def filed(content: Any, to: Any, variant: Any, link: Any, **how: Any) -> Rendered:
        data = f"for {to.organisation}".encode()
        files = (Attachment(name="a.txt", media_type="text/plain", data=data),)
        return replace(render(content, to, variant, link, **how), attachments=files)

    named = builder(WARNING, draw=filed)
    one, two = (
        named.body(recipient(organisation=name), Variant.FULL, LINK) for name in ("one", "two")
    )
    assert one.files != two.files


def test_classes_and_languages_and_reminders_do_not_mix() -> None:
    def telling(content: Any, to: Any, variant: Any, link: Any, **how: Any) -> Rendered:
        made = render(content, to, variant, link, reminder=how["reminder"])
        return replace(made, text=f"{made.text}{to.recipient_class} {how['language']}\n")

    one = builder(WARNING, draw=telling)
    for name in (RecipientClass.LE_POC, RecipientClass.EU_BODY):
        for language in ("en", "de"):
            for reminder in (0, 1):
                to, how = recipient(name), {"language": language, "reminder": reminder}
                made = one.body(to, Variant.FULL, LINK, **how)
                assert made == encode(telling(WARNING, to, Variant.FULL, LINK, **how))


def test_files_stand_beside_the_texts_with_harmless_names() -> None:
    files = (
        Attachment(name="bundle.json", media_type="application/stix+json", data=b"{}" * 500),
        Attachment(name='../../a\r\nBcc: x@y".pdf', media_type="a/b\r\nX: y", data=b"\x00\xff"),
        Attachment(name="bundle.json", media_type="application/json", data=b""),
        Attachment(name="\u202e...", media_type="text/plain", data=b"x"),
    )

    def filed(*arguments: Any, **how: Any) -> Rendered:
        return replace(render(*arguments, **how), attachments=files)

    made = builder(WARNING, draw=filed).build(
        recipient(), make_recipient(0).contacts[0], Variant.FULL, LINK, envelope(), trust=PINNED
    )

    inside = opened(made.raw)
    assert inside.get_content_type() == "multipart/mixed"
    assert inside["Content-Type"].params["hp"] == "cipher"
    found = list(inside.iter_attachments())
    names = [part.get_filename() for part in found]
    assert names == ["bundle.json", "a-Bcc-x-y-.pdf", "bundle-1.json", "attachment"]
    assert [part.get_payload(decode=True) for part in found] == [file.data for file in files]
    assert [part.get_content_type() for part in found] == [
        "application/stix+json", "application/octet-stream", "application/json", "text/plain",
    ]  # fmt: skip
    text = inside.get_body(("plain",))
    assert text is not None
    assert LINK in text.get_content()
    assert inside.defects == []


def test_outside_stands_the_reference_of_the_notice() -> None:
    made = builder(WARNING).build(
        recipient(), make_recipient(0).contacts[0], Variant.FULL, LINK, envelope(), trust=PINNED
    )
    subject = message_from_bytes(made.raw, policy=policy.default)["Subject"]
    assert (
        subject
        == f"TLP:{WARNING.product().variant(Variant.FULL).marking.tlp} - LEERP notice "
        + (WARNING.header.id)
    )
    assert reference(initial()) == "INC-1"
    assert made.protection == "smime-aes256-cbc-rsa-pkcs1"
    assert fact().text.encode() not in made.raw


def envelope() -> Envelope:
    return Envelope(
        notification_id="0" * 32,
        message_id="<abc@ec3.invalid>",
        sender="leerp@ec3.invalid",
        to="poc@example.invalid",
        date=NOW,
        exercise=False,
    )


def opened(raw: bytes) -> EmailMessage:
    poc = identity("poc")
    inner = unseal(raw, poc.key, poc.certificate).inner
    return message_from_bytes(inner, policy=policy.default)
