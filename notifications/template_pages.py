"""A notice set in an operator's template: its parts from our own templates, and what must be there.

The parts are the blocks of the built-in template, filled for the recipient's variant; what an operator
leaves out is found in what comes out, and then it is not used. Source: domain 5.3 (quality gate); F-K6.
"""

from __future__ import annotations

import html
from collections import deque
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

from jinja2.runtime import Context
from markupsafe import Markup, escape

from notifications.headers import literal
from notifications.notices import reference
from notifications.pages import template
from notifications.template_check import compiled
from notifications.template_names import (
    SECTIONS,
    OperatorTemplate,
    Part,
    TemplateUnfit,
    blocks_of,
)
from notifications.typesetting import environment, utc
from protocol.errors import Refused
from protocol.stages import NoticeKind

Pieces = Mapping[str, str]
"""What one part of a template is given, by name: lines as they are, blocks as they are set."""
_SAID = {
    "top": "the marking, and EXERCISE where it is one, as the first thing: begin with {{ top }}",
    "bottom": "the marking, and EXERCISE where it is one, as the last thing: end with {{ bottom }}",
    "reminder": "that it is a reminder: place {{ reminder }}",
    "acknowledgement": "how to acknowledge: place {{ acknowledgement }}",
    "notice": "the notice itself: place {{ notice }}",
    "issuer": "who issued it: place {{ issuer }} or {{ details }}",
    "issued": "when it was issued: place {{ issued }} or {{ details }}",
    "reference": "the reference: place {{ reference }}",
}


def set_in(own: OperatorTemplate, kind: NoticeKind, context: Mapping[str, Any]) -> dict[Part, str]:
    """The two texts of a mail; ``context`` is what the built-in templates are given.

    Raises:
        TemplateUnfit: it is unsound, fails, or lacks what must be there; the reason names it.
    """
    made: dict[Part, str] = {}
    lacking: list[str] = []
    for part in Part:
        given = pieces(kind, part, context)
        try:
            made[part] = compiled(own.source(part), part, kind).render(given)
        except Refused as refused:
            raise TemplateUnfit(own.number, str(refused)) from refused
        except Exception as error:  # whatever it is, the warning goes out without it
            raise TemplateUnfit(own.number, f"it failed ({type(error).__name__})") from error
        lacking += [f"{part} lacks {said}" for said in missing(kind, part, given, made[part])]
    if lacking:
        raise TemplateUnfit(own.number, *lacking)
    page = environment().get_template("_operator_page.html")
    inside = Markup(made[Part.HTML])  # noqa: S704 (it was set with every value escaped)
    return {**made, Part.HTML: page.render(context, title=given["title"], inside=inside)}


def pieces(kind: NoticeKind, part: Part, context: Mapping[str, Any]) -> Pieces:
    """What is given to ``part`` of a template."""
    content = context["content"]
    blocks = _blocks(kind, part, context)
    page = blocks if part is Part.HTML else _blocks(kind, Part.HTML, context)
    lines = {
        "title": html.unescape(_set(page, "title")),
        "organisation": context["recipient"].organisation,
        "issuer": content.issuer,
        "issued": utc(content.issued_at),
        "incident": content.incident_id,
        "reference": reference(content),
    }
    return {
        **{name: literal(" ".join(line.split())) for name, line in lines.items()},
        **{name: Markup(_set(blocks, name)) for name in blocks_of(kind)},  # noqa: S704 (ours)
    }


def missing(kind: NoticeKind, part: Part, given: Pieces, made: str) -> Iterator[str]:
    """What of that which must be there cannot be read in ``made``."""
    lines, top, bottom = (_lines(part, each) for each in (made, given["top"], given["bottom"]))
    if lines[: len(top)] != top:
        yield _SAID["top"]
    if lines[-len(bottom) :] != bottom:
        yield _SAID["bottom"]
    said = {
        name: _squeezed(_lines(part, each if part is Part.TEXT else escape(each)))
        for name, each in given.items()
    }
    seen = _squeezed(lines)
    sections = tuple(SECTIONS) if kind == NoticeKind.EWN else ("notice",)
    for name in ("reminder", "acknowledgement", "reference", *sections):
        if said[name] not in seen:
            yield _SAID.get(name) or _section(name)
    for name in blocks_of(kind):  # what stands in these says it of something else
        if said[name] and name != "details":
            seen = seen.replace(said[name], " ")
    for name in ("issuer", "issued"):
        if said[name] not in seen:
            yield _SAID[name]


def _section(name: str) -> str:
    number = f"section {SECTIONS[name]}" if SECTIONS[name] else "what variant it is"
    return f"{number}: place {{{{ {name} }}}} or {{{{ notice }}}}"


def _blocks(kind: NoticeKind, part: Part, context: Mapping[str, Any]) -> Context:
    page = template(kind, f"body.{part}")
    made = page.new_context(dict(context))
    deque(page.root_render_func(made), maxlen=0)  # which defines what the blocks use
    return made


def _set(page: Context, block: str) -> str:
    return "".join(page.blocks[block][0](page)).strip("\n")


def _lines(part: Part, text: str) -> list[str]:
    """What a reader sees: lines, or the pieces of text between the marks of a page; none blank."""
    if part is Part.TEXT:
        found = text.splitlines()
    else:
        words = _Words()
        words.feed(text)
        words.close()
        found = words.found
    return [line.strip() for line in found if line.strip()]


def _squeezed(lines: list[str]) -> str:
    """As one line in small letters, whichever way it was broken and written."""
    return " ".join(" ".join(lines).split()).casefold()


class _Words(HTMLParser):
    """Collects the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)
