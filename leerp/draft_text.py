"""A draft as the second person reads it before agreeing to it."""

from __future__ import annotations

import json
from typing import Any

from infra.casefile import Artefact
from notifications.directory import Contact, Recipient
from notifications.notices import read_content
from notifications.products import Variant
from notifications.rendering import render
from notifications.threat_assessment import ThreatDocument, as_text
from protocol.parties import RecipientClass
from workflows.threat_assessment import KIND as THREAT_ASSESSMENT
from workflows.threat_assessment import content_of

PREVIEW = Recipient(
    id="preview",
    recipient_class=RecipientClass.LE_POC,
    organisation="every recipient of the full variant",
    contacts=(Contact(name="preview", email="preview@leerp.invalid"),),
)


def draft_text(draft: Artefact) -> str:
    """The draft in words: a document or notice as it will be read, anything else field by field.

    Raises:
        Refused: ``old-form``, a threat assessment that an earlier release made.
    """
    document = draft.document
    head = f"{draft.kind} version {draft.version}, drafted by {draft.by}, digest {draft.digest}"
    if draft.kind == THREAT_ASSESSMENT:
        return f"{head}\n\n{_threat_assessment(draft)}"
    parts = [head]
    if "notice" in document:
        shown = render(read_content(document["notice"]), PREVIEW, Variant.FULL, None)
        parts.append(f"Subject: {shown.subject}\n\n{shown.text}")
    beside = {name: value for name, value in document.items() if name != "notice"}
    parts += [f"{name}: {_words(value)}" for name, value in beside.items() if value]
    return "\n\n".join(parts)


def _threat_assessment(draft: Artefact) -> str:
    return as_text(
        ThreatDocument(
            content=content_of(draft),
            version=draft.version,
            newest_version=draft.version,
            digest=draft.digest,
        )
    )


def _words(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)
