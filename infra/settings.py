"""Settings of one process: environment first, then what ``leerp up`` wrote, then defaults.

Every service may be embedded (started by ``leerp up``) or named by address. Names of environment
variables are ``LEERP_`` and the field's name, nested ones with two underscores:
``LEERP_KAFKA__BOOTSTRAP``. Secrets come from files or the environment and are never logged.
"""

from __future__ import annotations

import json
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from infra.documents import Form, parse_document, read_document
from infra.intake_limits import IntakeSettings
from protocol.errors import ServiceDown
from protocol.profile import Profile

ENDPOINTS_FILE = "endpoints.json"
REALM_FILE = "realm.json"
"""Whether the home is an exercise, decided once when it is made (decision 006)."""


class KafkaLogin(BaseModel):
    """Who we are to Kafka. The password is given, or lies in a file of its owner's only."""

    mechanism: Literal["SCRAM-SHA-512", "PLAIN"] = "SCRAM-SHA-512"
    username: str = ""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None


class KafkaSettings(KafkaLogin):
    """Where Kafka is and how to log in."""

    bootstrap: str = ""
    security: Literal["PLAINTEXT", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    ca_file: Path | None = None
    group_id: str = "leerp-intake"
    admin: KafkaLogin = KafkaLogin()
    """Login that may change keys and rights of partners; our own where it names nobody."""
    listen: str = ""
    """HOST:PORT where the embedded broker takes partners, with TLS; nowhere when empty."""
    certificate_file: Path | None = None
    """For ``listen``: the broker's private key (PKCS #8) and certificates, PEM in one file."""
    partner_bootstrap: str = ""
    """What partners are told to connect to; ``listen``, else ``bootstrap``, when empty."""

    def as_admin(self) -> KafkaSettings:
        """The same cluster, logged in as who may change keys and rights."""
        if not self.admin.username:
            return self
        return self.model_copy(update=dict(self.admin))

    @property
    def for_partners(self) -> str:
        """Address for the key files of partners."""
        return self.partner_bootstrap or self.listen or self.bootstrap


class TemporalSettings(BaseModel):
    """Where Temporal is; with ``tls`` the certificate files are used."""

    address: str = ""
    namespace: str = "leerp"
    task_queue: str = "leerp"
    renew_after_events: int = 4_000
    """History after which an incident's workflow goes on in a new run, with the same state."""
    tls: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None


class SmtpSettings(BaseModel):
    """The mail relay. ``starttls`` refuses to go on when the relay does not offer it."""

    host: str = ""
    port: int = 25
    starttls: bool = False
    username: str = ""
    password: SecretStr = SecretStr("")
    ca_file: Path | None = None
    connections: int = Field(default=10, ge=1)
    sender: str = "leerp@ec3.invalid"
    """From address of all that is sent, and its envelope sender where ``bounces`` is empty."""
    bounces: str = Field(default="", pattern=r"^([A-Za-z0-9._-]{1,11}@[A-Za-z0-9.-]{1,190})?$")
    """LOCAL@DOMAIN to which notices of failure go; each mail's has a token of its own after a plus."""
    reply_timeout: timedelta = timedelta(seconds=60)
    body_reply_timeout: timedelta = timedelta(seconds=605)
    """After the final dot. Less than RFC 5321's ten minutes makes second copies of mails."""
    reconnect: timedelta = timedelta(seconds=1)
    """A connection that was lost or refused is opened again at most this often."""


class ImapSettings(BaseModel):
    """A mailbox that is read over IMAP, always with TLS. Off while ``host`` is empty."""

    host: str = ""
    port: int = 993
    username: str = ""
    password: SecretStr = SecretStr("")
    ca_file: Path | None = None
    folder: str = "INBOX"


class BounceSettings(BaseModel):
    """Where notices about our mails arrive: a Maildir, a mailbox, or both."""

    maildir: Path | None = None
    imap: ImapSettings = ImapSettings()
    every: timedelta = timedelta(seconds=60)

    @property
    def is_read(self) -> bool:
        """Whether there is anything to read."""
        return self.maildir is not None or bool(self.imap.host)


class DeliverySettings(BaseModel):
    """How a campaign's mails are sent."""

    lease: timedelta = timedelta(seconds=60)
    retry_after: timedelta = timedelta(seconds=60)
    """After a server said 'later': greylisting does not want to be asked again earlier."""
    first_retry: timedelta = timedelta(seconds=5)
    """After a connection was lost."""
    longest_retry: timedelta = timedelta(minutes=15)
    """Pauses double up to this one."""
    destination_concurrency: int = Field(default=20, ge=1)
    """Mails to one domain that may be under way at a time, while all goes well there."""
    pause_after: int = Field(default=5, ge=1)
    """Failures in a row after which a domain is left alone for a while."""
    unknown_policy: Literal["resend", "hold"] = "resend"
    link_lifetime: timedelta = timedelta(days=7)
    """How long the acknowledgement link in a mail can be used."""
    bounces: BounceSettings = BounceSettings()


class SmimeSettings(BaseModel):
    """Whom certificates of recipients are trusted by; without a folder, by the directory's word."""

    warn_before: timedelta = Field(default=timedelta(days=30), ge=timedelta())
    """How long before the centre's own keys end 'leerp doctor' and the directory check say so."""

    trust_folder: Path | None = None
    """Certificates (PEM or DER) of authorities: each recipient's must lead to one of them."""
    intermediate_folder: Path | None = None
    """Certificates of authorities between those and the recipients'."""
    crl_folder: Path | None = None
    """Their revocation lists, kept current by somebody; what no current list covers is held."""


class WatchSettings(BaseModel):
    """The self-audit of campaigns, and the sign of life that it gives to the outside."""

    every: timedelta = Field(default=timedelta(minutes=10), ge=timedelta(seconds=10))
    ping_url: str = Field(
        default="", pattern=r"^(https://\S+|http://127\.0\.0\.1[:/]\S*)?$", repr=False
    )
    """Asked for after each round that found nothing; https, or http on this machine. It may hold a key."""
    ping_timeout: timedelta = timedelta(seconds=10)


class _Environment(EnvSettingsSource):
    """The environment, except for the home: that is the command line's to say."""

    def __call__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__call__().items() if name != "home"}


