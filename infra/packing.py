"""Whole numbers side by side in bytes, as a column of the database keeps them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence


def packed(keys: Sequence[int]) -> bytes:
    """Keys of indicators, as they stand in ``report.indicators``."""
    return array("q", keys).tobytes()


def unpacked(keys: bytes) -> array[int]:
    """What ``packed`` packed."""
    found = array("q")
    found.frombytes(keys)
    return found
