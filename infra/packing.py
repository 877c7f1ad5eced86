"""Small things side by side in few bytes: whole numbers in a column, texts in compressed blocks.

Apart from the database, so that a process that only reads can pack. Source: docs/decisions/011, 013.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress

import brotli
import msgspec

BLOCK_BYTES = 65_536
"""Text of a block; reading one item costs unpacking so much."""
_QUALITY = 1
"""Of brotli: the quickest that sees repetitions across a whole block."""
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[bytes]).decode


class Packed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Items of one block."""

    count: int
    data: bytes
    """Compressed, see ``items_in``."""


def blocks_of(items: Iterable[bytes]) -> list[Packed]:
    """Items in as many blocks as they take, in their order."""
    return [_packed_block(block) for block in _blocks(items)]


def items_in(data: bytes) -> list[bytes]:
    """The items of a block."""
    return _unpack(brotli.decompress(data))


def only(blocks: Iterable[Packed], wanted: Sequence[bool]) -> Iterator[Packed]:
    """The blocks with those items only that are wanted, told by their places over all blocks.

    A block of which all are wanted stays as it is, which is what most come to.
    """
    begin = 0
    for block in blocks:
        some = wanted[begin : begin + block.count]
        begin += block.count
        if all(some):
            yield block
        elif any(some):
            yield _packed_block(list(compress(items_in(block.data), some)))


def packed(keys: Sequence[int]) -> bytes:
    """Keys of indicators, as they stand in ``report.indicators``."""
    return array("q", keys).tobytes()


def unpacked(keys: bytes) -> array[int]:
    """What ``packed`` packed."""
    found = array("q")
    found.frombytes(keys)
    return found


def _packed_block(items: list[bytes]) -> Packed:
    return Packed(len(items), brotli.compress(_pack(items), quality=_QUALITY))


def _blocks(items: Iterable[bytes]) -> Iterator[list[bytes]]:
    block: list[bytes] = []
    size = 0
    for item in items:
        if block and size + len(item) > BLOCK_BYTES:
            yield block
            block, size = [], 0
        block.append(item)
        size += len(item)
    if block:
        yield block
