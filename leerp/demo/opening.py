"""What a careful reader does with a mail of the centre: decrypt, verify, look at it, find the link."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

from leerp.demo.directory import Mailbox
from notifications.mail import EXERCISE_PREFIX, NEUTRAL_SUBJECT
from notifications.smime import unseal
from protocol.errors import Refused, ServiceDown

EXERCISE_LINE = "EXERCISE EXERCISE EXERCISE"
_MARKED = re.compile(r"^Handling codes H.*\nTLP:\S+ PAP:\S+$", re.MULTILINE)
_LINK = re.compile(r"^ACKNOWLEDGE\n(?: .*\n)*? +(https?://\S+)$", re.MULTILINE)
_OUTSIDE = re.compile(rf"{EXERCISE_PREFIX}TLP:[A-Z+]+ - {NEUTRAL_SUBJECT} [A-Za-z0-9-]+")
_WARNING = re.compile(r"^EARLY WARNING NOTIFICATION ", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A mail as its reader sees it."""

    subject: str
    text: str
    html: str

    @property
    def link(self) -> str | None:
        """Where to acknowledge, or None when no answer is asked for."""
        found = _LINK.search(self.text)
        return found[1] if found else None

    @property
    def is_early_warning(self) -> bool:
        return bool(_WARNING.search(self.text))


def open_mail(raw: bytes, mailbox: Mailbox, signer: Path) -> Opened:
    """Open a mail of an exercise; ``signer`` is the certificate that the centre signs with.

    Raises:
        Refused: not for this key, not signed by the centre, or not marked as it must be.
        ServiceDown: openssl is not there.
    """
    subject = message_from_bytes(raw, policy=policy.default).get("Subject", "")
    if not _OUTSIDE.fullmatch(subject):
        raise Refused("outer-subject", "the subject outside is not the neutral one of an exercise")
    unsealed = unseal(raw, mailbox.key(), mailbox.certificate())
    _verify(unsealed.signed, signer)
    inner = message_from_bytes(unsealed.inner, _class=EmailMessage, policy=policy.default)
    opened = Opened(subject=unsealed.subject, text=_body(inner, "plain"), html=_body(inner, "html"))
    _check_marks(opened)
    return opened


def _verify(signed: bytes, signer: Path) -> None:
    trust = ("-CAfile", str(signer), "-no-CApath", "-no-CAstore")
    try:
        checked = subprocess.run(  # noqa: S603  fixed arguments
            ["openssl", "cms", "-verify", *trust, "-out", os.devnull],  # noqa: S607
            input=signed,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise ServiceDown(
            "the demo's contacts verify signatures with openssl, which is not there: run 'make setup'"
        ) from error
    if checked.returncode:
        raise Refused("signature", "openssl does not accept the signature as the centre's")


def _body(inner: EmailMessage, subtype: str) -> str:
    part = inner.get_body((subtype,))
    if part is None:
        raise Refused("no-body", f"the mail has no text/{subtype} part")
    return str(part.get_content()).replace("\r\n", "\n")


def _check_marks(opened: Opened) -> None:
    lines = opened.text.strip().split("\n")
    if not (
        opened.subject.startswith(EXERCISE_PREFIX)
        and lines[0] == lines[-1] == EXERCISE_LINE
        and "EXERCISE" in opened.html
    ):
        raise Refused("not-marked-exercise", "the mail does not say everywhere that it is a drill")
    if len(_MARKED.findall(opened.text)) < 2:  # on top and at the bottom
        raise Refused("no-marking", "the mail lacks its marking on top or at the bottom")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The form of a page: where its button sends what."""

    action: str
    fields: dict[str, str]


def find_form(page: str, address: str) -> Form | None:
    """The first POST form of the ``page`` at ``address``, or None when it has no button."""
    reader = _FormReader()
    reader.feed(page)
    if reader.action is None:
        return None
    return Form(action=urljoin(address, reader.action), fields=reader.fields)


class _FormReader(HTMLParser):
    """Takes the action and the fields of the first POST form."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and self.action is None and values.get("method", "").lower() == "post":
            self._inside, self.action = True, values.get("action", "")
        elif tag == "input" and self._inside and "name" in values and _counts(values):
            self.fields[values["name"]] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


def _counts(field: dict[str, str]) -> bool:
    """Whether a browser would send this field: of radio buttons it sends the one that is set."""
    return field.get("type") != "radio" or "checked" in field
