"""What ``leerp doctor`` says of Kafka: whether it answers, how it is guarded, and who may do what."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from infra import kafka, kafka_access
from infra.kafka_review import Principal, is_loopback, review_broker, review_principals
from infra.services.kafka_config import Node
from infra.services.ports import address_of
from infra.settings import KafkaSettings, Settings
from leerp.doctor_rows import Row, State
from protocol.errors import ServiceDown

PART = "kafka"
REFUSED_SIGNS = ("is Denied", "Failed authentication")


async def kafka_rows(settings: Settings) -> list[Row]:
    """Rows of the Kafka that the settings name."""
    try:
        version = await _answers(settings.kafka)
    except ServiceDown as exc:
        return [Row(part=PART, state=State.DOWN, advice=str(exc))]
    answer = Row(part=PART, state=State.OK, version=version)
    guarded = await asyncio.to_thread(_guarded, settings.kafka)
    return [answer, *guarded, *_refusals(settings)]


async def _answers(settings: KafkaSettings) -> str:
    there = await kafka.existing_topics(settings)
    missing = set(kafka.TOPICS.values()) - there
    if missing:
        raise ServiceDown(
            f"topics are missing: {', '.join(sorted(missing))}. 'leerp up' makes them where our"
            " login may; else ask the cluster's administrator"
        )
    of_sources = sum(topic.startswith(kafka.TOPIC_PREFIX) for topic in there) - len(kafka.TOPICS)
    return f"{settings.bootstrap}, {len(kafka.TOPICS)} topics and {of_sources} of sources"


def _guarded(settings: KafkaSettings) -> list[Row]:
    part = f"{PART} security"
    login = f"{settings.mechanism} as {settings.username}" if settings.username else "no login"
    version = f"{settings.security}, {login}"
    faults = _of_the_connection(settings)
    try:
        broker = kafka_access.broker_settings(settings)
        faults += review_broker(broker)
        guarded = bool(broker.get("authorizer.class.name"))
        rules = kafka_access.acls(settings) if guarded else []
    except ServiceDown as exc:
        advice = "; ".join([*faults, f"keys and rights cannot be looked at: {exc}"])
        return [Row(part=part, state=State.WARN, version=version, advice=advice)]
    state = State.WARN if faults else State.OK
    principals = review_principals(settings, rules) if guarded else []
    return [
        Row(part=part, state=state, version=version, advice="; ".join(faults)),
        *(_row(principal) for principal in principals),
    ]


def _of_the_connection(settings: KafkaSettings) -> list[str]:
    hosts = [address_of(each.strip())[0] for each in settings.bootstrap.split(",")]
    if settings.security == "SASL_SSL" or all(map(is_loopback, hosts)):
        return []
    return [
        f"we connect without encryption to {settings.bootstrap}: set LEERP_KAFKA__SECURITY=SASL_SSL"
    ]


def _row(principal: Principal) -> Row:
    advice: Sequence[str] = principal.faults
    state = State.WARN if principal.faults else State.OK
    if principal.missing:
        state = State.MISSING
        needs = (
            f"it needs {', '.join(principal.missing)}: 'leerp up' gives it that in its own broker;"
            " else ask the cluster's administrator"
        )
        advice = [*advice, needs]
    return Row(
        part=f"{PART} {principal.name}",
        state=state,
        version=", ".join(principal.rights),
        advice="; ".join(advice),
    )


def _refusals(settings: Settings) -> list[Row]:
    """How often the embedded broker has refused somebody lately, and the last time."""
    log = Node(home=settings.home, port=0, controller_port=0).refusals
    if not log.exists():
        return []
    lines = [
        line
        for line in log.read_text(errors="replace").splitlines()
        if any(sign in line for sign in REFUSED_SIGNS)
    ]
    last = f", last: {lines[-1]}" if lines else ""
    return [Row(part=f"{PART} refusals", state=State.OK, version=f"{len(lines)}{last}")]
