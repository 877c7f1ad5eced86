"""Files of an operator's template: one text and one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from notifications.template_names import OperatorTemplate, Part
from notifications.template_trial import starter
from protocol.errors import Refused


def beginning() -> OperatorTemplate:
    """A sound template for every notice, to begin one's own with."""
    return OperatorTemplate(text=starter(Part.TEXT), html=starter(Part.HTML))


def read_template(
    files: Sequence[Path], *, instead: OperatorTemplate | None = None
) -> OperatorTemplate:
    """The template of a ``.txt`` and a ``.html``; ``instead`` has what is not among them.

    Raises:
        Refused: ``unreadable``; ``no-format``, not one of each.
    """
    read = {} if instead is None else {part: instead.source(part) for part in Part}
    given: set[Part] = set()
    for file in files:
        ending = file.suffix.removeprefix(".").lower()
        if ending not in set(Part) or Part(ending) in given:
            raise Refused("no-format", f"{file}: give one file that ends in .txt, one in .html")
        given.add(Part(ending))
        try:
            read[Part(ending)] = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            raise Refused("unreadable", f"{file}: cannot be read as text in UTF-8") from exc
    if len(read) < len(Part):
        raise Refused("no-format", "give both, a .txt and a .html: a mail says the same in both")
    return OperatorTemplate(text=read[Part.TEXT], html=read[Part.HTML])
