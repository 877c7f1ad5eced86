"""A broker that partners share in tests: on loopback with login, and once more with TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin import AclBinding, AclBindingFilter
from pydantic import SecretStr

from infra import kafka
from infra.kafka_admin import admin_client, results
from infra.kafka_rules import Acl, to_kafka
from infra.services import kafka as embedded
from infra.services.ports import LOOPBACK, Ports
from infra.services.supervisor import Supervisor
from infra.settings import KafkaLogin, KafkaSettings
from tests.infra.tls import Authority


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A running broker, ours, with its topics."""

    home: Path
    settings: KafkaSettings
    authority: Authority

    def by_tls(self, settings: KafkaSettings) -> KafkaSettings:
        """The same login through the listener for partners, as on a cluster elsewhere."""
        there = {
            "bootstrap": self.settings.listen,
            "security": "SASL_SSL",
            "ca_file": self.authority.file,
        }
        return settings.model_copy(update=there)


@asynccontextmanager
async def broker(home: Path) -> AsyncIterator[House]:
    """Start the embedded broker, with a listener for partners."""
    authority = Authority(home)
    ports = Ports(home)
    wanted = KafkaSettings(
        listen=f"{LOOPBACK}:{ports.pick('partners')}", certificate_file=authority.server()
    )
    service, settings = await embedded.prepare(home, ports, wanted)
    async with Supervisor() as supervisor:
        await supervisor.start(service)
        await kafka.create_topics(settings)
        yield House(home=home, settings=settings, authority=authority)


def as_partner(settings: KafkaSettings, source: str, password: str) -> KafkaSettings:
    """Settings as a partner would write them for itself."""
    login = {"username": source, "password": SecretStr(password), "password_file": None}
    return settings.model_copy(
        update={**login, "mechanism": "SCRAM-SHA-512", "admin": KafkaLogin()}
    )


async def send(settings: KafkaSettings, topic: str, body: bytes = b"{}") -> int:
    """Publish one record and return its offset."""
    async with kafka.producer(settings) as producer:
        return int((await producer.send_and_wait(topic, body)).offset)


async def received(settings: KafkaSettings, topic: str, count: int) -> Sequence[bytes]:
    """The first records of a topic, read as a member of a group."""
    values: list[bytes] = []
    group_id = f"{settings.group_id}-read"
    async with kafka.consumer(settings, topic, group_id=group_id) as consumer:
        while len(values) < count:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                values += [record.value for record in records]
    return values


def plant(settings: KafkaSettings, *acls: Acl) -> None:
    """Add rules that nobody should have added."""
    with admin_client(settings) as client:
        results(client.create_acls([AclBinding(*to_kafka(acl)) for acl in acls]))


def uproot(settings: KafkaSettings, *acls: Acl) -> None:
    """Take rules away."""
    with admin_client(settings) as client:
        results(client.delete_acls([AclBindingFilter(*to_kafka(acl)) for acl in acls]))
