"""A template of an operator's is tried on sample notices before anybody is asked to agree to it.

Each variant is set with and without exercise, reminder and link, and what must be there has to be.
Source: domain 5.3 (quality gate); issue 7, item 3.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from notifications.directory import Contact, Recipient
from notifications.ewn import early_warning
from notifications.notices import NoticeContent, blueprint_of, read_content
from notifications.products import Variant
from notifications.rendering import Rendered, render
from notifications.template_check import check
from notifications.template_names import OperatorTemplate, Part, TemplateUnfit
from notifications.typesetting import TEMPLATES
from protocol.parties import RecipientClass
from protocol.stages import NoticeKind

SAMPLES = Path(__file__).with_name("template_samples.toml")
READER = Recipient(
    id="preview",
    recipient_class=RecipientClass.LE_POC,
    organisation="National unit of Exampleland",
    contacts=(Contact(name="preview", email="preview@leerp.invalid"),),
)
LINK = "https://leerp.invalid/a/preview"
_WAYS = ((False, 0, None), (True, 0, LINK), (False, 1, LINK), (True, 2, None))
"""Exercise, reminder and link."""


def starter(part: Part) -> str:
    """A template that is sound for every notice, to begin one's own with."""
    return (TEMPLATES / f"_operator.{part}").read_text("utf-8")


@cache
def sample(kind: NoticeKind, *, exercise: bool = False) -> NoticeContent:
    """A notice of this kind about nothing that has happened."""
    known: dict[str, Any] = tomllib.loads(SAMPLES.read_text("utf-8"))
    common = {**known["all"], "exercise": exercise}
    if kind is not NoticeKind.BLUEPRINT:
        return read_content({**common, **known[kind], "kind": kind})
    return blueprint_of(early_warning({**common, **known[NoticeKind.EWN], "kind": NoticeKind.EWN}))


def previewed(
    own: OperatorTemplate,
    kind: NoticeKind,
    language: str,
    variant: Variant = Variant.FULL,
    *,
    exercise: bool = False,
    reminder: int = 0,
    link: str | None = LINK,
) -> Rendered:
    """The sample of this kind in the template.

    Raises:
        Refused: ``variant-empty``, nothing of such a notice stands in this variant.
        TemplateUnfit: it cannot be set in it.
    """
    content = sample(kind, exercise=exercise)
    return render(content, READER, variant, link, reminder=reminder, language=language, own=own)


def faults(own: OperatorTemplate, kind: NoticeKind, language: str) -> tuple[str, ...]:
    """What must be put right before the template can be used: its lines first, else what it lacks."""
    if found := [str(f) for part in Part for f in check(own.source(part), part, kind)]:
        return tuple(found)
    lacking: dict[str, None] = {}
    for variant in Variant:
        if not sample(kind).product().variant(variant).components:
            continue
        for exercise, reminder, link in _WAYS:
            try:
                previewed(
                    own, kind, language, variant, exercise=exercise, reminder=reminder, link=link
                )
            except TemplateUnfit as unfit:
                lacking |= dict.fromkeys(unfit.lacks)
    return tuple(lacking)
