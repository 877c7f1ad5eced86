"""docs/sending-reports.md: its examples are run as they are printed, its lists are compared."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from infra.kafka import TOPICS, topic_of
from infra.services.artefacts import kafka_jars
from infra.settings import IntakeSettings, KafkaSettings
from intake.formats.registry import FORMATS
from intake.records import DETECTED_BY_HEADER, FORMAT_HEADER, MEDIA_TYPE_HEADER
from protocol.parties import SourceGroup
from tests.conftest import running
from tests.intake.topics import lying_in

pytestmark = [pytest.mark.services, pytest.mark.asyncio]

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "sending-reports.md").read_text()
TOPIC = topic_of(SourceGroup.CSIRT)
PRODUCER = """\
#!/bin/sh
exec java -Xmx128m -XX:TieredStopAtLevel=1 -cp '{jars}/*' org.apache.kafka.tools.ConsoleProducer "$@"
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KafkaSettings]:
    async with running(tmp_path_factory.mktemp("guide")) as settings:
        yield settings.kafka


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
    (tmp_path / "client.properties").write_text(
        f"bootstrap.servers={kafka.bootstrap}\n# topic={TOPIC}\n"
    )
    root = str(Path(__file__).resolve().parents[2])
    code = example("python", "ReportProducer")
    printed = await run(tmp_path, sys.executable, "-c", code, PYTHONPATH=root)

    topic, partition, offset = printed.split()
    (record,) = [r for r in await lying_in(kafka, topic) if r.key == b"cert-example-2026-0815"]
    assert (topic, partition, offset) == (TOPIC, str(record.partition), str(record.offset))


async def test_the_console_producer_example_sends_its_event_with_the_header(
    kafka: KafkaSettings, tmp_path: Path
) -> None:
    producer = tmp_path / "kafka-console-producer.sh"
    producer.write_text(PRODUCER.format(jars=kafka_jars().path))
    producer.chmod(0o700)
    (tmp_path / "event.json").write_text('{"feed.name": "from a shell"}')
    path = f"{tmp_path}:{os.environ['PATH']}"
    code = example("sh", "kafka-console-producer.sh")
    await run(tmp_path, "sh", "-ec", code, PATH=path, KAFKA=kafka.bootstrap, TOPIC=TOPIC)

    (record,) = [r for r in await lying_in(kafka, TOPIC) if b"from a shell" in r.value]
    assert record.value == b'{"feed.name": "from a shell"}'
    assert record.headers == (("leerp-format", b"intelmq"),)


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
