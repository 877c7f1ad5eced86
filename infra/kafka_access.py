"""Who may do what in Kafka: keys (SCRAM) and rights (ACLs) of partners and of ourselves.

A partner's principal is ``User:`` and its source id; it may write to its own topic and do nothing
else, so that what lies on the topic is by that partner (decision 008). Calls block, for at most
``ANSWER_SECONDS`` each. The administration of aiokafka knows neither ACLs nor SCRAM, hence librdkafka.

Source: R4; reliability 5.3, F-K9.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping
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
from infra.kafka_admin import ANSWER_SECONDS, admin_client, client_options, results
from infra.kafka_rules import Acl, from_kafka, own_rights, partner_rights, to_kafka, user
from infra.settings import KafkaSettings
from protocol.errors import NotFound, ServiceDown
from protocol.parties import SourceGroup

SCRAM_ITERATIONS = 4_096
"""The least that Kafka takes: our passwords are random, so more would only make logins slower."""
PASSWORD_BYTES = 32
POLL_SECONDS = 0.02


def grant(settings: KafkaSettings, source: str, group: SourceGroup) -> str:
    """Let a source write to its topic in this group, and nowhere else; return its new password.

    Makes the topic where it is missing. Again, it changes the password, and moves the source to
    another group where ``group`` is another. Connections that are open with the old password stay
    open until they end.

    Raises:
        Refused: ``bad-source-id``.
        ServiceDown: Kafka does not answer, or does not let us.
    """
    topic = kafka.topic_of(group, source)
    wanted = partner_rights(source, group)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    with admin_client(settings) as client:
        _make_topic(client, topic)
        _withdraw(client, [acl for acl in _acls(client, user(source)) if acl not in wanted])
        _allow(client, wanted)
        _set_password(client, source, password)
    _await_login(settings, source, password)
    return password


def revoke(settings: KafkaSettings, source: str) -> None:
    """Take a source's key, then its rights, which stops open connections too. Its topic stays: what
    is on it may still be unread.

    Raises:
        Refused: ``bad-source-id``.
        NotFound: it has neither key nor rights.
        ServiceDown: Kafka does not answer, or does not let us.
    """
    kafka.require_source_id(source)
    with admin_client(settings) as client:
        held = _acls(client, user(source))
        deletion = UserScramCredentialDeletion(source, ScramMechanism.SCRAM_SHA_512)
        try:
            results(client.alter_user_scram_credentials([deletion]))
        except KafkaException as exc:
            if exc.args[0].code() != KafkaError.RESOURCE_NOT_FOUND:
                raise
            if not held:
                raise NotFound(
                    f"source {source} has no key: 'leerp sources key {source} --group GROUP' makes one"
                ) from exc
        _withdraw(client, held)
        _await_withdrawal(client, source)


def acls(settings: KafkaSettings) -> list[Acl]:
    """All rules of the broker, sorted.

    Raises:
        ServiceDown: Kafka does not answer, has no authorizer, or does not let us.
    """
    with admin_client(settings) as client:
        return _acls(client)


def broker_settings(settings: KafkaSettings) -> Mapping[str, str]:
    """What the first broker is configured with, without secrets and what belongs to its authorizer,
    which it tells nobody.

    Raises:
        ServiceDown: Kafka does not answer, or does not let us.
    """
    with admin_client(settings) as client:
        broker = next(iter(client.list_topics(timeout=ANSWER_SECONDS).brokers))
        asked = client.describe_configs([ConfigResource(ResourceType.BROKER, str(broker))])
        (found,) = results(asked)
        return {name: entry.value for name, entry in found.items() if entry.value is not None}


def settle_own(settings: KafkaSettings) -> None:
    """Give our own principal of the embedded broker its password and rights; harmless again.

    Raises:
        ServiceDown: Kafka does not answer, or does not let us.
    """
    password = kafka.password_of(settings)
    with admin_client(settings) as client:
        _allow(client, own_rights(settings))
        _set_password(client, settings.username, password)
    _await_login(settings, settings.username, password)


def _await_login(settings: KafkaSettings, username: str, password: str) -> None:
    """Return once the broker takes a new password: it hears of it a little later than it says.

    Raises:
        ServiceDown: it does not.
    """
    client = AdminClient(client_options(settings, "SCRAM-SHA-512", username, password))
    try:
        client.list_topics(timeout=ANSWER_SECONDS)  # tries again and again
    except KafkaException as exc:
        raise ServiceDown(
            f"Kafka at {settings.bootstrap} does not take the new password of {username}"
            f" ({exc.args[0].str()}): give it another"
        ) from exc


def _await_withdrawal(client: AdminClient, source: str) -> None:
    """Return once the broker goes by the rules that are left.

    Raises:
        ServiceDown: it does not.
    """
    deadline = time.monotonic() + ANSWER_SECONDS
    while _acls(client, user(source)):
        if time.monotonic() > deadline:
            raise ServiceDown(f"Kafka keeps rights of {source}: revoke its key again")
        time.sleep(POLL_SECONDS)


def _make_topic(client: AdminClient, topic: str) -> None:
    brokers = len(client.list_topics(timeout=ANSWER_SECONDS).brokers)
    wanted = NewTopic(
        topic,
        num_partitions=kafka.SOURCE_PARTITIONS,
        replication_factor=min(brokers, kafka.MAX_REPLICAS),
        config=kafka.TOPIC_SETTINGS,
    )
    try:
        results(client.create_topics([wanted]))
    except KafkaException as exc:
        if exc.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


def _set_password(client: AdminClient, user: str, password: str) -> None:
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, SCRAM_ITERATIONS)
    results(
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
    return sorted(
        from_kafka(binding) for binding in client.describe_acls(every).result(ANSWER_SECONDS)
    )


def _allow(client: AdminClient, wanted: Iterable[Acl]) -> None:
    results(client.create_acls([AclBinding(*to_kafka(acl)) for acl in wanted]))


def _withdraw(client: AdminClient, unwanted: Iterable[Acl]) -> None:
    filters = [AclBindingFilter(*to_kafka(acl)) for acl in unwanted]
    if filters:
        results(client.delete_acls(filters))
