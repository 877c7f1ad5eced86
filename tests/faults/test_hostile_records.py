"""What strangers put on the topics, through the real broker: F-K1, F-K2, F-K3, F-K6, F-K7, F-K10."""

from __future__ import annotations

import json
import math
import time
import unicodedata
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from infra import kafka
from infra.database import Database
from infra.tables import incident, report, retraction
from intake.holds import resume
from leerp.output import visible
from protocol.parties import SourceGroup
from protocol.report import Relation
from tests.e2e.support import until
from tests.faults.conftest import Grounds
from tests.faults.ground import Ground, forget_peak, memory
from tests.faults.scale import Scale
from tests.faults.storm import BATCH, storm
from tests.intake.samples import body_of, content, read_all, store_of

pytestmark = [pytest.mark.asyncio, pytest.mark.services]

POISON = 0.01
LEAST_RATE = 0.9
LEAST_ROUNDS, MOST_ROUNDS = 3, 15
LARGE_RECORDS, WINDOWS = 10, 6
COPIES = 6
"""Of one large record at a time, at most: the broker's answer, the record, the row, on their way."""
MEGABYTE = 1_000_000


# F-K1


@pytest.mark.requirement("R4")
async def test_fk1_one_per_cent_of_poison_is_refused_once_each_and_stalls_no_partition(
    grounds: Grounds, scale: Scale, seed: int, tmp_path: Path
) -> None:
    ground = await grounds()
    size = scale.storm // scale.repetitions
    poisoned = storm("fk1", size, seed, hostile=max(POISON, 7 / size))
    async with ground.intake_here():
        await ground.publish(poisoned.bodies)
        await ground.until_settled(len(poisoned.bodies), seconds=scale.patience)
    await ground.check(poisoned, tmp_path, seed=seed)
    assert ground.refused() == poisoned.reasons
    assert ground.held() == []


def seconds_to_settle(folder: Path, number: int, bodies: list[bytes]) -> float:
    """Seconds of the processor for reading and storing."""
    database = Database(f"sqlite:///{folder / f'rate-{number}.db'}")
    database.migrate()
    store = store_of(database)
    begun = time.process_time()
    for first in range(0, len(bodies), BATCH):
        store.settle(read_all(bodies[first : first + BATCH], first=first), source="rate")
    spent = time.process_time() - begun
    database.close()
    return spent


async def test_fk1_one_per_cent_of_poison_costs_less_than_a_tenth_of_the_rate(
    tmp_path: Path,
) -> None:
    """The best of each counts, for as many rounds as it takes: load only ever adds."""
    clean, poisoned = math.inf, math.inf
    for number in range(MOST_ROUNDS):
        bodies = storm("clean", 1_000, number).bodies
        clean = min(clean, seconds_to_settle(tmp_path, 2 * number, bodies) / len(bodies))
        bodies = storm("poison", 990, number, hostile=POISON).bodies[: len(bodies)]
        poisoned = min(poisoned, seconds_to_settle(tmp_path, 2 * number + 1, bodies) / len(bodies))
        if number >= LEAST_ROUNDS and clean / poisoned >= LEAST_RATE:
            break
    assert clean / poisoned >= LEAST_RATE, (clean, poisoned)


# F-K2


@pytest.mark.requirement("R4")
async def test_fk2_large_records_leave_no_more_than_twice_their_size_in_memory(
    grounds: Grounds,
) -> None:
    ground = await grounds()
    size = 4 * MEGABYTE + 1
    sent = 0

    async def least_memory(records: int) -> int:
        """What stays when each is settled: one that is still on its way does not count."""
        nonlocal sent
        least = []
        for _ in range(records):
            await ground.publish([b"%d" % sent + b" " * size])
            sent += 1
            await ground.until_settled(sent)
            least.append(memory(process.pid)["VmRSS"])
        return min(least)

    with ground.intake() as process:
        after = await least_memory(LARGE_RECORDS)
        for _ in range(WINDOWS):  # caches fill up first; what is lost with each record never ends
            before = after
            forget_peak(process.pid)
            after = await least_memory(LARGE_RECORDS)
            peak = memory(process.pid)["VmHWM"]
            if after - before <= 2 * size:
                break
    assert ground.refused() == {"too-large": sent}
    assert after - before <= 2 * size, (before, after)
    assert peak - before <= COPIES * size, (before, peak)


# F-K3


UNICODE = {
    "lone surrogate": '"\\ud800"',
    "NUL": '"a\\u0000b"',
    "raw NUL": '"a\x00b"',
    "control": '"\\u001b[2J"',
    "right to left": '"\\u202eexe.txt"',
    "homoglyph": '"p\\u0430ypal"',
    "composed": '"caf\\u00e9"',
    "decomposed": '"cafe\\u0301"',
    "four bytes": '"\U0001f6a8"',
    "separators": '"a\\u2028b\\u2029c\\u0085d"',
}
REFUSED = {"lone surrogate", "NUL", "raw NUL", "control"}


def with_title(name: str, title: str) -> bytes:
    """A report with a title as it stands in JSON."""
    body = json.loads(body_of(content(name, "hash-1", title="TITLE")))
    return json.dumps(body).replace('"TITLE"', title).encode()


