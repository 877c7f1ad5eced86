"""The doctor names every part, its state, and what to do."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from infra import endpoints
from infra.keys import ensure_keys, write_secret
from infra.settings import ENDPOINTS_FILE, KafkaSettings, Settings
from leerp.doctor import examine, run_doctor, system_packages
from leerp.doctor_rows import Row, State
from notifications.certificates import self_signed
from notifications.own_keys import CERTIFICATE, OPENPGP
from tests.notifications.samples import NOW


async def rows_of(home: Path) -> dict[str, Row]:
    return {row.part: row for row in await examine(home)}


@pytest.mark.services
@pytest.mark.asyncio
async def test_a_machine_that_is_set_up_is_well(tmp_path: Path) -> None:
    rows = await rows_of(tmp_path / "home")

    assert {row.state for row in rows.values()} <= {State.OK, State.WARN}
    assert rows["java"].version
    assert rows["kafka (program)"].version.startswith("4.3.1")
    assert not (tmp_path / "home").exists()


@pytest.mark.asyncio
async def test_on_an_empty_machine_every_missing_part_has_its_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    rows = await rows_of(tmp_path / "home")

    for part in ("java", "mvn", "go", "kafka (program)", "temporal (program)"):
        assert rows[part].state is State.MISSING
        assert "make setup" in rows[part].advice
    assert f"apt-get install {system_packages()['java']}" in rows["java"].advice
    assert rows["temporal-test-server (program)"].state is State.WARN


@pytest.mark.asyncio
async def test_what_is_named_by_address_needs_no_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LEERP_KAFKA__BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("LEERP_TEMPORAL__ADDRESS", "127.0.0.1:1")

    rows = await rows_of(tmp_path / "home")

    assert {"java", "go"}.isdisjoint(rows)
    assert rows["kafka"].state is State.DOWN
    assert rows["temporal"].state is State.DOWN


@pytest.mark.asyncio
async def test_an_up_that_was_killed_is_recognised(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, kafka=KafkaSettings(bootstrap="127.0.0.1:1"))
    endpoints.write(tmp_path, endpoints.describe(settings, None))

    rows = await rows_of(tmp_path)

    assert rows["leerp up"].state is State.DOWN
    assert f"leerp up --home {tmp_path}" in rows["leerp up"].advice
    assert (tmp_path / ENDPOINTS_FILE).exists()


@pytest.mark.asyncio
async def test_a_key_open_to_others_is_reported(tmp_path: Path) -> None:
    ensure_keys(tmp_path / "keys", "leerp@ec3.invalid")
    (tmp_path / "keys" / "signer.key").chmod(0o644)

    rows = await rows_of(tmp_path)

    assert rows["keys"].state is State.MISSING
    assert "chmod 600" in rows["keys"].advice


@pytest.mark.asyncio
async def test_the_end_of_the_keys_that_sign_is_said_early_and_when_it_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_keys(tmp_path / "keys", "leerp@ec3.invalid")
    rows = await rows_of(tmp_path)
    assert {rows[CERTIFICATE].state, rows[OPENPGP].state} == {State.OK}

    monkeypatch.setenv("LEERP_SMIME__WARN_BEFORE", "P4000D")
    rows = await rows_of(tmp_path)
    assert {rows[CERTIFICATE].state, rows[OPENPGP].state} == {State.WARN}

    old = self_signed("ec3", "a@b.example", now=NOW - timedelta(days=9), lifetime=timedelta(days=1))
    write_secret(tmp_path / "keys" / "signer.pem", old.certificate_pem().encode())
    rows = await rows_of(tmp_path)
    assert rows[CERTIFICATE].state is State.DOWN
    assert "still go out" in rows[CERTIFICATE].advice


def test_the_exit_code_and_the_json_say_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEERP_SMTP__HOST", "127.0.0.1")
    monkeypatch.setenv("LEERP_SMTP__PORT", "1")

    code = run_doctor(tmp_path, as_json=True, console=Console())
    rows = json.loads(capsys.readouterr().out)

    assert code == 3
    assert {"part", "state", "version", "advice"} == set(rows[0])
    assert {row["part"]: row["state"] for row in rows}["smtp"] == "down"


def test_the_table_for_people_names_parts_and_states(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_doctor(tmp_path, as_json=False, console=Console(width=200)) == 0

    text = capsys.readouterr().out
    assert "java" in text
    assert "what to do" in text
