"""Configuration of the embedded Kafka node: its listeners, who may log in, and who may do what.

Everybody logs in, on loopback too, and may do only what an ACL says (decision 008). Partners from
other machines are taken by a third listener with TLS, where the settings name one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from infra import kafka
from infra.keys import ensure_secret, write_secret
from infra.services.ports import LOOPBACK, address_of, require_free
from infra.settings import KafkaLogin, KafkaSettings
from protocol.errors import ServiceDown

RETENTION = timedelta(days=30)
"""Of records nobody has read yet; as long as Temporal remembers a closed workflow."""

USER, ADMIN = "leerp", "leerp-admin"
"""Our principals in the embedded broker. The second may do everything: it is the node itself, and we
when we hand out keys."""
PASSWORD_FILE, ADMIN_PASSWORD_FILE = "kafka.key", "kafka-admin.key"

SERVER_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
controller.listener.names=CONTROLLER
listeners=CLIENT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=CLIENT://{host}:{port},CONTROLLER://{host}:{controller_port}
listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT,PARTNERS:SASL_SSL
inter.broker.listener.name=CLIENT
# The node to itself, and we when we hand out keys: a password that is there before any data is.
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.client.sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.client.plain.sasl.jaas.config={admin_login}
listener.name.client.scram-sha-512.sasl.jaas.config={any_scram_login}
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config={admin_login}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{admin}
allow.everyone.if.no.acl.found=false
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
appender.out.layout.pattern=%d{{yyyy-MM-dd HH:mm:ss,SSS}} %p %m (%c)%n%throwable
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
# Who was refused what.
appender.refused.type=RollingFile
appender.refused.name=refused
appender.refused.fileName={refusals}
appender.refused.filePattern={refusals}.%i
appender.refused.policies.type=Policies
appender.refused.policies.size.type=SizeBasedTriggeringPolicy
appender.refused.policies.size.size=10MB
appender.refused.strategy.type=DefaultRolloverStrategy
appender.refused.strategy.max=1
appender.refused.layout.type=PatternLayout
appender.refused.layout.pattern=%d{{yyyy-MM-dd HH:mm:ss,SSS}} %m%n
logger.authorizer.name=kafka.authorizer.logger
logger.authorizer.level=info
logger.authorizer.additivity=false
logger.authorizer.appenderRef.refused.ref=refused
logger.selector.name=org.apache.kafka.common.network.Selector
logger.selector.level=info
logger.selector.additivity=false
logger.selector.appenderRef.refused.ref=refused
"""

PARTNERS_PROPERTIES = """\
listener.name.partners.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.partners.scram-sha-512.sasl.jaas.config={any_scram_login}
listener.name.partners.ssl.keystore.type=PEM
listener.name.partners.ssl.keystore.location={certificate_file}
"""
ANY_SCRAM_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
PLAIN_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Where the files and ports of one node are."""

    home: Path
    port: int
    controller_port: int

    @property
    def folder(self) -> Path:
        return self.home / "kafka"

    @property
    def properties(self) -> Path:
        return self.folder / "server.properties"

    @property
    def logging(self) -> Path:
        return self.folder / "log4j2.properties"

    @property
    def refusals(self) -> Path:
        """What the node has written of those whom it refused."""
        return self.folder / "refused.log"


def configure(node: Node, settings: KafkaSettings) -> KafkaSettings:
    """Write the node's files, make our passwords where they are missing, and return the settings
    that lead to it.

    Raises:
        ServiceDown: partners are to be taken, but not with this address or certificate.
    """
    keys = node.home / "keys"
    password = ensure_secret(keys / ADMIN_PASSWORD_FILE)
    ensure_secret(keys / PASSWORD_FILE)
    text = SERVER_PROPERTIES.format(
        host=LOOPBACK,
        port=node.port,
        controller_port=node.controller_port,
        data=node.folder / "data",
        admin=ADMIN,
        admin_login=f'{PLAIN_LOGIN} username="{ADMIN}" password="{password}" user_{ADMIN}="{password}";',
        any_scram_login=ANY_SCRAM_LOGIN,
        max_message=kafka.MAX_MESSAGE_BYTES,
        retention_hours=int(RETENTION.total_seconds()) // 3_600,
        retention_minutes=int(RETENTION.total_seconds()) // 60,
    )
    if settings.listen:
        text = _with_partners(text, settings)
    write_secret(node.properties, text.encode())
    node.logging.write_text(LOG4J_PROPERTIES.format(refusals=node.refusals))
    return settings.model_copy(
        update={
            "bootstrap": f"{LOOPBACK}:{node.port}",
            "security": "SASL_PLAINTEXT",
            "mechanism": "SCRAM-SHA-512",
            "username": USER,
            "password_file": keys / PASSWORD_FILE,
            "admin": KafkaLogin(
                mechanism="PLAIN", username=ADMIN, password_file=keys / ADMIN_PASSWORD_FILE
            ),
        }
    )


def _with_partners(text: str, settings: KafkaSettings) -> str:
    host, port = address_of(settings.listen)
    address_of(settings.for_partners)
    if host in {"0.0.0.0", "::"} and not settings.partner_bootstrap:  # noqa: S104  not listened on
        raise ServiceDown(
            f"Kafka is to take partners on all addresses ({settings.listen}), so they need a name to"
            " connect to: set LEERP_KAFKA__PARTNER_BOOTSTRAP, for example kafka.example.org:9093"
        )
    file = settings.certificate_file
    if not file or not file.is_file():
        raise ServiceDown(
            f"Kafka is to take partners on {settings.listen}, which needs TLS: name the PEM file of its"
            f" private key and certificates in LEERP_KAFKA__CERTIFICATE_FILE (now: {file})"
        )
    require_free("Kafka, for partners,", host, port)
    lines = {
        "listeners": f"PARTNERS://{settings.listen}",
        "advertised.listeners": f"PARTNERS://{settings.for_partners}",
    }
    extended = [
        f"{line},{lines[name]}" if (name := line.partition("=")[0]) in lines else line
        for line in text.splitlines()
    ]
    partners = PARTNERS_PROPERTIES.format(
        any_scram_login=ANY_SCRAM_LOGIN, certificate_file=file.absolute()
    )
    return "\n".join(extended) + "\n" + partners
