"""Overrides for a threat to life in the hands of officers; the providers are told in the same breath.

A provider whom the directory knows gets a notice through a campaign of its own, frozen in the very
transaction that opens the locks; for one whom no mail reaches, a person gets the task.
Source: Regulation (EU) 2016/794 Art. 22(2); domain 4.1, 4.4; R32.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select
from temporalio.client import Client
from temporalio.service import RPCError

from infra import casefile, taskbook
from infra.database import Database
from infra.tables import campaign, incident, notification
from infra.taskbook import TaskKind
from notifications import campaigns, override
from notifications.authority import Attempt, acting, attempted
from notifications.campaigns import FreezeOrder
from notifications.directory import Directory
from notifications.notices import OverrideNotice
from notifications.override import APPROVING, PROPOSING, Override, Proposed
from protocol.errors import NotFound, ServiceDown
from protocol.profile import Profile
from protocol.stages import NoticeKind
from workflows.messages import SendingInput
from workflows.open_incident import require_workable
from workflows.permitting import require_known
from workflows.releases import release_of
from workflows.sending import Sending

TELL_WITHIN = timedelta(minutes=15)
"""In which a person tells a provider that no mail reaches."""
ADVICE = "say at once, to the centre's duty desk, if passing it on endangers a source or a person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """An override in force, and how its providers are told."""

    override: Override
    campaigns: dict[str, int]
    """Campaign id to the end of its cursor range."""
    tasks: tuple[int, ...]
    """Numbers of the tasks to tell a provider by another way."""


class Overrides:
    """Of one officer, over one channel.

    All methods raise ``Refused`` (``unknown-officer``, ``wrong-role``) besides what they name.
    """

    def __init__(
        self, database: Database, *, officer: str, channel: str, message_key: bytes
    ) -> None:
        self._database = database
        self._officer = officer
        self._channel = channel
        self._key = message_key

    def propose(
        self,
        incident_id: str,
        kind: NoticeKind,
        *,
        recipients: Collection[str],
        reason: str,
        lasting: timedelta,
        profile: Profile,
    ) -> Override:
        """Propose to set restrictions aside in the newest draft of a notice, for who is named.

        Raises:
            NotFound: no such incident, or no such draft.
            Refused: ``unknown-recipient``, or as ``override.propose``.
        """
        with attempted(
            self._database, self._attempt("propose override", incident_id)
        ) as connection:
            acting(connection, self._officer, PROPOSING, "an override")
            require_workable(connection, incident_id)
            require_known(connection, recipients, classes=False)
            found = release_of(connection, incident_id, kind, profile)
            wanted = Proposed(
                incident_id=incident_id,
                draft=found.draft,
                product=found.content.product(),
                recipients=frozenset(recipients),
                reason=reason,
                lasting=lasting,
                by=self._officer,
                channel=self._channel,
            )
            return override.propose(connection, wanted, now=datetime.now(UTC))

    def approve(self, number: int) -> Approved:
        """Put an override in force as the second officer; its providers' notices are in the outbox.

        Raises:
            NotFound: no such override.
            Refused: as ``override.approve``.
        """
        now = datetime.now(UTC)
        attempt = self._attempt("approve override", f"override {number}")
        with attempted(self._database, attempt) as connection:
            acting(connection, self._officer, APPROVING, "approving an override")
            require_workable(connection, override.get_override(connection, number).incident_id)
            made = override.approve(
                connection, number, by=self._officer, now=now, channel=self._channel
            )
            return self._tell(connection, made, now)

    def end(self, number: int, *, reason: str) -> Override:
        """Take an override or its proposal out of force at once.

        Raises:
            NotFound: no such override.
            Refused: ``no-reason`` or ``ended``.
        """
        attempt = self._attempt("end override", f"override {number}")
        with attempted(self._database, attempt) as connection:
            acting(connection, self._officer, PROPOSING | APPROVING, "ending an override")
            return override.end(
                connection,
                number,
                by=self._officer,
                reason=reason,
                now=datetime.now(UTC),
                channel=self._channel,
            )

    def told(self, number: int) -> Approved:
        """An override that was approved, with its notices, to send them once more.

        What went out does not go again.

        Raises:
            NotFound: no such override, or nobody was told of it by mail.
        """
        with self._database.read() as connection:
            acting(connection, self._officer, PROPOSING | APPROVING, "telling a provider")
            made = override.get_override(connection, number)
            ends = connection.execute(
                select(campaign.c.id, func.count(notification.c.id))
                .join(notification, notification.c.campaign_id == campaign.c.id)
                .where(
                    campaign.c.incident_id == made.incident_id,
                    campaign.c.kind == NoticeKind.OVERRIDE,
                    campaign.c.revision == number,
                )
                .group_by(campaign.c.id)
            )
            found = {row[0]: row[1] for row in ends}
        if not found:
            raise NotFound(f"nobody was told of override {number} by mail: see 'leerp tasks list'")
        return Approved(override=made, campaigns=found, tasks=())

    def _tell(self, connection: Connection, made: Override, now: datetime) -> Approved:
        frozen: dict[str, int] = {}
        tasks = []
        directory = Directory.load(connection)
        for n, provider in enumerate(made.providers, 1):
            known = directory.by_principals([provider])
            held = 1
            if known:
                name = f"{made.incident_id}.{NoticeKind.OVERRIDE}.{made.id}-{n}"
                notice = _notice(connection, directory, made, provider, now)
                order = FreezeOrder(
                    campaign_id=name,
                    revision=made.id,
                    content=notice,
                    recipients=tuple(each.id for each in known),
                    by=self._officer,
                )
                result = campaigns.freeze(connection, order, message_key=self._key, now=now)
                frozen[name], held = result.recipients, result.held
            if held:
                tasks.append(_task(connection, made, provider, now))
        casefile.tell(connection, "incident", made.incident_id)
        return Approved(override=made, campaigns=frozen, tasks=tuple(tasks))

    def _attempt(self, command: str, subject: str) -> Attempt:
        return Attempt(
            officer=self._officer, command=command, subject=subject, channel=self._channel
        )


async def send_notices(
    approved: Approved, temporal: Callable[[], Awaitable[Client]], *, task_queue: str
) -> None:
    """Let the providers' notices go out at once.

    Raises:
        ServiceDown: they are in the outbox, but Temporal does not answer.
    """
    try:
        client = await temporal()
        await asyncio.gather(
            *(
                client.start_workflow(
                    Sending.run,
                    SendingInput(campaign_id=name, end=end),
                    id=f"sending-{name}",
                    task_queue=task_queue,
                    start_signal="more",
                    start_signal_args=[end],
                )
                for name, end in approved.campaigns.items()
            )
        )
    except (RPCError, ServiceDown) as exc:
        raise ServiceDown(
            f"override {approved.override.id} is in force and its providers' notices are in the "
            f"outbox, but Temporal does not answer: see that 'leerp up' runs, then say 'leerp "
            f"locks override tell {approved.override.id}', and tell the providers by telephone now"
        ) from exc


def _notice(
    connection: Connection, directory: Directory, made: Override, provider: str, now: datetime
) -> OverrideNotice:
    exercise = connection.scalar(
        select(incident.c.exercise).where(incident.c.id == made.incident_id)
    )
    names = {each.id: each.organisation for each in directory.recipients}
    return OverrideNotice(
        incident_id=made.incident_id,
        exercise=bool(exercise),
        issued_at=now,
        provider=provider,
        reason=made.reason,
        draft=made.draft,
        passed_to=tuple(names.get(each, each) for each in made.recipients),
        ends_at=made.ends_at or now,
        advice=ADVICE,
    )


def _task(connection: Connection, made: Override, provider: str, now: datetime) -> int:
    claim = (
        f"tell {provider} at once, with the reasons, that its restriction was set aside: "
        f"'leerp locks override list --incident {made.incident_id}', override {made.id}"
    )
    return taskbook.open_task(
        connection,
        made.incident_id,
        TaskKind.TELL_PROVIDER,
        f"provider-of-override-{made.id}",
        {"claim": claim, "override": made.id},
        at=now,
        due_at=now + TELL_WITHIN,
    )
