"""From the content of a notice to the words of one mail: inner subject, text, HTML and files.

Readers of one variant in one language get the same words, but for their own name and link: the page is
set once for all of them. Source: R31, domain 4.4, 5.3; reliability 1.6 (R7).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import escape

from notifications.attachments import Attachment, attachments
from notifications.directory import Recipient
from notifications.headers import safe_header
from notifications.notices import NoticeContent
from notifications.pages import context_of, template
from notifications.phrases import DEFAULT
from notifications.products import Variant
from notifications.template_names import OperatorTemplate, Part
from notifications.template_pages import set_in
from notifications.typesetting import shown, tidy

__all__ = ["Attachment", "Rendered", "render"]

KEPT = 128
"""Pages that a process remembers: variants, languages and reminders of what it sends."""
_NAME, _LINK = (f"@{secrets.randbits(128):039}@" for _ in range(2))
"""What stands for a reader's own in a page; nobody can know it beforehand and write it.

Digits only, so that a filter for letters leaves it as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The words of one mail. ``subject`` is the inner one and is only for the encrypted part."""

    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()


def render(
    content: NoticeContent,
    recipient: Recipient,
    variant: Variant,
    ack_link: str | None,
    *,
    reminder: int = 0,
    language: str = DEFAULT,
    annexed: bool = False,
    own: OperatorTemplate | None = None,
) -> Rendered:
    """Write the mail for one recipient; ``reminder`` is 0 for the notice, n for its n-th reminder.

    ``language`` is one of ``phrases.LANGUAGES``; with ``annexed`` the mail has its files. An exercise
    is marked as one on top, at the bottom and in the subject. ``own`` is the operator's template that
    text and page are set in; subject and files are always as we set them.

    Raises:
        Refused: ``variant-empty``, nothing of the content may stand in this variant.
        TemplateUnfit: the notice cannot be set in ``own``.
    """
    page = _page(content, variant, language, reminder, ack_link is not None, own=own)
    name, link = shown(" ".join(recipient.organisation.split())), ack_link or ""
    return Rendered(
        subject=page.subject,
        text=page.text.replace(_NAME, name).replace(_LINK, link),
        html=page.html.replace(_NAME, str(escape(name))).replace(_LINK, str(escape(link))),
        attachments=attachments(content, variant, language) if annexed else (),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Stands for whoever gets the mail while its page is set."""

    organisation: str = _NAME


@lru_cache(maxsize=KEPT)
def _page(
    content: NoticeContent,
    variant: Variant,
    language: str,
    reminder: int,
    linked: bool,
    *,
    own: OperatorTemplate | None,
) -> Rendered:
    context = {
        **context_of(content, variant, language),
        "recipient": _Reader(),
        "ack_link": _LINK if linked else None,
        "reminder": reminder,
    }
    if own is None:
        texts = {part: template(content.kind, f"body.{part}").render(context) for part in Part}
    else:
        texts = set_in(own, content.kind, context)
    subject = template(content.kind, "subject.txt").render(context)
    return Rendered(
        subject=safe_header(subject), text=tidy(texts[Part.TEXT]), html=texts[Part.HTML]
    )
