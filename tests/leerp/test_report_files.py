"""What `leerp report` takes: files, folders, standard input; archives are sent back with a hint."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from leerp.report_files import STANDARD_INPUT, ReportFile, gather
from protocol.errors import Refused


def test_a_folder_stands_for_all_files_below_it_but_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.json", "a/c.json", ".git/x", "a/.hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"{}")

    assert [f.path.relative_to(tmp_path) for f in gather([tmp_path])] == [
        Path("a/c.json"),
        Path("b.json"),
    ]


def test_a_minus_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a report")))
    (only,) = gather([STANDARD_INPUT])

    assert only.read(limit=100) == b"a report"


def test_more_on_standard_input_than_a_report_may_have_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x" * 101)))
    with pytest.raises(Refused, match="more than the 100"):
        ReportFile(STANDARD_INPUT).read(limit=100)


@pytest.mark.parametrize("name", ["feed.zip", "feed.tar.gz", "FEED.ZIP"])
def test_an_archive_is_refused_with_what_to_do(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(Refused, match="unpack it") as refused:
        ReportFile(tmp_path / name).read(limit=100)
    assert refused.value.reason == "archive"


@pytest.mark.parametrize("prepare", ["missing", "empty"])
def test_what_holds_nothing_to_send_is_refused(tmp_path: Path, prepare: str) -> None:
    folder = tmp_path / "folder"
    if prepare == "empty":
        folder.mkdir()
    with pytest.raises(Refused):
        gather([folder])
