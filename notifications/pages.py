"""A notice set for its readers: the templates, filled with what one variant keeps.

Whatever officers and reports wrote is shown literally: it cannot become markup, a template or a line
of the notice's own frame. A field that comes out blank is an error (R67). The fixed words are those of
the reader's language, officers' words stay as written. Source: R31, domain 4.4, 5.3.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Template

from notifications.blueprint import nis2_tags
from notifications.ewn import EarlyWarning
from notifications.notices import BlueprintNotice, NoticeContent
from notifications.phrases import DEFAULT, phrases
from notifications.products import Variant
from notifications.typesetting import css_text, environment
from protocol.errors import Refused
from protocol.markings import HandlingCode, Marking
from protocol.stages import NoticeKind

H1_LEGEND = phrases(DEFAULT)["frame"]["h1"]


def printed_page(content: NoticeContent, variant: Variant, language: str) -> str:
    """The notice as a page to print, the same for all readers of the variant.

    Each sheet has the marking on top and at the bottom.

    Raises:
        Refused: ``variant-empty``, nothing of the content may stand in this variant.
    """
    context = context_of(content, variant, language)
    drill = (context["t"]["frame"]["exercise"],) if content.exercise else ()
    # The text of H3 may be long: it stands in the frame on the first sheet.
    marking = context["marking"].model_copy(update={"handling_text": ""})
    block = (*drill, *marking_lines(marking, language))
    return template(content.kind, "body.html").render(
        context, recipient=None, ack_link=None, reminder=0, marking_block=css_text("\n".join(block))
    )


def context_of(content: NoticeContent, variant: Variant, language: str) -> dict[str, Any]:
    """What every template of a notice is given, apart from who reads it.

    Raises:
        Refused: ``variant-empty``, nothing of the content may stand in this variant.
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
        "tags": nis2_tags(content.warning.blueprint)
        if isinstance(content, BlueprintNotice)
        else (),
    }


def marking_lines(marking: Marking, language: str = DEFAULT) -> tuple[str, ...]:
    """The marking block, with the legend that H1 carries; levels and codes are not translated."""
    legend = phrases(language)["frame"]["h1"]
    return marking.lines() + ((legend,) if HandlingCode.H1 in marking.handling_codes else ())


@cache
def template(kind: NoticeKind, part: str) -> Template:
    """The project's own template of one part, such as ``body.txt``."""
    return environment().get_template(f"{kind}/{part}")
