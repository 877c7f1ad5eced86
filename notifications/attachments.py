"""The files that go with a warning, inside the encrypted part of its mail.

They are the same for all readers of one variant in one language, so they are made once for all of them.
A warning goes out without its PDF where the libraries for it are missing: what it says stands in the
mail itself. Source: R31, R34; domain 5.3; issue 7, item 3.
"""

from __future__ import annotations

import importlib
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import structlog

from notifications.blueprint import hook_json
from notifications.ewn import EarlyWarning, EwnView
from notifications.notices import BlueprintNotice, NoticeContent
from notifications.pages import printed_page
from notifications.products import Variant
from protocol.errors import ServiceDown

log = structlog.get_logger()

KEPT = 64
"""Sets of files that a process remembers: variants and languages of the campaigns that it sends."""
PDF, STIX, MISP, JSON = (
    "application/pdf",
    "application/stix+json",
    "application/vnd.misp+json",
    "application/json",
)
_UNFIT = re.compile(r"[^A-Za-z0-9.-]+")
_once = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file of the mail; it stands in the signed and encrypted part only."""

    name: str
    """ASCII letters, digits, dots and hyphens."""
    media_type: str
    data: bytes


def attachments(content: NoticeContent, variant: Variant, language: str) -> tuple[Attachment, ...]:
    """The files of a warning or of its Blueprint hook in this variant; other notices have none.

    Raises:
        Refused: ``variant-empty``, nothing of the content may stand in this variant.
    """
    if not isinstance(content, EarlyWarning | BlueprintNotice):
        return ()
    with _once:  # whoever comes second waits for what the first one makes
        return _made(content, variant, language)


@lru_cache(maxsize=KEPT)
def _made(
    content: EarlyWarning | BlueprintNotice, variant: Variant, language: str
) -> tuple[Attachment, ...]:
    page = printed_page(content, variant, language)
    if isinstance(content, BlueprintNotice):
        view, name = content.shown(variant), "blueprint"
    else:
        view, name = content.view(variant), str(variant)
    stem = _UNFIT.sub("-", f"{view.ewn.header.id}-{name}")[:120]
    files = (*_pdf(f"{stem}-{language}.pdf", page), *machine_files(view, stem))
    if isinstance(content, BlueprintNotice):
        return (*files, Attachment(name=f"{stem}.json", media_type=JSON, data=hook_json(view)))
    return files


def load_tools() -> None:
    """Load what files are made with, some seconds' work, before a warning has to wait for it."""
    with suppress(OSError):  # Pango is missing: said when a PDF is wanted
        importlib.import_module("notifications.pdf")
    for name in ("notifications.misp_annex", "notifications.stix_annex"):
        importlib.import_module(name)


def machine_files(view: EwnView, stem: str) -> tuple[Attachment, ...]:
    """The annexes that other tools import; without indicators there is nothing to import."""
    from notifications.misp_annex import misp_event  # PyMISP and stix2 take a second to load
    from notifications.stix_annex import stix_bundle

    if not view.indicators:
        return ()
    return (
        Attachment(name=f"{stem}.stix.json", media_type=STIX, data=stix_bundle(view)),
        Attachment(name=f"{stem}.misp.json", media_type=MISP, data=misp_event(view)),
    )


def pdf_of(page: str, *, instead: str = "write the page with --format html") -> bytes:
    """A page of ours as a PDF; ``instead`` says what to do where that cannot be.

    Raises:
        ServiceDown: a library of the system that sets PDFs is missing; the message says what to do.
    """
    try:
        from notifications.pdf import to_pdf
    except OSError as exc:  # WeasyPrint loads it by name
        raise ServiceDown(
            "Pango, with which a PDF is set, cannot be loaded: install it (see 'leerp doctor'), or "
            + instead
        ) from exc
    return to_pdf(page)


def _pdf(name: str, page: str) -> tuple[Attachment, ...]:
    try:
        return (Attachment(name=name, media_type=PDF, data=pdf_of(page)),)
    except ServiceDown as exc:
        log.warning("pdf_not_made", file=name, reason=str(exc))
        return ()
