"""``leerp bench campaign``: a warning to many, against controls, on one machine in one run.

Source: reliability 1.6; issue 7.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.services.ports import LOOPBACK, Ports
from infra.services.supervisor import Supervisor
from leerp.bench import campaign_cast as cast
from leerp.bench.campaign_acks import acknowledge_round, bare_application, guessed_round
from leerp.bench.campaign_gates import CLIENTS, measure
from leerp.bench.campaign_ground import CampaignGround, build_all, freeze_all, home_in
from leerp.bench.campaign_plan import CampaignPlan
from leerp.bench.campaign_relay import (
    FAR_CONNECTIONS,
    NEAR_CONNECTIONS,
    round_of,
    source,
    start_distance,
    start_sink,
    tool,
)
from leerp.bench.campaign_whole import Whole, whole_campaign
from leerp.bench.chart import Curve
from leerp.bench.machine import describe
from leerp.bench.processes import output_of
from leerp.bench.ratios import Round, of_pair, of_rounds
from leerp.bench.result import Result
from leerp.bench.screen import Screen

MB = 1e6
INNER = 40_000
"""Bytes that are signed in a mail of R7, at least: with its files a warning may have more."""
INDICATORS = 100
"""Of the warning by which is found how many it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way to the relay."""

    port: int
    connections: int
    mails: int
    control_mails: int

    @property
    def environment(self) -> dict[str, str]:
        """By which a sender finds it."""
        return {
            "LEERP_SMTP__HOST": LOOPBACK,
            "LEERP_SMTP__PORT": str(self.port),
            "LEERP_SMTP__CONNECTIONS": str(self.connections),
        }


async def bench_campaign(folder: Path, plan: CampaignPlan, screen: Screen) -> Result:
    """Measure in ``folder``, which must be empty.

    Raises:
        ServiceDown: a service or a run failed, or Postfix's tools are not here.
    """
    for needed in ("smtp-sink", "smtp-source"):
        tool(needed)
    found = Result(bench="campaign", machine=describe(folder))
    await _send(folder / "send", plan, screen, found)
    await _acknowledge(folder / "acknowledge", plan, screen, found)
    await _build(folder / "build", plan, screen, found)
    await _live(folder / "live", plan, screen, found)
    return found


async def _send(folder: Path, plan: CampaignPlan, screen: Screen, found: Result) -> None:
    """R6 and R6d, on copies of a home whose outbox is full of mails that are built."""
    ground = _ground(folder)
    rounds: dict[str, list[Round]] = {"R6": [], "R6d": []}
    async with _ways(folder, plan) as ways:
        with screen.step("building the mails", plan.recipients):
            ground.make_template(plan.recipients, with_keys=False)
            home = home_in(ground.template, **ways["R6"].environment)
            freeze_all(home, cast.closure(datetime.now(UTC)), cast.CLOSURE)
            size = await build_all(home, cast.CLOSURE, plan.recipients)
        for number in range(1, plan.rounds + 1):
            for ratio, way in ways.items():
                with screen.step(_name(ratio, number, plan), way.mails):
                    rounds[ratio].append(await _send_round(ground, way, size))
    found.absolute |= {"recipients": plan.recipients, "bytes_of_a_mail": size}
    found.add(*(of_rounds(measure(ratio), each) for ratio, each in rounds.items()))


async def _acknowledge(folder: Path, plan: CampaignPlan, screen: Screen, found: Result) -> None:
    """R14 and F-A4, on copies of a home where everybody was warned."""
    ground = _ground(folder)
    home = ground.make_template(plan.recipients)
    freeze_all(home, cast.warning(datetime.now(UTC)), cast.EWN)
    async with bare_application(folder) as control:
        for ratio, clients in CLIENTS.items():
            rounds = []
            for number in range(1, plan.rounds + 1):
                with screen.step(_name(ratio, number, plan), plan.recipients):
                    rounds.append(await acknowledge_round(ground, clients, control))
            found.add(of_rounds(measure(ratio), rounds))
    rounds = []
    for number in range(1, plan.rounds + 1):
        with screen.step(_name("F-A4", number, plan), 1):
            rounds.append(await guessed_round(ground))
    found.add(of_rounds(measure("F-A4"), rounds))


@asynccontextmanager
async def _ways(folder: Path, plan: CampaignPlan) -> AsyncIterator[dict[str, Way]]:
    ports = Ports(folder)
    async with Supervisor() as supervisor:
        sink = await start_sink(supervisor, folder, ports)
        distant = await start_distance(supervisor, folder, ports, sink)
        yield {
            "R6": Way(
                port=sink,
                connections=NEAR_CONNECTIONS,
                mails=plan.recipients,
                control_mails=plan.control_mails,
            ),
            "R6d": Way(
                port=distant,
                connections=FAR_CONNECTIONS,
                mails=plan.delayed,
                control_mails=plan.delayed,
            ),
        }


async def _send_round(ground: CampaignGround, way: Way, size: int) -> Round:
    async def control() -> float:
        return await source(
            way.port, mails=way.control_mails, size=size, connections=way.connections
        )

    with ground.home(**way.environment) as home:
        before = await control()
        said = await output_of(
            *("leerp.bench.campaign_sender", str(home.folder), cast.CLOSURE, str(way.mails)),
            environment=home.environment,
        )
        return round_of(float(json.loads(said)), (before, await control()))


async def _build(folder: Path, plan: CampaignPlan, screen: Screen, found: Result) -> None:
    """R7, on a warning so long that 40 kB are signed, or more where its files make it so."""
    ground = _ground(folder)
    ground.make_template(plan.builds)
    with screen.step("finding how long the warning must be", 1):
        sizes = [(await _build_once(ground, n, 1))[0] for n in (0, INDICATORS)]
    each = (sizes[1] - sizes[0]) / INDICATORS
    indicators = max(0, round((INNER - sizes[0]) / each))
    rounds = []
    for number in range(1, plan.rounds + 1):
        with screen.step(_name("R7", number, plan), plan.builds):
            inner, before, subject, after, shared = await _build_once(
                ground, indicators, plan.builds
            )
        rounds.append(round_of(subject, (before, after)))
    found.absolute |= {"bytes_that_are_signed": inner, "seconds_for_shared_parts": shared}
    found.add(of_rounds(measure("R7"), rounds))


async def _build_once(ground: CampaignGround, indicators: int, mails: int) -> list[float]:
    with ground.home() as home:
        ground.write_key(home)
        await asyncio.to_thread(
            freeze_all, home, cast.warning(datetime.now(UTC), indicators), cast.EWN
        )
        said = await output_of(
            *("leerp.bench.campaign_build", str(home.folder), cast.EWN, str(mails)),
            environment=home.environment,
        )
    measured: list[float] = json.loads(said)
    return measured


async def _live(folder: Path, plan: CampaignPlan, screen: Screen, found: Result) -> None:
    """R5, the memory, and how long a whole campaign takes."""
    ground = _ground(folder)
    ground.make_template(plan.recipients)
    with screen.step("a whole campaign", plan.recipients) as told:
        whole = await whole_campaign(ground, plan.recipients, told)
    found.add(
        of_pair(measure("R5"), whole.events, plan.recipients),
        of_pair(measure("memory"), whole.late_memory / MB, whole.early_memory / MB),
    )
    found.absolute["campaign"] = _figures(whole, plan.recipients)
    found.curves.append(Curve.of("from release to the last accepted", whole.timeline))


def _figures(whole: Whole, recipients: int) -> dict[str, Any]:
    return {
        "release_to_first_accepted_s": whole.first,
        "release_to_last_accepted_s": whole.seconds,
        "mails_per_second": recipients / whole.seconds,
        "history_events": whole.events,
        "worker_peak_rss_mb": whole.peak_memory / MB,
    }


def _name(ratio: str, number: int, plan: CampaignPlan) -> str:
    return f"{ratio}, round {number} of {plan.rounds}"


def _ground(folder: Path) -> CampaignGround:
    folder.mkdir()
    return CampaignGround(folder)