class Settings(BaseSettings):
    """Everything a process needs to know about its surroundings."""

    model_config = SettingsConfigDict(
        env_prefix="LEERP_", env_nested_delimiter="__", extra="forbid"
    )

    home: Path = Path(".leerp")
    kafka: KafkaSettings = KafkaSettings()
    temporal: TemporalSettings = TemporalSettings()
    smtp: SmtpSettings = SmtpSettings()
    delivery: DeliverySettings = DeliverySettings()
    smime: SmimeSettings = SmimeSettings()
    watch: WatchSettings = WatchSettings()
    intake: IntakeSettings = IntakeSettings()
    database: str = ""
    console_url: str = ""
    """Base of the links in mails, without a trailing slash."""
    console_bind: str = "127.0.0.1:0"
    exercise: bool = False
    """Everything in this home is an exercise and is marked so."""
    profile_file: Path | None = None
    clock_factor: float = 1.0
    """Divides every duration of the profile; other than 1 only in an exercise."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # What `up` wrote is passed in as initial values, and an address in the environment beats it.
        return _Environment(settings_cls), init_settings

    @classmethod
    def load(cls, home: Path) -> Settings:
        """Settings for ``home``, with the addresses that ``leerp up`` wrote there, if any."""
        home = home.absolute()
        written = _read(home / ENDPOINTS_FILE).get("settings", {})
        return cls(**{**written, **_read(home / REALM_FILE), "home": home})

    @property
    def keys(self) -> Path:
        """Folder of the process's keys, readable by its owner only."""
        return self.home / "keys"

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.home / 'leerp.db'}"

    def profile(self) -> Profile:
        """The profile for new incidents, on this home's clock.

        Raises:
            Refused: ``unreadable`` or ``bad-profile``; the message names the file, and line and field
                of each problem.
        """
        if self.profile_file:
            file = read_document(self.profile_file)
        else:
            shipped = resources.files("protocol") / "profiles/leerp-2017-draft.toml"
            file = parse_document(shipped.read_text("utf-8"), Form.TOML, name=shipped.name)
        profile = file.read(Profile.of_data, reason="bad-profile")
        if self.clock_factor != 1.0 and not self.exercise:
            raise ValueError("a clock factor other than 1 is for exercises only: set exercise too")
        return profile.with_clock(self.clock_factor)

    def require(self, name: str, value: str) -> str:
        """Return ``value``, or say which service has no address.

        Raises:
            ServiceDown: ``value`` is empty.
        """
        if not value:
            raise ServiceDown(
                f"no address for {name}: start everything with 'leerp up --home {self.home}', "
                f"or set it in the environment (see 'leerp doctor')"
            )
        return value


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return found