async def test_fk3_malformed_unicode_is_refused_or_stored_safely_and_shown_escaped(
    grounds: Grounds,
) -> None:
    ground = await grounds()
    bodies = [with_title(name, title) for name, title in UNICODE.items()]
    bodies.append(with_title("overlong", '"x"').replace(b'"x"', b'"\xc0\xaf"'))
    async with ground.intake_here():
        await ground.publish(bodies)
        await ground.until_settled(len(bodies))
    with ground.database.read() as connection:
        rows = connection.execute(select(report.c.source_id, report.c.title)).all()
    titles = {row.source_id: row.title for row in rows}
    refused = ground.refused().total()
    assert refused + len(titles) == len(bodies)
    assert REFUSED & set(titles) == set()
    for title in titles.values():
        assert unicodedata.is_normalized("NFC", title)
        shown = visible(title)
        assert not any(unicodedata.category(ch) in {"Cc", "Cf", "Cs"} for ch in shown)
        shown.encode()
    assert titles["composed"] == titles["decomposed"] == "caf\u00e9"
    assert titles["homoglyph"] != "paypal"


async def test_fk3_twins_of_one_text_are_one_report_whatever_form_they_came_in(
    grounds: Grounds,
) -> None:
    ground = await grounds()
    twins = [with_title("twin", UNICODE[form]) for form in ("composed", "decomposed")]
    async with ground.intake_here():
        await ground.publish(twins)
        await ground.until_settled(2)
    with ground.database.read() as connection:
        assert connection.scalars(select(report.c.duplicates)).all() == [1]


# F-K10


async def test_fk10_a_source_that_names_itself_another_changes_nothing_of_the_others(
    grounds: Grounds, scale: Scale
) -> None:
    """Who sent it is the topic's and the principal's to say, never the payload's."""
    ground = await grounds()
    fakes = 200 * scale.repetitions
    true = content("victim-1", "hash-1", title="true")
    lies = [
        body_of(
            content(
                "victim-1",
                "hash-1",
                title=f"lie {number}",
                relations=(Relation(kind="withdraws", id="victim-1"),),
            )
        )
        for number in range(fakes)
    ]
    async with ground.intake_here():
        await ground.publish([body_of(true)], SourceGroup.LAW_ENFORCEMENT)
        await ground.until_settled(1)
        before = rows_of(ground)
        await ground.publish(lies, SourceGroup.PRIVATE_SECTOR)
        await ground.until_settled(1 + fakes, seconds=scale.patience)
    after = rows_of(ground)
    assert {key: after[key] for key in before} == before
    assert Counter(row["group"] for row in after.values()) == {
        SourceGroup.LAW_ENFORCEMENT: 1,
        SourceGroup.PRIVATE_SECTOR: fakes,
    }
    with ground.database.read() as connection:
        assert set(connection.scalars(select(retraction.c.named))) <= {"victim-1"}
        statuses = set(connection.scalars(select(incident.c.status)))
    assert statuses <= {"triage", "merged"}, "volume alone makes no detection"


def rows_of(ground: Ground) -> dict[str, dict[str, Any]]:
    with ground.database.read() as connection:
        rows = connection.execute(
            select(report.c.id, report.c.group, report.c.title, report.c.duplicates)
        ).mappings()
        return {row["id"]: dict(row) for row in rows}


async def test_fk10_a_source_is_held_when_its_quota_is_used_up_and_no_other_is(
    grounds: Grounds,
) -> None:
    ground = await grounds()
    quota, sent, before = 150, 400, datetime.now(UTC)
    source = kafka.topic_of(SourceGroup.PRIVATE_SECTOR)
    flood = [body_of(content(f"flood-{n}", f"hash-{n}")) for n in range(sent)]
    good = storm("beside", 200, 0)
    async with ground.intake_here(lambda topic: quota if topic == source else None):
        await ground.publish(flood, SourceGroup.PRIVATE_SECTOR)
        await until(lambda: ground.held() == [source])
        await ground.publish(good.bodies)
        await until(lambda: len(rows_of(ground)) >= quota + len(good.names))
        taken = of_group(ground, SourceGroup.PRIVATE_SECTOR)
        an_hour_ended = datetime.now(UTC).hour != before.hour
        assert quota <= taken <= quota * (1 + an_hour_ended)
        with ground.database.write() as connection:
            resume(connection, source, by="officer", channel="test")
        await until(lambda: of_group(ground, SourceGroup.PRIVATE_SECTOR) >= 2 * quota)


def of_group(ground: Ground, group: SourceGroup) -> int:
    return sum(row["group"] == group for row in rows_of(ground).values())


# What protects: the limit of the quarantine


@pytest.mark.requirement("R4")
async def test_fk1_a_source_that_only_sends_poison_is_paused_and_the_others_go_on(
    grounds: Grounds,
) -> None:
    ground = await grounds(refusal_window=200, refusal_pause="PT1H")
    broken = [b"no report %d" % n for n in range(2_000)]
    good = storm("others", 300, 0)
    async with ground.intake_here():
        await ground.publish(broken, SourceGroup.OSINT)
        await until(lambda: len(ground.held()) == kafka.PARTITIONS)
        filled = ground.refused().total()
        await ground.publish(good.bodies)
        await until(lambda: ground.settled() >= ground.refused().total() + len(good.bodies))
        assert ground.refused().total() == filled < len(broken)
