"""How much each source sends, counted with the batch that brings it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import delete, event

from infra.database import Database
from infra.tables_sources import source_hour
from intake.sheaf import Read
from intake.source_traffic import Traffic, count_records, traffic
from tests.intake.registry import sent, settle
from tests.intake.samples import START, content, read, record, store_of

SENDERS = ["cert-ee", "cert-fi", "anonymous"]
Sent = tuple[str, int, bool]
"""By whom, how many minutes after the start, and whether it can be read."""


def outcome(by: str, minutes: int, readable: bool) -> Read:
    body = content("a") if readable else b"{no report"
    plain = record(body) if by == "anonymous" else sent(body, by)
    (found,) = read(replace(plain, received_at=START + timedelta(minutes=minutes)))
    return found


def found(database: Database, since_hours: int = -1) -> dict[str, Traffic]:
    with database.read() as connection:
        return traffic(connection, busiest_since=START + timedelta(hours=since_hours))


@settings(
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from(SENDERS), st.integers(0, 200), st.booleans()), max_size=6
        ),
        max_size=4,
    )
)
def test_however_batches_are_cut_each_record_of_a_source_counts_once_in_its_hour(
    database: Database, batches: list[list[Sent]]
) -> None:
    with database.write() as connection:
        connection.execute(delete(source_hour))
        for batch in batches:
            count_records(database, connection, [outcome(*each) for each in batch])

    begin = START.replace(minute=0, second=0)
    hours: Counter[tuple[str, int]] = Counter()
    expected: dict[str, Traffic] = {}
    for by, minutes, readable in (each for batch in batches for each in batch):
        if by == "anonymous":
            continue
        hour = int((START + timedelta(minutes=minutes) - begin).total_seconds() // 3_600)
        hours[by, hour] += 1
        before = expected.get(by, Traffic(last_hour=begin))
        assert before.last_hour
        expected[by] = Traffic(
            records=before.records + 1,
            refused=before.refused + (not readable),
            last_hour=max(before.last_hour, begin + timedelta(hours=hour)),
            busiest=max(before.busiest, hours[by, hour]),
        )
    assert found(database) == expected


def test_the_fullest_hour_is_looked_for_since_the_time_that_was_asked_for(
    database: Database,
) -> None:
    with database.write() as connection:
        early = [outcome("cert-ee", 0, readable=True)] * 3
        late = [outcome("cert-ee", 600, readable=True)]
        count_records(database, connection, early + late)

    assert found(database)["cert-ee"].busiest == 3
    assert found(database, since_hours=5)["cert-ee"].busiest == 1
    assert found(database, since_hours=50)["cert-ee"].busiest == 0


@pytest.mark.parametrize("records", [1, 200])
def test_counting_takes_two_statements_for_a_batch_of_any_size(
    database: Database, records: int
) -> None:
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    outcomes = [outcome(SENDERS[n % 2], n % 120, readable=True) for n in range(records)]
    with database.write() as connection:
        asked.clear()
        count_records(database, connection, outcomes)
        assert len(asked) == 2
        count_records(database, connection, read(record(content("a"))))
        assert len(asked) == 2


def test_what_is_settled_twice_is_counted_once(database: Database) -> None:
    records = [sent(content(f"r{n}"), "cert-ee", offset=n) for n in range(3)]
    bad = sent(b"{no report", "cert-ee", offset=3)
    settle(store_of(database), *records, bad)
    settle(store_of(database), *records, bad)

    sums = found(database)["cert-ee"]
    assert (sums.records, sums.refused) == (4, 1)
