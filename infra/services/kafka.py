"""One Kafka node on loopback: broker and controller in one process, data in ``HOME/kafka``.

Ports may change from one start to the next; topics, records and offsets stay. Source: design 5.
"""

from __future__ import annotations

import asyncio
import base64
import shutil
import uuid
from datetime import timedelta
from pathlib import Path

from infra import kafka, kafka_access
from infra.services import artefacts
from infra.services.kafka_config import Node, configure
from infra.services.ports import Ports
from infra.services.probe import answers
from infra.services.supervisor import Service
from infra.settings import KafkaSettings
from protocol.errors import ServiceDown

JVM_OPTIONS = (
    *("-Xmx512m", "-Xms128m", "-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData"),
    "-Djava.awt.headless=true",
)
FORMAT_SECONDS = 60
ADVICE = (
    "Look into that file. A full disk, too little memory (it needs some 600 MB) or a Java older"
    " than 17 are the usual reasons; 'leerp doctor' checks them. Then run the same command again:"
    " no record that Kafka had confirmed is lost."
)


async def prepare(
    home: Path, ports: Ports, settings: KafkaSettings
) -> tuple[Service, KafkaSettings]:
    """Write the configuration, format the data folder once, and say what to start and where it will
    be. It is ready once we can log in as ``leerp``.

    Raises:
        ServiceDown: no Java, no Kafka in the cache, the data folder cannot be formatted, or partners
        are to be taken without a certificate.
    """
    if not shutil.which("java"):
        raise ServiceDown(
            "Kafka needs Java 17 or newer and 'java' is not there: run 'make setup', which says"
            " what to install, or name a Kafka that runs elsewhere in LEERP_KAFKA__BOOTSTRAP"
        )
    if not artefacts.kafka_jars().present:
        raise ServiceDown(f"Kafka is not in the cache {artefacts.cache()}: run 'make setup'")
    node = Node(home=home, port=ports.pick("kafka"), controller_port=ports.pick("kafka-controller"))
    node.folder.mkdir(exist_ok=True)
    settings = configure(node, settings)
    if not (node.folder / "data" / "meta.properties").exists():
        await _format(node)
    service = Service(
        name="Kafka",
        argv=_java(node, "kafka.Kafka", str(node.properties)),
        log=node.folder / "kafka.log",
        advice=ADVICE,
        ready=lambda: _is_ready(settings),
        stop_within=timedelta(seconds=30),
    )
    return service, settings


async def _is_ready(settings: KafkaSettings) -> bool:
    """It is once our own login and rights are there, which a new node and an old one are given."""
    if not await answers(settings.bootstrap):
        return False
    try:
        await asyncio.to_thread(kafka_access.settle_own, settings)
        await kafka.existing_topics(settings)
    except ServiceDown:
        return False
    return True


async def _format(node: Node) -> None:
    # One argument with its value: a random identity may begin with a dash.
    identity = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    arguments = ("format", f"--cluster-id={identity}", f"--config={node.properties}")
    process = await asyncio.create_subprocess_exec(
        *_java(node, "kafka.tools.StorageTool", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        written, _ = await asyncio.wait_for(process.communicate(), FORMAT_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise ServiceDown(
            f"Kafka could not make its data folder {node.folder / 'data'}:\n"
            f"{written.decode(errors='replace').strip()}\n{ADVICE}"
        )


def _java(node: Node, main: str, *arguments: str) -> tuple[str, ...]:
    return (
        *("java", *JVM_OPTIONS, f"-Dlog4j2.configurationFile={node.logging}"),
        *("-cp", f"{artefacts.kafka_jars().path}/*", main, *arguments),
    )
