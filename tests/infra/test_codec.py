"""What Temporal stores is encrypted, bound to its namespace, and nothing else is read."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError

from infra.codec import ENCODING, EncryptionCodec, UnreadablePayload, connect, data_converter
from infra.services.ports import LOOPBACK
from infra.settings import TemporalSettings
from protocol.errors import ServiceDown
from workflows.messages import Changed

pytestmark = pytest.mark.asyncio

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
SECRET = "Hospital of Nowhere, +372 555 0100"


def codec(
    active: str = "old", keys: Mapping[str, bytes] | None = None, namespace: str = "leerp"
) -> EncryptionCodec:
    return EncryptionCodec(active=active, keys=dict(keys or {"old": OLD}), namespace=namespace)


def payload(text: str = SECRET) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(text).encode())


async def sealed(by: EncryptionCodec | None = None) -> Payload:
    (made,) = await (by or codec()).encode([payload()])
    return made


async def refusal(of: Payload, by: EncryptionCodec | None = None) -> str:
    with pytest.raises(UnreadablePayload) as refused:
        await (by or codec()).decode([of])
    return str(refused.value)


async def test_what_is_sealed_comes_back_as_it_was_and_in_order() -> None:
    several = [payload(f"{SECRET} {n}") for n in range(5)]
    assert await codec().decode(await codec().encode(several)) == several


async def test_nothing_of_a_payload_is_read_from_what_is_stored() -> None:
    stored = (await sealed()).SerializeToString()
    assert b"Hospital" not in stored
    assert b"json/plain" not in stored


async def test_the_same_payload_is_never_sealed_alike() -> None:
    assert (await sealed()).data != (await sealed()).data


async def test_a_payload_of_another_namespace_is_refused() -> None:
    assert "another namespace" in await refusal(await sealed(codec(namespace="other")))


async def test_a_payload_that_nobody_sealed_is_refused() -> None:
    assert "not encrypted" in await refusal(payload())
    assert "not encrypted" in await refusal(Payload())


async def test_an_unknown_key_is_named_with_what_to_do() -> None:
    said = await refusal(await sealed(codec("gone", {"gone": NEW})))
    assert "'gone'" in said
    assert "keys/codec.json" in said


async def test_the_right_name_of_the_wrong_key_is_refused() -> None:
    assert "altered" in await refusal(await sealed(codec("old", {"old": NEW})))


async def test_after_a_change_of_keys_the_old_is_read_and_the_new_one_seals() -> None:
    before = await sealed()
    rotated = codec("new", {"old": OLD, "new": NEW})
    assert await rotated.decode([before, await sealed(rotated)]) == [payload(), payload()]
    assert (await sealed(rotated)).metadata["key-id"] == b"new"
    assert "'new'" in await refusal(await sealed(rotated), codec())


@pytest.mark.parametrize("metadata", [{}, {"key-id": b"\xff\xfe"}, {"key-id": b""}])
async def test_a_key_id_that_is_missing_or_no_text_is_refused(metadata: dict[str, bytes]) -> None:
    data = (await sealed()).data
    said = await refusal(Payload(metadata={"encoding": ENCODING, **metadata}, data=data))
    assert "no codec key" in said


@pytest.mark.parametrize("length", [0, 5, 12, 13, 27])
async def test_a_payload_that_was_cut_is_refused(length: int) -> None:
    whole = await sealed()
    assert await refusal(Payload(metadata=whole.metadata, data=whole.data[:length]))


@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
async def test_any_altered_bit_is_noticed(place: int, bit: int) -> None:
    whole = await sealed()
    data = bytearray(whole.data)
    data[place % len(data)] ^= 1 << bit
    assert "altered" in await refusal(Payload(metadata=whole.metadata, data=bytes(data)))


async def test_values_and_the_texts_of_errors_are_sealed_on_their_way_to_temporal() -> None:
    converter = data_converter(codec())
    word = Changed(up_to=7)
    stored = await converter.encode([word])
    assert all(each.metadata["encoding"] == ENCODING for each in stored)
    assert await converter.decode(stored, [Changed]) == [word]

    failure = Failure()
    await converter.encode_failure(ApplicationError(SECRET), failure)
    assert b"Hospital" not in failure.SerializeToString()
    assert SECRET in str(await converter.decode_failure(failure))


async def test_a_server_that_does_not_answer_is_named_with_what_to_do() -> None:
    nobody = TemporalSettings(address=f"{LOOPBACK}:1")
    with pytest.raises(ServiceDown, match=r"127\.0\.0\.1:1: is 'leerp up' running"):
        await connect(nobody, codec())
