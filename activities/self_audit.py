"""The self-audit, as activities. External systems: the database, and who waits for our sign of life."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import structlog
from temporalio import activity

from activities.campaigns import NextStep
from infra import dead_man
from infra.database import Database
from infra.payload import Payload
from infra.settings import Settings
from notifications.self_audit_round import go_round, note_signal

log = structlog.get_logger()


class AuditOutcome(Payload):
    """How many things do not add up, and the notices of them that are to be sent."""

    findings: int
    notices: tuple[NextStep, ...] = ()


class SelfAuditActivities:
    """Built once per worker."""

    def __init__(self, database: Database, settings: Settings, message_key: bytes) -> None:
        self._database = database
        self._settings = settings
        self._key = message_key

    @activity.defn
    def audit_campaigns(self) -> AuditOutcome:
        """Check every open campaign; what is new is told to the duty manager, once."""
        done = go_round(
            self._database, self._settings, message_key=self._key, now=datetime.now(UTC)
        )
        log.info("self_audit_done", campaigns=done.campaigns, findings=len(done.findings))
        return AuditOutcome(
            findings=len(done.findings),
            notices=tuple(
                NextStep(campaign_id=each.campaign_id, end=each.recipients) for each in done.notices
            ),
        )

    @activity.defn
    async def give_sign_of_life(self) -> None:
        """Tell the outside that a round was gone and all was well; tried once, since the next comes."""
        watch = self._settings.watch
        if not watch.ping_url:
            return
        error = await dead_man.signal(watch.ping_url, watch.ping_timeout)
        if error:
            log.warning("sign_of_life_not_heard", reason=error)
        await asyncio.to_thread(note_signal, self._database, error, datetime.now(UTC))
