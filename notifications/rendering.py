"""From the content of a notice to the words of one mail: inner subject, text and HTML.

Whatever officers and reports wrote is shown literally: it cannot become markup, a template or a line
of the notice's own frame. A field that comes out blank is an error (R67). Source: R31, domain 4.4, 5.3.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from notifications.directory import Recipient
from notifications.ewn import EarlyWarning
from notifications.headers import literal, safe_header
from notifications.notices import NoticeContent
from notifications.products import Variant
from protocol.errors import Refused
from protocol.markings import HandlingCode, Marking
from protocol.stages import NoticeKind

TEMPLATES = Path(__file__).parent / "templates"
WIDTH = 76
DEFANGED = frozenset({"url", "domain", "ip", "email"})
H1_LEGEND = "H1: not to be disclosed in judicial proceedings without the provider's permission"


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
) -> Rendered:
    """Write the mail for one recipient; ``reminder`` is 0 for the notice, n for its n-th reminder.

    An exercise is marked as one on top, at the bottom and in the subject.

    Raises:
        Refused: ``variant-empty``, nothing of the content may stand in this variant.
    """
    reduced = content.product().variant(variant)
    if not reduced.components:
        raise Refused("variant-empty", f"nothing of this notice may stand in its {variant} variant")
    context = {
        "content": content,
        "view": content.view(variant) if isinstance(content, EarlyWarning) else reduced,
        "marking_lines": marking_lines(reduced.marking),
        "marking": reduced.marking,
        "recipient": recipient,
        "variant": variant,
        "ack_link": ack_link,
        "exercise": content.exercise,
        "reminder": reminder,
    }
    subject, text, html = (_template(content.kind, part).render(context) for part in _PARTS)
    return Rendered(subject=safe_header(subject), text=_tidy(text), html=html)


def marking_lines(marking: Marking) -> tuple[str, ...]:
    """The marking block, with the legend that H1 carries."""
    legend = (H1_LEGEND,) if HandlingCode.H1 in marking.handling_codes else ()
    return marking.lines() + legend


_PARTS = ("subject.txt", "body.txt", "body.html")


@cache
def environment() -> ImmutableSandboxedEnvironment:
    """Templates in which all text is shown literally, escaped in HTML, and nothing comes out blank."""
    made = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        finalize=_literal,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    made.filters.update(utc=_utc, para=_para, line=_line, defang=_defang)
    return made


@cache
def _template(kind: NoticeKind, part: str) -> Template:
    return environment().get_template(f"{kind}/{part}")


def _literal(value: Any) -> Any:
    """What an expression of a template puts out: never blank, no control or invisible characters."""
    shown = value if isinstance(value, Markup) else literal("" if value is None else str(value))
    if not shown.strip():
        raise ValueError("a template puts out a blank field: say that it is unknown (R67)")
    return shown


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _line(text: str) -> str:
    return " ".join(text.split())


def _para(text: str, first: str = "  ", rest: str = "  ") -> str:
    """Wrapped and indented, so that no value can begin a line of the frame; long words stay whole."""
    return textwrap.fill(
        _line(str(text)),
        width=WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _defang(value: str, indicator_type: str) -> str:
    """An indicator that no mail program turns into a link."""
    if indicator_type not in DEFANGED:
        return value
    return re.sub("^http", "hxxp", value, flags=re.IGNORECASE).replace(".", "[.]")


def _tidy(text: str) -> str:
    lines = (line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
