"""The file that a partner is given to send with: address, login and topic, as ``leerp sources key`` writes.

Lines of ``name=value`` under librdkafka's names, so that kcat and programs in any language read the
same file. Source: R4; docs/sending-reports.md.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from infra.settings import KafkaSettings
from protocol.errors import Refused
from protocol.wording import in_words

_SETTINGS = {
    "bootstrap.servers": "bootstrap",
    "security.protocol": "security",
    "sasl.mechanism": "mechanism",
    "sasl.username": "username",
    "sasl.password": "password",
    "ssl.ca.location": "ca_file",
}
_TOPIC = "topic"


def read_client_file(path: Path) -> tuple[KafkaSettings, str]:
    """How to reach Kafka, and the topic to send to. Names that mean nothing here are passed over.

    ``ssl.ca.location`` is looked for beside the file when it is not absolute. No message repeats a
    value: one of them is a password.

    Raises:
        Refused: ``bad-client-file``; it cannot be read, or lacks something, or a value is not allowed.
    """
    properties = _properties(path)
    for name in ("bootstrap.servers", _TOPIC):
        if not properties.get(name):
            raise _bad(path, f"it does not say {name}")
    named = {field: properties[name] for name, field in _SETTINGS.items() if name in properties}
    if "ca_file" in named:
        named["ca_file"] = str(_beside(path, named["ca_file"]))
    try:
        settings = KafkaSettings.model_validate(named)
    except ValidationError as exc:
        names = {field: name for name, field in _SETTINGS.items()}
        told = in_words(exc, lambda place: names.get(str(place[0]), str(place[0])))
        raise _bad(path, told) from None
    if settings.security != "PLAINTEXT" and not (
        settings.username and settings.password.get_secret_value()
    ):
        raise _bad(path, "it does not say sasl.username and sasl.password")
    return settings, properties[_TOPIC]


def _properties(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as exc:
        raise _bad(path, f"it cannot be read ({exc.strerror})") from exc
    except UnicodeDecodeError:
        raise _bad(path, "it is not UTF-8 text") from None
    found: dict[str, str] = {}
    for number, written in enumerate(lines, start=1):
        # librdkafka knows no topic among its settings, so for its sake that may stand in a comment
        line = written.removeprefix("# ") if written.startswith(f"# {_TOPIC}=") else written
        if not line.strip() or line.lstrip().startswith(("#", "!")):
            continue
        name, sign, value = line.partition("=")
        if not sign:
            raise _bad(path, f"line {number} is not name=value")
        if name.strip() in found:
            raise _bad(path, f"line {number} says {name.strip()} a second time")
        found[name.strip()] = value.strip()
    return found


def _beside(path: Path, named: str) -> Path:
    certificate = path.absolute().parent / named
    if not certificate.is_file():
        raise _bad(path, "the certificate that ssl.ca.location names is not there")
    return certificate


def _bad(path: Path, what: str) -> Refused:
    return Refused(
        "bad-client-file",
        f"{path}: {what}: ask the coordination centre for the file that 'leerp sources key' writes",
    )
