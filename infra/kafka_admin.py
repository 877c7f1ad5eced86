"""Connections to Kafka for administration, by librdkafka: aiokafka knows neither ACLs nor SCRAM.

Calls block.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from infra import kafka
from infra.settings import KafkaSettings
from protocol.errors import ServiceDown

ANSWER_SECONDS = 20.0
FINAL = frozenset({KafkaError._AUTHENTICATION, KafkaError._SSL})  # noqa: SLF001  librdkafka's own codes
"""Errors of a connection that trying again does not mend."""


@contextmanager
def admin_client(settings: KafkaSettings) -> Iterator[AdminClient]:
    """A client for administration; what it raises is said in words.

    Raises:
        ServiceDown: Kafka does not answer, or does not let us.
    """
    login = settings.as_admin()
    told: list[KafkaError] = []
    try:
        options = client_options(
            settings, login.mechanism, login.username, kafka.password_of(login)
        )
        client = AdminClient(options | {"error_cb": told.append})
        _connect(client, told)
        yield client
    except KafkaException as exc:
        raise ServiceDown(
            f"Kafka at {settings.bootstrap} does not let {login.username or 'us'} see to keys and"
            f" rights: {exc.args[0].str()}: is it running, and is LEERP_KAFKA__ADMIN__* a login that"
            " may? See 'leerp doctor'"
        ) from exc


def client_options(
    settings: KafkaSettings, mechanism: str, username: str, password: str
) -> dict[str, Any]:
    """Options of a client of librdkafka."""
    options: dict[str, Any] = {
        "bootstrap.servers": settings.bootstrap,
        "client.id": "leerp-admin",
        "log_level": 0,  # else librdkafka writes to the terminal itself
        "security.protocol": settings.security,
        "socket.timeout.ms": int(ANSWER_SECONDS * 1000),
    }
    if settings.security != "PLAINTEXT":
        options |= {
            "sasl.mechanism": mechanism,
            "sasl.username": username,
            "sasl.password": password,
        }
    if settings.security == "SASL_SSL" and settings.ca_file:
        options["ssl.ca.location"] = str(settings.ca_file)
    return options


def _connect(client: AdminClient, told: Sequence[KafkaError]) -> None:
    """Wait for a connection; librdkafka would go on trying with a login that is refused.

    Raises:
        KafkaException: with the reason.
    """
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            client.list_topics(timeout=1)
        except KafkaException as exc:
            client.poll(0)
            final = [error for error in told if error.code() in FINAL]
            if final or time.monotonic() > deadline:
                raise KafkaException((final or [*told, exc.args[0]])[0]) from exc
        else:
            return


def results(asked: Mapping[Any, Future[Any]]) -> list[Any]:
    """Wait for all answers.

    Raises:
        KafkaException: one of them is a refusal.
    """
    return [future.result(ANSWER_SECONDS) for future in asked.values()]
