"""The one client API for what people do: used by the command line, the console and the demo alike.

Every command carries the officer and a client-made id; a repeat answers the same. What is refused
leaves an audit row too. Drafts go to the case file first, workflows get their digests only.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.campaigns import DraftRef
from infra import audit
from infra.casefile import Artefact
from infra.database import Database
from notifications.directory import officer as find_officer
from protocol.errors import NotFound, Refused, ServiceDown
from protocol.four_eyes import Actor
from protocol.parties import Role
from protocol.stages import Containment, Gate, Recommendation
from workflows.ewn_release import require_fit
from workflows.incident import Incident
from workflows.messages import (
    Answer,
    Approval,
    Command,
    IncidentOutcome,
    IncidentStatus,
    Proposal,
    Record,
    Refusal,
    Reopening,
)
from workflows.reading import digest_read, note_reading


class Commands:
    """Commands of one officer, over one channel."""

    def __init__(self, database: Database, client: Client, *, officer: str, channel: str) -> None:
        self._database = database
        self._client = client
        self._officer = officer
        self._channel = channel

    # Gates

    async def propose(
        self,
        incident_id: str,
        gate: Gate,
        draft: Artefact,
        *,
        reason: str = "",
        containment: Containment | None = None,
        outcome: Recommendation | None = None,
        command_id: str | None = None,
    ) -> Answer:
        """Put a draft of the case file before a second person.

        Raises:
            Refused: wrong role or stage, or what the gate itself asks for is missing.
        """
        proposal = Proposal(
            command_id=command_id or new_command_id(),
            actor=await self.actor(incident_id, f"propose {gate}"),
            gate=gate,
            draft=reference(draft),
            reason=reason,
            containment=containment,
            outcome=outcome,
            basis=await self._basis(incident_id, draft),
            author=draft.by,
        )
        return await self._update(incident_id, Incident.propose, proposal, f"propose {gate}")

    async def approve(
        self,
        incident_id: str,
        gate: Gate,
        *,
        digest: str | None = None,
        override: str = "",
        command_id: str | None = None,
    ) -> Answer:
        """Agree as the second person to the draft with ``digest``; without one, to what they read.

        ``override``: why one person releases a warning alone, in an emergency.

        Raises:
            Refused: same person, wrong role, nothing waits, not read, changed, or not fit to go out.
        """
        if digest is None:
            digest = await self._read_digest(incident_id, gate)
        command = f"approve {gate}"
        actor = await self.actor(incident_id, command)
        if gate is Gate.EWN_RELEASE:
            who = self._officer, self._channel
            await asyncio.to_thread(require_fit, self._database, incident_id, digest, *who)
        approval = Approval(
            command_id=command_id or new_command_id(),
            actor=actor,
            gate=gate,
            digest=digest,
            override=override,
        )
        return await self._update(incident_id, Incident.approve, approval, command)

    async def read(self, incident_id: str, gate: Gate) -> Artefact:
        """The draft that waits at a gate; that this officer has read it is noted.

        Raises:
            Refused: ``nothing-proposed``, or ``altered-draft`` when its text is no longer there.
        """
        await self.actor(incident_id, f"read {gate}")
        status = await self.status(incident_id)
        digest = next((p.digest for p in status.pending if p.gate is gate), None)
        if digest is None:
            raise Refused("nothing-proposed", f"nothing waits for approval at {gate}")

        def note() -> Artefact:
            with self._database.write() as connection:
                return note_reading(
                    connection, incident_id, gate, digest, by=self._officer, channel=self._channel
                )

        return await asyncio.to_thread(note)

    async def _read_digest(self, incident_id: str, gate: Gate) -> str:
        """Of the draft at this gate that the officer read last."""

        def find() -> str | None:
            with self._database.read() as connection:
                return digest_read(connection, incident_id, gate, self._officer)

        digest = await asyncio.to_thread(find)
        if digest is None:
            await self.actor(incident_id, f"approve {gate}")
            refused = Refused(
                "not-read",
                f"read the draft first: leerp incidents draft {incident_id} {gate} "
                f"--as {self._officer}",
            )
            await self._audit_refusal(incident_id, f"approve {gate}", refused)
            raise refused
        return digest

    async def decline(
        self, incident_id: str, gate: Gate, *, reason: str, command_id: str | None = None
    ) -> Answer:
        """Take a proposal off the table.

        Raises:
            Refused: nothing waits, or no role at this gate.
        """
        refusal = Refusal(
            command_id=command_id or new_command_id(),
            actor=await self.actor(incident_id, f"decline {gate}"),
            gate=gate,
            reason=reason,
        )
        return await self._update(incident_id, Incident.decline, refusal, f"decline {gate}")

    # What one officer does

    async def record(
        self, incident_id: str, draft: Artefact, *, command_id: str | None = None
    ) -> Answer:
        """Note a record of the case file in the workflow.

        Raises:
            Refused: not in this stage, or no role.
        """
        record = Record(
            command_id=command_id or new_command_id(),
            actor=await self.actor(incident_id, f"record {draft.kind}"),
            draft=reference(draft),
        )
        return await self._update(incident_id, Incident.record, record, f"record {draft.kind}")

    async def reopen(
        self, incident_id: str, *, reason: str, command_id: str | None = None
    ) -> Answer:
        """Take up again an incident that was not launched (R10)."""
        reopening = Reopening(
            command_id=command_id or new_command_id(),
            actor=await self.actor(incident_id, "reopen"),
            reason=reason,
        )
        return await self._update(incident_id, Incident.reopen, reopening, "reopen")

    # Where things stand

    async def status(self, incident_id: str) -> IncidentStatus:
        """Where the protocol stands.

        Raises:
            NotFound: no workflow for this incident.
            ServiceDown: Temporal does not answer.
        """
        try:
            return await self._handle(incident_id).query(Incident.status)
        except RPCError as exc:
            raise _translated(exc, incident_id) from exc

    async def _basis(self, incident_id: str, draft: Artefact) -> str:
        """Class and recommendation that the draft speaks of, or else those of the moment."""
        assessed = draft.document.get("assessment")
        if assessed is not None:
            return f"{assessed['threat_class']}/{assessed['recommendation']}"
        status = await self.status(incident_id)
        return f"{status.threat_class}/{status.recommendation}"

    async def actor(self, incident_id: str, attempt: str) -> Actor:
        """The acting officer with the roles that the directory gives.

        Raises:
            Refused: ``unknown-officer``; the attempt is in the audit trail.
        """

        def find() -> Actor:
            with self._database.read() as connection:
                known = find_officer(connection, self._officer)
            return Actor(
                officer=known.id,
                organisation=known.organisation,
                roles=frozenset(Role(role) for role in known.roles),
            )

        try:
            return await asyncio.to_thread(find)
        except NotFound as exc:
            refused = Refused("unknown-officer", str(exc))
            await self._audit_refusal(incident_id, attempt, refused)
            raise refused from exc

    def _handle(self, incident_id: str) -> WorkflowHandle[Incident, IncidentOutcome]:
        return self._client.get_workflow_handle_for(Incident.run, f"incident-{incident_id}")

    async def _update(
        self, incident_id: str, update: Any, command: Command, attempt: str
    ) -> Answer:
        try:
            answer: Answer = await self._handle(incident_id).execute_update(
                update, command, id=command.command_id
            )
        except WorkflowUpdateFailedError as exc:
            cause = exc.cause
            if not isinstance(cause, ApplicationError) or cause.type is None:
                raise
            refused = Refused(cause.type, cause.message)
            await self._audit_refusal(incident_id, attempt, refused, command.command_id)
            raise refused from exc
        except RPCError as exc:
            raise _translated(exc, incident_id) from exc
        return answer

    async def _audit_refusal(
        self, incident_id: str, attempt: str, refused: Refused, command_id: str = ""
    ) -> None:
        def write() -> None:
            with self._database.write() as connection:
                audit.append(
                    connection,
                    "command_refused",
                    actor=self._officer,
                    subject=incident_id,
                    channel=self._channel,
                    command=attempt,
                    command_id=command_id,
                    reason=refused.reason,
                )

        await asyncio.to_thread(write)


def reference(artefact: Artefact) -> DraftRef:
    """How a workflow names a version of the case file."""
    return DraftRef(kind=artefact.kind, version=artefact.version, digest=artefact.digest)


def new_command_id() -> str:
    """An id for a command that a client makes once and repeats when it tries again."""
    return uuid.uuid4().hex


def _translated(exc: RPCError, incident_id: str) -> Exception:
    if exc.status is RPCStatusCode.NOT_FOUND:
        return NotFound(
            f"no running incident {incident_id}: see 'leerp incidents list'; a cluster under triage "
            "becomes one with 'leerp incidents detect'"
        )
    if exc.status in {RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED}:
        return ServiceDown("Temporal does not answer: is 'leerp up' running?")
    return exc
