"""Processes that read records: their answers, their ends, and what they do not carry with them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from infra.intake_limits import IntakeSettings
from intake.preparing import Preparer
from intake.reading import TOO_COSTLY, Readers
from intake.records import RawRecord
from intake.sheaf import apart, joined
from intake.standing import Standings
from intake.warning_lists import WarningLists, telling_by
from protocol.errors import ServiceDown
from tests.intake.samples import LIMITS, content, profile, record

pytestmark = [pytest.mark.services, pytest.mark.asyncio]

HEAVY = ("sqlalchemy", "aiokafka", "temporalio", "structlog", "cryptography", "pydantic_settings")


def records(count: int) -> list[RawRecord]:
    odd = [b"no report", b"{", b"\x00", b""]
    return [
        record(content(f"r-{n}", "hash-1", f"ip-{n % 9}") if n % 5 else odd[n % 4], offset=n)
        for n in range(count)
    ]


@pytest.mark.requirement("R4")
async def test_a_process_of_its_own_reads_as_we_would_read_ourselves() -> None:
    preparer = Preparer(profile(), telling_by(WarningLists()), LIMITS)
    given = records(40)
    async with Readers(profile(), LIMITS) as readers:
        answers = await asyncio.gather(
            readers.read(given[:1], Standings()), readers.read(given[1:], Standings())
        )
    assert list(apart(joined(answers))) == [(each, preparer.read(each)) for each in given]


async def test_several_processes_share_the_orders() -> None:
    limits = LIMITS.model_copy(update={"readers": 2})
    given = [record(content(f"r-{n}"), offset=n) for n in range(12)]
    async with Readers(profile(), limits) as readers:
        answers = await asyncio.gather(*(readers.read([each], Standings()) for each in given))
    assert [ready.reports[0].source_id for each in answers for _, ready in each.reads] == [
        f"r-{n}" for n in range(12)
    ]


async def test_a_record_that_takes_too_long_costs_itself_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits = LIMITS.model_copy(update={"seconds_per_batch": 0.0, "seconds_per_record": 0.0})
    async with Readers(profile(), limits) as readers:
        late = await readers.read(records(2), Standings())
        assert [ready.reason for _, ready in late.reads] == [TOO_COSTLY, TOO_COSTLY]
        monkeypatch.setattr(readers, "_limits", LIMITS)
        ((_, ready),) = (await readers.read([record(content("after"))], Standings())).reads
    assert ready.reports[0].source_id == "after"


async def test_a_process_that_was_killed_is_replaced_and_the_order_is_given_again() -> None:
    async with Readers(profile(), LIMITS) as readers:
        await readers.read([record(content("first"))], Standings())
        (reader,) = children()
        os.kill(reader, signal.SIGKILL)
        ((_, ready),) = (await readers.read([record(content("second"))], Standings())).reads
        assert ready.reports[0].source_id == "second"
        assert children() != [reader]
    assert children() == []


async def test_whoever_waits_no_longer_leaves_no_process_in_the_middle_of_an_order() -> None:
    async with Readers(profile(), LIMITS) as readers:
        waiting = asyncio.create_task(readers.read(records(200), Standings()))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        ((_, ready),) = (await readers.read([record(content("next"))], Standings())).reads
    assert ready.reports[0].source_id == "next"


async def test_a_process_that_reads_carries_no_database_kafka_or_temporal() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", "import sys, intake.reader; print(*sys.modules)"),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    loaded = said.decode().split()
    assert "intake.preparing" in loaded
    assert set(HEAVY).isdisjoint(loaded)


async def test_limits_and_profile_come_over_whole() -> None:
    limits = IntakeSettings(max_record_bytes=50)
    async with Readers(profile(), limits) as readers:
        ((_, ready),) = (await readers.read([record(content("long"))], Standings())).reads
    assert ready.reason == "too-large"


async def test_a_process_that_cannot_start_is_no_records_fault() -> None:
    limits = LIMITS.model_copy(update={"reader_memory_bytes": 1_000})
    async with Readers(profile(), limits) as readers:
        with pytest.raises(ServiceDown, match="does not start"):
            await readers.read([record(content("good"))], Standings())


def children() -> list[int]:
    """Processes of ours that read."""
    tasks = Path("/proc/self/task").glob("*/children")
    found = [int(child) for task in tasks for child in task.read_text().split()]
    return [pid for pid in found if b"intake.reader" in Path(f"/proc/{pid}/cmdline").read_bytes()]
