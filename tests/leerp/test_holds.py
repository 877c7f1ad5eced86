"""What people see of a source that is held, and how they let it go on."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.database import Database
from infra.settings import Settings
from intake.brakes import Hold, Reason
from intake.holds import begin_holds
from intake.status import status_file
from leerp.demo.officers import DUTY_OFFICER, MANAGER
from leerp.doctor import examine
from leerp.doctor_rows import Row, State
from tests.leerp.typed import DONE, REFUSED, Run, audited

TOPIC = "leerp.intake.csirt.v1.acme"


def hold(home: Path) -> None:
    database = Database(Settings.load(home).database_url)
    now = datetime.now(UTC)
    held = Hold(
        reason=Reason.REFUSALS,
        since=now,
        until=now + timedelta(minutes=1),
        detail={"read": 1_000, "refused": 800, "in_a_row": 1},
    )
    with database.write() as connection:
        begin_holds(connection, {(TOPIC, 2): held})
    database.close()


def test_a_held_source_is_listed_with_why_and_what_to_do(run: Run, home: Path) -> None:
    assert "every source is read" in run("quarantine", "holds").out
    hold(home)
    (row,) = json.loads(run("quarantine", "holds", "--json").out)
    assert (row["place"], row["reason"]) == (f"{TOPIC}/2", "refusals")
    assert row["why"] == "800 of its newest 1000 records were refused"
    assert "1 held back from intake: see 'leerp quarantine holds'" in run("quarantine", "list").err


def test_only_an_administrator_resumes_a_held_source(run: Run, home: Path) -> None:
    hold(home)
    refused = run("quarantine", "resume", TOPIC, "--as", DUTY_OFFICER)
    assert refused.code == REFUSED
    done = run("quarantine", "resume", TOPIC, "--as", MANAGER, "--json")
    assert (done.code, json.loads(done.out)) == (DONE, [{"place": f"{TOPIC}/2"}])
    (row,) = audited(home, "intake_resumed")
    assert (row["actor"], row["channel"]) == (MANAGER, "cli")
    again = run("quarantine", "resume", TOPIC, "--as", MANAGER)
    assert (again.code, "is not held" in again.err) == (REFUSED, True)


def test_doctor_tells_of_held_sources_and_of_intake_that_waits(home: Path) -> None:
    hold(home)
    since = datetime.now(UTC)
    with status_file(home) as status:
        assert status.tell("ok", "", since)
        assert rows_of(home, "intake (process")[0].state is State.OK
        status.tell("disk-full", "free some", since)
        (waiting,) = rows_of(home, "intake (process")
    assert (waiting.state, waiting.advice) == (State.WARN, "free some")
    assert waiting.version == f"disk-full since {since.isoformat()}"
    assert rows_of(home, "intake (process") == []
    (held,) = rows_of(home, f"source {TOPIC}/2")
    assert "leerp quarantine resume" in held.advice


def rows_of(home: Path, part: str) -> list[Row]:
    return [row for row in asyncio.run(examine(home)) if row.part.startswith(part)]
