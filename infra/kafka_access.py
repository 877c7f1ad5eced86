"""Who may do what in Kafka: keys (SCRAM) and rights (ACLs) of partners and of ourselves.

A partner's principal is ``User:`` and its source id; it may write to its own topic and do nothing
else, so that what lies on the topic is by that partner (decision 008). Calls block, for at most
``ANSWER_SECONDS`` each. The administration of aiokafka knows neither ACLs nor SCRAM, hence librdkafka.

Source: R4; reliability 5.3, F-K9.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from infra import kafka
from infra.settings import KafkaSettings
from protocol.errors import NotFound, ServiceDown
from protocol.parties import SourceGroup

ANSWER_SECONDS = 20.0
SCRAM_ITERATIONS = 4_096
"""The least that Kafka takes: our passwords are random, so more would only make logins slower."""
PASSWORD_BYTES = 32
ANY_HOST = "*"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Acl:
    """One rule of the broker. Closed sets are in Kafka's own words, in capitals."""

    principal: str
    """``User:`` and the name, or ``User:*``."""
    resource: str
    """``TOPIC``, ``GROUP``, ``CLUSTER``, ``TRANSACTIONAL_ID`` ..."""
    name: str
    operation: str
    prefixed: bool = False
    """Whether ``name`` is only how the names of what is meant begin."""
    host: str = ANY_HOST
    permission: str = "ALLOW"

    @property
    def words(self) -> str:
        """The rule without its principal, such as ``WRITE TOPIC leerp.intake.csirt.v1.cert-a``."""
        denied = "DENY " if self.permission == "DENY" else ""
        host = "" if self.host == ANY_HOST else f" from {self.host}"
        return f"{denied}{self.operation} {self.resource} {self.name}{'...' * self.prefixed}{host}"


def grant(settings: KafkaSettings, source: str, group: SourceGroup) -> str:
    """Let a source write to its topic in this group, and nowhere else; return its new password.

    Makes the topic where it is missing. Again, it changes the password, and moves the source to
    another group where ``group`` is another. Connections that are open with the old password stay
    open until they end; ``revoke`` first where they may not.

    Raises:
        Refused: ``bad-source-id``.
        ServiceDown: Kafka does not answer, or does not let us.
    """
    topic = kafka.topic_of(group, source)
    wanted = partner_rights(source, group)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    with _admin(settings) as client:
        _make_topic(client, topic)
        _withdraw(client, [acl for acl in _acls(client, _user(source)) if acl not in wanted])
        _set_password(client, source, password)
        _allow(client, wanted)
    return password


def revoke(settings: KafkaSettings, source: str) -> None:
    """Take a source's rights, which stops open connections too, then its key. Its topic stays: what
    is on it may still be unread.

    Raises:
        Refused: ``bad-source-id``.
        NotFound: it has neither key nor rights.
        ServiceDown: Kafka does not answer, or does not let us.
    """
    kafka.require_source_id(source)
    with _admin(settings) as client:
        held = _acls(client, _user(source))
        _withdraw(client, held)
        deletion = UserScramCredentialDeletion(source, ScramMechanism.SCRAM_SHA_512)
        try:
            _results(client.alter_user_scram_credentials([deletion]))
        except KafkaException as exc:
            if exc.args[0].code() != KafkaError.RESOURCE_NOT_FOUND:
                raise
            if not held:
                raise NotFound(
                    f"source {source} has no key: 'leerp sources key {source} --group GROUP' makes one"
                ) from exc


def acls(settings: KafkaSettings) -> list[Acl]:
    """All rules of the broker, sorted.

    Raises:
        ServiceDown: Kafka does not answer, has no authorizer, or does not let us.
    """
    with _admin(settings) as client:
        return _acls(client)


def broker_settings(settings: KafkaSettings) -> Mapping[str, str]:
    """What the first broker is configured with; secrets are left out by the broker.

    Raises:
        ServiceDown: Kafka does not answer, or does not let us.
    """
    with _admin(settings) as client:
        broker = next(iter(client.list_topics(timeout=ANSWER_SECONDS).brokers))
        asked = client.describe_configs([ConfigResource(ResourceType.BROKER, str(broker))])
        (found,) = _results(asked)
        return {name: entry.value for name, entry in found.items() if entry.value is not None}


def settle_own(settings: KafkaSettings) -> None:
    """Give our own principal of the embedded broker its password and rights; harmless again.

    Raises:
        ServiceDown: Kafka does not answer, or does not let us.
    """
    with _admin(settings) as client:
        _set_password(client, settings.username, kafka.password_of(settings))
        _allow(client, own_rights(settings))


def partner_rights(source: str, group: SourceGroup) -> list[Acl]:
    """What a partner may do: all of it."""
    return [
        Acl(
            principal=_user(source),
            resource="TOPIC",
            name=kafka.topic_of(group, source),
            operation=operation,
        )
        for operation in ("DESCRIBE", "WRITE")
    ]


