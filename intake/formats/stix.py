"""STIX 2.1 bundles, and 2.0 ones where they say the same in the same words.

One report per incident, else per report or grouping, else one for the bundle. Source: domain 6.5.
"""

from __future__ import annotations

from typing import Any

from intake.formats.draft import Draft, identifier, items
from intake.formats.stix_bundle import Bundle, Thing
from intake.formats.stix_content import (
    add_affected,
    add_indicators,
    add_times,
    effect_of,
    note_unplaced,
    reporter_of,
)
from intake.formats.stix_markings import marking_of
from protocol.errors import RejectedReport
from protocol.report import ReportContent

_MOST_MEMBERS = 200_000
_ASIDE = {"identity", "marking-definition", "extension-definition"}
_TELLING_NAMES = (
    "campaign",
    "intrusion-set",
    "malware",
    "attack-flow",
    "indicator",
    "threat-actor",
)


class Stix:
    """The adapter for STIX 2."""

    def recognises(self, document: Any) -> bool:
        """Whether it is a bundle, an object with an id of its type, a list of them, or TAXII's."""
        first = document[0] if isinstance(document, list) and document else document
        if not isinstance(first, dict):
            return False
        if first.get("type") == "bundle" or _is_object(first):
            return True
        enveloped = first.get("objects")
        return isinstance(enveloped, list) and bool(enveloped) and _is_object(enveloped[0])

    def read(self, document: Any) -> tuple[ReportContent, ...]:
        """Translate every report of the bundle; see ``Adapter.read``."""
        if isinstance(document, list) and any(_is_bundle(each) for each in document):
            if not all(_is_bundle(each) for each in document):
                raise RejectedReport("bad-structure", "the list holds bundles and other things")
            return tuple(content for each in document for content in self.read(each))
        bundle = Bundle.of(document)
        roots = bundle.roots()
        if not roots:
            return (_report(None, list(bundle.objects.values()), bundle, Draft()),)
        groups = _groups(roots, bundle)
        placed = {thing["id"] for group in groups for thing in group}
        loose = sum(
            thing["id"] not in placed and thing["type"] not in _ASIDE
            for thing in bundle.objects.values()
        )
        contents = []
        for position, (root, group) in enumerate(zip(roots, groups, strict=True)):
            draft = Draft()
            if position == 0 and loose:
                draft.warn(f"{loose} objects of the bundle belong to none of its reports")
            contents.append(_report(root, group, bundle, draft))
        return tuple(contents)


def _is_bundle(document: Any) -> bool:
    return isinstance(document, dict) and document.get("type") == "bundle"


def _is_object(thing: Any) -> bool:
    if not isinstance(thing, dict):
        return False
    kind, thing_id = thing.get("type"), thing.get("id")
    return isinstance(kind, str) and isinstance(thing_id, str) and thing_id.startswith(f"{kind}--")


def _groups(roots: list[Thing], bundle: Bundle) -> list[list[Thing]]:
    """What belongs to each report; a small bundle may not unfold into a huge one."""
    ids = frozenset(root["id"] for root in roots)
    groups: list[list[Thing]] = []
    total = 0
    for root in roots:
        groups.append(bundle.members(root, ids))
        total += len(groups[-1])
        if total > _MOST_MEMBERS:
            raise RejectedReport(
                "too-complex",
                f"the bundle's reports hold more than {_MOST_MEMBERS} objects together; split it",
            )
    return groups


def _report(
    root: Thing | None, members: list[Thing], bundle: Bundle, draft: Draft
) -> ReportContent:
    source_id = identifier(root["id"] if root else bundle.id, "id")
    note_unplaced(members, bundle, draft)
    add_times(root, members, draft)
    add_indicators(members, draft)
    add_affected(members, bundle, draft)
    _relations(root, members, draft)
    reporter, author = reporter_of(root, members, bundle, draft)
    failure, cause, criteria = effect_of(members, draft)
    return draft.content(
        source_id=source_id,
        title=_title(root, members, draft),
        description=draft.prose("\n\n".join(_prose(root, members, draft)), "the descriptions"),
        lang=draft.line(root.get("lang") if root else None, "lang"),
        reporter=reporter,
        first_hand=_first_hand(author, members),
        cause=cause,
        technical_failure_indicated=failure,
        impact=criteria,
        marking=marking_of(members, bundle, draft),
    )


def _prose(root: Thing | None, members: list[Thing], draft: Draft) -> list[str]:
    """What the report says of itself, and the notes that people wrote."""
    notes = [thing for thing in members if thing["type"] == "note"]
    texts = [draft.prose(root.get("description") if root else None, "description")]
    texts += [draft.prose(note.get("content"), "a note's content") for note in notes]
    return [text for text in texts if text]


def _title(root: Thing | None, members: list[Thing], draft: Draft) -> str:
    if root:
        return draft.title([(root.get("name"), "name")], f"STIX {root['type']}")
    named = sorted(
        (thing for thing in members if thing["type"] in _TELLING_NAMES),
        key=lambda thing: _TELLING_NAMES.index(thing["type"]),
    )
    return draft.title(
        [(thing.get("name"), "name") for thing in named],
        f"STIX bundle of {len(members)} objects",
    )


def _first_hand(author: object, members: list[Thing]) -> bool | None:
    """True if the reporter is one of those who sighted it, else it is not known."""
    sighted = {
        ref
        for thing in members
        if thing["type"] == "sighting"
        for ref in items(thing.get("where_sighted_refs"))
        if isinstance(ref, str)
    }
    return True if isinstance(author, str) and author in sighted else None


def _relations(root: Thing | None, members: list[Thing], draft: Draft) -> None:
    if root and root.get("revoked") is True:
        draft.relation("withdraws", root["id"])
    campaigns = [thing["id"] for thing in members if thing["type"] == "campaign"]
    if len(campaigns) == 1:  # the partner's own word for what belongs together
        draft.relation("same-incident", campaigns[0])
    for thing in members:
        if thing["type"] == "vulnerability":
            draft.reference(thing.get("name"))
    for thing in [root] if root else members:
        for reference in items(thing.get("external_references")):
            if isinstance(reference, dict):
                draft.reference(reference.get("url") or reference.get("external_id"))
