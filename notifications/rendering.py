"""From the content of a notice to the words of one mail: inner subject, text and HTML.

Whatever officers and reports wrote is shown literally: it cannot become markup, a template or a line
of the notice's own frame. A field that comes out blank is an error (R67). The fixed words are those of
the reader's language, officers' words stay as written. Source: R31, domain 4.4, 5.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Template

from notifications.blueprint import nis2_tags
from notifications.directory import Recipient
from notifications.ewn import EarlyWarning
from notifications.headers import safe_header
from notifications.notices import BlueprintNotice, NoticeContent
from notifications.phrases import DEFAULT, phrases
from notifications.products import Variant
from notifications.typesetting import css_text, environment, tidy
from protocol.errors import Refused
from protocol.markings import HandlingCode, Marking
from protocol.stages import NoticeKind

H1_LEGEND = phrases(DEFAULT)["frame"]["h1"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file of the mail; it stands in the signed and encrypted part only."""

    name: str
    """ASCII letters, digits, dots and hyphens."""
    media_type: str
    data: bytes


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
) -> Rendered:
    """Write the mail for one recipient; ``reminder`` is 0 for the notice, n for its n-th reminder.

    ``language`` is one of ``phrases.LANGUAGES``. An exercise is marked as one on top, at the bottom
    and in the subject.

    Raises:
        Refused: ``variant-empty``, nothing of the content may stand in this variant.
    """
    context = {
        **context_of(content, variant, language),
        "recipient": recipient,
        "ack_link": ack_link,
        "reminder": reminder,
    }
    subject, text, html = (_template(content.kind, part).render(context) for part in _PARTS)
    return Rendered(subject=safe_header(subject), text=tidy(text), html=html)


def printed_page(content: NoticeContent, variant: Variant, language: str) -> str:
    """The notice as a page to print, the same for all readers of the variant.

    Each sheet has the marking on top and at the bottom.

    Raises:
        Refused: as ``render``.
    """
    context = context_of(content, variant, language)
    drill = (context["t"]["frame"]["exercise"],) if content.exercise else ()
    block = (*drill, *context["marking_lines"])
    return _template(content.kind, "body.html").render(
        context, recipient=None, ack_link=None, reminder=0, marking_block=css_text("\n".join(block))
    )


def context_of(content: NoticeContent, variant: Variant, language: str) -> dict[str, Any]:
    """What every template of a notice is given, apart from who reads it.

    Raises:
        Refused: as ``render``.
    """
    reduced = content.product().variant(variant)
    if not reduced.components:
        raise Refused("variant-empty", f"nothing of this notice may stand in its {variant} variant")
    return {
        "content": content,
        "view": content.view(variant) if isinstance(content, EarlyWarning) else reduced,
        "marking_lines": marking_lines(reduced.marking, language),
        "marking": reduced.marking,
        "marking_block": None,
        "variant": variant,
        "exercise": content.exercise,
        "language": language,
        "foreign": content.language if content.language != language else None,
        "t": phrases(language),
        "tags": nis2_tags(content.warning.blueprint) if isinstance(content, BlueprintNotice) else (),
    }


def marking_lines(marking: Marking, language: str = DEFAULT) -> tuple[str, ...]:
    """The marking block, with the legend that H1 carries; levels and codes are not translated."""
    legend = phrases(language)["frame"]["h1"]
    return marking.lines() + ((legend,) if HandlingCode.H1 in marking.handling_codes else ())


_PARTS = ("subject.txt", "body.txt", "body.html")


@cache
def _template(kind: NoticeKind, part: str) -> Template:
    return environment().get_template(f"{kind}/{part}")