def own_rights(settings: KafkaSettings) -> list[Acl]:
    """What our own principal needs: read all intake topics in its consumer groups, make topics,
    and write to the shared ones only, so that we cannot pass for a partner either."""
    us = _user(settings.username)
    reading = [
        Acl(principal=us, resource="TOPIC", name=kafka.TOPIC_PREFIX, prefixed=True, operation=each)
        for each in ("CREATE", "DESCRIBE", "READ")
    ]
    writing = [
        Acl(principal=us, resource="TOPIC", name=topic, operation="WRITE")
        for topic in kafka.TOPICS.values()
    ]
    member = Acl(
        principal=us, resource="GROUP", name=settings.group_id, prefixed=True, operation="READ"
    )
    return [*reading, *writing, member]


def _user(name: str) -> str:
    return f"User:{name}"


@contextmanager
def _admin(settings: KafkaSettings) -> Iterator[AdminClient]:
    """A client for administration; what it raises is said in words.

    Raises:
        ServiceDown: Kafka does not answer, or does not let us.
    """
    login = settings.as_admin()
    told: list[str] = []
    options: dict[str, Any] = {
        "bootstrap.servers": settings.bootstrap,
        "client.id": "leerp-admin",
        "log_level": 0,  # else librdkafka writes to the terminal; told in error_cb instead
        "error_cb": lambda error: told.append(error.str()),
        "security.protocol": settings.security,
        "socket.timeout.ms": int(ANSWER_SECONDS * 1000),
    }
    if settings.security != "PLAINTEXT":
        options |= {
            "sasl.mechanism": login.mechanism,
            "sasl.username": login.username,
            "sasl.password": kafka.password_of(login),
        }
    if settings.security == "SASL_SSL" and settings.ca_file:
        options["ssl.ca.location"] = str(settings.ca_file)
    try:
        client = AdminClient(options)
        client.list_topics(timeout=ANSWER_SECONDS)
        yield client
    except KafkaException as exc:
        reason = exc.args[0].str() if exc.args else str(exc)
        raise ServiceDown(
            f"Kafka at {settings.bootstrap} does not let {login.username or 'us'} see to keys and"
            f" rights: {'; '.join([*told[-1:], reason])}: is it running, and is LEERP_KAFKA__ADMIN__*"
            " a login that may? See 'leerp doctor'"
        ) from exc


def _make_topic(client: AdminClient, topic: str) -> None:
    brokers = len(client.list_topics(timeout=ANSWER_SECONDS).brokers)
    wanted = NewTopic(
        topic,
        num_partitions=kafka.SOURCE_PARTITIONS,
        replication_factor=min(brokers, kafka.MAX_REPLICAS),
        config=kafka.TOPIC_SETTINGS,
    )
    try:
        _results(client.create_topics([wanted]))
    except KafkaException as exc:
        if exc.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


def _set_password(client: AdminClient, user: str, password: str) -> None:
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, SCRAM_ITERATIONS)
    _results(
        client.alter_user_scram_credentials(
            [UserScramCredentialUpsertion(user, info, password.encode())]
        )
    )


def _acls(client: AdminClient, principal: str | None = None) -> list[Acl]:
    # None is any, whatever the types of librdkafka's classes say.
    of_all: tuple[Any, ...] = (
        *(ResourceType.ANY, None, ResourcePatternType.ANY, principal, None),
        *(AclOperation.ANY, AclPermissionType.ANY),
    )
    every = AclBindingFilter(*of_all)
    return sorted(_acl(binding) for binding in client.describe_acls(every).result(ANSWER_SECONDS))


def _allow(client: AdminClient, wanted: Iterable[Acl]) -> None:
    _results(client.create_acls([AclBinding(*_arguments(acl)) for acl in wanted]))


def _withdraw(client: AdminClient, unwanted: Iterable[Acl]) -> None:
    filters = [AclBindingFilter(*_arguments(acl)) for acl in unwanted]
    if filters:
        _results(client.delete_acls(filters))


def _arguments(acl: Acl) -> tuple[Any, ...]:
    return (
        ResourceType[acl.resource],
        acl.name,
        ResourcePatternType.PREFIXED if acl.prefixed else ResourcePatternType.LITERAL,
        acl.principal,
        acl.host,
        AclOperation[acl.operation],
        AclPermissionType[acl.permission],
    )


def _acl(binding: Any) -> Acl:
    return Acl(
        principal=binding.principal,
        resource=binding.restype.name,
        name=binding.name,
        operation=binding.operation.name,
        prefixed=binding.resource_pattern_type is ResourcePatternType.PREFIXED,
        host=binding.host,
        permission=binding.permission_type.name,
    )


def _results(asked: Mapping[Any, Future[Any]]) -> list[Any]:
    return [future.result(ANSWER_SECONDS) for future in asked.values()]
