"""Assesses and explains one case with every way out of the process closed, and prints the result.

Run as a program by ``test_purity``: what is closed cannot be opened again in a process.
"""

from __future__ import annotations

import datetime as dt
import random
import secrets
import sys
import time
import uuid
from typing import Any, NoReturn

from classification.assessment import assess
from classification.explained import explain_incident
from classification.findings import Findings
from classification.major_attack import major_attack_test
from classification.possible import possible
from classification.robustness import robustness
from classification.sensitivity import what_would_change
from protocol.report import Disruption
from tests.classification.builders import PROFILE, make_evidence, stated

CLOSED = ("open", "socket", "subprocess", "os.", "ctypes", "import", "exec", "compile", "shutil")


class Closed(Exception):
    """Something reached out."""


def refuse(*_: Any, **__: Any) -> NoReturn:
    raise Closed("a clock or a source of chance was asked")


class NoClock(dt.datetime):
    """Times that are given are fine; the time of day is not."""

    now = today = utcnow = refuse


def close_everything() -> None:
    for module, names in (
        (time, ("time", "time_ns", "monotonic", "perf_counter", "process_time", "gmtime", "sleep")),
        (random, ("random", "randrange", "choice", "shuffle", "getrandbits")),
        (secrets, ("token_bytes", "randbelow")),
        (uuid, ("uuid1", "uuid4")),
    ):
        for name in names:
            setattr(module, name, refuse)
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in ("classification", "protocol") and hasattr(module, "datetime"):
            vars(module)["datetime"] = NoClock

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(CLOSED):
            raise Closed(f"{event} {arguments!r}")

    sys.addaudithook(watch)


def main() -> None:
    body = [
        make_evidence("2-a", "B3", criteria={"control-plane-taken"}, countries={"DE", "FR"}),
        make_evidence("2-b", "X4", sectors={"health"}, disruption=Disruption.IMMINENT),
        make_evidence("2-c", None, organisations={"one", "two"}, victims_min=1_000),
    ]
    found = Findings(triggers=(stated("T4"),))
    assess(body, found, PROFILE)
    close_everything()
    for made in (
        assess(body, found, PROFILE),
        explain_incident(body, found, PROFILE),
        what_would_change(body, found, PROFILE),
        robustness(body, found, PROFILE),
        major_attack_test(body, PROFILE),
    ):
        sys.stdout.write(made.model_dump_json() + "\n")
    sys.stdout.write(f"{possible(body, found, PROFILE)}\n")


if __name__ == "__main__":
    main()
