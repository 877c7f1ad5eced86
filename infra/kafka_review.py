"""What is wrong with who may do what in Kafka: a function of the broker's rules and settings alone.

Source: reliability 5.3; decision 008.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from infra import kafka
from infra.kafka_rules import Acl, own_rights
from infra.settings import KafkaSettings

EVERY = "*"
IMPLIED = {"DESCRIBE": {"DESCRIBE", "READ", "WRITE", "DELETE", "ALTER", "ALL"}}
"""Operations that hold another one, besides ``ALL``."""
UNBOUND = (
    "it works without any rule, so it is a super user, or allow.everyone.if.no.acl.found is true and"
    " everybody may do so: have rules made for it, and look at both settings of the broker"
)
OPEN_PROTOCOLS = frozenset({"PLAINTEXT", "SASL_PLAINTEXT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """One principal, what it may do, and what is wrong with that."""

    name: str
    rights: tuple[str, ...]
    faults: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Rights of our own that we need and have not."""


def review_principals(settings: KafkaSettings, acls: Sequence[Acl]) -> list[Principal]:
    """Every principal of the rules, and our own even without rules, sorted by name.

    The broker tells nobody its super users. Whoever asks this has seen that our own login is let in.
    """
    us = f"User:{settings.username or 'ANONYMOUS'}"
    ours = [us] if settings.username else []
    found = []
    for name in sorted({acl.principal for acl in acls} | set(ours)):
        held = [acl for acl in acls if acl.principal == name]
        wrong = _of_ours(held) if name == us else _of_a_partner(name, held)
        missing: list[str] = []
        if name == us and not held:
            wrong = iter([UNBOUND])
        elif name == us:
            missing = [
                acl.words
                for acl in own_rights(settings)
                if not any(_covers(each, acl) for each in held)
            ]
        found.append(
            Principal(
                name=name,
                rights=tuple(acl.words for acl in held),
                faults=tuple(wrong),
                missing=tuple(missing),
            )
        )
    return found


def review_broker(broker: Mapping[str, str]) -> list[str]:
    """What lets somebody in past the rules; empty when nothing does."""
    found = []
    if not broker.get("authorizer.class.name"):
        found.append("no authorizer is set, so everybody may do everything")
    return [*found, *_open_listeners(broker)]


def _of_a_partner(name: str, held: Iterable[Acl]) -> Iterator[str]:
    source = name.removeprefix("User:")
    for acl in held:
        if acl.permission == "DENY" or _is_own_topic(source, acl):
            continue
        if EVERY in {acl.name, source}:
            yield f"{acl.words} is a wildcard"
        elif acl.resource == "TOPIC" and acl.operation in {"WRITE", "ALL"}:
            yield f"{acl.words} lets it write elsewhere than to its own topic"
        else:
            yield f"{acl.words} is more than to write to its own topic"


def _of_ours(held: Iterable[Acl]) -> Iterator[str]:
    for acl in held:
        writes = acl.resource == "TOPIC" and acl.operation in {"WRITE", "ALL"}
        if acl.permission == "DENY":
            yield f"{acl.words} may keep us from working"
        elif acl.name == EVERY:
            yield f"{acl.words} is a wildcard"
        elif writes and (acl.prefixed or acl.name not in kafka.TOPICS.values()):
            yield f"{acl.words} would let us pass for a partner"


def _is_own_topic(source: str, acl: Acl) -> bool:
    if acl.resource != "TOPIC" or acl.prefixed or acl.operation not in {"WRITE", "DESCRIBE"}:
        return False
    try:
        return kafka.source_of(acl.name) == source
    except KeyError:
        return False


def _covers(held: Acl, wanted: Acl) -> bool:
    if (held.permission, held.resource, held.host) != ("ALLOW", wanted.resource, EVERY):
        return False
    if held.operation not in {wanted.operation, "ALL", *IMPLIED.get(wanted.operation, ())}:
        return False
    if held.prefixed:
        return wanted.name.startswith(held.name)
    return held.name == EVERY or (held.name == wanted.name and not wanted.prefixed)


def _open_listeners(broker: Mapping[str, str]) -> Iterator[str]:
    protocols = dict(
        pair.strip().split(":", 1)
        for pair in broker.get("listener.security.protocol.map", "").split(",")
        if ":" in pair
    )
    for listener in broker.get("listeners", "").split(","):
        name, separator, address = listener.strip().partition("://")
        protocol = protocols.get(name, name)
        host = address.rpartition(":")[0].strip("[]")
        if separator and protocol in OPEN_PROTOCOLS and not is_loopback(host):
            yield (
                f"listener {name} at {address} takes {protocol}, without encryption, and is not on"
                " loopback"
            )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it; a name other than ``localhost`` may be anywhere."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
