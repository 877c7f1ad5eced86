"""Kafka: the topics of the six source groups and of their partners, and clients for them.

The source group of a report is the topic that it came on, and so is who sent it: Kafka does not tell
a reader who wrote a record, but lets a partner write to its own topic only (R4, decision 008).
aiokafka carries no types, so nothing else imports its classes to build one.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAlreadyExistsError,
    for_code,
)

from infra.keys import load_secret
from infra.services.ports import address_of
from infra.settings import KafkaLogin, KafkaSettings
from protocol.errors import Refused, ServiceDown
from protocol.parties import ANONYMOUS, SourceGroup

T = TypeVar("T")

PARTITIONS = 4
SOURCE_PARTITIONS = 1
"""Of a partner's topic: what it sends stays in order, and hundreds of partners cost little."""
MAX_MESSAGE_BYTES = 5_242_880
"""Largest record batch a topic takes: above what intake accepts, so that it can say why not."""
FETCH_BYTES = 1_048_576
"""Of one partition at a time; a larger record comes all the same, by itself."""
WAIT_MS = 50
"""How long Kafka may keep a question open that it has nothing for: meanwhile nothing else is asked, so
the next record of a partition that was just read would wait for this to end."""
ANSWER_BYTES = 2 * FETCH_BYTES
"""Of one answer of Kafka, which the client holds three times while it takes it apart."""
TOPIC_SETTINGS = {
    "max.message.bytes": str(MAX_MESSAGE_BYTES),
    "compression.type": "uncompressed",
    "message.timestamp.type": "LogAppendTime",
}
"""Topics store batches uncompressed, so that the broker and not our process pays for a record that
unpacks to a thousand times its size (reliability 1.3), and its own time of arrival."""
REQUEST_MS = 20_000
MAX_REPLICAS = 3
NEW_TOPICS_WITHIN_MS = 5_000
"""How long it may take until a running intake reads the topic of a new partner."""

TOPIC_PREFIX = "leerp.intake."
TOPICS = {group: f"{TOPIC_PREFIX}{group}.v1" for group in SourceGroup}
"""The shared topics: for what we publish ourselves, and for senders that are not registered."""
SOURCE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
OURS = "leerp"
"""Principals that begin with this are our own, never a partner's."""
_SHAPE = (
    re.escape(TOPIC_PREFIX)
    + f"(?P<group>{'|'.join(map(re.escape, SourceGroup))})"
    + rf"\.v1(?:\.(?P<source>{SOURCE_ID.pattern}))?"
)
INTAKE_PATTERN = _SHAPE + r"\Z"
"""All topics that intake reads, as a consumer subscribes to them."""


def topic_of(group: SourceGroup, source: str = "") -> str:
    """The topic on which this group's reports come in, or those of one registered source of it.

    Raises:
        Refused: ``bad-source-id``.
    """
    return f"{TOPICS[group]}.{require_source_id(source)}" if source else TOPICS[group]


def group_of(topic: str) -> SourceGroup:
    """The source group of an intake topic; ``KeyError`` for any other topic."""
    return _parts(topic)[0]


def source_of(topic: str) -> str:
    """The source whose own topic this is, "" for a shared one; ``KeyError`` for any other topic."""
    return _parts(topic)[1]


def require_source_id(source: str) -> str:
    """Return ``source`` if it can name a topic and a principal.

    Raises:
        Refused: ``bad-source-id``.
    """
    if not SOURCE_ID.fullmatch(source) or source.startswith(OURS) or source == ANONYMOUS:
        raise Refused(
            "bad-source-id",
            f"{source!r} cannot be a source's id in Kafka: write 1 to 63 lower-case letters, digits"
            f" and hyphens, not beginning with a hyphen or with {OURS!r}, and not 'anonymous'",
        )
    return source


@lru_cache(maxsize=4_096)
def _parts(topic: str) -> tuple[SourceGroup, str]:
    found = re.fullmatch(_SHAPE, topic)
    if not found:
        raise KeyError(topic)
    return SourceGroup(found["group"]), found["source"] or ""


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
        fetch_max_bytes=ANSWER_BYTES,
        fetch_max_wait_ms=WAIT_MS,
        metadata_max_age_ms=NEW_TOPICS_WITHIN_MS,
        **connection(settings),
    )


