"""`leerp sources key` and `revoke`, and what `leerp doctor` says of who may do what (F-K9)."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from confluent_kafka import KafkaError, Producer
from rich.console import Console
from typer.testing import CliRunner, Result

from infra import audit, kafka, kafka_access
from infra.bootstrap import app as open_app
from infra.kafka_rules import Acl, own_rights
from infra.services.ports import LOOPBACK, Ports
from infra.settings import ENDPOINTS_FILE, KafkaSettings, Settings
from intake.source_registry import register
from leerp.cli_sources import sources_app
from leerp.doctor import run_doctor
from protocol.errors import NotFound, Refused
from protocol.parties import SourceGroup
from tests.conftest import running
from tests.infra.partners import plant, uproot
from tests.infra.tls import Authority
from tests.intake.desk import until
from tests.intake.registry import source

pytestmark = [pytest.mark.services, pytest.mark.asyncio]

TOPIC = kafka.topic_of(SourceGroup.CSIRT, "cert-cli")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def settings(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settings]:
    home = tmp_path_factory.mktemp("access")
    authority = Authority(home)
    wanted = KafkaSettings(
        listen=f"{LOOPBACK}:{Ports(home).pick('partners')}",
        certificate_file=authority.server(),
        ca_file=authority.file,
    )
    async with running(home, kafka=wanted) as complete:
        with open_app(home) as opened:
            for name in ("cert-cli", "cert-shown", "cert-out", "cert-none"):
                register(opened.database, source(name), by="administrator")
        yield complete


async def typed(settings: Settings, *arguments: str) -> Result:
    """As if typed, in the home of these settings."""
    full = [*arguments, "--home", str(settings.home)]
    return await asyncio.to_thread(CliRunner().invoke, sources_app, full)


async def doctor(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> dict[str, dict[str, str]]:
    """What `leerp doctor --json` says of Kafka."""
    capsys.readouterr()
    await asyncio.to_thread(run_doctor, settings.home, as_json=True, console=Console())
    rows = json.loads(capsys.readouterr().out)
    return {row["part"]: row for row in rows if row["part"].startswith("kafka")}


def written(settings: Settings) -> list[tuple[str, str]]:
    with open_app(settings.home) as opened, opened.database.read() as connection:
        return [
            (row["event"], row["subject"])
            for row in audit.export(connection)
            if row["event"].startswith("source_")
        ]


def produce(file: Path, topic: str, *, within_ms: int = 60_000) -> KafkaError | None:
    """What a partner's own program does with the file, and the error if the broker refuses."""
    lines = (line for line in file.read_text().splitlines() if not line.startswith("#"))
    options = dict(line.split("=", 1) for line in lines)
    options["ssl.ca.location"] = str(file.with_name(options["ssl.ca.location"]))
    outcome: list[KafkaError | None] = []
    producer = Producer({**options, "message.timeout.ms": within_ms, "log_level": 0})
    producer.produce(topic, b"{}", on_delivery=lambda error, _: outcome.append(error))
    producer.flush(90)
    return outcome[0]


