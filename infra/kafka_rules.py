"""The rules of Kafka (ACLs): what partners and our own login are given, and how Kafka writes them.

Source: reliability 5.3; decision 008.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from confluent_kafka.admin import AclOperation, AclPermissionType, ResourcePatternType, ResourceType

from infra import kafka
from infra.settings import KafkaSettings
from protocol.parties import SourceGroup

ANY_HOST = "*"
CLUSTER = "CLUSTER"
"""Kafka's word for what librdkafka calls a broker."""


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


def partner_rights(source: str, group: SourceGroup) -> list[Acl]:
    """What a partner may do: all of it."""
    return [
        Acl(
            principal=user(source),
            resource="TOPIC",
            name=kafka.topic_of(group, source),
            operation=operation,
        )
        for operation in ("DESCRIBE", "WRITE")
    ]


def own_rights(settings: KafkaSettings) -> list[Acl]:
    """What our own principal needs: read all intake topics in its consumer groups, make topics,
    and write to the shared ones only, so that we cannot pass for a partner either."""
    us = user(settings.username)
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


def user(name: str) -> str:
    """The principal of a login."""
    return f"User:{name}"


def to_kafka(acl: Acl) -> tuple[Any, ...]:
    """The arguments of librdkafka's classes for rules and filters."""
    return (
        ResourceType.BROKER if acl.resource == CLUSTER else ResourceType[acl.resource],
        acl.name,
        ResourcePatternType.PREFIXED if acl.prefixed else ResourcePatternType.LITERAL,
        acl.principal,
        acl.host,
        AclOperation[acl.operation],
        AclPermissionType[acl.permission],
    )


def from_kafka(binding: Any) -> Acl:
    """A rule as librdkafka gives it."""
    return Acl(
        principal=binding.principal,
        resource=CLUSTER if binding.restype is ResourceType.BROKER else binding.restype.name,
        name=binding.name,
        operation=binding.operation.name,
        prefixed=binding.resource_pattern_type is ResourcePatternType.PREFIXED,
        host=binding.host,
        permission=binding.permission_type.name,
    )
