"""Kafka: the topics of the six source groups, and clients for them.

The source group of a report is the topic that it came on, never what it says of itself (R4).
aiokafka carries no types, so nothing else imports its classes to build one.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from infra.settings import KafkaSettings
from protocol.errors import ServiceDown
from protocol.parties import SourceGroup

T = TypeVar("T")

PARTITIONS = 4
MAX_MESSAGE_BYTES = 5_242_880
"""Largest record batch a topic takes: above what intake accepts, so that it can say why not."""
FETCH_BYTES = 1_048_576
"""Of one partition at a time; a larger record comes all the same, by itself."""
REQUEST_MS = 20_000
MAX_REPLICAS = 3

TOPICS = {group: f"leerp.intake.{group}.v1" for group in SourceGroup}
GROUPS = {topic: group for group, topic in TOPICS.items()}


def topic_of(group: SourceGroup) -> str:
    """The topic on which this group's reports come in."""
    return TOPICS[group]


def group_of(topic: str) -> SourceGroup:
    """The source group of an intake topic; ``KeyError`` for any other topic."""
    return GROUPS[topic]


def consumer(
    settings: KafkaSettings, *topics: str, group_id: str | None = None
) -> AIOKafkaConsumer:
    """A consumer, not started, that commits only when told and starts a new group at the beginning.

    Call it where the event loop runs. Give ``topics`` only for a group that never seeks; a consumer
    with a rebalance listener subscribes by itself.
    """
    return AIOKafkaConsumer(
        *topics,
        group_id=group_id,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=FETCH_BYTES,
        fetch_max_bytes=2 * MAX_MESSAGE_BYTES,
        **_connection(settings),
    )


def producer(settings: KafkaSettings) -> AIOKafkaProducer:
    """A producer, not started, whose records are acknowledged by all replicas and never doubled."""
    return AIOKafkaProducer(
        enable_idempotence=True,
        acks="all",
        linger_ms=5,
        max_request_size=MAX_MESSAGE_BYTES,
        **_connection(settings),
    )


async def existing_topics(settings: KafkaSettings) -> set[str]:
    """Names of all topics that we may see.

    Raises:
        ServiceDown: Kafka does not answer, or refuses us.
    """

    async def ask(client: AIOKafkaAdminClient) -> set[str]:
        return set(await client.list_topics())

    return await _with_admin(settings, ask)


async def create_topics(settings: KafkaSettings) -> list[str]:
    """Make the intake topics that are not there yet and return their names.

    Topics store batches uncompressed, so that the broker and not our process pays for a record that
    unpacks to a thousand times its size (reliability 1.3), and its own time of arrival.

    Raises:
        ServiceDown: Kafka does not answer, or does not let us.
    """

    async def make(client: AIOKafkaAdminClient) -> list[str]:
        there = set(await client.list_topics())
        missing = [topic for topic in TOPICS.values() if topic not in there]
        if not missing:
            return []
        brokers = len((await client.describe_cluster())["brokers"])
        configs = {
            "max.message.bytes": str(MAX_MESSAGE_BYTES),
            "compression.type": "uncompressed",
            "message.timestamp.type": "LogAppendTime",
        }
        reply: Any = await client.create_topics(
            [
                NewTopic(topic, PARTITIONS, min(brokers, MAX_REPLICAS), topic_configs=configs)
                for topic in missing
            ]
        )
        for topic, code, *rest in reply.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise ServiceDown(
                    f"Kafka did not make the topic {topic}: {rest[0] or error.__name__}"
                )
        return missing

    return await _with_admin(settings, make)


async def _with_admin(
    settings: KafkaSettings, work: Callable[[AIOKafkaAdminClient], Awaitable[T]]
) -> T:
    client = AIOKafkaAdminClient(request_timeout_ms=REQUEST_MS, **_connection(settings))
    try:
        await client.start()
        return await work(client)
    except (KafkaError, OSError) as exc:
        raise ServiceDown(
            f"Kafka at {settings.bootstrap} does not answer as it should ({exc}): is it running,"
            " and are address and login right? See 'leerp doctor'"
        ) from exc
    finally:
        await client.close()


def _connection(settings: KafkaSettings) -> dict[str, Any]:
    connection: dict[str, Any] = {"bootstrap_servers": settings.bootstrap, "client_id": "leerp"}
    if settings.security == "SASL_SSL":
        connection |= {
            "security_protocol": settings.security,
            "ssl_context": ssl.create_default_context(cafile=settings.ca_file),
            "sasl_mechanism": settings.mechanism,
            "sasl_plain_username": settings.username,
            "sasl_plain_password": settings.password.get_secret_value(),
        }
    return connection
