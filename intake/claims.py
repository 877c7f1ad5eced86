"""What reports claim, as the JSON text in which it is kept with an incident."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from classification.claimed import Claimed

REMEMBERED = 4_096
"""Texts kept at hand: most reports of a storm claim one of few things."""
SHORT = 400
"""Characters; longer texts name victims and do not come again."""
NO_CLAIMS = "{}"


def claims_text(claimed: Claimed) -> str:
    """The same claims always give the same text."""
    return msgspec.json.encode(claimed.to_json(), order="sorted").decode()


def claims_in(text: str) -> Claimed:
    """Read what ``claims_text`` wrote."""
    return _short(text) if len(text) <= SHORT else _read(text)


class Impact(msgspec.Struct, frozen=True):
    """What is claimed of the impact."""

    criteria: tuple[str, ...] = ()
    disrupted_sectors: tuple[str, ...] = ()


impact_in = msgspec.json.Decoder(Impact).decode
"""The claims of impact, passing over the rest of the text."""


def _read(text: str) -> Claimed:
    return Claimed.from_json(msgspec.json.decode(text))


_short = lru_cache(REMEMBERED)(_read)
