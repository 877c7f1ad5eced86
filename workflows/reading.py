"""Who read which draft before agreeing to it: a person approves what they have read, and nothing else."""

from __future__ import annotations

from sqlalchemy import Connection

from infra import casefile
from infra.casefile import Artefact
from protocol.errors import Refused
from protocol.stages import Gate
from workflows.gatekeeping import GATE_DRAFTS

KIND = "reading"


def note_reading(
    connection: Connection, incident_id: str, gate: Gate, digest: str, *, by: str, channel: str
) -> Artefact:
    """The draft with ``digest``; that ``by`` was shown it goes into the case file.

    Raises:
        Refused: ``altered-draft``, its text is no longer there.
    """
    drafts = casefile.all_artefacts(connection, incident_id, GATE_DRAFTS[gate])
    found = next((draft for draft in reversed(drafts) if draft.digest == digest), None)
    if found is None:
        raise Refused("altered-draft", "the draft is no longer what was proposed")
    document = {"gate": gate, "digest": digest}
    casefile.add_artefact(connection, incident_id, KIND, document, by=by, channel=channel)
    return found


def digest_read(connection: Connection, incident_id: str, gate: Gate, officer: str) -> str | None:
    """Of the draft at ``gate`` that the officer read last; None when they read none."""
    mine = [
        str(reading.document["digest"])
        for reading in casefile.all_artefacts(connection, incident_id, KIND)
        if reading.by == officer and reading.document["gate"] == gate
    ]
    return mine[-1] if mine else None
