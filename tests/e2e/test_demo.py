"""`leerp demo`, typed as a person would: to its end, and stopped half-way."""

from __future__ import annotations

import json
import signal
import subprocess
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest

from infra.services.home import LOCK_FILE
from protocol.stages import Stage
from tests.infra.processes import children_of, has_ended, python

pytestmark = [pytest.mark.services, pytest.mark.timeout(420)]


@pytest.mark.requirement("R3", "R4", "R5", "R23", "R24", "R33", "R41", "R48", "R49", "R72")
def test_the_demo_goes_from_the_first_reports_to_closure_and_its_json_says_so(
    tmp_path: Path,
) -> None:
    home, summary, picture = tmp_path / "home", tmp_path / "demo.json", tmp_path / "board.svg"
    arguments = ("--home", str(home), "--json", str(summary), "--picture", str(picture))
    with python("-m", "leerp", "demo", *arguments) as demo:
        assert demo.stdout is not None
        printed = demo.stdout.read()
        assert demo.wait(120) == 0, printed
    found = json.loads(summary.read_text())

    assert found["problems"] == []
    assert found["exercise"] is True
    assert [each["stage"] for each in found["stages"]] == list(Stage)
    times = [
        datetime.fromisoformat(each[key]) for each in found["stages"] for key in ("entered", "left")
    ]
    assert times == sorted(times)
    reports = found["reports"]
    assert reports["published"] == sum(
        reports[key] for key in ("stored", "duplicates", "quarantined")
    )
    assert reports["duplicates"] > 0
    assert reports["quarantined"] >= 2
    assert found["classification"]["class"] == "C4"
    assert found["classification"]["recommendation"] == "launch"
    assert {"T1", "T2", "T5"} <= set(found["classification"]["triggers"])
    notices = found["notices"]
    assert all(n["recipients"] >= 27 and n["accepted"] == n["recipients"] for n in notices.values())
    assert notices["ewn"]["acknowledged"] == notices["ewn"]["recipients"]
    assert notices["ewn"]["escalated"] >= 1
    assert notices["closure"]["recipients"] == notices["initial"]["recipients"]
    assert found["audit"]["verified"] is True
    in_time = all(each["in_time"] for each in found["stages"])
    assert found["history_events"] < (500 if in_time else 1_000)
    assert "EXERCISE" in (home / "demo" / "decrypted" / "ewn.txt").read_text()
    assert picture.read_text().startswith("<svg")
    assert not (home / LOCK_FILE).exists()


def test_ctrl_c_in_the_middle_of_the_demo_leaves_no_process_and_no_lock(tmp_path: Path) -> None:
    with python("-m", "leerp", "demo", "--home", str(tmp_path)) as demo:
        assert demo.stdout is not None
        while not any((tmp_path / "maildir" / "new").glob("*")):
            with suppress(subprocess.TimeoutExpired):
                demo.wait(0.1)
                pytest.fail(demo.stdout.read())
        children = children_of(demo.pid)
        demo.send_signal(signal.SIGINT)
        demo.stdout.read()
        assert demo.wait(120) == 1

    assert len(children) >= 6
    assert all(has_ended(child) for child in children)
    assert not (tmp_path / LOCK_FILE).exists()
