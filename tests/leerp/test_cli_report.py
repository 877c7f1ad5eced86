"""`leerp report` as typed, on a real broker with intake running: what is sent, and what became of it."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from infra.bootstrap import App
from infra.bootstrap import app as open_app
from infra.kafka import topic_of
from intake.consumer import run_intake
from protocol.parties import SourceGroup
from tests.conftest import running
from tests.e2e.support import numbered_report
from tests.infra.processes import python, read_until
from tests.intake.samples import body_of, content
from tests.intake.topics import lying_in
from tests.leerp.typed import DONE, DOWN, REFUSED

pytestmark = [pytest.mark.services, pytest.mark.asyncio]

INTERRUPTED = 130


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    async with running(tmp_path_factory.mktemp("report")) as settings:
        with open_app(settings.home) as opened:
            yield opened


@asynccontextmanager
async def intake_of(app: App) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(run_intake(app, stop))
    try:
        yield
    finally:
        stop.set()
        await task


def command(app: App, *arguments: object) -> list[str]:
    home = str(app.settings.home)
    return [sys.executable, "-m", "leerp", "report", *map(str, arguments), "--home", home]


async def typed(
    app: App, *arguments: object, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    return await asyncio.to_thread(
        subprocess.run, command(app, *arguments), input=stdin, capture_output=True, check=False
    )


def lines(answer: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.stdout.splitlines()]


def folder_of(path: Path, *bodies: bytes) -> Path:
    path.mkdir()
    for number, body in enumerate(bodies):
        (path / f"{number:04d}.json").write_bytes(body)
    return path


async def test_with_wait_each_file_has_its_fate_in_the_order_of_the_files(
    app: App, tmp_path: Path
) -> None:
    one, two = body_of(content("fate-1", "hash-1")), body_of(content("fate-2"))
    both = b"[" + two + b"," + body_of(content("fate-3", "ip-1", "ip-2")) + b"]"
    folder = folder_of(tmp_path / "f", one, b"{half", one, both)
    async with intake_of(app):
        answer = await typed(app, folder, "--group", "csirt", "--wait", "--json")
        again = await typed(app, folder / "0000.json", "--group", "csirt", "--wait", "--json")

    found = lines(answer)
    assert [Path(each["file"]).name for each in found] == [f"000{n}.json" for n in range(4)]
    assert [each["published"] for each in found] == [1, 1, 1, 1]
    assert [each["stored"] for each in found] == [1, 0, 0, 2]
    assert [each["duplicates"] for each in found] == [0, 0, 1, 0]
    assert [each["indicators"] for each in found] == [1, 0, 1, 2]
    assert [len(each["incidents"]) for each in found] == [1, 0, 1, 2]
    assert [[q["reason"] for q in each["quarantined"]] for each in found] == [
        [],
        ["not-json"],
        [],
        [],
    ]
    assert answer.returncode == REFUSED
    assert set(found[0]) == {
        "file", "published", "stored", "duplicates", "quarantined", "indicators", "incidents",
    }  # fmt: skip
    (repeated,) = lines(again)
    assert (repeated["stored"], repeated["duplicates"]) == (0, 1)
    assert again.returncode == DONE


async def test_what_cannot_be_sent_is_named_in_its_place_and_the_rest_is_sent(
    app: App, tmp_path: Path
) -> None:
    topic = topic_of(SourceGroup.PRIVATE_SECTOR)
    folder = folder_of(tmp_path / "f", body_of(content("rest-1")), body_of(content("rest-2")))
    (folder / "0000.zip").write_bytes(b"PK\x03\x04 and more")
    (folder / "0001a.json").write_bytes(b"x" * 4_000_001)
    (folder / "gone.json").symlink_to(tmp_path / "nowhere")
    arguments = (tmp_path / "typo", folder, "--group", "private-sector")
    before = len(await lying_in(app.settings.kafka, topic))
    answer = await typed(app, *arguments, "--json")

    assert answer.returncode == REFUSED
    assert [(Path(x["file"]).name, x.get("refused", {}).get("reason")) for x in lines(answer)] == [
        ("typo", "unreadable"),
        ("0000.json", None),
        ("0000.zip", "archive"),
        ("0001.json", None),
        ("0001a.json", "too-large"),
        ("gone.json", "unreadable"),
    ]
    sent = await lying_in(app.settings.kafka, topic)
    assert len(sent) == before + 2
    assert not any(record.value.startswith(b"PK") for record in sent)

    in_words = (await typed(app, *arguments)).stderr.decode()
    assert "unzip" in in_words
    assert in_words.count("not sent:") == 4


async def test_standard_input_is_one_report_of_the_group_other_by_default(app: App) -> None:
    body = body_of(content("from-stdin"))
    answer = await typed(app, "-", stdin=body)

    assert answer.stdout == b"published -\n"
    assert answer.returncode == DONE
    last = await lying_in(app.settings.kafka, topic_of(SourceGroup.OTHER))
    assert body in [record.value for record in last]


async def test_an_unknown_format_is_refused_before_anything_is_sent(
    app: App, tmp_path: Path
) -> None:
    folder = folder_of(tmp_path / "f", b"{}")
    before = len(await lying_in(app.settings.kafka, topic_of(SourceGroup.OTHER)))
    answer = await typed(app, folder, "--format", "pigeon")

    assert answer.returncode == REFUSED
    assert b"no format 'pigeon'" in answer.stderr
    assert len(await lying_in(app.settings.kafka, topic_of(SourceGroup.OTHER))) == before


async def test_ctrl_c_says_what_was_sent_and_what_was_not(app: App, tmp_path: Path) -> None:
    topic = topic_of(SourceGroup.PARTNER_AGENCY)
    files = 3_000
    folder = folder_of(tmp_path / "f", *(body_of(content(f"stop-{n}")) for n in range(files)))
    arguments = command(app, folder, "--group", "partner-agency")[1:]
    before = len(await lying_in(app.settings.kafka, topic))

    def interrupt() -> tuple[int, str]:
        with python(*arguments) as process:
            text = read_until(process, "published")
            process.send_signal(signal.SIGINT)
            assert process.stdout is not None
            text += process.stdout.read()
            return process.wait(120), text

    code, text = await asyncio.to_thread(interrupt)
    sent = text.count("published ")
    assert code == INTERRUPTED
    assert 0 < sent < files
    said = " ".join(text.split())
    assert f"stopped: {sent} of {files} files are in Kafka and will be read" in said
    assert f"{files - sent} were not sent" in said
    assert len(await lying_in(app.settings.kafka, topic)) == before + sent


async def test_ctrl_c_while_waiting_says_that_all_are_sent(app: App, tmp_path: Path) -> None:
    topic = topic_of(SourceGroup.LAW_ENFORCEMENT)
    file = tmp_path / "report.json"
    file.write_bytes(numbered_report("waiting", 1))
    before = len(await lying_in(app.settings.kafka, topic))
    arguments = command(app, file, "--group", "law-enforcement", "--wait")[1:]
    with python(*arguments) as process:  # no intake runs
        while len(await lying_in(app.settings.kafka, topic)) == before:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        text = await asyncio.to_thread(process.stdout.read)
        assert process.wait(120) == INTERRUPTED
    assert "stopped: 1 of 1 files are in Kafka and will be read" in " ".join(text.split())


async def test_on_a_terminal_the_way_is_shown_and_standard_output_stays_clean(
    app: App, tmp_path: Path
) -> None:
    folder = folder_of(tmp_path / "f", *(body_of(content(f"bar-{n}")) for n in range(40)))

    def on_terminal() -> tuple[bytes, bytes]:
        ours, theirs = pty.openpty()
        arguments = command(app, folder, "--json")
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=theirs) as process:
            os.close(theirs)
            assert process.stdout is not None
            written = process.stdout.read()
            shown = b""
            while chunk := _read(ours):
                shown += chunk
        os.close(ours)
        return written, shown

    written, shown = await asyncio.to_thread(on_terminal)
    assert b"publishing" in shown
    assert b"100%" in shown
    assert len([json.loads(line) for line in written.splitlines()]) == 40


async def test_without_kafka_it_says_so(tmp_path: Path, app: App) -> None:
    file = tmp_path / "report.json"
    file.write_bytes(b"{}")
    answer = await asyncio.to_thread(
        subprocess.run,
        command(app, file),
        capture_output=True,
        check=False,
        env={**os.environ, "LEERP_KAFKA__BOOTSTRAP": "127.0.0.1:1"},
    )
    assert answer.returncode == DOWN
    assert b"Kafka does not answer" in answer.stderr


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except OSError:  # the other side of the terminal is closed
        return b""
