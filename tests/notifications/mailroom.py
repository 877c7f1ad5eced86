"""What the mail tests share: identities, recipients, a database with one campaign in its outbox."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Row, func, insert, select

from infra.database import Database
from infra.tables import campaign, directory_version, notification, recipient
from infra.tables_delivery import mail_bytes
from notifications.certificates import Identity, self_signed
from notifications.content import ContactPoint
from notifications.directory import Contact, Recipient
from notifications.notices import InitialNotice, NoticeContent
from notifications.smime import Signer
from protocol.parties import RecipientClass
from tests.notifications.samples import NOW

CAMPAIGN = "campaign/INC-1/initial/1"


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = field(default_factory=lambda: NOW)

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> None:
        self.now += by


@functools.cache
def identity(name: str) -> Identity:
    return self_signed(name, f"{name}@example.invalid", now=NOW)


@functools.cache
def signer() -> Signer:
    own = identity("ec3")
    return Signer(certificate=own.certificate, key=own.key)


def make_recipient(number: int, *, certificate: str | None = None) -> Recipient:
    pem = identity("poc").certificate_pem() if certificate is None else certificate
    return Recipient(
        id=f"poc-{number:03}",
        recipient_class=RecipientClass.LE_POC,
        organisation=f"Police {number}",
        contacts=tuple(
            Contact(name=f"Desk {c}", email=f"poc{number:03}-{c}@example.invalid", certificate=pem)
            for c in range(2)
        ),
    )


def make_content(**changes: Any) -> InitialNotice:
    values: dict[str, Any] = {
        "incident_id": "INC-1",
        "exercise": True,
        "issued_at": NOW,
        "triggered_at": NOW,
        "contact_points": (ContactPoint(name="ECC", phone="+31 70", secure_channel="VCP room 1"),),
    }
    return InitialNotice(**values | changes)


def make_database(
    folder: Path, recipients: list[Recipient], content: NoticeContent | None = None
) -> Database:
    """A database in the folder with one queued mail to the first contact of each recipient."""
    return filled(Database(f"sqlite:///{folder / 'leerp.db'}"), recipients, content)


def filled(
    database: Database, recipients: list[Recipient], content: NoticeContent | None = None
) -> Database:
    """The same in an empty database of any kind."""
    database.migrate()
    content = content or make_content()
    with database.write() as connection:
        connection.execute(
            insert(campaign).values(
                id=CAMPAIGN,
                incident_id="INC-1",
                kind=content.kind,
                revision=1,
                directory_version=1,
                content=content.model_dump(mode="json"),
                omissions=[],
                exercise=content.exercise,
                at=NOW,
            )
        )
    put_in_force(database, recipients)
    for cursor, one in enumerate(recipients):
        add_row(database, cursor, one.id)
    return database


def put_in_force(database: Database, recipients: list[Recipient]) -> None:
    """The next version of the directory."""
    with database.write() as connection:
        version = (connection.scalar(select(func.max(directory_version.c.version))) or 0) + 1
        connection.execute(
            insert(directory_version).values(
                version=version, imported_at=NOW, by="test", sha256=f"{version:064}"
            )
        )
        connection.execute(
            insert(recipient),
            [
                {
                    "version": version,
                    "id": one.id,
                    "class": one.recipient_class,
                    "document": one.model_dump(mode="json"),
                }
                for one in recipients
            ],
        )


def row_id(recipient_id: str, contact: int = 0, revision: int = 0) -> str:
    return hashlib.sha256(f"{recipient_id}|{contact}|{revision}".encode()).hexdigest()[:32]


def add_row(
    database: Database, cursor: int, recipient_id: str, *, contact: int = 0, revision: int = 0
) -> str:
    made = row_id(recipient_id, contact, revision)
    with database.write() as connection:
        connection.execute(
            insert(notification).values(
                id=made,
                campaign_id=CAMPAIGN,
                cursor=cursor,
                recipient_id=recipient_id,
                contact=contact,
                revision=revision,
                variant="full",
                message_id=f"<{made}@ec3.invalid>",
                state="queued",
            )
        )
    return made


def rows(database: Database) -> list[Row[Any]]:
    with database.read() as connection:
        with_bytes = notification.outerjoin(
            mail_bytes, mail_bytes.c.notification_id == notification.c.id
        )
        return list(
            connection.execute(
                select(notification, mail_bytes.c.raw)
                .select_from(with_bytes)
                .order_by(notification.c.cursor)
            )
        )
