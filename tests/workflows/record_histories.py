"""Records the histories of ``tests/histories`` anew: ``python -m tests.workflows.record_histories``.

Do this when a change of the workflows is meant to change the order of commands and no run of the
older code is left that has to be taken over; else patch the change and add a history. The diff of the
``.commands`` files is what a reviewer reads.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from temporalio.client import WorkflowHistory

from infra.keys import ensure_keys
from tests.workflows.house import house, make_template, time_skipping
from tests.workflows.scenarios import SCENARIOS, fingerprint

HISTORIES = Path(__file__).resolve().parents[1] / "histories"


def recorded(name: str) -> WorkflowHistory:
    """The history that is kept under this name."""
    return WorkflowHistory.from_json(name, (HISTORIES / f"{name}.json").read_text())


def baseline(name: str) -> list[str]:
    """Its commands in their order."""
    return (HISTORIES / f"{name}.commands").read_text().splitlines()


async def record(folder: Path) -> None:
    """Run every scenario on a test server of its own and keep what came of it."""
    template, keys = make_template(folder), ensure_keys(folder / "keys", "leerp@ec3.invalid")
    HISTORIES.mkdir(exist_ok=True)
    for name, scenario in SCENARIOS.items():
        home_folder = folder / name
        home_folder.mkdir()
        async with time_skipping() as env, house(env, home_folder, template, keys) as home:
            workflow_id = await scenario(home)
            history = await env.client.get_workflow_handle(workflow_id).fetch_history()
        (HISTORIES / f"{name}.json").write_text(history.to_json() + "\n")
        lines = fingerprint(history)
        (HISTORIES / f"{name}.commands").write_text("\n".join(lines) + "\n")
        sys.stdout.write(f"{name}: {len(history.events)} events, {len(lines)} commands\n")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(record(Path(folder)))


if __name__ == "__main__":
    main()
