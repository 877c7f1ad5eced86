"""What of records and reports never changes once it is stored, as values that are packed in blocks.

Apart from the database, so that a process that only reads can make them; see ``infra.originals``.
"""

from __future__ import annotations

import msgspec

MEDIA_TYPE_LENGTH = 100


class Body(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What came off Kafka."""

    media_type: str
    content: bytes


class Original(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A report as it was read, with its first grade."""

    document: str
    """An ``IncidentReport``, as JSON."""
    kind: str
    """Who gave its first grade: ``provider`` or ``intake``; the others say more of that grade."""
    scheme: str
    original: str
    source_grade: str
    information_grade: str
    by: str
    grounds: str


class FirstPlace(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where correlation put a report when it came, and why."""

    incident_id: str
    reason: str
    """As JSON, see ``intake.placement.Placement.reason``."""


pack_item = msgspec.msgpack.Encoder().encode
"""An item of a block as bytes."""
