"""What a sender holds of a report in Kafka's hands, and what Kafka says when it takes none."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from aiokafka.errors import (
    AuthenticationFailedError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from protocol.errors import LeerpError, Refused, ServiceDown


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Where a report lies in Kafka, and the SHA-256 (hex) of its bytes."""

    topic: str
    partition: int
    offset: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Posted:
    """A report on its way to Kafka."""

    sha256: str
    _topic: str
    _future: asyncio.Future[Any]

    async def receipt(self) -> Receipt:
        """Wait until Kafka has it.

        Raises:
            Refused: ``not-allowed``, ``no-topic`` or ``bad-login``.
            ServiceDown: Kafka does not answer, or cannot keep it safely.
        """
        try:
            await asyncio.shield(self._future)
        except KafkaError as exc:
            raise in_words(exc, self._topic) from exc
        return self._receipt()

    def acknowledged(self) -> Receipt | None:
        """The receipt if Kafka has said by now that it has it."""
        done = self._future.done() and not self._future.cancelled()
        return self._receipt() if done and self._future.exception() is None else None

    def _receipt(self) -> Receipt:
        place = self._future.result()
        return Receipt(
            topic=place.topic, partition=place.partition, offset=place.offset, sha256=self.sha256
        )


def in_words(exc: KafkaError, topic: str) -> LeerpError:
    """What Kafka says, for the person who sends: ``Refused`` where sending again would not help."""
    match exc:
        case TopicAuthorizationFailedError():
            return Refused(
                "not-allowed",
                f"this login may not write to {topic}: ask the coordination centre which topic is yours",
            )
        case UnknownTopicOrPartitionError():
            return Refused("no-topic", f"Kafka has no topic {topic}: see the topic in your file")
        case AuthenticationFailedError() | SaslAuthenticationFailed():
            return Refused("bad-login", "Kafka refuses the login: see to user name and password")
        case KafkaConnectionError():
            return ServiceDown(
                "Kafka does not answer: is 'leerp up' running there, and are address and certificate"
                " right?"
            )
        case _:
            return ServiceDown(
                f"Kafka did not take the report ({type(exc).__name__}): send it again"
            )
