"""``HOME/endpoints.json``: what runs for this home and where, for people and other commands."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy import make_url

from infra.settings import ENDPOINTS_FILE, Settings


class Endpoints(BaseModel):
    """Addresses of all services, embedded or not, and the settings that lead a process to them."""

    model_config = ConfigDict(frozen=True)

    kafka: str
    temporal: str
    smtp: str
    console: str
    database: str
    """Without its password."""
    maildir: str | None
    """Where the mail catcher puts mails; null with a real relay."""
    pid: int
    """The ``leerp up`` that wrote this."""
    settings: dict[str, Any]
    """Initial values for ``Settings``. Holds no secrets: those stay in the environment."""


def describe(settings: Settings, maildir: Path | None) -> Endpoints:
    """The endpoints of a process whose settings are complete."""
    return Endpoints(
        kafka=settings.kafka.bootstrap,
        temporal=settings.temporal.address,
        smtp=f"{settings.smtp.host}:{settings.smtp.port}",
        console=settings.console_url,
        database=make_url(settings.database_url).render_as_string(hide_password=True),
        maildir=str(maildir) if maildir else None,
        pid=os.getpid(),
        settings=public_settings(settings),
    )


def public_settings(settings: Settings) -> dict[str, Any]:
    """Initial values of ``Settings``, JSON-able: what differs from defaults and is no secret."""
    values = settings.model_dump(mode="json", exclude_defaults=True, exclude={"home"})
    if settings.database and make_url(settings.database).password is not None:
        del values["database"]
    return _without_secrets(settings, values)


def write(home: Path, endpoints: Endpoints) -> None:
    """Write the file as a whole."""
    new = home / f".{ENDPOINTS_FILE}.new"
    new.write_text(endpoints.model_dump_json(indent=2) + "\n")
    new.replace(home / ENDPOINTS_FILE)


def read(home: Path) -> Endpoints | None:
    """What ``leerp up`` wrote, or None when it is not up."""
    try:
        return Endpoints.model_validate_json((home / ENDPOINTS_FILE).read_bytes())
    except FileNotFoundError:
        return None


def remove(home: Path) -> None:
    """Remove the file if it is there."""
    (home / ENDPOINTS_FILE).unlink(missing_ok=True)


def _without_secrets(model: BaseModel, values: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in values.items():
        live = getattr(model, name)
        if isinstance(live, BaseModel):
            kept[name] = _without_secrets(live, value)
        elif not isinstance(live, SecretStr):
            kept[name] = value
    return kept
