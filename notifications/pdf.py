"""From a page of our own to a PDF. Nothing is fetched: a page that asks for anything is an error."""

from __future__ import annotations

from typing import Any, NoReturn

from weasyprint import HTML
from weasyprint.urls import FatalURLFetchingError, URLFetcher


class _Nothing(URLFetcher):
    """No network, no files, no data addresses."""

    def fetch(self, url: str, headers: Any = None) -> NoReturn:  # noqa: ARG002 (its signature)
        raise FatalURLFetchingError(f"the page asks for {url[:200]!r}; it must hold all it needs")


def to_pdf(page: str) -> bytes:
    """The HTML ``page`` as a tagged PDF.

    Raises:
        weasyprint.urls.FatalURLFetchingError: the page refers to something outside of itself.
    """
    fetcher = _Nothing()  # type: ignore[no-untyped-call]  # WeasyPrint states no types
    return bytes(HTML(string=page, url_fetcher=fetcher).write_pdf(pdf_tags=True))
