"""Kafka, Temporal and mail for one home: each started here unless the settings name an address."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from infra import kafka
from infra.services import kafka as embedded_kafka
from infra.services import mail_catcher, temporal
from infra.services.ports import Ports
from infra.services.probe import greets
from infra.services.supervisor import Service, Supervisor
from infra.settings import Settings
from protocol.errors import ServiceDown


def maildir_of(settings: Settings, home: Path) -> Path | None:
    """Where the embedded catcher puts mails; None when ``settings`` name a real relay."""
    return None if settings.smtp.host else home / mail_catcher.MAILDIR


async def start(
    supervisor: Supervisor, settings: Settings, ports: Ports, console: Console
) -> Settings:
    """Start what has no address, make sure that the rest answers, return settings with all
    addresses.

    Raises:
        ServiceDown: one of them does not start or does not answer; the message says what to do.
    """
    home = settings.home.absolute()
    if settings.kafka.bootstrap:
        await kafka.existing_topics(settings.kafka)
        kafka_settings = settings.kafka
    else:
        service, kafka_settings = await embedded_kafka.prepare(home, ports, settings.kafka)
        await _start(supervisor, service, console)
    if settings.temporal.address:
        await temporal.check(settings.temporal)
        temporal_settings = settings.temporal
    else:
        service, temporal_settings = temporal.prepare(home, ports, settings.temporal)
        await _start(supervisor, service, console)
    if settings.smtp.host:
        await require_relay(settings)
        smtp_settings = settings.smtp
    else:
        service, smtp_settings = mail_catcher.prepare(home, ports, settings.smtp)
        await _start(supervisor, service, console)
    return settings.model_copy(
        update={
            "home": home,
            "kafka": kafka_settings,
            "temporal": temporal_settings,
            "smtp": smtp_settings,
        }
    )


async def require_relay(settings: Settings) -> None:
    """Make sure that the mail relay greets.

    Raises:
        ServiceDown: it does not.
    """
    host, port = settings.smtp.host, settings.smtp.port
    if not await greets(host, port):
        raise ServiceDown(
            f"no mail relay greets at {host}:{port}: look at LEERP_SMTP__HOST and LEERP_SMTP__PORT,"
            " or unset them to catch all mails on this machine"
        )


async def _start(supervisor: Supervisor, service: Service, console: Console) -> None:
    with console.status(f"starting {service.name}"):
        await supervisor.start(service)
