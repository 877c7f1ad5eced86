"""The subject as a process: the intake of a home, as ``leerp intake`` runs it.

``python -m leerp.bench.subject HOME [OPTION...]`` with these options: ``consumer`` leaves out the
relay, so that no Temporal is needed (R1); ``without-audit`` leaves out the audit trail, for R11 only;
``gauge`` writes how late the event loop is to ``HOME/gauge`` (R9, R13).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Collection
from pathlib import Path

from infra import audit
from infra.bootstrap import App
from intake.consumer import run_intake as consume
from leerp.bench.gauge import gauge
from leerp.intake import run_intake as intake
from leerp.intake import tune_for_storms
from leerp.processes import run_process

CONSUMER, WITHOUT_AUDIT, GAUGE = "consumer", "without-audit", "gauge"
GAUGE_FILE = "gauge"


def _not_kept(*_: object, **__: object) -> int:
    """Stands for ``audit.append`` where the cost of the trail is measured."""
    return 0


async def _consumer(app: App, stop: asyncio.Event) -> None:
    tune_for_storms()
    await consume(app, stop)


async def _gauged(app: App, stop: asyncio.Event) -> None:
    async with gauge(app.settings.home / GAUGE_FILE):
        await intake(app, stop)


def main(home: Path, options: Collection[str]) -> None:
    """Run intake until told to stop."""
    if WITHOUT_AUDIT in options:
        audit.append = audit.append_all = _not_kept
    work = _consumer if CONSUMER in options else _gauged if GAUGE in options else intake
    run_process(home, "intake", work)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
