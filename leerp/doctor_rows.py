"""What ``leerp doctor`` says: one row a part."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class State(StrEnum):
    """How a part is. ``missing`` and ``down`` keep something from working, ``warn`` does not."""

    OK = "ok"
    WARN = "warn"
    MISSING = "missing"
    DOWN = "down"


class Row(BaseModel):
    """One part and its state."""

    model_config = ConfigDict(frozen=True)

    part: str
    state: State
    version: str = ""
    advice: str = ""
    """What to do; empty when there is nothing to do."""
