"""Processes of ours are killed, frozen, added and taken away in a storm: F-P4, F-P9."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from pathlib import Path

import pytest

from intake.status import told
from tests.e2e.support import until
from tests.faults.conftest import Grounds
from tests.faults.frozen import freeze
from tests.faults.scale import Scale
from tests.faults.storm import Storm, storm

pytestmark = [pytest.mark.asyncio, pytest.mark.services]

MOST_SECONDS_BETWEEN_REBALANCES = 5.0
IN_SMALL_STEPS = {"max_fetch_records": 40, "max_batch_records": 40}
"""Else one step settles a short storm, and nothing is cut off in the middle."""


@pytest.mark.requirement("R4")
async def test_fp4_intake_killed_in_a_storm_loses_and_doubles_nothing(
    grounds: Grounds, scale: Scale, tmp_path: Path
) -> None:
    ground = await grounds(**IN_SMALL_STEPS)
    storms = storm("fp4", scale.storm, 0, hostile=0.02)
    await ground.publish(storms.bodies)
    chance = random.Random(4)
    thresholds = sorted(
        chance.randrange(1, int(0.9 * len(storms.bodies))) for _ in range(scale.kills)
    )
    for threshold in thresholds:
        with ground.intake() as doomed:
            await until(
                lambda least=threshold: ground.settled() >= least,  # type: ignore[misc]
                seconds=scale.patience,
            )
            doomed.kill()
            doomed.wait()
    assert ground.settled() < len(storms.bodies), "killed too late to prove anything"
    with ground.intake():
        await ground.until_settled(len(storms.bodies), seconds=scale.patience)
    await ground.check(storms, tmp_path)


@pytest.mark.requirement("R4")
async def test_fp4_a_frozen_intake_that_wakes_up_after_another_took_over_doubles_nothing(
    grounds: Grounds, scale: Scale, tmp_path: Path
) -> None:
    ground = await grounds(**IN_SMALL_STEPS)
    storms = storm("fp4-frozen", scale.storm, 0)
    await ground.publish(storms.bodies)
    with ground.intake() as frozen:
        await until(lambda: ground.settled() > 0, seconds=scale.patience)
        await asyncio.to_thread(freeze, frozen.pid, ground.database)
        assert ground.settled() < len(storms.bodies), "frozen too late to prove anything"
        with ground.intake():
            await ground.until_settled(len(storms.bodies), seconds=scale.patience)
            frozen.send_signal(signal.SIGCONT)
            more = storm("fp4-awake", 200, 0)
            await ground.publish(more.bodies)
            await ground.until_settled(len(storms.bodies) + len(more.bodies))
        assert frozen.poll() is None
    both = Storm(storms.bodies + more.bodies, storms.names | more.names, Counter())
    await ground.check(both, tmp_path)


@pytest.mark.requirement("R4")
async def test_fp9_a_storm_of_rebalances_loses_nothing_and_ends_no_process(
    grounds: Grounds, scale: Scale, tmp_path: Path
) -> None:
    ground = await grounds(**IN_SMALL_STEPS)
    storms = storm("fp9", scale.storm, 0, hostile=0.02)
    publishing = asyncio.create_task(ground.publish(storms.bodies))
    pause = min(MOST_SECONDS_BETWEEN_REBALANCES, scale.away)
    changes = 0
    with ground.intake() as first:
        while changes < scale.kills or ground.settled() < len(storms.bodies):
            with ground.intake() as guest:
                await until(lambda pid=guest.pid: pid in told(ground.settings.home))  # type: ignore[misc]
                await asyncio.sleep(pause)  # as long as a guest stays
                assert guest.poll() is None
            assert guest.returncode == 0, "it left in good order"
            changes += 1
            assert first.poll() is None
            assert changes < 10 * scale.kills + scale.patience / pause
        await publishing
        await ground.until_settled(len(storms.bodies), seconds=scale.patience)
        assert first.poll() is None
    assert first.returncode == 0
    await ground.check(storms, tmp_path)
