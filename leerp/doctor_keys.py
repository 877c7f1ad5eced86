"""The keys of a home, for ``leerp doctor``: whether they are there, and until when they sign."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from infra.keys import load_keys
from infra.settings import Settings
from leerp.doctor_rows import Row, State
from notifications.own_keys import Life, own_keys
from protocol.errors import Refused, ServiceDown

STATES = {
    Life.GOOD: State.OK,
    Life.EXPIRES_SOON: State.WARN,
    Life.NOT_YET: State.DOWN,
    Life.EXPIRED: State.DOWN,
}


def key_rows(settings: Settings) -> Iterator[Row]:
    """A row for all keys, and one for each that signs; none for a home that has no keys yet."""
    if not settings.keys.exists():
        return
    try:
        keys = load_keys(settings.keys)
    except ServiceDown as exc:
        yield Row(part="keys", state=State.MISSING, advice=str(exc))
        return
    yield Row(part="keys", state=State.OK, version=f"codec key {keys.codec_active}")
    now, early = datetime.now(UTC), settings.smime.warn_before
    try:
        for key in own_keys(settings.keys):
            yield Row(
                part=key.name,
                state=STATES[key.life(now, early)],
                version=f"until {key.ends:%Y-%m-%d}" if key.ends else "does not end",
                advice=key.advice(now, early),
            )
    except Refused as exc:
        yield Row(part="signing keys", state=State.MISSING, advice=str(exc))
