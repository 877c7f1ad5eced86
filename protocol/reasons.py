"""Why somebody did something, as it is kept."""

from __future__ import annotations

from protocol.errors import Refused
from protocol.report import clean_text

LONGEST_REASON = 2_000


def stated_reason(reason: str, *, missing: str) -> str:
    """The reason as it is kept; ``missing`` is what to say where there is none.

    Raises:
        Refused: ``no-reason`` or ``bad-reason``.
    """
    if not reason.strip():
        raise Refused("no-reason", missing)
    try:
        cleaned = clean_text(reason.strip())
    except ValueError as exc:
        raise Refused("bad-reason", f"the reason cannot be kept: {exc}") from None
    if len(cleaned) > LONGEST_REASON:
        raise Refused("bad-reason", f"the reason is longer than {LONGEST_REASON} characters")
    return cleaned
