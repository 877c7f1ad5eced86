"""A home is its owner's only and held by one `up` at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.services.home import LOCK_FILE, hold, holder, make_home, settle_realm
from infra.settings import Settings
from protocol.errors import Refused, ServiceDown
from tests.infra.processes import has_ended, python, read_until

pytestmark = pytest.mark.services

HOLDING = """
import pathlib, signal, sys
from infra.services.home import hold
with hold(pathlib.Path(sys.argv[1])):
    print("held")
    signal.pause()
"""


def test_a_second_holder_is_told_who_holds_the_home(tmp_path: Path) -> None:
    with python("-c", HOLDING, str(tmp_path)) as process:
        read_until(process, "held")

        assert holder(tmp_path) == process.pid
        with pytest.raises(ServiceDown, match=f"held by process {process.pid}"), hold(tmp_path):
            pass
        assert holder(tmp_path) == process.pid


def test_the_hold_ends_with_a_process_that_is_killed(tmp_path: Path) -> None:
    with python("-c", HOLDING, str(tmp_path)) as process:
        read_until(process, "held")
        process.kill()
        process.wait()
        assert has_ended(process.pid)

    assert holder(tmp_path) is None
    with hold(tmp_path):
        assert holder(tmp_path) is not None


def test_no_lock_file_is_left_behind(tmp_path: Path) -> None:
    with hold(tmp_path):
        assert (tmp_path / LOCK_FILE).exists()

    assert not (tmp_path / LOCK_FILE).exists()


def test_a_home_that_is_made_is_for_its_owner_only(tmp_path: Path) -> None:
    home = make_home(tmp_path / "new" / "home")

    assert home.stat().st_mode & 0o777 == 0o700
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("place", ["file/home", "/proc/leerp-home"])
def test_a_home_that_cannot_be_written_is_refused_with_the_way_out(
    tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ServiceDown, match="choose another folder with --home"):
        make_home(tmp_path / place)


def test_an_exercise_stays_one_whatever_later_starts_say(tmp_path: Path) -> None:
    first = settle_realm(tmp_path, Settings(home=tmp_path, exercise=True, clock_factor=60))
    later = settle_realm(tmp_path, Settings(home=tmp_path))

    assert first.exercise
    assert later.exercise
    assert later.clock_factor == 60
    assert Settings.load(tmp_path).exercise


def test_a_live_home_is_never_brought_up_as_an_exercise(tmp_path: Path) -> None:
    settle_realm(tmp_path, Settings(home=tmp_path))

    with pytest.raises(Refused, match="never becomes one"):
        settle_realm(tmp_path, Settings(home=tmp_path, exercise=True))
