"""MISP events: ``{"Event": ...}``, a bare event, or a list or ``response`` of many.

Source: domain 6.6 (MISP core format).
"""

from __future__ import annotations

from typing import Any

from intake.formats.base import in_turn
from intake.formats.draft import Draft, identifier, items, text_of
from intake.formats.misp_attributes import AttributeReader, tag_names
from intake.formats.misp_tags import TagFindings
from intake.formats.misp_wrappings import events_of, is_manifest, is_part
from intake.formats.times import Moment
from protocol.errors import RejectedReport
from protocol.report import Impact, ReportContent, Reporter, TimeKind, TimeWindow

_MARKS_OF_AN_EVENT = {
    "info", "uuid", "date", "Attribute", "Object", "Orgc", "Org", "Tag", "threat_level_id",
    "analysis", "distribution", "publish_timestamp",
}  # fmt: skip
_ENOUGH_MARKS = 3


class Misp:
    """The adapter for MISP events."""

    def recognises(self, document: Any) -> bool:
        """Whether there is an ``Event``, a ``response``, or enough of an event's fields."""
        first = document[0] if isinstance(document, list) and document else document
        return isinstance(first, dict) and (
            is_manifest(first)
            or "Event" in first
            or "response" in first
            or is_part(first)
            or len(_MARKS_OF_AN_EVENT & first.keys()) >= _ENOUGH_MARKS
        )

    def read(self, document: Any) -> tuple[ReportContent, ...]:
        """Translate every event; see ``Adapter.read``."""
        if is_manifest(document):
            raise RejectedReport(
                "misp-feed-index",
                "this is the manifest of a MISP feed, not its events; send the event files",
            )
        events = events_of(document)
        if not events:
            raise RejectedReport("no-reports", "the document holds no MISP event")
        return in_turn(events, _event)


def _event(event: dict[str, Any]) -> ReportContent:
    draft = Draft()
    source_id = identifier(event.get("uuid"), "uuid")
    _times(event, draft)
    tags = TagFindings()
    tags.read(tag_names(event, draft), draft)
    attributes = AttributeReader(draft, tags)
    attributes.read_all(event)
    creator, owner = _organisation(event.get("Orgc")), _organisation(event.get("Org"))
    first_hand = False if creator and owner and not _same(creator, owner) else None
    _relations(event, source_id, draft)
    if tags.unread:
        draft.warn(f"{tags.unread} tags say nothing that a report has a field for")
    distribution = _strictest({text_of(event.get("distribution")) or "", *attributes.distributions})
    return draft.content(
        source_id=source_id,
        title=draft.title([(event.get("info"), "info")], f"MISP event {source_id}"),
        description=draft.prose("\n\n".join(_prose(event, attributes, draft)), "the description"),
        reporter=Reporter(
            name=draft.reporter_name(creator.get("name"), owner.get("name")),
            contact=draft.line(event.get("event_creator_email"), "event_creator_email"),
        ),
        first_hand=first_hand,
        evaluation=tags.evaluation(first_hand, draft),
        cause=tags.cause_claim(),
        technical_failure_indicated="yes" if tags.technical_failure else "unknown",
        rsit=tags.rsit,
        impact=Impact(criteria=tuple(sorted(tags.criteria))),
        marking=tags.marking(distribution, draft),
    )


def _times(event: dict[str, Any], draft: Draft) -> None:
    """``date`` is the day of the event itself; the time stamps say when it was written down."""
    date = event.get("date")
    # a tuple, since the sender may have put something unhashable here
    if not draft.time(TimeKind.OBSERVED, date, "date") and date not in (None, ""):
        raise RejectedReport("bad-time", "date is not a calendar day that can be read")
    for field in ("publish_timestamp", "timestamp"):
        if moment := Moment.from_epoch(event.get(field)):
            draft.times.append(
                TimeWindow(kind=TimeKind.REPORTED, earliest=moment.earliest, latest=moment.latest)
            )
            return


def _organisation(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    key = "uuid" if one.get("uuid") and other.get("uuid") else "name"
    return bool(one.get(key) == other.get(key))


def _relations(event: dict[str, Any], source_id: str, draft: Draft) -> None:
    if extended := event.get("extends_uuid"):
        draft.relation("same-incident", extended)
    if event.get("deleted") is True:
        draft.relation("withdraws", source_id)
    for entry in items(event.get("RelatedEvent")):
        related = entry.get("Event") if isinstance(entry, dict) else None
        if isinstance(related, dict) and related.get("uuid"):
            draft.relation("related", related["uuid"])
    if items(event.get("ShadowAttribute")):
        draft.warn("proposals to change the event are not taken over")


def _prose(event: dict[str, Any], attributes: AttributeReader, draft: Draft) -> list[str]:
    """Comments and event reports: what people wrote."""
    reports = [
        draft.prose(entry.get("content"), "an event report")
        for entry in items(event.get("EventReport"))
        if isinstance(entry, dict)
    ]
    return [text for text in [*attributes.comments, *reports] if text]


def _strictest(levels: set[str]) -> str:
    """The narrowest distribution level that is stated: 0, then 4, 1, 2 and 3, then one not known."""
    return next((level for level in "04123" if level in levels), max(levels))
