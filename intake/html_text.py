"""The text of an HTML mail, with the addresses that its links lead to."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from lxml import etree

_UNSEEN = {"script", "style", "head", "title"}
_BREAKS = {"p", "br", "div", "tr", "li", "h1", "h2", "h3", "td", "th"}


def text_of_html(html: str) -> str:
    """What a person would read, and each link's address in brackets; nothing is fetched or run."""
    if not html.strip():
        return ""
    collector = _Collector()
    target: Any = collector  # its type also asks for what is called only where it is there
    parser = etree.HTMLParser(target=target, no_network=True, huge_tree=False)
    with suppress(etree.LxmlError):  # what came before the fault has been read
        parser.feed(html)
        parser.close()
    lines = (" ".join(line.split()) for line in "".join(collector.texts).splitlines())
    return "\n".join(line for line in lines if line)


class _Collector:
    """Called by the parser for what it meets."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._unseen = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._unseen += tag in _UNSEEN
        if tag in _BREAKS:
            self.texts.append("\n")
        if tag == "a" and (link := attributes.get("href", "")).startswith(("http", "ftp")):
            self.texts.append(f" <{link}> ")

    def end(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))

    def data(self, text: str) -> None:
        if not self._unseen:
            self.texts.append(text)

    def close(self) -> None:
        """The texts are read from the collector."""
