"""``leerp up`` with one harmless process in place of our own: ``python -m tests.leerp.up_program HOME``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from infra.services.supervisor import Service
from infra.settings import Settings
from leerp.up import run_up
from protocol.errors import ServiceDown


def sleeper(settings: Settings) -> Sequence[Service]:
    """Sleeps until it is stopped."""
    return (
        Service(
            name="sleeper", argv=("sleep", "600"), log=settings.home / "logs" / "s.log", advice=""
        ),
    )


def main() -> int:
    """0 stopped by a signal, 3 a service is down."""
    try:
        run_up(Settings(home=Path(sys.argv[1])), sleeper)
    except ServiceDown as exc:
        sys.stdout.write(f"{exc}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
