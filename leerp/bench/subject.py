"""The subject as a process: the intake of a home, as ``leerp intake`` runs it.

``python -m leerp.bench.subject HOME [consumer] [without-audit]``: ``consumer`` leaves out the relay,
so that no Temporal is needed (R1); ``without-audit`` leaves out the audit trail and is for R11 only.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path

from infra import audit
from intake.consumer import run_intake
from leerp.processes import intake, run_process

CONSUMER, WITHOUT_AUDIT = "consumer", "without-audit"


def _not_kept(*_: object, **__: object) -> int:
    """Stands for ``audit.append`` where the cost of the trail is measured."""
    return 0


def main(home: Path, options: Collection[str]) -> None:
    """Run intake until told to stop."""
    if WITHOUT_AUDIT in options:
        audit.append = _not_kept
    run_process(home, "intake", run_intake if CONSUMER in options else intake)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
