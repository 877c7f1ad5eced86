"""Documents that attack the reader: F-K4, F-K5. Read in a process of their own, watched from here."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.faults.bombs import MEGABYTE, archives, in_a_mail, xml_bombs
from tests.faults.watched import guarded

SECRET = "the-secret-of-the-file"
MOST_SECONDS = 0.1
"""Of the processor: what else runs on the machine is not the reader's doing."""
MOST_GROWTH = 20 * MEGABYTE


@dataclass(frozen=True, slots=True)
class Read:
    """What became of one bomb."""

    reason: str
    seconds: float
    growth: float
    leaked: bool


def read_all_of(bombs: dict[str, bytes], folder: Path) -> dict[str, Read]:
    """Read each in one fresh process."""
    for name, body in bombs.items():
        (folder / f"{name}.bomb").write_bytes(body)
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.read_bombs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    reads = {name: Read(*values) for name, *values in rows}
    assert set(reads) == set(bombs)
    return reads


def failures(reads: dict[str, Read]) -> dict[str, Read]:
    return {
        name: read
        for name, read in reads.items()
        if not read.reason
        or read.leaked
        or read.seconds >= MOST_SECONDS
        or read.growth >= MOST_GROWTH
    }


def test_fk4_xml_bombs_are_refused_at_once_without_memory_files_or_network(tmp_path: Path) -> None:
    secret = tmp_path / "outside"
    secret.write_text(SECRET)
    (tmp_path / "secret").write_text(SECRET)
    with guarded(secret) as guard:
        reads = read_all_of(xml_bombs(str(secret), guard.port), tmp_path)
        assert not guard.touched()
    assert failures(reads) == {}
    assert reads["billion laughs"].reason == reads["entity of a file"].reason == "xml-dtd"
    assert reads["gzip of XML"].reason == "archive"


def test_fk4_the_guard_of_this_test_notices_a_file_that_is_opened(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text(SECRET)
    with guarded(tmp_path / "outside") as guard:
        assert not guard.touched()
        (tmp_path / "outside").read_text()
        assert guard.touched()


def test_fk5_archives_are_refused_before_anything_of_them_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    bombs = archives()
    assert sum(map(len, bombs.values())) < 4 * MEGABYTE
    bombs |= {f"{name} in a mail": in_a_mail(body) for name, body in bombs.items()}
    reads = read_all_of(bombs, tmp_path)
    assert failures(reads) == {}
    assert {read.reason for name, read in reads.items() if not name.endswith("mail")} == {"archive"}
    assert not any(folder.joinpath("leerp-slipped").exists() for folder in tmp_path.parents)