def producer(settings: KafkaSettings) -> AIOKafkaProducer:
    """A producer, not started, whose records are acknowledged by all replicas and never doubled."""
    return AIOKafkaProducer(
        enable_idempotence=True,
        acks="all",
        linger_ms=5,
        max_request_size=MAX_MESSAGE_BYTES,
        **connection(settings),
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
    """Make the shared intake topics that are not there yet and return their names.

    Raises:
        ServiceDown: Kafka does not answer, or does not let us.
    """

    async def make(client: AIOKafkaAdminClient) -> list[str]:
        there = set(await client.list_topics())
        missing = [topic for topic in TOPICS.values() if topic not in there]
        if not missing:
            return []
        brokers = len((await client.describe_cluster())["brokers"])
        reply: Any = await client.create_topics(
            [
                NewTopic(
                    topic, PARTITIONS, min(brokers, MAX_REPLICAS), topic_configs=TOPIC_SETTINGS
                )
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


async def failure(settings: KafkaSettings, exc: Exception) -> ServiceDown:
    """What went wrong with Kafka, in words: clients say only that no broker could be reached.

    Where they could not connect, one connection is tried again to see why.
    """
    reason = str(exc)
    if isinstance(exc, KafkaConnectionError):
        reason = await _why_no_connection(settings) or reason
    return ServiceDown(
        f"Kafka at {settings.bootstrap} does not answer as it should: {reason}: is 'leerp up'"
        " running, and are address and login right? See 'leerp doctor'"
    )


def password_of(login: KafkaLogin) -> str:
    """The password of a login.

    Raises:
        ServiceDown: it is to come from a file, and that cannot be read.
    """
    if login.password_file:
        return load_secret(login.password_file)
    return login.password.get_secret_value()


def connection(settings: KafkaSettings) -> dict[str, Any]:
    """Address and login, as every client of aiokafka takes them.

    Raises:
        ServiceDown: the file of the password or of the authority's certificate cannot be read.
    """
    found: dict[str, Any] = {"bootstrap_servers": settings.bootstrap, "client_id": "leerp"}
    if settings.security != "PLAINTEXT":
        found |= {
            "security_protocol": settings.security,
            "sasl_mechanism": settings.mechanism,
            "sasl_plain_username": settings.username,
            "sasl_plain_password": password_of(settings),
        }
    if settings.security == "SASL_SSL":
        try:
            found["ssl_context"] = ssl.create_default_context(cafile=settings.ca_file)
        except OSError as exc:
            raise ServiceDown(
                f"the authority's certificate {settings.ca_file} cannot be read"
                f" ({exc.strerror or exc}): look at LEERP_KAFKA__CA_FILE"
            ) from exc
    return found


async def _with_admin(
    settings: KafkaSettings, work: Callable[[AIOKafkaAdminClient], Awaitable[T]]
) -> T:
    client = AIOKafkaAdminClient(request_timeout_ms=REQUEST_MS, **connection(settings))
    try:
        await client.start()
        return await work(client)
    except (KafkaError, OSError) as exc:
        raise await failure(settings, exc) from exc
    finally:
        await client.close()


async def _why_no_connection(settings: KafkaSettings) -> str:
    """Why the first of the brokers takes no connection of ours, or no request on it."""
    login = connection(settings)
    host, port = address_of(login.pop("bootstrap_servers").split(",")[0].strip())
    try:
        opened = await create_conn(host, port, request_timeout_ms=REQUEST_MS, **login)
    except ssl.SSLCertVerificationError as exc:
        return (
            f"its certificate is not to be trusted ({exc.verify_message}): is"
            f" {settings.ca_file or 'the certificate store of this machine'} of the authority that"
            " signed it (LEERP_KAFKA__CA_FILE)?"
        )
    except (AuthenticationFailedError, SaslAuthenticationFailed):
        return f"it refuses the login of {settings.username!r}: wrong or withdrawn password"
    except (KafkaError, OSError) as exc:
        return f"{type(exc).__name__} {exc}".strip()
    opened.close()
    return ""
