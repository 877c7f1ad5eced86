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

from infra import kafka
from infra.services import artefacts
from infra.services.ports import LOOPBACK, Ports
from infra.services.probe import answers
from infra.services.supervisor import Service
from infra.settings import KafkaSettings
from protocol.errors import ServiceDown

RETENTION = timedelta(days=30)
"""Of records nobody has read yet; as long as Temporal remembers a closed workflow."""

SERVER_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
controller.listener.names=CONTROLLER
listeners=CLIENT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=CLIENT://{host}:{port},CONTROLLER://{host}:{controller_port}
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLIENT
log.dirs={data}
auto.create.topics.enable=false
message.max.bytes={max_message}
replica.fetch.max.bytes={max_message}
log.retention.hours={retention_hours}
offsets.retention.minutes={retention_minutes}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
# After a kill the node waits this long for its former self to be gone.
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=1000
"""

LOG4J_PROPERTIES = """\
status=error
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{yyyy-MM-dd HH:mm:ss,SSS} %p %m (%c)%n%throwable
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
"""

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
    be.

    Raises:
        ServiceDown: no Java, no Kafka in the cache, or the data folder cannot be formatted.
    """
    if not shutil.which("java"):
        raise ServiceDown(
            "Kafka needs Java 17 or newer and 'java' is not there: run 'make setup', which says"
            " what to install, or name a Kafka that runs elsewhere in LEERP_KAFKA__BOOTSTRAP"
        )
    if not artefacts.kafka_jars().present:
        raise ServiceDown(f"Kafka is not in the cache {artefacts.cache()}: run 'make setup'")
    folder = home / "kafka"
    folder.mkdir(exist_ok=True)
    port = ports.pick("kafka")
    properties = folder / "server.properties"
    properties.write_text(
        SERVER_PROPERTIES.format(
            host=LOOPBACK,
            port=port,
            controller_port=ports.pick("kafka-controller"),
            data=folder / "data",
            max_message=kafka.MAX_MESSAGE_BYTES,
            retention_hours=int(RETENTION.total_seconds()) // 3_600,
            retention_minutes=int(RETENTION.total_seconds()) // 60,
        )
    )
    (folder / "log4j2.properties").write_text(LOG4J_PROPERTIES)
    if not (folder / "data" / "meta.properties").exists():
        await _format(folder, properties)
    settings = settings.model_copy(update={"bootstrap": f"{LOOPBACK}:{port}"})
    service = Service(
        name="Kafka",
        argv=_java(folder, "kafka.Kafka", str(properties)),
        log=folder / "kafka.log",
        advice=ADVICE,
        ready=lambda: _is_ready(settings),
        stop_within=timedelta(seconds=30),
    )
    return service, settings


async def _is_ready(settings: KafkaSettings) -> bool:
    if not await answers(settings.bootstrap):
        return False
    try:
        await kafka.existing_topics(settings)
    except ServiceDown:
        return False
    return True


async def _format(folder: Path, properties: Path) -> None:
    # One argument with its value: a random identity may begin with a dash.
    identity = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    arguments = ("format", f"--cluster-id={identity}", f"--config={properties}")
    process = await asyncio.create_subprocess_exec(
        *_java(folder, "kafka.tools.StorageTool", *arguments),
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
            f"Kafka could not make its data folder {folder / 'data'}:\n"
            f"{written.decode(errors='replace').strip()}\n{ADVICE}"
        )


def _java(folder: Path, main: str, *arguments: str) -> tuple[str, ...]:
    return (
        *("java", *JVM_OPTIONS, f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}"),
        *("-cp", f"{artefacts.kafka_jars().path}/*", main, *arguments),
    )
