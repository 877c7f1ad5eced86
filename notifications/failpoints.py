"""Places at which a test lets this process die: ``LEERP_FAILPOINT=NAME`` or ``NAME:N`` for the Nth time.

Nothing happens unless the variable is set. Source: reliability 4.2, F-P2.
"""

from __future__ import annotations

import functools
import itertools
import os
import signal
from collections.abc import Callable
from typing import Literal

VARIABLE = "LEERP_FAILPOINT"
Place = Literal["after_claim", "after_data_started", "after_body", "after_250", "after_commit"]


def reach(place: Place) -> None:
    """Die here, as if the machine had, when it is this place's turn."""
    name, turn = _wanted()
    if name == place and turn():
        os.kill(os.getpid(), signal.SIGKILL)


@functools.cache
def _wanted() -> tuple[str, Callable[[], bool]]:
    name, _, number = os.environ.get(VARIABLE, "").partition(":")
    times, last = itertools.count(1), int(number or 1)
    return name, lambda: next(times) == last