@pytest.mark.requirement("R4")
async def test_fk9_with_the_file_of_its_key_a_partner_writes_by_tls_to_its_topic_and_no_other(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "cert-cli.properties"
    answer = await typed(settings, "key", "cert-cli", "--group", "csirt", "--out", str(file))

    assert answer.exit_code == 0, answer.output
    text = file.read_text()
    password = next(
        line.partition("=")[2] for line in text.splitlines() if line.startswith("sasl.password")
    )
    assert f"bootstrap.servers={settings.kafka.listen}" in text
    assert "security.protocol=SASL_SSL" in text
    assert TOPIC in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert password not in answer.output
    assert await asyncio.to_thread(produce, file, TOPIC) is None
    refusal = await asyncio.to_thread(produce, file, kafka.topic_of(SourceGroup.PRIVATE_SECTOR))
    assert refusal is not None
    assert refusal.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    assert written(settings)[-2:] == [
        ("source_key_requested", "cert-cli"),
        ("source_key_issued", "cert-cli"),
    ]
    assert password not in (settings.home / ENDPOINTS_FILE).read_text()


async def test_the_password_is_shown_only_when_asked_for(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "shown.properties"
    arguments = ("key", "cert-shown", "--group", "csirt", "--out", str(file))
    hidden = json.loads((await typed(settings, *arguments, "--json")).stdout)
    shown = json.loads((await typed(settings, *arguments, "--json", "--show")).stdout)

    assert "password" not in hidden
    assert f"sasl.password={shown['password']}\n" in file.read_text()
    assert (await typed(settings, *arguments, "--show")).stdout.count("password: ") == 1


async def test_fk9_a_revoked_key_opens_nothing_and_is_named_when_there_is_none(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "cert-out.properties"
    await typed(settings, "key", "cert-out", "--group", "csirt", "--out", str(file))

    answer = await typed(settings, "revoke", "cert-out")

    assert answer.exit_code == 0, answer.output
    topic = kafka.topic_of(SourceGroup.CSIRT, "cert-out")
    assert await asyncio.to_thread(produce, file, topic, within_ms=3_000) is not None
    assert written(settings)[-1] == ("source_revoke_done", "cert-out")
    again = await typed(settings, "revoke", "cert-out")
    assert isinstance(again.exception, NotFound)
    bad = await typed(settings, "key", "Not An Id", "--group", "csirt")
    assert isinstance(bad.exception, NotFound)
    elsewhere = await typed(settings, "key", "cert-out", "--group", "osint")
    assert isinstance(elsewhere.exception, Refused)
    nowhere = str(tmp_path / "no" / "such")
    lost = await typed(settings, "key", "cert-out", "--group", "csirt", "--out", nowhere)
    assert isinstance(lost.exception, Refused)
    assert kafka_access.acls(settings.kafka)  # asked before anything was changed:
    assert written(settings)[-1] == ("source_revoke_requested", "cert-out")


async def test_a_kafka_without_logins_gives_no_keys(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEERP_KAFKA__SECURITY", "PLAINTEXT")
    answer = await typed(settings, "key", "cert-none", "--group", "csirt")
    assert isinstance(answer.exception, Refused)
    assert answer.exception.reason == "no-logins"


# leerp doctor


async def test_fk9_doctor_shows_every_principal_with_its_rules(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await asyncio.to_thread(
        kafka_access.grant, settings.kafka, "cert-shown-by-doctor", SourceGroup.CSIRT
    )
    rows = await doctor(settings, capsys)

    assert rows["kafka security"]["state"] == "ok"
    assert rows["kafka security"]["version"] == "SASL_PLAINTEXT, SCRAM-SHA-512 as leerp"
    partner = rows["kafka User:cert-shown-by-doctor"]
    topic = kafka.topic_of(SourceGroup.CSIRT, "cert-shown-by-doctor")
    assert partner["state"] == "ok"
    assert partner["version"] == f"DESCRIBE TOPIC {topic}, WRITE TOPIC {topic}"
    assert "READ TOPIC leerp.intake...." in rows["kafka User:leerp"]["version"]
    assert int(rows["kafka refusals"]["version"].split(",")[0]) > 0


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("WRITE TOPIC *", "is a wildcard"),
        (f"WRITE TOPIC {kafka.topic_of(SourceGroup.OSINT)}", "write elsewhere"),
        ("READ GROUP leerp-intake", "more than to write"),
    ],
)
async def test_fk9_doctor_names_a_planted_rule(
    settings: Settings, capsys: pytest.CaptureFixture[str], rule: str, words: str
) -> None:
    operation, resource, name = rule.split()
    planted = Acl(principal="User:cert-planted", resource=resource, name=name, operation=operation)
    await changed(settings, plant, planted)
    rows = await doctor(settings, capsys)
    await changed(settings, uproot, planted)

    assert rows["kafka User:cert-planted"]["state"] == "warn"
    assert words in rows["kafka User:cert-planted"]["advice"]


async def test_fk9_doctor_misses_a_right_of_our_own(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = own_rights(settings.kafka)[-1]
    await changed(settings, uproot, lost)
    rows = await doctor(settings, capsys)
    await changed(settings, plant, lost)

    assert rows["kafka User:leerp"]["state"] == "missing"
    assert f"it needs {lost.words}" in rows["kafka User:leerp"]["advice"]


async def test_doctor_without_the_administrators_login_says_what_it_cannot_see(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEERP_KAFKA__ADMIN__USERNAME", "")
    rows = await doctor(settings, capsys)

    assert rows["kafka"]["state"] == "ok"
    assert rows["kafka security"]["state"] == "warn"
    assert "LEERP_KAFKA__ADMIN__" in rows["kafka security"]["advice"]


async def changed(settings: Settings, how: Callable[..., None], acl: Acl) -> None:
    """Change a rule and wait until the broker goes by it."""
    there = how is plant
    await asyncio.to_thread(how, settings.kafka, acl)
    await until(lambda: (acl in kafka_access.acls(settings.kafka)) is there)
