"""What a template of an operator's own is, and the names of what it may place on the page.

Everything that it is given is text, set already for the recipient's own variant: no notice, no report,
no object. Source: domain 5.3; issue 7, item 3; F-K6.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from protocol.errors import LeerpError
from protocol.stages import NoticeKind


class Part(StrEnum):
    """The two texts of a mail, by the ending of their files."""

    TEXT = "txt"
    HTML = "html"


WORDS = ("title", "organisation", "issuer", "issued", "incident", "reference")
"""Names of single lines."""
BLOCKS = ("top", "reminder", "details", "notice", "acknowledgement", "bottom")
"""Names of what is set already, whatever the notice."""
SECTIONS: Mapping[str, str] = {
    "variant_note": "",
    "header": "1",
    "bottom_line": "2",
    "status": "3",
    "facts": "4",
    "assessment": "5",
    "law_enforcement": "6",
    "mitigation": "7",
    "indicators": "8",
    "requests": "9",
    "blueprint": "10",
    "provenance": "11",
    "changes": "12",
}
"""What ``notice`` consists of in a warning, with the number of the section."""


def blocks_of(kind: NoticeKind) -> tuple[str, ...]:
    """Names of the blocks of a notice of this kind."""
    return (*BLOCKS, *SECTIONS) if kind == NoticeKind.EWN else BLOCKS


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorTemplate:
    """How an operator sets a notice: the words and the layout round its parts."""

    text: str
    html: str
    """The inside of the page's body."""
    number: int = 0
    """Under which it is kept; 0 for one that is not."""

    def source(self, part: Part) -> str:
        return self.text if part is Part.TEXT else self.html

    @property
    def sha256(self) -> str:
        """Another as soon as a character of either text is another."""
        parts = (hashlib.sha256(self.source(part).encode()).digest() for part in Part)
        return hashlib.sha256(b"".join(parts)).hexdigest()


class TemplateUnfit(LeerpError):
    """A notice cannot be set in the operator's template of this number; the reasons hold no content."""

    def __init__(self, number: int, *lacks: str) -> None:
        super().__init__("; ".join(lacks))
        self.number = number
        self.lacks = lacks
