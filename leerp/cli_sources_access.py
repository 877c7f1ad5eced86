"""``leerp sources key`` and ``leerp sources revoke``: a partner's way into Kafka, given and taken."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from infra import audit, kafka, kafka_access
from infra.bootstrap import App
from infra.keys import write_secret
from infra.settings import KafkaSettings
from intake.sources import get_source
from leerp.home import open_app
from leerp.options import CHANNEL, HOME, As, Home, Json
from leerp.output import out, show_json
from notifications.authority import Attempt, administrator, attempted
from protocol.errors import Refused
from protocol.parties import SourceGroup

SourceId = Annotated[str, typer.Argument(metavar="ID", help="Source, such as cert-example.")]

PROPERTIES = """\
# Kafka access of {source} to the reports of LEERP. Keep it secret: who has it reports in your name.
# Write to this topic; nothing else is allowed.
# topic={topic}
bootstrap.servers={bootstrap}
security.protocol={security}
sasl.mechanism=SCRAM-SHA-512
sasl.username={source}
sasl.password={password}
{ca}# A client in Java takes, for the two lines with sasl.username and sasl.password:
# sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \
username="{source}" password="{password}";
"""


def key(
    source: SourceId,
    group: Annotated[
        SourceGroup | None,
        typer.Option(help="One of its source groups, its own when not given; decides the topic."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--out", help="Where to; ID.properties when not given.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Print the password too.")] = False,
    home: Home = HOME,
    officer: As = "administrator",
    as_json: Json = False,
) -> None:
    """Give a source its own topic and a new key for it; a duty-manager of the directory does."""
    place = (file or Path(f"{source}.properties")).absolute()
    if not place.parent.is_dir():
        raise Refused("no-folder", f"there is no folder {place.parent}: make it, or choose another")
    with open_app(home) as opened:
        group = _group(opened, source, group)
        topic = kafka.topic_of(group, source)
        settings = _ready(opened)
        detail = {"group": group, "topic": topic}
        _note(opened, officer, source, "key", "requested", detail)
        password = kafka_access.grant(settings, source, group)
        _note(opened, officer, source, "key", "issued", detail)
    text = PROPERTIES.format(
        source=source,
        topic=topic,
        bootstrap=settings.for_partners,
        security="SASL_SSL" if settings.listen else settings.security,
        password=password,
        ca=_authority(settings, place),
    )
    write_secret(place, text.encode())
    if as_json:
        shown = {"source": source, "group": group, "topic": topic, "file": str(place)}
        show_json(shown | ({"password": password} if show else {}))
        return
    out.print(f"{source} may write to {topic}; its key is in {place}", soft_wrap=True)
    if show:
        out.print(f"password: {password}", markup=False, soft_wrap=True)
    out.print("Hand the file over by a way that is safe, then delete it. A key it had is void.")


def revoke(
    source: SourceId, home: Home = HOME, officer: As = "administrator", as_json: Json = False
) -> None:
    """Take a source's key and rights, at once; a duty-manager of the directory does."""
    kafka.require_source_id(source)
    with open_app(home) as opened:
        settings = _ready(opened)
        _note(opened, officer, source, "revoke", "requested", {})
        kafka_access.revoke(settings, source)
        _note(opened, officer, source, "revoke", "done", {})
    if as_json:
        show_json({"source": source, "revoked": True})
    else:
        out.print(f"{source} can no longer write; what it has sent stays")


def _group(opened: App, source: str, wanted: SourceGroup | None) -> SourceGroup:
    """The group in which a registered source is to write.

    Raises:
        NotFound: nobody has registered it.
        Refused: ``not-its-group`` or ``retired``.
    """
    with opened.database.read() as connection:
        registered = get_source(connection, source)
    groups = registered.source.groups
    if registered.retired_at is not None:
        raise Refused("retired", f"{source} is out of service: 'leerp sources restore {source}'")
    if wanted is not None and wanted not in groups:
        raise Refused(
            "not-its-group",
            f"{source} reports in {', '.join(groups)}, not in {wanted}: register that first",
        )
    return wanted or groups[0]


def _ready(opened: App) -> KafkaSettings:
    """Settings of a Kafka that has logins to hand out.

    Raises:
        Refused: ``no-logins``.
        ServiceDown: Kafka has no address.
    """
    settings = opened.settings.kafka
    opened.settings.require("Kafka", settings.bootstrap)
    if settings.security == "PLAINTEXT":
        raise Refused(
            "no-logins",
            f"Kafka at {settings.bootstrap} is used without login, so a key would be worth nothing:"
            " set LEERP_KAFKA__SECURITY=SASL_SSL and a login",
        )
    return settings


def _note(
    opened: App, officer: str, source: str, act: str, outcome: str, detail: dict[str, Any]
) -> None:
    """An audit row before Kafka is asked and one after: Kafka is in no transaction of ours.

    Raises:
        Refused: the officer may not.
    """
    command = f"sources {act}"
    attempt = Attempt(officer=officer, command=command, subject=source, channel=CHANNEL)
    with attempted(opened.database, attempt) as connection:
        administrator(connection, officer, command)
        audit.append(
            connection,
            f"source_{act}_{outcome}",
            actor=officer,
            subject=source,
            channel=CHANNEL,
            **detail,
        )


def _authority(settings: KafkaSettings, place: Path) -> str:
    """Put the authority's certificate beside the key, if we know it, and return the line for it."""
    if not settings.ca_file:
        return ""
    beside = place.with_suffix(".ca.pem")
    beside.write_bytes(settings.ca_file.read_bytes())
    return f"ssl.ca.location={beside.name}\n"
