"""Encryption of everything that Temporal stores: AES-256-GCM with a key id, bound to its place.

The namespace is authenticated with each payload, so that one cannot be moved to another; what is not
encrypted by us is refused on the way back. Source: reliability 5.3.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
)
from temporalio.service import TLSConfig

from infra.settings import TemporalSettings
from protocol.errors import ServiceDown

ENCODING = b"binary/leerp-aes256gcm"
NONCE_BYTES = 12
CONNECT_SECONDS = 10


class UnreadablePayload(Exception):
    """A payload that is not ours, was altered, or whose key is not at hand."""


class EncryptionCodec(PayloadCodec):
    """Encrypts with the active key, decrypts with any key at hand."""

    def __init__(self, *, active: str, keys: dict[str, bytes], namespace: str) -> None:
        self._active = active
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._bound_to = namespace.encode()

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._encrypt(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raise ``UnreadablePayload`` for anything but what ``encode`` made; nothing passes in clear."""
        return [self._decrypt(payload) for payload in payloads]

    def _encrypt(self, payload: Payload) -> Payload:
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self._active].encrypt(
            nonce, payload.SerializeToString(), self._bound_to
        )
        return Payload(
            metadata={"encoding": ENCODING, "key-id": self._active.encode()}, data=nonce + sealed
        )

    def _decrypt(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            raise UnreadablePayload("payload is not encrypted by this system")
        key_id = payload.metadata["key-id"].decode("utf-8", "backslashreplace")
        if key_id not in self._ciphers:
            raise UnreadablePayload(f"no codec key {key_id!r}: put it back into keys/codec.json")
        nonce, sealed = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        if len(nonce) < NONCE_BYTES:
            raise UnreadablePayload("payload was cut short")
        try:
            clear = self._ciphers[key_id].decrypt(nonce, sealed, self._bound_to)
        except InvalidTag:
            raise UnreadablePayload("payload was altered or belongs to another namespace") from None
        return Payload.FromString(clear)


def data_converter(codec: PayloadCodec) -> DataConverter:
    """Pydantic payloads and error texts, both encrypted."""
    return replace(
        pydantic_data_converter,
        payload_codec=codec,
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def tls_config(settings: TemporalSettings) -> TLSConfig | bool:
    """How to speak to the configured server; false for plain text on loopback."""
    if not settings.tls:
        return False
    return TLSConfig(
        server_root_ca_cert=settings.ca_file.read_bytes() if settings.ca_file else None,
        client_cert=settings.cert_file.read_bytes() if settings.cert_file else None,
        client_private_key=settings.key_file.read_bytes() if settings.key_file else None,
    )


async def connect(settings: TemporalSettings, codec: PayloadCodec) -> Client:
    """A client of the configured Temporal server.

    Raises:
        ServiceDown: nothing answers at the address.
    """
    try:
        return await asyncio.wait_for(
            Client.connect(
                settings.address,
                namespace=settings.namespace,
                data_converter=data_converter(codec),
                tls=tls_config(settings),
            ),
            CONNECT_SECONDS,
        )
    except (RuntimeError, TimeoutError) as exc:
        raise ServiceDown(
            f"Temporal does not answer at {settings.address}: is 'leerp up' running?"
        ) from exc
