"""Sending reports to leerp from any program; ``leerp report`` and the bridges send with it too.

    async with ReportProducer.from_file(Path("client.properties")) as producer:
        receipt = await producer.send(report)

What Kafka has acknowledged is kept by all its replicas and is there once, however often the line
broke. Source: R4, R5; docs/sending-reports.md.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from infra import kafka
from infra.intake_limits import IntakeSettings
from infra.settings import KafkaSettings
from intake.client_file import read_client_file
from intake.formats.base import Delivery, Parsed
from intake.formats.own import NAME as OWN
from intake.formats.own import Own
from intake.formats.registry import FORMATS, parse
from intake.limits import check_size, decode_json
from intake.receipts import Posted, Receipt, in_words
from intake.records import DETECTED_BY_HEADER, FORMAT_HEADER, MEDIA_TYPE_HEADER
from protocol.errors import Refused, RejectedReport, ServiceDown
from protocol.parties import DetectedBy, SourceGroup
from protocol.report import ReportContent

Body = bytes | Mapping[str, Any] | ReportContent
"""A record as it is to be sent, a JSON document, or a report in our own format."""
DEFAULT_LIMITS = IntakeSettings()


class ReportProducer:
    """Sends to one topic, which says the source group (R4); connected while the block runs."""

    def __init__(
        self,
        settings: KafkaSettings,
        topic: str,
        *,
        limits: IntakeSettings = DEFAULT_LIMITS,
        check: bool = True,
    ) -> None:
        """Prepare to send.

        Args:
            settings: address and login.
            topic: where to; ``infra.kafka.topic_of`` knows the groups' topics.
            limits: those of the intake at the other end, where they are not the default.
            check: hold empty records and own-format reports that intake would refuse back, with the
                reason. Without it they are sent, and the quarantine keeps them.
        """
        self.topic = topic
        self._settings = settings
        self._limits = limits
        self._check = check
        self._producer: AIOKafkaProducer | None = None

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """A producer as the client file says that ``leerp sources key`` writes.

        Raises:
            Refused: ``bad-client-file``.
        """
        return cls(*read_client_file(path))

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            Refused: ``bad-login``.
            ServiceDown: Kafka does not answer.
        """
        producer = kafka.producer(self._settings)
        try:
            await producer.start()
        except KafkaError as exc:
            await producer.stop()
            raise in_words(exc, self.topic) from exc
        self._producer = producer
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait for what is on its way, then disconnect."""
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    async def send(
        self,
        body: Body,
        *,
        format: str | None = None,  # noqa: A002  the field's word, as in the header
        media_type: str | None = None,
        detected_by: DetectedBy | str | None = None,
    ) -> Receipt:
        """Send one record and wait until Kafka has it.

        Reports with the same source id get the same partition, so that their versions stay in order.

        Args:
            body: bytes are sent as they are, anything else as JSON.
            format: a name of ``FORMATS``, where the content should not decide.
            media_type: such as ``text/csv``; JSON and XML show themselves.
            detected_by: for open sources (group 1) only: how the report was found (R5).

        Raises:
            Refused: ``too-large`` or ``unknown-format``; ``not-json`` where a document is none; with
                ``check`` also what intake would say of an own-format report; else as ``Posted.receipt``.
            ServiceDown: as ``Posted.receipt``.
        """
        posted = await self.post(
            body, format=format, media_type=media_type, detected_by=detected_by
        )
        return await posted.receipt()

    async def post(
        self,
        body: Body,
        *,
        format: str | None = None,  # noqa: A002
        media_type: str | None = None,
        detected_by: DetectedBy | str | None = None,
    ) -> Posted:
        """As ``send``, without waiting for Kafka: for many reports one after the other.

        Raises:
            Refused: as ``send``.
            ServiceDown: as ``send``.
        """
        if self._producer is None:
            raise ServiceDown("the producer is not connected: use it in 'async with'")
        content = body if isinstance(body, bytes) else _as_json(body)
        named = {
            FORMAT_HEADER: _known_format(format),
            MEDIA_TYPE_HEADER: media_type,
            DETECTED_BY_HEADER: _known_detection(detected_by),
        }
        key = await asyncio.to_thread(self.key_of, content, format, media_type)
        try:
            future = await self._producer.send(
                self.topic,
                content,
                key=key,
                headers=[(name, value.encode()) for name, value in named.items() if value],
            )
        except KafkaError as exc:
            raise in_words(exc, self.topic) from exc
        return Posted(hashlib.sha256(content).hexdigest(), self.topic, future)

    def send_now(
        self,
        *bodies: Body,
        format: str | None = None,  # noqa: A002
        media_type: str | None = None,
        detected_by: DetectedBy | str | None = None,
    ) -> list[Receipt]:
        """Connect, send all, disconnect: for programs without an event loop.

        Raises:
            Refused: as ``send``, over the first that cannot go; those before it are sent.
            ServiceDown: as ``send``.
        """

        async def connected() -> list[Receipt]:
            async with self:
                posted = [
                    await self.post(
                        body, format=format, media_type=media_type, detected_by=detected_by
                    )
                    for body in bodies
                ]
                return [await each.receipt() for each in posted]

        return asyncio.run(connected())

    def key_of(
        self, body: bytes, declared: str | None = None, media_type: str | None = None
    ) -> bytes | None:
        """The key of a record: the source id of the report in it, None where it holds none or many.

        Raises:
            Refused: ``too-large``; with ``check`` also ``empty``, or what intake would say of an
                own-format report.
        """
        if len(body) > self._limits.max_record_bytes:
            raise Refused(
                "too-large",
                f"not sent: the record has {len(body):,} bytes, more than the "
                f"{self._limits.max_record_bytes:,} that intake takes: send large evidence by another "
                "way and report where it is",
            )
        try:
            contents = self._parsed(body, declared, media_type).contents
        except RejectedReport as rejected:
            if self._check and (rejected.reason == "empty" or self._is_own(body, declared)):
                raise Refused(rejected.reason, f"not sent: {rejected}") from None
            return None
        return contents[0].source_id.encode() if len(contents) == 1 else None

    def _parsed(self, body: bytes, declared: str | None, media_type: str | None) -> Parsed:
        check_size(body, self._limits.max_record_bytes)
        delivery = Delivery(
            group=SourceGroup.OTHER,  # what groups ask for beyond the format is intake's to say
            declared_format=declared,
            media_type=media_type,
            detected_by=None,
            received_at=datetime.now(UTC),
        )
        return parse(body, delivery, self._limits)

    def _is_own(self, body: bytes, declared: str | None) -> bool:
        if declared is not None:
            return declared == OWN
        limits = self._limits
        try:
            document = decode_json(
                body, max_bytes=limits.max_record_bytes, max_depth=limits.max_depth
            )
        except RejectedReport:
            return False
        return Own().recognises(document)


def _as_json(document: Mapping[str, Any] | ReportContent) -> bytes:
    if isinstance(document, ReportContent):
        document = {"format": OWN, **document.model_dump(mode="json")}
    try:
        return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError) as exc:
        raise Refused("not-json", f"not sent: the document is not JSON ({exc})") from exc


def _known_format(declared: str | None) -> str | None:
    if declared is not None and declared not in FORMATS:
        raise Refused(
            "unknown-format",
            f"not sent: there is no format {declared!r}; there are {', '.join(FORMATS)}",
        )
    return declared


def _known_detection(detected_by: DetectedBy | str | None) -> str | None:
    if detected_by is not None and detected_by not in set(DetectedBy):
        raise Refused("bad-header", "not sent: detected_by must be 'primary' or 'secondary'")
    return detected_by
