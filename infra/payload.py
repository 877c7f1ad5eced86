"""Base of everything that crosses the Temporal boundary."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Payload(BaseModel):
    """Frozen, and open to unknown fields: old histories and old workers exist (style 4, rule 21).

    A subclass may only ever gain fields with defaults.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
