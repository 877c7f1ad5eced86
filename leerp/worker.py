"""The worker process: runs the workflows and their activities."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import structlog
from temporalio.worker import Worker

from activities.assessments import AssessmentActivities
from activities.campaigns import CampaignActivities
from activities.case_file import CaseFileActivities
from activities.following import FollowUpActivities
from activities.self_audit import SelfAuditActivities
from activities.tasks import TaskActivities
from infra.bootstrap import App
from leerp.bounces import keep_reading
from leerp.schedules import ensure_self_audit
from notifications import nudge_services
from notifications.attachments import load_tools
from notifications.delivery import Delivery
from notifications.nudges import Nudger
from notifications.own_keys import own_keys
from notifications.smime import Signer
from workflows.answering import Answering
from workflows.campaign import Campaign
from workflows.incident import Incident
from workflows.sandbox import SANDBOX
from workflows.self_audit import SelfAudit
from workflows.sending import Sending

log = structlog.get_logger()

WORKFLOWS = [Answering, Campaign, Incident, SelfAudit, Sending]
ACTIVITY_THREADS = 16
GRACE = timedelta(seconds=10)


def activities(app: App) -> list[object]:
    """Every activity, on this process's database and mail relay."""
    case_file = CaseFileActivities(app.database)
    assessments = AssessmentActivities(app.database)
    tasks = TaskActivities(app.database)
    signer = Signer.load(
        app.keys.signer_certificate_file,
        app.keys.signer_key_file,
        openpgp_file=app.keys.openpgp_file,
    )
    _say_which_keys_end(app)
    delivery = Delivery(app.database, app.settings, signer=signer, ack_key=app.keys.acknowledgement)
    campaigns = CampaignActivities(app.database, app.keys.acknowledgement, delivery)
    key = app.keys.acknowledgement
    nudge_services.quieten()
    nudger = Nudger(app.database, nudge_services.notify, message_key=key)
    following = FollowUpActivities(app.database, key, nudger)
    self_audit = SelfAuditActivities(app.database, app.settings, app.keys.acknowledgement)
    return [
        case_file.enter_stage,
        case_file.mark_overdue,
        case_file.record_decision,
        case_file.end_incident,
        assessments.assess_incident,
        tasks.open_outlook_task,
        tasks.settle_tasks,
        tasks.mark_overdue_tasks,
        campaigns.freeze,
        campaigns.send_range,
        following.remind,
        following.nudge,
        following.turn_to_next_contact,
        following.turn_to_other_channel,
        following.ask_liaison_officers,
        following.list_calls,
        following.escalate,
        following.conclude,
        following.turn_misdirected,
        following.tell_answers,
        self_audit.audit_campaigns,
        self_audit.give_sign_of_life,
    ]


def _say_which_keys_end(app: App) -> None:
    """No reason not to start: who is warned with a bad signature is warned."""
    now, early = datetime.now(UTC), app.settings.smime.warn_before
    for key in own_keys(app.settings.keys):
        if advice := key.advice(now, early):
            log.error("own_key_ends", key=key.name, life=key.life(now, early), advice=advice)


async def run_worker(app: App, stop: asyncio.Event) -> None:
    """Work until told to stop; what is in hand gets a few seconds to finish.

    Raises:
        ServiceDown: Temporal has no address or does not answer.
    """
    client = await app.temporal()
    await ensure_self_audit(client, app.settings)
    with ThreadPoolExecutor(ACTIVITY_THREADS) as threads:
        worker = Worker(
            client,
            task_queue=app.settings.temporal.task_queue,
            workflows=WORKFLOWS,
            activities=activities(app),  # type: ignore[arg-type] # bound methods of any shape
            activity_executor=threads,
            workflow_runner=SANDBOX,
            graceful_shutdown_timeout=GRACE,
        )
        async with worker, asyncio.TaskGroup() as beside:
            beside.create_task(keep_reading(app, stop))
            beside.create_task(asyncio.to_thread(load_tools))
            await stop.wait()
