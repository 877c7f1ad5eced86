"""docs/sending-reports.md: its program is run as it is printed, its lists are compared."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.intake_limits import IntakeSettings
from infra.kafka import TOPICS, topic_of
from infra.settings import KafkaSettings
from intake.formats.registry import FORMATS
from intake.records import DETECTED_BY_HEADER, FORMAT_HEADER, MEDIA_TYPE_HEADER
from protocol.parties import SourceGroup
from tests.intake.topics import client_lines, lying_in

pytestmark = [pytest.mark.services, pytest.mark.asyncio]

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "sending-reports.md").read_text()
TOPIC = topic_of(SourceGroup.CSIRT)


def example(language: str, sign: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    (found,) = [block for block in blocks if sign in block]
    return str(found)


async def run(folder: Path, *command: str, **environment: str) -> str:
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_the_python_example_sends_its_report_and_prints_where_it_lies(
    kafka: KafkaSettings, tmp_path: Path
) -> None:
    (tmp_path / "client.properties").write_text(f"{client_lines(kafka)}# topic={TOPIC}\n")
    code = example("python", "ReportProducer")
    printed = await run(tmp_path, sys.executable, "-c", code, PYTHONPATH=str(ROOT))

    topic, partition, offset = printed.split()
    (record,) = [r for r in await lying_in(kafka, topic) if r.key == b"cert-example-2026-0815"]
    assert (topic, partition, offset) == (TOPIC, str(record.partition), str(record.offset))


async def test_topics_headers_formats_and_limits_are_those_of_the_code() -> None:
    for group, topic in TOPICS.items():
        assert f"| {group.number} `{group}` | `{topic}` |" in GUIDE
    formats = GUIDE.split("| format | what |")[1].split("\n\n")[0]
    assert set(
        re.findall(r"`([^`]+)`", "".join(re.findall(r"^\|[^|]+\|", formats, re.MULTILINE)))
    ) == set(FORMATS)
    for header in (FORMAT_HEADER, MEDIA_TYPE_HEADER, DETECTED_BY_HEADER):
        assert f"| `{header}` |" in GUIDE
    limits = IntakeSettings()
    for limit in (limits.max_record_bytes, limits.max_rows, limits.max_xml_elements):
        assert f"{limit:,}" in GUIDE
