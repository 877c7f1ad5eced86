"""`leerp quarantine` as typed: listing in pages, counting, showing, reading again, discarding."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.database import Database
from infra.intake_limits import IntakeSettings
from infra.settings import Settings
from intake.records import RawRecord
from intake.store import Store
from leerp.demo.desks import OFFICERS
from protocol.parties import ANONYMOUS, Role, SourceGroup
from tests.e2e.support import numbered_report
from tests.leerp.typed import DONE, REFUSED, USAGE, Run, audited

MANAGER = next(each.id for each in OFFICERS if Role.DUTY_MANAGER in each.roles)
OTHER = next(each.id for each in OFFICERS if Role.DUTY_MANAGER not in each.roles)
BROKEN = b"{no json \x1b[31m"


@pytest.fixture
def filled(home: Path) -> Path:
    """Three broken records of an hour ago, and a report that yesterday's limits refused."""
    settings = Settings.load(home)
    database = Database(settings.database_url)
    records = [
        RawRecord(
            topic="leerp.intake.csirt.v1",
            partition=0,
            offset=offset,
            group=SourceGroup.CSIRT,
            principal=ANONYMOUS,
            headers={"content-type": "application/json"} if offset == 0 else {},
            body=body,
            received_at=datetime.now(UTC) - timedelta(hours=1 if offset < 3 else 24),
        )
        for offset, body in enumerate([BROKEN, BROKEN, BROKEN, numbered_report("quarantine", 1)])
    ]
    limits = IntakeSettings(max_record_bytes=100)
    stored = Store(database, settings.profile(), exercise=True, telling=lambda _: True)
    preparer = stored.preparer(limits)
    stored.settle([(each, preparer.read(each)) for each in records], source="test")
    database.close()
    return home


@pytest.mark.usefixtures("filled")
def test_the_list_goes_in_pages_and_says_how_to_go_on(run: Run) -> None:
    first = run("quarantine", "list", "--limit", "3", "--json")
    last = run("quarantine", "list", "--limit", "3", "--after", "3", "--json")

    assert [row["id"] for row in json.loads(first.out)] == [1, 2, 3]
    assert "--after 3" in first.err
    assert [row["id"] for row in json.loads(last.out)] == [4]
    assert last.err == ""


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--reason", "too-large"), [4]),
        (("--since", "2h"), [1, 2, 3]),
        (("--since", "2017-05-12"), [1, 2, 3, 4]),
        (("--topic", "leerp.intake.csirt.v1", "--group", "csirt", "--since", "3d"), [1, 2, 3, 4]),
        (("--status", "replayed"), []),
        (("--source", "cert-ee"), []),
    ],
)
def test_filters_choose(run: Run, options: tuple[str, ...], expected: list[int]) -> None:
    answer = run("quarantine", "list", *options, "--json")
    assert [row["id"] for row in json.loads(answer.out)] == expected


@pytest.mark.usefixtures("filled")
def test_a_filter_without_a_match_says_so_and_a_wrong_time_is_a_usage_error(run: Run) -> None:
    assert "that fits" in run("quarantine", "list", "--reason", "empty").out
    answer = run("quarantine", "list", "--since", "yesterday")
    assert answer.code == USAGE
    assert "2h, 7d" in answer.err


@pytest.mark.usefixtures("filled")
def test_statistics_say_reason_share_and_example(run: Run) -> None:
    rows = json.loads(run("quarantine", "stats", "--json").out)
    assert [(r["reason"], r["count"], r["share"], r["example"]) for r in rows] == [
        ("not-json", 3, 0.75, 3),
        ("too-large", 1, 0.25, 4),
    ]
    shown = run("quarantine", "stats").out
    assert "75.0%" in shown
    assert "leerp.intake.csirt.v1" in shown


def test_statistics_of_an_empty_quarantine_say_so(run: Run) -> None:
    answer = run("quarantine", "stats")
    assert answer.code == DONE
    assert "nothing was ever put into quarantine" in answer.out
    assert json.loads(run("quarantine", "stats", "--json").out) == []


@pytest.mark.usefixtures("filled")
def test_a_record_is_shown_with_headers_hint_and_harmless_preview(run: Run) -> None:
    answer = run("quarantine", "show", "1")
    assert "content-type" in answer.out
    assert "mend it with the program that wrote it" in answer.out
    assert r"\u001b[31m" in answer.out
    assert "\x1b" not in answer.out


@pytest.mark.usefixtures("filled")
def test_a_filter_chooses_what_is_read_again(run: Run) -> None:
    as_manager = ("--as", MANAGER, "--json")
    broken = run("quarantine", "replay", "--reason", "not-json", *as_manager)
    assert broken.code == REFUSED
    assert set(json.loads(broken.out)) == {"1", "2", "3"}
    fitting = run("quarantine", "replay", "--reason", "too-large", *as_manager)
    assert (fitting.code, json.loads(fitting.out)) == (DONE, {"4": "stored"})
    nothing = run("quarantine", "replay", "--reason", "too-large", "--as", MANAGER)
    assert nothing.out == "nothing in quarantine that fits\n"
    both = run("quarantine", "replay", "1", "--reason", "not-json", "--as", MANAGER)
    assert both.code == REFUSED
    assert "not by both" in both.err


def test_discarding_is_a_duty_managers_and_leaves_reason_and_record(run: Run, filled: Path) -> None:
    words = ("--reason", "their script was broken")
    refused = run("quarantine", "discard", "1", *words, "--as", OTHER)
    assert refused.code == REFUSED
    assert audited(filled, "command_refused")[0]["detail"]["command"] == "quarantine discard"
    unexplained = run("quarantine", "discard", "1", "--as", MANAGER)
    assert unexplained.code == USAGE

    done = run("quarantine", "discard", "1", "2", *words, "--as", MANAGER)
    assert (done.code, done.out) == (DONE, "discarded 1, 2: kept, see 'leerp quarantine show'\n")
    kept = json.loads(run("quarantine", "list", "--status", "discarded", "--json").out)
    assert [row["id"] for row in kept] == [1, 2]
    assert [row["id"] for row in json.loads(run("quarantine", "list", "--json").out)] == [3, 4]
    assert [r["detail"]["reason"] for r in audited(filled, "quarantine_discarded")] == [
        words[1]
    ] * 2
    again = run("quarantine", "discard", "1", *words, "--as", MANAGER)
    assert again.code == REFUSED
    assert "no open record 1 " in again.err
