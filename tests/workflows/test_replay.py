"""Recorded histories replay with today's code, and a changed order of commands is caught.

What an incident has begun under one release goes on under the next: its history is replayed there.
``tests/histories`` keeps one run for each path; see ``record_histories`` on when to record anew.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.converter import DefaultPayloadConverter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from leerp.worker import WORKFLOWS
from tests.workflows.changed_order import HastyIncident, ImpatientCampaign
from tests.workflows.conftest import Houses
from tests.workflows.house import CODEC, CONVERTER
from tests.workflows.record_histories import HISTORIES, baseline, recorded
from tests.workflows.scenarios import SCENARIOS, fingerprint
from workflows.sandbox import SANDBOX

pytestmark = pytest.mark.asyncio

INCIDENTS = [name for name in SCENARIOS if name.startswith("incident-")]
CAMPAIGNS = [name for name in SCENARIOS if name.startswith("campaign-")]


def replayer(*workflows: type) -> Replayer:
    return Replayer(workflows=workflows, workflow_runner=SANDBOX, data_converter=CONVERTER)


async def test_a_history_is_kept_of_every_scenario_and_of_nothing_else() -> None:
    kept = {path.stem for path in HISTORIES.glob("*.json")}
    assert kept == {path.stem for path in HISTORIES.glob("*.commands")} == set(SCENARIOS)


@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_recorded_history_replays_with_todays_code(name: str) -> None:
    result = await replayer(*WORKFLOWS).replay_workflow(recorded(name))
    assert result.replay_failure is None


@pytest.mark.temporal
@pytest.mark.parametrize("name", SCENARIOS)
async def test_todays_code_gives_the_commands_of_the_baseline_in_its_order(
    name: str, houses: Houses, tmp_path: Path
) -> None:
    async with houses.built(tmp_path) as home:
        workflow_id = await SCENARIOS[name](home)
        history = await home.env.client.get_workflow_handle(workflow_id).fetch_history()
    assert fingerprint(history) == baseline(name)


@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_baseline_is_that_of_the_recorded_history(name: str) -> None:
    assert fingerprint(recorded(name)) == baseline(name)


@pytest.mark.parametrize("name", INCIDENTS)
async def test_an_incident_with_its_commands_in_another_order_is_caught(name: str) -> None:
    with pytest.raises(NondeterminismError):
        await replayer(HastyIncident).replay_workflow(recorded(name))


@pytest.mark.parametrize("name", CAMPAIGNS)
async def test_a_campaign_with_its_commands_in_another_order_is_caught(name: str) -> None:
    with pytest.raises(NondeterminismError):
        await replayer(ImpatientCampaign).replay_workflow(recorded(name))


@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_history_holds_its_input_encrypted_and_no_report_at_all(name: str) -> None:
    history = recorded(name)
    started = history.events[0].workflow_execution_started_event_attributes
    (sealed,) = started.input.payloads
    assert b"incident_id" not in sealed.data
    (clear,) = await CODEC.decode([Payload.FromString(sealed.SerializeToString())])
    (given,) = DefaultPayloadConverter().from_payloads([clear], [dict])
    assert given["exercise"] is True
    assert "Hospital" not in json.dumps(given)
    assert "Hospital" not in (HISTORIES / f"{name}.json").read_text()
