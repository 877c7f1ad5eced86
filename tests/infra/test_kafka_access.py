"""F-K9: the broker lets a partner write to its own topic and do nothing else, and a stranger nothing."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError

from infra import kafka, kafka_access
from infra.kafka_rules import Acl, partner_rights
from infra.services import kafka as embedded
from infra.services.kafka_config import ADMIN_PASSWORD_FILE, PASSWORD_FILE, Node
from infra.services.ports import Ports
from infra.services.supervisor import Supervisor
from infra.settings import KafkaLogin, KafkaSettings
from protocol.errors import NotFound, Refused, ServiceDown
from protocol.parties import SourceGroup
from tests.infra.partners import House, as_partner, broker, plant, received, send
from tests.infra.tls import Authority
from tests.intake.desk import until

pytestmark = [pytest.mark.services, pytest.mark.asyncio, pytest.mark.requirement("R4")]

CSIRT, PRIVATE = SourceGroup.CSIRT, SourceGroup.PRIVATE_SECTOR


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with broker(tmp_path_factory.mktemp("house")) as running:
        yield running


async def grant(house: House, source: str, group: SourceGroup = CSIRT) -> KafkaSettings:
    """The settings of a partner that has just been given its key."""
    password = await asyncio.to_thread(kafka_access.grant, house.settings, source, group)
    return as_partner(house.settings, source, password)


async def revoke(house: House, source: str) -> None:
    await asyncio.to_thread(kafka_access.revoke, house.settings, source)


async def rights_of(house: House, source: str) -> list[Acl]:
    found = await asyncio.to_thread(kafka_access.acls, house.settings)
    return [acl for acl in found if acl.principal == f"User:{source}"]


async def commit(consumer: AIOKafkaConsumer, place: TopicPartition, offset: int) -> None:
    async with consumer:
        consumer.assign([place])
        await asyncio.wait_for(consumer.commit({place: offset}), 90)


# What a partner may do


async def test_fk9_a_partner_writes_to_its_own_topic_and_we_read_it(house: House) -> None:
    partner = await grant(house, "cert-own")
    topic = kafka.topic_of(CSIRT, "cert-own")

    assert await send(partner, topic, b"one") == 0
    assert await send(house.by_tls(partner), topic, b"two") == 1

    assert await received(house.settings, topic, 2) == [b"one", b"two"]
    assert await rights_of(house, "cert-own") == partner_rights("cert-own", CSIRT)


@pytest.mark.parametrize(
    "topic",
    [
        kafka.topic_of(PRIVATE),
        kafka.topic_of(CSIRT),
        kafka.topic_of(CSIRT, "cert-victim"),
        kafka.topic_of(PRIVATE, "cert-writer"),
        "__consumer_offsets",
    ],
)
async def test_fk9_a_partner_is_refused_on_every_topic_but_its_own(
    house: House, topic: str
) -> None:
    await grant(house, "cert-victim")
    await grant(house, "cert-writer", PRIVATE)  # where it belonged before
    partner = await grant(house, "cert-writer")

    with pytest.raises(TopicAuthorizationFailedError):
        await send(partner, topic)

    assert await send(partner, kafka.topic_of(CSIRT, "cert-writer")) >= 0


async def test_fk9_a_partner_sees_no_topic_but_its_own_and_makes_none(house: House) -> None:
    partner = await grant(house, "cert-curious")

    assert await kafka.existing_topics(partner) == {kafka.topic_of(CSIRT, "cert-curious")}
    with pytest.raises(ServiceDown, match="did not make the topic"):
        await kafka.create_topics(partner)


async def test_fk9_a_partner_cannot_read_even_its_own_topic(house: House) -> None:
    partner = await grant(house, "cert-reader")
    topic = kafka.topic_of(CSIRT, "cert-reader")
    await send(partner, topic)

    async with kafka.consumer(partner) as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek(TopicPartition(topic, 0), 0)
        with pytest.raises(TopicAuthorizationFailedError):
            await asyncio.wait_for(consumer.getone(), 90)


async def test_fk9_a_partner_cannot_join_or_move_our_consumer_group(house: House) -> None:
    partner = await grant(house, "cert-hijack")
    topic = kafka.topic_of(CSIRT, "cert-hijack")

    consumer = kafka.consumer(partner, topic, group_id=partner.group_id)
    with pytest.raises(GroupAuthorizationFailedError):
        async with consumer:
            await asyncio.wait_for(consumer.getone(), 90)

    mover = kafka.consumer(partner, group_id=partner.group_id)
    with pytest.raises(GroupAuthorizationFailedError):
        await commit(mover, TopicPartition(topic, 0), 1_000)


async def test_fk9_a_partner_cannot_give_itself_rights(house: House) -> None:
    partner = await grant(house, "cert-climber")

    with pytest.raises(ServiceDown, match="does not let cert-climber see to keys and rights"):
        await asyncio.to_thread(kafka_access.grant, partner, "cert-climber", PRIVATE)

    assert await rights_of(house, "cert-climber") == partner_rights("cert-climber", CSIRT)


async def test_fk9_not_even_our_own_login_writes_to_the_topic_of_a_partner(house: House) -> None:
    await grant(house, "cert-genuine")

    with pytest.raises(TopicAuthorizationFailedError):
        await send(house.settings, kafka.topic_of(CSIRT, "cert-genuine"))


# Who gets in


@pytest.mark.parametrize("tls", [False, True])
async def test_fk9_who_has_no_login_is_refused(house: House, tls: bool) -> None:
    address = house.settings.listen if tls else house.settings.bootstrap
    with pytest.raises(ServiceDown, match="does not answer as it should"):
        await kafka.existing_topics(KafkaSettings(bootstrap=address))


@pytest.mark.parametrize("tls", [False, True])
async def test_fk9_a_wrong_password_is_refused_and_named_as_that(house: House, tls: bool) -> None:
    await grant(house, "cert-guessed")
    guess = as_partner(house.settings, "cert-guessed", "guess")
    with pytest.raises(ServiceDown, match="refuses the login of 'cert-guessed'") as caught:
        await kafka.existing_topics(house.by_tls(guess) if tls else guess)
    assert "guess'" not in str(caught.value).replace("cert-guess", "")


async def test_fk9_the_administrators_password_is_worth_nothing_where_partners_connect(
    house: House,
) -> None:
    admin = house.by_tls(house.settings).as_admin()
    with pytest.raises(ServiceDown, match="UnsupportedSaslMechanism"):
        await kafka.existing_topics(admin)


async def test_with_tls_we_work_as_on_a_cluster_elsewhere(house: House) -> None:
    settings = house.by_tls(house.settings)
    topic = kafka.topic_of(SourceGroup.OTHER)
    await send(settings, topic, b"over TLS")
    assert await received(settings, topic, 1) == [b"over TLS"]


async def test_a_broker_with_a_certificate_of_an_unknown_authority_is_not_trusted(
    house: House, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "Other Authority")
    settings = house.by_tls(house.settings).model_copy(update={"ca_file": other.file})
    with pytest.raises(ServiceDown, match=r"certificate is not to be trusted .*CA_FILE"):
        await kafka.existing_topics(settings)


async def test_a_missing_file_of_the_authority_is_named(house: House, tmp_path: Path) -> None:
    gone = house.by_tls(house.settings).model_copy(update={"ca_file": tmp_path / "gone.pem"})
    with pytest.raises(ServiceDown, match=r"gone\.pem cannot be read"):
        await kafka.existing_topics(gone)


async def test_an_administrator_with_a_wrong_password_is_told_so(house: House) -> None:
    wrong = KafkaLogin.model_validate(
        {"mechanism": "PLAIN", "username": "leerp-admin", "password": "wrong"}
    )
    settings = house.settings.model_copy(update={"admin": wrong})
    with pytest.raises(ServiceDown, match=r"does not let leerp-admin .*uthentication failed"):
        await asyncio.to_thread(kafka_access.acls, settings)


async def test_an_administrator_who_is_no_super_user_needs_no_more_than_what_is_documented(
    house: House,
) -> None:
    clerk = await grant(house, "clerk")
    name = "User:clerk"
    needed = [
        Acl(principal=name, resource="CLUSTER", name="kafka-cluster", operation=operation)
        for operation in ("ALTER", "DESCRIBE", "DESCRIBE_CONFIGS")
    ]
    needed += [
        Acl(
            principal=name,
            resource="TOPIC",
            name=kafka.TOPIC_PREFIX,
            prefixed=True,
            operation="CREATE",
        )
    ]
    await asyncio.to_thread(plant, house.settings, *needed)
    await until(lambda: set(needed) <= set(kafka_access.acls(house.settings)))

    password = await asyncio.to_thread(kafka_access.grant, clerk, "cert-by-clerk", CSIRT)
    partner = as_partner(house.settings, "cert-by-clerk", password)
    assert await send(partner, kafka.topic_of(CSIRT, "cert-by-clerk")) == 0
    broker_says = await asyncio.to_thread(kafka_access.broker_settings, clerk)
    assert "StandardAuthorizer" in broker_says["authorizer.class.name"]
    await asyncio.to_thread(kafka_access.revoke, clerk, "cert-by-clerk")
    await revoke(house, "clerk")


# Keys that change


async def test_fk9_a_revoked_key_is_refused_on_open_connections_and_new_ones(
    house: House,
) -> None:
    partner = await grant(house, "cert-gone")
    topic = kafka.topic_of(CSIRT, "cert-gone")
    async with kafka.producer(partner) as producer:
        await producer.send_and_wait(topic, b"{}")
        await revoke(house, "cert-gone")
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait(topic, b"{}")

    with pytest.raises(ServiceDown, match="refuses the login"):
        await kafka.existing_topics(partner)
    assert await rights_of(house, "cert-gone") == []
    assert topic in await kafka.existing_topics(house.settings)  # may hold what is unread
    with pytest.raises(NotFound, match="'leerp sources key cert-gone"):
        await revoke(house, "cert-gone")


async def test_fk9_a_new_key_voids_the_one_before(house: House) -> None:
    first = await grant(house, "cert-rotating")
    second = await grant(house, "cert-rotating")

    assert first.password != second.password
    with pytest.raises(ServiceDown, match="refuses the login"):
        await kafka.existing_topics(first)
    assert await send(second, kafka.topic_of(CSIRT, "cert-rotating")) == 0
    assert await rights_of(house, "cert-rotating") == partner_rights("cert-rotating", CSIRT)


async def test_a_planted_right_is_taken_away_with_the_next_key(house: House) -> None:
    await grant(house, "cert-planted")
    planted = Acl(principal="User:cert-planted", resource="TOPIC", name="*", operation="ALL")
    await asyncio.to_thread(plant, house.settings, planted)
    await until(lambda: planted in kafka_access.acls(house.settings))

    await grant(house, "cert-planted")

    assert await rights_of(house, "cert-planted") == partner_rights("cert-planted", CSIRT)


async def test_a_principal_of_our_own_is_never_given_to_a_partner(house: House) -> None:
    for name in ("leerp", "leerp-admin", "anonymous", "*", "", "Cert", "a.b"):
        with pytest.raises(Refused, match="cannot be a source's id"):
            await asyncio.to_thread(kafka_access.revoke, house.settings, name)


# What is left behind


async def test_fk9_the_broker_keeps_count_of_whom_it_refused(house: House) -> None:
    partner = await grant(house, "cert-counted")
    with pytest.raises(TopicAuthorizationFailedError):
        await send(partner, kafka.topic_of(PRIVATE))

    written = Node(home=house.home, port=0, controller_port=0).refusals.read_text()
    assert "cert-counted is Denied" in written.replace("User:", "")


async def test_our_passwords_lie_in_files_of_our_own_and_nowhere_else(house: House) -> None:
    keys = house.home / "keys"
    node = Node(home=house.home, port=0, controller_port=0)
    for name in (PASSWORD_FILE, ADMIN_PASSWORD_FILE):
        password = (keys / name).read_text().strip()
        holders = {
            path
            for path in house.home.rglob("*")
            if path.is_file() and password.encode() in path.read_bytes()
        }
        assert holders <= {keys / name, node.properties}
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in holders)
        assert password not in repr(house.settings)


async def test_a_home_without_our_password_is_given_a_new_one_at_the_next_start(
    tmp_path: Path,
) -> None:
    """As one that was made before there were logins."""
    topic = kafka.topic_of(CSIRT)
    for attempt in range(2):
        service, settings = await embedded.prepare(tmp_path, Ports(tmp_path), KafkaSettings())
        async with Supervisor() as supervisor:
            await supervisor.start(service)
            await kafka.create_topics(settings)
            assert await send(settings, topic) >= 0
        if attempt == 0:
            for name in (PASSWORD_FILE, ADMIN_PASSWORD_FILE):
                (tmp_path / "keys" / name).unlink()


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"listen": "127.0.0.1:9093"}, "LEERP_KAFKA__CERTIFICATE_FILE"),
        ({"listen": "0.0.0.0:9093"}, "LEERP_KAFKA__PARTNER_BOOTSTRAP"),
    ],
)
async def test_partners_are_taken_only_with_a_certificate_and_a_name(
    tmp_path: Path, wanted: dict[str, str], words: str
) -> None:
    with pytest.raises(ServiceDown, match=words):
        await embedded.prepare(tmp_path, Ports(tmp_path), KafkaSettings.model_validate(wanted))
