"""How a workflow that sends beside its campaign waits for its next round."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow

AT_LEAST_S = 1.0


async def until_due_or(asked: Callable[[], bool], due_s: float | None) -> None:
    """Wait until a mail is due, in ``due_s`` seconds and never at once, or until ``asked`` holds."""
    with suppress(TimeoutError):
        await workflow.wait_condition(
            asked, timeout=timedelta(seconds=max(AT_LEAST_S, due_s or 0.0))
        )
