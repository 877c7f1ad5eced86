"""``leerp bench campaign`` on real services: what it writes has the shape that was agreed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from leerp.bench.campaign import INNER, bench_campaign
from leerp.bench.campaign_gates import GATES, WHAT
from leerp.bench.campaign_plan import CampaignPlan
from leerp.bench.screen import Screen
from protocol.errors import ServiceDown

RECIPIENTS = 30


@pytest.mark.services
@pytest.mark.timeout(600)
@pytest.mark.asyncio
async def test_the_bench_measures_every_ratio_and_writes_it_as_agreed(tmp_path: Path) -> None:
    plan = CampaignPlan(recipients=RECIPIENTS, rounds=1)
    result = await bench_campaign(tmp_path, plan, Screen(Console(quiet=True)))
    found: dict[str, Any] = json.loads(json.dumps(result.to_json()))
    assert found["bench"] == "campaign"
    assert set(found["ratios"]) == set(WHAT) == set(GATES)
    assert {name: ratio["gate"] for name, ratio in found["ratios"].items()} == {
        name: gate.bound for name, gate in GATES.items()
    }
    for ratio in found["ratios"].values():
        for run in ratio["runs"]:
            assert run["subject"] > 0
            assert run["ratio"] > 0
    absolute = found["absolute"]
    assert absolute["recipients"] == RECIPIENTS
    assert absolute["bytes_that_are_signed"] > 0.95 * INNER
    assert 5_000 < absolute["bytes_of_a_mail"] < 7_000
    whole = absolute["campaign"]
    assert 0 < whole["release_to_first_accepted_s"] <= whole["release_to_last_accepted_s"]
    assert whole["history_events"] == found["ratios"]["R5"]["subject"]
    assert [len(curve.windows) for curve in result.curves] == [40]


@pytest.mark.asyncio
async def test_without_postfix_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leerp.bench.campaign_relay.WHERE", str(tmp_path))
    plan = CampaignPlan(recipients=RECIPIENTS, rounds=1)
    with pytest.raises(ServiceDown, match="apt-get install postfix"):
        await bench_campaign(tmp_path, plan, Screen(Console(quiet=True)))
