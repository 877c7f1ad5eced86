"""The client file: what `leerp sources key` writes is understood, what is wrong is said without values."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.settings import KafkaSettings
from intake.client_file import read_client_file
from protocol.errors import Refused

WHOLE = """\
# made for csirt-ee
bootstrap.servers=kafka.invalid:9093
security.protocol=SASL_SSL
sasl.mechanism=SCRAM-SHA-512
sasl.username = csirt-ee
sasl.password=a=b#c\\d
ssl.ca.location=ca.pem
topic=leerp.intake.csirt.v1
client.id=theirs
"""


def written(folder: Path, text: str) -> Path:
    (folder / "ca.pem").write_text("certificate")
    path = folder / "client.properties"
    path.write_text(text)
    return path


def test_address_login_and_topic_are_taken_as_they_stand(tmp_path: Path) -> None:
    settings, topic = read_client_file(written(tmp_path, WHOLE))

    assert topic == "leerp.intake.csirt.v1"
    assert settings == KafkaSettings(
        bootstrap="kafka.invalid:9093",
        security="SASL_SSL",
        mechanism="SCRAM-SHA-512",
        username="csirt-ee",
        password="a=b#c\\d",
        ca_file=tmp_path / "ca.pem",
    )


def test_on_loopback_address_and_topic_are_enough(tmp_path: Path) -> None:
    text = "bootstrap.servers=127.0.0.1:9092\ntopic=leerp.intake.other.v1\n"
    settings, _ = read_client_file(written(tmp_path, text))
    assert settings == KafkaSettings(bootstrap="127.0.0.1:9092")


def test_the_topic_may_stand_in_a_comment_for_clients_that_do_not_know_it(tmp_path: Path) -> None:
    text = WHOLE.replace("topic=", "# topic=")
    assert read_client_file(written(tmp_path, text)) == read_client_file(written(tmp_path, WHOLE))


@pytest.mark.parametrize(
    ("without", "said"),
    [
        ("bootstrap.servers", "does not say bootstrap.servers"),
        ("topic", "does not say topic"),
        ("sasl.username", "does not say sasl.username and sasl.password"),
        ("sasl.password", "does not say sasl.username and sasl.password"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, without: str, said: str) -> None:
    text = "".join(line for line in WHOLE.splitlines(True) if not line.startswith(without))
    with pytest.raises(Refused, match=said) as refused:
        read_client_file(written(tmp_path, text))
    assert refused.value.reason == "bad-client-file"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (WHOLE.replace("SASL_SSL", "secret-9"), "security.protocol: Input should be"),
        (WHOLE + "a line\n", "line 10 is not name=value"),
        (WHOLE + "topic=secret-9\n", "line 10 says topic a second time"),
        (WHOLE.replace("ca.pem", "secret-9"), "the certificate that ssl.ca.location names"),
    ],
)
def test_what_is_wrong_is_named_without_its_value(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Refused, match=said) as refused:
        read_client_file(written(tmp_path, text))
    assert "secret-9" not in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="No such file"):
        read_client_file(tmp_path / "none")
