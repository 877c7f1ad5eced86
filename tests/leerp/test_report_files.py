"""What `leerp report` takes: files, folders, standard input; archives are sent back with a hint."""

from __future__ import annotations

import gzip
import io
import os
import sys
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

from leerp.report_files import STANDARD_INPUT, ReportFile, gather
from protocol.errors import Refused

LIMIT = 100_000


def below(folder: Path) -> list[tuple[str, str]]:
    """What a folder stands for, with what is wrong."""
    return [
        (str(file.path.relative_to(folder)), str(file.trouble or ""))
        for file in gather([folder], LIMIT)
    ]


def test_a_folder_stands_for_all_files_below_it_but_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.json", "a/c.json", ".git/x", "a/.hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"{}")

    assert below(tmp_path) == [("a/c.json", ""), ("b.json", "")]


def test_what_cannot_be_read_in_a_folder_is_named_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")
    (tmp_path / "b.json").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "c")
    (tmp_path / "folder").mkdir()
    (tmp_path / "d").symlink_to(tmp_path / "folder")

    found = below(tmp_path)
    assert [name for name, _ in found] == ["a.json", "b.json", "c", "d"]
    assert found[0][1] == ""
    assert "No such file" in found[1][1]
    assert found[2][1].endswith("c is no file")
    assert "link to a folder" in found[3][1]


def test_arguments_keep_their_order_and_the_missing_one_its_place(tmp_path: Path) -> None:
    (tmp_path / "z").write_bytes(b"{}")
    files = gather([tmp_path / "typo", tmp_path / "z"], LIMIT)

    assert [file.path.name for file in files] == ["typo", "z"]
    with pytest.raises(Refused, match="typo is neither a file nor a folder") as refused:
        files[0].read(LIMIT)
    assert refused.value.reason == "unreadable"


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    (only,) = gather([tmp_path], LIMIT)
    with pytest.raises(Refused, match="is a folder that holds nothing to send"):
        only.read(LIMIT)


def test_a_minus_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a report")))
    (only,) = gather([STANDARD_INPUT], LIMIT)

    assert only.read(LIMIT) == b"a report"


def test_a_pipe_that_is_named_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = threading.Thread(target=pipe.write_bytes, args=(b"a report",))
    writing.start()
    (only,) = gather([pipe], LIMIT)
    writing.join()

    assert only.read(LIMIT) == b"a report"


def test_more_on_standard_input_than_a_report_may_have_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x" * 101)))
    (only,) = gather([STANDARD_INPUT], 100)
    with pytest.raises(Refused, match="more than the 100"):
        only.read(100)


def made(kind: str, path: Path) -> None:
    """A real archive of that kind, or at least its beginning."""
    match kind:
        case "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("a.json", "{}")
        case "gzip":
            path.write_bytes(gzip.compress(b"{}"))
        case "tar":
            with tarfile.open(path, "w") as archive:
                archive.add(__file__)
        case _:
            path.write_bytes(b"7z\xbc\xaf\x27\x1c\x00\x04")


@pytest.mark.parametrize(
    ("kind", "name", "way"),
    [
        ("zip", "feed.zip", "unzip {} -d FOLDER"),
        ("zip", "FEED.ZIP", "unzip {} -d FOLDER"),
        ("zip", "feed.json", "unzip {} -d FOLDER"),
        ("gzip", "feed.json.gz", "gunzip -k {}"),
        ("gzip", "feed", "gunzip -k {}"),
        ("gzip", "feed.tar.gz", "tar -xf {} -C FOLDER"),
        ("tar", "feed.tar", "tar -xf {} -C FOLDER"),
        ("tar", "feed.txt", "tar -xf {} -C FOLDER"),
        ("7z", "feed.7z", "7z x {} -oFOLDER"),
        ("7z", "feed", "7z x {} -oFOLDER"),
    ],
)
def test_an_archive_is_refused_with_the_way_to_unpack_it(
    tmp_path: Path, kind: str, name: str, way: str
) -> None:
    path = tmp_path / name
    made(kind, path)
    with pytest.raises(Refused, match="archive") as refused:
        ReportFile(path).read(LIMIT)
    assert refused.value.reason == "archive"
    assert way.format(path) in str(refused.value)
