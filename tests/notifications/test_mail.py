from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.directory import Contact
from notifications.mail import Envelope, build
from notifications.rendering import Rendered
from notifications.smime import unseal
from protocol.errors import Refused
from protocol.markings import Classification, Marking, Tlp
from tests.notifications.mailroom import identity, make_recipient, signer
from tests.notifications.samples import NOW

PUBLIC = Marking(classification=Classification.PUBLIC)
TEXT = "Zeile mit Ümlaut\n.\n..dots\nFrom here\n"
OUTER = {
    "From", "To", "Date", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version",
    "Content-Type", "Content-Transfer-Encoding", "Content-Disposition",
}  # fmt: skip


def make_envelope(**changes: Any) -> Envelope:
    values: dict[str, Any] = {
        "notification_id": "0" * 32,
        "message_id": "<abc@ec3.invalid>",
        "sender": "leerp@ec3.invalid",
        "to": "poc@example.invalid",
        "date": NOW,
        "exercise": False,
    }
    return Envelope(**values | changes)


def contact(certificate: str | None = None) -> Contact:
    return make_recipient(0, certificate=certificate).contacts[0]


def make_mail(
    subject: str = "EWN 1 of INC-1", marking: Marking | None = None, **changes: Any
) -> bytes:
    keyed = contact(changes.pop("certificate", None))
    rendered = Rendered(subject=subject, text=TEXT, html="<p>Ü</p>")
    envelope = make_envelope(**changes)
    return build(rendered, envelope, marking=marking or Marking(), contact=keyed, signer=signer())


def parse(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def opened(raw: bytes) -> EmailMessage:
    poc = identity("poc")
    return parse(unseal(raw, poc.key, poc.certificate).inner)


@pytest.mark.requirement("R31")
def test_outside_stand_marking_and_reference_and_inside_the_true_subject() -> None:
    raw = make_mail("EWN 1: Ausfall der Grüßzentrale", reference="LEERP-2026-0001-EWN-1")
    outside, inside = parse(raw), opened(raw)
    assert outside["Subject"] == "TLP:AMBER - LEERP notice LEERP-2026-0001-EWN-1"
    assert inside["Subject"] == "EWN 1: Ausfall der Grüßzentrale"
    assert set(outside.keys()) == OUTER
    assert b"Ausfall" not in raw


@pytest.mark.parametrize("tlp", Tlp)
def test_the_label_outside_is_that_of_what_is_inside(tlp: Tlp) -> None:
    raw = make_mail(marking=Marking(tlp=tlp))
    assert parse(raw)["Subject"] == f"TLP:{tlp} - LEERP notice"


def test_the_inside_repeats_the_headers_and_says_what_the_outside_showed() -> None:
    inside = opened(make_mail())
    assert inside["Message-ID"] == "<abc@ec3.invalid>"
    assert inside["X-LEERP-Notification"] == "0" * 32
    assert "Subject: TLP:AMBER - LEERP notice" in inside.get_all("HP-Outer", [])
    assert inside["Content-Type"].params["hp"] == "cipher"


def test_both_bodies_come_through_with_every_character() -> None:
    inside = opened(make_mail())
    text, html = inside.get_body(("plain",)), inside.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines() == TEXT.splitlines()
    assert html.get_content().strip() == "<p>Ü</p>"


def test_an_exercise_is_marked_outside_and_inside() -> None:
    raw = make_mail(exercise=True)
    assert parse(raw)["Subject"] == "EXERCISE - TLP:AMBER - LEERP notice"
    assert str(opened(raw)["Subject"]).startswith("EXERCISE")


@pytest.mark.requirement("R32")
@pytest.mark.parametrize("level", [level for level in Classification if level])
def test_nothing_above_public_is_built_without_a_certificate(level: Classification) -> None:
    with pytest.raises(Refused, match="in clear"):
        make_mail(marking=Marking(classification=level), certificate="")


def test_a_public_notice_without_a_key_is_signed_and_readable() -> None:
    message = parse(make_mail(marking=PUBLIC, certificate=""))
    assert message.get_content_type() == "multipart/signed"
    text = message.get_body(("plain",))
    assert text is not None
    assert text.get_content().splitlines() == TEXT.splitlines()


def test_a_public_notice_reaches_whose_certificate_has_expired() -> None:
    late = NOW + timedelta(days=20 * 365)

    assert parse(make_mail(marking=PUBLIC, date=late)).get_content_type() == "multipart/signed"


def test_a_public_notice_is_encrypted_all_the_same_where_there_is_a_key() -> None:
    assert parse(make_mail(marking=PUBLIC)).get_content_type() == "application/pkcs7-mime"


def test_every_line_ends_with_carriage_return_and_line_feed() -> None:
    raw = make_mail()
    assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")
    assert max(map(len, raw.split(b"\r\n"))) < 998


hostile = st.one_of(
    st.text(max_size=80),
    st.sampled_from(["\r\nBcc: e@x.invalid", "\nBcc: e@x", "=?utf-8?q?x=0ABcc:_e@x?=", "\u2028x"]),
    st.lists(st.sampled_from(["=?", "utf-8", "?q?", "=0A", "=0D=0A", "Bcc:", " ", "\n", "ü"])).map(
        "".join
    ),
)


@settings(max_examples=200, deadline=None)
@given(subject=hostile, reference=hostile)
def test_no_text_can_add_a_header_or_a_recipient(subject: str, reference: str) -> None:
    raw = make_mail(subject, in_reply_to=reference)
    outside, inside = parse(raw), opened(raw)
    assert set(outside.keys()) == OUTER | {"In-Reply-To", "References"}
    assert "Bcc" not in inside
    assert len(inside.get_all("Subject", [])) == 1
    assert [address.addr_spec for address in inside["To"].addresses] == ["poc@example.invalid"]
