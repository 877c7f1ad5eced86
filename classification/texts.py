"""Whether two texts are one text: the same words, or one that quotes much of the other.

A sketch stands for the text, so that two reports are compared without reading either again. The same
text has the same sketch whatever its letter case, punctuation, line breaks and quotation marks.
Source: domain 2.1, E7.
"""

from __future__ import annotations

import re
import unicodedata
from heapq import nsmallest
from zlib import crc32

SHINGLE = 4
"""Words that follow each other and are compared as one."""
SKETCHED = 256
"""Shingles kept of a text: those of the smallest digests, so that two texts keep the same ones."""
LEAST_SHINGLES = 8
"""A shorter text is the same only word for word: anybody may write those few words."""
LEAST_COMPARED = 3
QUOTED = 0.5
"""Share of the shorter text that stands in the longer one as well."""

_WORD = re.compile(r"\w+")

Sketch = frozenset[int]
"""Digests of shingles (32 bits), at most ``SKETCHED``."""


def words_of(text: str) -> list[str]:
    """The words of ``text`` in one letter case and one form of each character."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def sketch_of(words: list[str]) -> Sketch:
    """The sketch of a text, given its words."""
    digests = {
        crc32(" ".join(words[start : start + SHINGLE]).encode())
        for start in range(len(words) - SHINGLE + 1)
    }
    return frozenset(nsmallest(SKETCHED, digests) if len(digests) > SKETCHED else digests)


def one_quotes_the_other(one: Sketch, other: Sketch) -> bool:
    """Whether much of the shorter text stands in the longer; symmetric, false for short texts."""
    if min(len(one), len(other)) < LEAST_SHINGLES:
        return False
    # Beyond its largest digest a full sketch says nothing of its text.
    reach = min((max(each) for each in (one, other) if len(each) == SKETCHED), default=None)
    if reach is not None:
        one = frozenset(digest for digest in one if digest <= reach)
        other = frozenset(digest for digest in other if digest <= reach)
    least = min(len(one), len(other))
    return least >= LEAST_COMPARED and len(one & other) >= QUOTED * least
