"""``leerp campaign audit`` as typed, and what the doctor says of the last round."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from infra.database import Database
from infra.settings import Settings
from infra.tables import notification
from infra.tables_watch import watch_round
from leerp.doctor_rows import State
from leerp.doctor_watch import watch_rows
from notifications.self_audit_round import go_round, note_signal
from tests.leerp.test_cli_campaign import CAMPAIGN, frozen
from tests.leerp.typed import DONE, REFUSED, Run

__all__ = ["frozen"]


def test_the_audit_says_what_does_not_add_up_and_exits_1(run: Run, frozen: Database) -> None:
    found = run("campaign", "audit", CAMPAIGN, "--json")
    assert found.code == REFUSED
    assert {row["problem"] for row in json.loads(found.out)} == {"trail"}

    with frozen.write() as connection:
        connection.execute(
            update(notification).where(notification.c.cursor == 0).values(state="queued")
        )
    well = run("campaign", "audit")
    assert (well.code, "all is well: 1 campaign(s)" in well.out) == (DONE, True)
    assert "campaign list" in run("campaign", "audit", "inc-9.ewn.1").err


def test_the_doctor_knows_the_last_round_and_the_last_sign_of_life(
    home: Path, frozen: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEERP_WATCH__PING_URL", "https://alive.invalid/key")
    settings = Settings.load(home)
    now = datetime.now(UTC)
    assert list(watch_rows(settings)) == []

    with frozen.write() as connection:
        connection.execute(delete(notification).where(notification.c.cursor > 0))
    go_round(frozen, settings, message_key=bytes(32), now=now)
    audit, signal = watch_rows(settings)
    assert (audit.state, signal.state) == (State.WARN, State.WARN)
    assert "leerp campaign audit" in audit.advice
    assert "kept back" in signal.advice
    assert "alive.invalid" not in f"{audit} {signal}"

    with frozen.write() as connection:
        connection.execute(update(watch_round).values(findings=0))
    note_signal(frozen, "", now)
    assert [row.state for row in watch_rows(settings)] == [State.OK, State.OK]
    with frozen.write() as connection:
        connection.execute(update(watch_round).values(at=now - timedelta(hours=2)))
    audit, _ = watch_rows(settings)
    assert (audit.state, "leerp up" in audit.advice) == (State.WARN, True)
    frozen.close()
