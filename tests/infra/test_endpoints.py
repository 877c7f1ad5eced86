"""endpoints.json leads other commands to the services and holds no secrets."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from infra import endpoints
from infra.settings import ENDPOINTS_FILE, KafkaSettings, Settings, SmtpSettings, TemporalSettings


def make_settings(home: Path) -> Settings:
    return Settings(
        home=home,
        kafka=KafkaSettings(
            bootstrap="127.0.0.1:9", username="leerp", password=SecretStr("s3cret")
        ),
        temporal=TemporalSettings(address="127.0.0.1:10"),
        smtp=SmtpSettings(host="127.0.0.1", port=11, password=SecretStr("s3cret")),
        console_url="http://127.0.0.1:12",
        console_bind="127.0.0.1:12",
        exercise=True,
        clock_factor=60,
    )


def test_another_process_finds_the_services_by_the_home_alone(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    endpoints.write(tmp_path, endpoints.describe(settings, tmp_path / "maildir"))

    found = Settings.load(tmp_path)

    assert found.kafka.bootstrap == "127.0.0.1:9"
    assert found.temporal.address == "127.0.0.1:10"
    assert (found.smtp.host, found.smtp.port) == ("127.0.0.1", 11)
    assert found.console_url == "http://127.0.0.1:12"
    assert found.exercise
    assert found.clock_factor == 60
    assert found.home == tmp_path


def test_people_find_every_address_under_its_name(tmp_path: Path) -> None:
    endpoints.write(tmp_path, endpoints.describe(make_settings(tmp_path), tmp_path / "maildir"))

    written = endpoints.read(tmp_path)

    assert written is not None
    assert written.kafka == "127.0.0.1:9"
    assert written.temporal == "127.0.0.1:10"
    assert written.smtp == "127.0.0.1:11"
    assert written.console == "http://127.0.0.1:12"
    assert written.database == f"sqlite:///{tmp_path}/leerp.db"
    assert written.maildir == str(tmp_path / "maildir")


def test_no_password_is_written(tmp_path: Path) -> None:
    settings = make_settings(tmp_path).model_copy(
        update={"database": "postgresql+psycopg://leerp:s3cret@db.example/leerp"}
    )
    endpoints.write(tmp_path, endpoints.describe(settings, None))

    text = (tmp_path / ENDPOINTS_FILE).read_text()

    assert "s3cret" not in text
    assert "**********" not in text
    assert "db.example" in text


def test_an_address_in_the_environment_beats_what_up_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoints.write(tmp_path, endpoints.describe(make_settings(tmp_path), None))
    monkeypatch.setenv("LEERP_KAFKA__BOOTSTRAP", "kafka.example:9093")

    found = Settings.load(tmp_path)

    assert found.kafka.bootstrap == "kafka.example:9093"
    assert found.kafka.username == "leerp"
    assert found.temporal.address == "127.0.0.1:10"


def test_nothing_is_found_after_a_clean_stop(tmp_path: Path) -> None:
    endpoints.write(tmp_path, endpoints.describe(make_settings(tmp_path), None))

    endpoints.remove(tmp_path)
    endpoints.remove(tmp_path)

    assert endpoints.read(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
