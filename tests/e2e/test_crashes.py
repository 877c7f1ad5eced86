"""SIGKILL in the middle of things, on the real broker, server and mail relay (F-P1, F-P4)."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from infra import audit
from infra.bootstrap import app
from infra.casefile import add_artefact
from infra.database import Database
from infra.settings import Settings
from infra.tables import notification, quarantine, report
from notifications.content import ContactPoint
from notifications.directory_import import import_directory
from notifications.notices import InitialNotice
from protocol.stages import NoticeKind
from tests.conftest import running
from tests.e2e.support import directory, mails, numbered_report, process, publish, until
from tests.notifications.standing import confirm_partners
from workflows.campaign import Campaign
from workflows.commands import reference
from workflows.messages import CampaignInput

pytestmark = [pytest.mark.asyncio, pytest.mark.services, pytest.mark.timeout(420)]

KILLS, WORKER_KILLS = 5, 3
REPORTS = 600
BAD_EVERY = 50
RECIPIENTS = 120
CONNECTIONS = 4


@pytest.mark.requirement("R4", "R6")
async def test_a_killed_intake_stores_or_quarantines_every_report_exactly_once(
    tmp_path: Path,
) -> None:
    async with running(
        tmp_path / "home", intake={"max_batch_records": 40, "max_fetch_records": 40}
    ) as settings:
        database = Database(settings.database_url)
        for seed in range(KILLS):
            bodies = [
                b"no report at all %d-%d" % (seed, number)
                if number % BAD_EVERY == 0
                else numbered_report(f"run{seed}", number)
                for number in range(REPORTS)
            ]
            await publish(settings, bodies)
            threshold = seed * REPORTS + random.Random(seed).randint(40, REPORTS // 2)
            with process(settings, "intake") as doomed:
                await until(lambda limit=threshold: _settled(database) >= limit)  # type: ignore[misc]
                doomed.kill()
                doomed.wait()
            assert _settled(database) < (seed + 1) * REPORTS, "killed too late to prove anything"
            with process(settings, "intake"):
                await until(lambda all_of=(seed + 1) * REPORTS: _settled(database) >= all_of)  # type: ignore[misc]
        expected = {
            f"run{seed}-{number}"
            for seed in range(KILLS)
            for number in range(REPORTS)
            if number % BAD_EVERY
        }
        with database.read() as connection:
            stored = Counter(connection.scalars(select(report.c.source_id)))
            repeats = connection.scalar(select(func.sum(report.c.duplicates)))
            refused = connection.scalar(select(func.count()).select_from(quarantine))
            chain = audit.verify(connection)
        assert set(stored) == expected
        assert set(stored.values()) == {1}
        assert repeats == 0
        assert refused == KILLS * REPORTS // BAD_EVERY
        assert chain.verified, chain.reason
        database.close()


@pytest.mark.requirement("R33")
async def test_a_killed_worker_loses_no_mail_and_doubles_only_what_was_under_way(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    async with running(
        home,
        smtp={"connections": CONNECTIONS},
        delivery={"lease": "PT12S"},
        console_url="http://127.0.0.1:9",
    ) as settings:
        with app(home) as opened:
            import_directory(opened.database, directory(RECIPIENTS), by="test")
            confirm_partners(opened.database)
            client = await opened.temporal()
            for seed in range(WORKER_KILLS):
                campaign = _campaign(opened.database, seed)
                handle = await client.start_workflow(
                    Campaign.run,
                    campaign,
                    id=f"campaign-{campaign.campaign_id}",
                    task_queue=settings.temporal.task_queue,
                )
                limit = random.Random(seed).randint(5, RECIPIENTS * 3 // 4)
                with process(settings, "worker") as doomed:
                    await until(
                        lambda c=campaign, n=limit: _accepted(opened.database, c.campaign_id) >= n  # type: ignore[misc]
                    )
                    doomed.kill()
                    doomed.wait()
                with process(settings, "worker"):
                    outcome = await handle.result()
                assert outcome.recipients == RECIPIENTS
            _check_mails(opened.database, settings)
            with opened.database.read() as connection:
                assert audit.verify(connection).verified


def _campaign(database: Database, seed: int) -> CampaignInput:
    incident = f"inc-{seed}"
    content = InitialNotice.model_validate(
        {
            "incident_id": incident,
            "exercise": True,
            "issued_at": "2026-11-01T08:00:00Z",
            "triggered_at": "2026-11-01T08:00:00Z",
            "contact_points": [
                ContactPoint(name="ECC", phone="+31 70 555 0100", secure_channel="VCP room 1")
            ],
        }
    )
    with database.write() as connection:
        draft = add_artefact(
            connection,
            incident,
            "centre",
            {"notice": content.model_dump(mode="json")},
            by="test",
            channel="test",
        )
    rules = Settings(home=Path("unused")).profile().notices[NoticeKind.INITIAL]
    return CampaignInput.model_validate(
        {
            "campaign_id": f"{incident}.initial.1",
            "incident_id": incident,
            "kind": NoticeKind.INITIAL,
            "revision": 1,
            "rules": rules,
            "content": reference(draft),
            "exercise": True,
            "batch": 50,
            "heartbeat": "PT8S",
        }
    )


def _check_mails(database: Database, settings: Settings) -> None:
    """Everybody has every notice; a second copy has the same Message-ID, and there are few."""
    with database.read() as connection:
        rows = connection.execute(select(notification.c.message_id, notification.c.state)).all()
    wanted = {row.message_id for row in rows}
    assert {row.state for row in rows} == {"accepted"}
    assert len(wanted) == WORKER_KILLS * RECIPIENTS
    copies = Counter(name for names in mails(settings).values() for name in names)
    assert set(copies) == wanted
    assert copies.total() - len(wanted) <= WORKER_KILLS * CONNECTIONS


def _settled(database: Database) -> int:
    with database.read() as connection:
        stored = connection.scalar(select(func.count()).select_from(report)) or 0
        refused = connection.scalar(select(func.count()).select_from(quarantine)) or 0
    return stored + refused


def _accepted(database: Database, campaign_id: str) -> int:
    with database.read() as connection:
        return (
            connection.scalar(
                select(func.count()).where(
                    notification.c.campaign_id == campaign_id, notification.c.state == "accepted"
                )
            )
            or 0
        )
