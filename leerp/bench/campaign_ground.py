"""The ground of a bench of campaigns: a home with a full outbox, and copies of it for each run."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import func, select, update

from infra import casefile
from infra.casefile import Artefact
from infra.database import Database
from infra.keys import load_keys
from infra.settings import Settings
from infra.tables import notification
from infra.tables_delivery import mail_bytes
from leerp.bench import campaign_cast as cast
from leerp.bench.ground import Home
from leerp.bench.processes import output_of
from notifications.campaigns import FreezeOrder, freeze
from notifications.certificates import Identity, self_signed
from notifications.claiming import claim
from notifications.directory import Directory
from notifications.directory_import import import_directory
from notifications.grants import PermissionKind
from notifications.notices import NoticeContent
from notifications.outbox import Claim, Range, State
from notifications.parcels import Packer, Parcel, recheck_locks
from notifications.permissions import STANDING
from notifications.smime import Signer
from notifications.trust_folders import TrustFolders
from protocol.errors import ServiceDown
from protocol.parties import RecipientClass
from workflows.permitting import Permitting, Word

CONSOLE_URL = "http://127.0.0.1:1"
LEASE = timedelta(hours=1)
RECIPIENT_KEY = "recipient.key"
OWNER_ONLY = 0o600


@dataclass(slots=True)
class CampaignGround:
    """A folder with the template home and the runs made from it."""

    folder: Path
    identity: Identity = field(
        default_factory=lambda: self_signed(
            "Recipients (bench)", "recipients@bench.invalid", now=datetime.now(UTC)
        )
    )
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def template(self) -> Path:
        return self.folder / "template"

    def make_template(self, recipients: int, *, with_keys: bool = True) -> Home:
        """A home with keys, schema, and a directory of so many, who have keys of their own or not."""
        self.template.mkdir()
        home = home_in(self.template)
        home.furnish()
        with closing(Database(home.url)) as database:
            identity = self.identity if with_keys else None
            import_directory(database, cast.directory(recipients, identity), by="bench")
            _confirm_partners(database)
        return home

    @contextmanager
    def home(self, **environment: str) -> Iterator[Home]:
        """A copy of the template, removed at the end; what failed is left for who looks at it."""
        folder = self.folder / f"run-{next(self._numbers)}"
        shutil.copytree(self.template, folder)
        try:
            yield home_in(folder, **environment)
        except ServiceDown:
            raise
        except BaseException:
            shutil.rmtree(folder)
            raise
        else:
            shutil.rmtree(folder)

    def write_key(self, home: Home) -> None:
        """Leave the recipients' private key in a home, for the process that reads their mail."""
        file = home.folder / RECIPIENT_KEY
        file.touch(OWNER_ONLY)
        file.write_bytes(self.identity.key_pem())


def home_in(folder: Path, **environment: str) -> Home:
    """The home in ``folder``, with the environment for its processes."""
    url = f"sqlite:///{folder / 'leerp.db'}"
    return Home(
        folder=folder,
        url=url,
        environment={
            "LEERP_DATABASE": url,
            "LEERP_CONSOLE_URL": CONSOLE_URL,
            **environment,
        },
    )


def settings_of(home: Home) -> Settings:
    """The settings as a process that was given this home's environment has them."""
    return Settings(
        home=home.folder,
        database=home.url,
        console_url=home.environment.get("LEERP_CONSOLE_URL", CONSOLE_URL),
    )


def freeze_all(home: Home, content: NoticeContent, campaign_id: str) -> None:
    """Freeze a campaign to everybody of the directory."""
    with closing(Database(home.url)) as database, database.write() as connection:
        freeze(
            connection,
            FreezeOrder(
                campaign_id=campaign_id,
                revision=1,
                content=content,
                classes=cast.CLASSES,
                omissions={},
                by="bench",
            ),
            message_key=load_keys(home.folder / "keys").acknowledgement,
            now=datetime.now(UTC),
        )


async def build_all(home: Home, campaign_id: str, recipients: int) -> int:
    """Send it all once, and put it back into the outbox with its bytes; their median number a mail.

    Raises:
        ServiceDown: not every mail was accepted.
    """
    await output_of(
        *("leerp.bench.campaign_sender", str(home.folder), campaign_id, str(recipients)),
        environment=home.environment,
    )
    with closing(Database(home.url)) as database, database.write() as connection:
        connection.execute(
            update(notification).values(
                state=State.QUEUED, attempt=0, data_started=False, reply="", accepted_at=None
            )
        )
        sizes: list[int] = list(connection.scalars(select(func.length(mail_bytes.c.raw))))
    return round(median(sizes))


def _confirm_partners(database: Database) -> None:
    """As a working centre has done long ago: without, the locks hold these classes."""
    permitting = Permitting(database, officer="bench", channel="bench")
    with database.read() as connection:
        directory = Directory.load(connection)
    for name, kind in (
        (RecipientClass.PRIVATE_PARTNER, PermissionKind.PRIVATE_PARTNER),
        (RecipientClass.INTERPOL, PermissionKind.TRANSFER),
    ):
        if known := directory.of_class(name):
            permitting.record(
                Word(
                    incident_id=STANDING,
                    kind=kind,
                    provider="",
                    recipients=[each.id for each in known],
                    evidence="bench",
                    lasting=timedelta(days=1),
                )
            )


def packer_of(home: Home, database: Database, campaign_id: str) -> Packer:
    """What builds the mails of a campaign, as the sender has it."""
    settings = settings_of(home)
    keys = load_keys(settings.keys)
    with database.read() as connection:
        return Packer.load(
            connection,
            campaign_id,
            settings=settings,
            signer=Signer.load(keys.signer_certificate_file, keys.signer_key_file),
            trust=TrustFolders(settings.smime),
            ack_key=keys.acknowledgement,
            recheck=recheck_locks,
        )


def claim_some(database: Database, rows: Range, limit: int) -> list[Claim]:
    """Claims of mails that nobody has sent yet."""
    with database.write() as connection:
        return claim(
            connection,
            rows,
            limit=limit,
            now=datetime.now(UTC),
            lease=LEASE,
            resend_unknown=False,
        )


def pack(database: Database, packer: Packer, claims: Sequence[Claim]) -> list[Parcel]:
    """The mails of these claims.

    Raises:
        ServiceDown: one could not be built.
    """
    with database.read() as connection:
        parcels, poison = packer.pack(connection, claims, datetime.now(UTC))
    if poison:
        raise ServiceDown(f"{len(poison)} mails could not be built: {poison[0].detail}")
    return parcels


def keep_draft(home: Home) -> Artefact:
    """Put a warning into the case file, as two officers would have released it."""
    document = {"notice": cast.warning(datetime.now(UTC)).model_dump(mode="json"), "omissions": {}}
    with closing(Database(home.url)) as database, database.write() as connection:
        return casefile.add_artefact(
            connection, cast.INCIDENT, "ewn", document, by="bench", channel="bench"
        )
