"""What the end-to-end tests share: processes to kill, numbered reports, a directory of any size."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import select

from infra import kafka
from infra.bootstrap import App
from infra.services.mail_catcher import TO_HEADER
from infra.settings import Settings
from infra.tables import campaign, notification
from leerp.demo.desks import OFFICERS
from notifications.acknowledgement import acknowledge
from notifications.certificates import Identity, self_signed
from notifications.tokens import make_token
from protocol.parties import EXTERNAL_CLASSES, INTERNAL_CLASSES, RecipientClass, SourceGroup

T = TypeVar("T")

SHARED_HASH = "5f" * 32
SECRET_TITLE = "Hospital Nordhaven encrypted"
SECRET_NAME = "Ines Markovic"
PATIENCE_SECONDS = 90


def numbered_report(prefix: str, number: int, *, grade: str = "B2") -> bytes:
    """An own report with its number as source id; all of a prefix belong to one incident."""
    document = {
        "format": "leerp-report/1",
        "source_id": f"{prefix}-{number}",
        "title": f"{SECRET_TITLE} {number}",
        "reporter": {"name": "National unit (simulated)", "contact": SECRET_NAME},
        "first_hand": True,
        "evaluation": {
            "scheme": "europol4x4",
            "original": grade,
            "grade": {"source": grade[0], "information": grade[1]},
        },
        "times": [
            {
                "kind": "observed",
                "earliest": "2026-11-01T06:00:00Z",
                "latest": "2026-11-01T07:00:00Z",
            }
        ],
        "affected": [{"kind": "country", "value": code} for code in ("DE", "FR", "NL", "ES", "IT")]
        + [{"kind": "sector", "value": "health"}]
        + [{"kind": "organisation", "value": f"Hospital {number % 50}"}],
        "impact": {
            "criteria": ["essential-service-sustained-denial"],
            "disruption": "observed",
            "self_propagating": True,
            "risk_to_life": True,
        },
        "indicators": [{"type": "sha256", "value": SHARED_HASH}]
        + [
            {"type": "ip", "value": f"198.51.{number % 256}.{(number // 256) % 254 + part}"}
            for part in range(1, 4)
        ],
    }
    return json.dumps(document).encode()


async def publish(
    settings: Settings, bodies: list[bytes], group: SourceGroup = SourceGroup.LAW_ENFORCEMENT
) -> None:
    """Publish every body and wait until Kafka has acknowledged all of them."""
    producer = kafka.producer(settings.kafka)
    await producer.start()
    try:
        sent = [await producer.send(kafka.topic_of(group), body) for body in bodies]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


@contextmanager
def process(settings: Settings, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """One of our processes as a child; killed at the end if it still runs."""
    log = settings.home / "logs" / f"{name}.log"
    with log.open("ab") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "leerp", name, "--home", str(settings.home)],
            stdout=out,
            stderr=out,
            env={**os.environ, "LEERP_HOME": str(settings.home)},
        )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


async def until(
    condition: Callable[[], T | bool | None], *, seconds: float = PATIENCE_SECONDS
) -> T:
    """Wait until ``condition`` gives something; fails with its name when it does not."""
    deadline = time.monotonic() + seconds
    while True:
        found = await asyncio.to_thread(condition)
        if found:
            return found  # type: ignore[return-value] # True stands for itself
        assert time.monotonic() < deadline, f"not in {seconds} s: {condition.__qualname__}"
        await asyncio.sleep(0.02)


@cache
def identity() -> Identity:
    """One key for all recipients of a test: what is tested is not the keys."""
    return self_signed("Recipients", "recipients@test.invalid", now=datetime.now(UTC))


def directory(recipients: int) -> str:
    """An import document with so many recipients, every class of R23 and R24 among them."""
    classes = sorted(INTERNAL_CLASSES | EXTERNAL_CLASSES)
    entries = [
        _recipient(number, classes[number] if number < len(classes) else RecipientClass.LE_POC)
        for number in range(recipients)
    ]
    entries.append(_recipient(recipients, RecipientClass.DUTY_MANAGER))
    officers = [officer.model_dump(mode="json") for officer in OFFICERS]
    return json.dumps({"recipients": entries, "officers": officers})


def _recipient(number: int, recipient_class: RecipientClass) -> dict[str, Any]:
    return {
        "id": f"r-{number:04d}",
        "recipient_class": recipient_class,
        "organisation": f"Organisation {number} (simulated)",
        "country": "DE",
        "transfer_agreement": True,
        "value_to_investigation": "sees the traffic (simulated)",
        "contacts": [
            {
                "name": f"Desk {number} {SECRET_NAME}",
                "email": f"desk{number}-{contact}@test.invalid",
                "certificate": identity().certificate_pem(),
            }
            for contact in (1, 2)
        ],
    }


def mails(settings: Settings) -> dict[str, list[str]]:
    """Address to the Message-IDs of the mails that the catcher has for it."""
    found: dict[str, list[str]] = {}
    for path in (settings.home / "maildir" / "new").iterdir():
        message = message_from_bytes(path.read_bytes())
        found.setdefault(message[TO_HEADER], []).append(message["Message-ID"])
    return found


@asynccontextmanager
async def running_task(work: Any) -> AsyncIterator[asyncio.Task[Any]]:
    """A task that is cancelled at the end."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def acknowledge_all(opened: App) -> None:
    """Acknowledge every warning as it is accepted, as the page would."""
    done: set[str] = set()
    while True:
        for row in await asyncio.to_thread(_accepted_warnings, opened):
            if row.id in done:
                continue
            token = make_token(
                opened.keys.acknowledgement,
                notification_id=row.id,
                campaign_id=row.campaign_id,
                recipient_id=row.recipient_id,
                contact=row.contact,
                revision=row.revision,
                expires_at=datetime.now(UTC) + timedelta(days=1),
            )
            await asyncio.to_thread(
                acknowledge,
                opened.database,
                opened.keys.acknowledgement,
                token,
                datetime.now(UTC),
            )
            done.add(row.id)
        await asyncio.sleep(0.1)


def _accepted_warnings(opened: App) -> list[Any]:
    with opened.database.read() as connection:
        return list(
            connection.execute(
                select(notification)
                .join(campaign, campaign.c.id == notification.c.campaign_id)
                .where(campaign.c.kind == "ewn", notification.c.state == "accepted")
            )
        )
