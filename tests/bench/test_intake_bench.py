"""``leerp bench intake`` on real services: what it writes has the shape that was agreed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from leerp.bench.gates import GATES, WHAT
from leerp.bench.intake import bench_intake
from leerp.bench.plan import Plan
from leerp.bench.screen import Screen

FIELDS = {
    *("what", "value", "gate", "at_most", "holds"),
    *("subject", "control", "unit", "runs", "note"),
}


@pytest.mark.services
@pytest.mark.timeout(600)
@pytest.mark.asyncio
async def test_the_bench_measures_every_ratio_and_writes_it_as_agreed(tmp_path: Path) -> None:
    plan = Plan(reports=3_000, rounds=1, load_seconds=1.0, own_postgresql=False, control_runs=1)
    result = await bench_intake(tmp_path, plan, Screen(Console(quiet=True)))
    found: dict[str, Any] = json.loads(json.dumps(result.to_json()))
    assert set(found) == {"bench", "ratios", "absolute", "machine"}
    assert set(found["ratios"]) == set(WHAT)
    assert {frozenset(ratio) for ratio in found["ratios"].values()} == {frozenset(FIELDS)}
    gates = {name: r["gate"] for name, r in found["ratios"].items() if r["gate"] is not None}
    assert gates == {name: gate.bound for name, gate in GATES.items()}
    assert result.holds is all(ratio["holds"] for ratio in found["ratios"].values())
    assert found["ratios"]["lost"]["value"] == 0
    assert found["ratios"]["R3"]["subject"] > 0
    live = found["absolute"]["end_to_end"]
    assert live["temporal"]["workflows"] >= 1
    assert min(live["cpu_seconds_per_1000_reports"].values()) >= 0
    latency = found["absolute"]["latency"]
    for delays in (latency["record_to_stored_ms"], latency["record_to_workflow_told_ms"]):
        assert 0 < delays["p50"] <= delays["p95"] <= delays["p99"]
    assert found["machine"]["pragmas"]["journal_mode"] == "wal"
    assert found["machine"]["fdatasync_us"] > 0
    assert {curve.name for curve in result.curves} == {
        *("intake", "keeping the bytes", "end to end")
    }


def test_the_command_refuses_what_it_cannot_measure(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    for arguments, said in (
        (("--keep", str(tmp_path)), "not empty"),
        (("--database", "mysql://x"), "postgresql+psycopg://"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "leerp", "bench", "intake", *arguments],
            env={**os.environ, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert said in done.stderr
